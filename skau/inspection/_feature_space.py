"""Features before and after the identity is taken out (paper 2, Figure 2)."""

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from ..metrics import identity_leakage
from ..modules import DSN, IdenNet
from ..utils._groups import check_groups
from ..utils._rows import require_same_rows
from ..utils._unwrap import classifier_of
from ._display import Display
from ._parts import label_table
from ._plotting import COLOURS, GREY, MARKERS, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(eq=False, repr=False)
class FeatureSpaceDisplay(Display):
    """Two dimensions of the features, coloured by the subject and by an AU.

    It is paper 2's Figure 2: above, a colour and sign a subject, below, the AU present or absent;
    on the left the features before, on the right after identity subtraction. The titles have the
    identity leakage of the features (:func:`skau.metrics.identity_leakage`), measured in all
    their dimensions: 0 if nobody can be told from them, 1 if everybody. It is recommended to use
    `from_estimator` or `from_features`.

    Parameters
    ----------
    points : dict of ndarray of shape (n, 2)
        The places of the rows, by the name of the features.
    present : Series of shape (n,)
        1, 0 or NaN, named by its AU.
    groups : ndarray of shape (n,)
        The subject of each row.
    leakage : dict of float
        By the name of the features; NaN where it could not be measured.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        By subject first, then by AU.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from skau.inspection import FeatureSpaceDisplay
    >>> features = np.random.RandomState(0).randn(40, 8)
    >>> subjects, labels = np.repeat(["a", "b"], 20), np.tile([[0], [1]], (20, 1))
    >>> display = FeatureSpaceDisplay.from_features(features, labels, subjects, method="pca")
    >>> display.points["features"].shape
    (40, 2)
    """

    points: dict[str, np.ndarray]
    _: KW_ONLY
    present: pd.Series
    groups: np.ndarray
    leakage: dict[str, float]

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, groups: Any, **options: Any) -> Self:
        """Compute the features of a fitted classifier, and draw them.

        Parameters
        ----------
        estimator : classifier
            Of an :class:`~skau.IdenNetClassifier` the features before and after subtraction are
            shown; of a :class:`~skau.DSNClassifier` the sum of both codes, which the decoder
            sees, and the expression code; of any other what its ``transform`` returns.
        X : array-like of length n
            Images or vectors of people that it has not seen: those it was trained on it may know
            by heart.
        y : DataFrame or array-like of shape (n, n_aus)
            1 present, 0 absent, NaN not annotated.
        groups : array-like of shape (n,)
            The subject of each row.
        **options
            As of `from_features`.

        Returns
        -------
        display
        """
        return cls.from_features(_features(classifier_of(estimator), X), y, groups, **options)

    @classmethod
    def from_features(
        cls,
        features: dict[str, np.ndarray] | np.ndarray,
        y: Any,
        groups: Any,
        *,
        au: str | None = None,
        method: str = "tsne",
        random_state: int | np.random.RandomState | None = 0,
        ax: "Axes | np.ndarray | None" = None,
    ) -> Self:
        """Draw features.

        Parameters
        ----------
        features : dict of ndarray of shape (n, n_features), or one such
            By the name that the title gives them.
        y : DataFrame or array-like of shape (n, n_aus)
            1 present, 0 absent, NaN not annotated.
        groups : array-like of shape (n,)
            The subject of each row.
        au : str, default=None
            The AU that colours the lower row; None is the one whose base rate is closest to half.
        method : {"tsne", "pca"}, default="tsne"
            How two dimensions are made of the standardised features. Distances between clusters
            mean little in t-SNE; PCA is linear, and shows less.
        random_state : int or RandomState, default=0
            Seeds t-SNE.
        ax : matplotlib Axes, or array of four (two of one kind of features), default=None
            One Axes is divided into panels. None makes a new figure.

        Returns
        -------
        display
        """
        cls._require_matplotlib()
        if method not in ("tsne", "pca"):
            raise ValueError(f"method must be 'tsne' or 'pca', got {method!r}")
        kinds = features if isinstance(features, dict) else {"features": features}
        labels = label_table(y)
        require_same_rows({"groups": groups}, {"y": y})
        subjects = check_groups(groups, len(labels), of="y")
        if au is None:
            au = str((labels.mean() - 0.5).abs().idxmin())
        elif au not in labels:
            raise ValueError(f"au={au!r} is not one of {labels.columns.tolist()}")
        points, leakage = {}, {}
        for name, values in kinds.items():
            values = np.asarray(values)
            if values.ndim != 2 or len(values) != len(labels):
                raise ValueError(
                    f"{name}: features have shape {values.shape}, but y has {len(labels)} rows; "
                    "give (n, n_features)"
                )
            points[name] = _embed(values, method, random_state)
            counts = np.unique(subjects, return_counts=True)[1]
            known = len(counts) > 1 and counts.min() > 1
            n_splits = int(min(5, counts.min()))
            leakage[name] = (
                identity_leakage(values, subjects, n_splits=n_splits) if known else np.nan
            )
        display = cls(points, present=labels[au], groups=subjects, leakage=leakage)
        return display.plot(ax=ax)

    def _plot(self, ax: "Axes | np.ndarray | None") -> None:
        n = len(self.points)
        self.figure_, self.axes_ = panels(ax, 2 * n, n, 3.9 if n > 1 else 7.0, width=3.5)
        upper, lower = self.axes_[:n], self.axes_[n:]
        for panel, (name, xy) in zip(upper, self.points.items(), strict=True):
            self._by_subject(panel, xy)
            leak = self.leakage[name]
            told = "" if np.isnan(leak) else f"\nidentity leakage {leak:.2f}"
            panel.set_title(f"{name}{told}", pad=3)
        for panel, xy in zip(lower, self.points.values(), strict=True):
            self._by_au(panel, xy)
        upper[0].set_ylabel(f"by subject ({len(np.unique(self.groups))})")
        lower[0].set_ylabel(f"by {self.present.name}")
        lower[0].legend(
            loc="upper left", bbox_to_anchor=(-0.02, 0), ncols=2, handletextpad=0.2,
            columnspacing=1, borderaxespad=0.2, markerscale=1.4,
        )  # fmt: skip
        for panel in self.axes_:
            panel.set(xticks=[], yticks=[])
            panel.margins(0.04)
            panel.spines[:].set(visible=True, color="0.8")

    def _by_subject(self, panel: "Axes", xy: np.ndarray) -> None:
        for i, subject in enumerate(np.unique(self.groups)):
            own = self.groups == subject
            k = len(COLOURS) - 1  # the yellow one is too light for dots
            panel.plot(
                *xy[own].T, MARKERS[i % len(MARKERS)], color=COLOURS[i % k], ms=2.6,
                mew=0, alpha=0.85,
            )  # fmt: skip

    def _by_au(self, panel: "Axes", xy: np.ndarray) -> None:
        present = self.present.to_numpy()
        unknown = np.isnan(present)
        if unknown.any():
            panel.plot(*xy[unknown].T, ".", color="0.85", ms=2, mew=0)
        absent: dict[str, Any] = {"mfc": "white", "mec": GREY, "mew": 0.6}
        panel.plot(*xy[present == 0].T, "o", ms=2.6, label="absent", **absent)
        panel.plot(*xy[present == 1].T, "s", ms=2.8, color=COLOURS[0], mew=0, label="present")


def _features(classifier: Any, X: Any) -> dict[str, np.ndarray]:
    """Return the features before and after the identity is taken out, if there are such."""
    after = np.asarray(classifier.transform(X))
    module = getattr(classifier, "module_", None)
    if isinstance(module, IdenNet):
        before = classifier._infer(X, "au_features")
        return {"before subtraction": before, "after subtraction": after}
    if isinstance(module, DSN) and module.person is not None:
        both = classifier.identity_features(X) + after
        return {"person + expression": both, "expression": after}
    return {"features": after}


def _embed(features: np.ndarray, method: str, random_state: Any) -> np.ndarray:
    scaled = StandardScaler().fit_transform(features)
    n = min(50, *scaled.shape)
    few = PCA(n if method == "tsne" else 2, random_state=random_state).fit_transform(scaled)
    if method == "pca":
        return few
    perplexity = min(30.0, (len(few) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=random_state).fit_transform(few)
