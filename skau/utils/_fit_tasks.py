"""scikit-learn's callbacks: a fit is a task whose subtasks are epochs, or fits of others."""

from collections.abc import Mapping
from typing import Any

from sklearn.callback import CallbackContext, CallbackSupportMixin

from ._portable import leave_out


class CallbacksMixin(CallbackSupportMixin):
    """``set_callbacks``, and the beginning and end of a fit that has parts.

    Callbacks that scikit-learn hands on, such as its progress bars, hear of the parts' own
    epochs too.
    """

    def _begin_fit(self, n_parts: int, X: Any, y: Any) -> CallbackContext:
        context = self._init_callback_context(max_subtasks=n_parts)
        return context.call_on_fit_task_begin(estimator=self, X=X, y=y)

    def _end_fit(self, context: CallbackContext, X: Any, y: Any) -> None:
        # nothing is to be added to a copy of the estimator: it is fitted by now
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes={})

    def __getstate__(self) -> dict[str, Any]:
        """Return the state; callbacks are left out of model files."""
        state = leave_out(self, dict(super().__getstate__()), "_skl_callbacks")
        if state.get("_skl_callbacks", ()) is None:
            del state["_skl_callbacks"]
        return state


def fit_part(
    model: Any,
    context: CallbackContext,
    owner: Any,
    X: Any,
    y: Any,
    params: Mapping[str, Any],
) -> Any:
    """Fit the model of one part, whose context hands the owner's callbacks on to it."""
    with context.propagate_callback_context(model):
        context.call_on_fit_task_begin(estimator=owner, X=X, y=y)
        model.fit(X, y, **params)
    context.call_on_fit_task_end(estimator=owner, X=X, y=y)
    return model
