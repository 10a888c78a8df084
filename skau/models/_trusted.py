"""The types that a model file may name, beyond those of scikit-learn that skops trusts itself.

Each was looked at: to make one, to set its state, or to call it does nothing but compute. Not
here, on purpose: scipy's frozen distributions, whose state is code that they run when it is set;
callbacks, which act on files; and everything of a user's own.
"""

import inspect
from functools import cache, partial

# What users do not name, but fitted models and searches hold.
_INNER = (
    "skau.baselines._svtpt._Transfer",
    "skau.models._trunk.PretrainedTrunk",
    "sklearn.metrics._scorer._MultimetricScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split._CVIterableWrapper",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
    "torch.device",
)


@cache
def trusted_types() -> tuple[str, ...]:
    """Return the names, as skops writes them, by which types and functions are trusted."""
    import sklearn.model_selection
    import torch
    from sklearn.metrics import get_scorer, get_scorer_names

    from .. import metrics, model_selection
    from ..utils import all_estimators

    splitters = [*vars(sklearn.model_selection).values(), *vars(model_selection).values()]
    found = [
        *(cls for _, cls in all_estimators()),
        *(cls for cls in splitters if inspect.isclass(cls) and hasattr(cls, "split")),
        *(getattr(metrics, name) for name in metrics.__all__ if name.endswith("_scorer")),
        *(get_scorer(name)._score_func for name in get_scorer_names()),
        *(
            cls
            for cls in vars(torch.optim).values()
            if inspect.isclass(cls) and issubclass(cls, torch.optim.Optimizer)
        ),
        partial,
    ]
    return (*sorted({f"{each.__module__}.{each.__qualname__}" for each in found}), *_INNER)
