"""Where a decision looks: which part of the face, once covered, changes it."""

import warnings
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..utils._unwrap import classifier_of
from ..utils._warnings import user_level
from ._display import Display
from ._parts import label_table
from ._plotting import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(eq=False, repr=False)
class OcclusionDisplay(Display):
    """How far an AU's logit falls when a part of the face is covered (Zeiler & Fergus 2014).

    A square of the picture's mean colour is moved over each face; what the logit loses is shared
    among the pixels under it, averaged over the faces, and laid over their mean. It is
    recommended to use `from_estimator`.

    Parameters
    ----------
    maps : dict of ndarray of shape (h, w)
        By AU, what the logit loses where a pixel is covered; negative where it gains.
    faces : dict of ndarray of shape (h, w[, 3])
        By AU, the mean of the faces that were covered.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One an AU.
    figure_ : matplotlib Figure

    References
    ----------
    .. [1] M. D. Zeiler, R. Fergus, "Visualizing and understanding convolutional networks", ECCV
       2014.

    Examples
    --------
    >>> from skau.inspection import OcclusionDisplay
    >>> OcclusionDisplay.from_estimator(clf, crops, labels)  # doctest: +SKIP
    """

    maps: dict[str, np.ndarray]
    _: KW_ONLY
    faces: dict[str, np.ndarray]

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        aus: list[str] | str | None = None,
        patch: int | None = None,
        ax: "Axes | np.ndarray | None" = None,
    ) -> Self:
        """Cover one part after another, and draw what each AU's logit loses.

        Parameters
        ----------
        estimator : classifier
            Fitted to images; anything with ``decision_function`` and ``au_names_``.
        X : array-like of shape (n, h, w[, 3]), uint8
            Aligned faces; their mean is what the map is laid over. Every place of the square
            costs a prediction for each: some tens of faces are enough.
        y : DataFrame or array-like of shape (n, n_aus), default=None
            If given, an AU's map is of the faces that show it, in whose logit there is
            something to lose.
        aus : list of str or str, default=None
            The AUs to draw; None is all.
        patch : int, default=None
            Side of the square, in pixels; None is a quarter of the shorter side. It moves by
            half of that.
        ax : matplotlib Axes, or array of as many as there are AUs, default=None

        Returns
        -------
        display

        Warns
        -----
        UserWarning
            Of AUs that no row of ``y`` shows: they have no map.
        """
        cls._require_matplotlib()
        X = np.asarray(X)
        if X.ndim not in (3, 4) or X.dtype != np.uint8:
            raise ValueError(f"X must hold images, uint8, got shape {X.shape} of {X.dtype}")
        if not hasattr(estimator, "decision_function"):
            raise ValueError(
                f"estimator must be a fitted AU classifier of images, got {estimator!r:.80}"
            )
        known = [str(name) for name in classifier_of(estimator).au_names_]
        names = known if aus is None else [aus] if isinstance(aus, str) else list(aus)
        if unknown := set(names) - set(known):
            raise ValueError(f"aus: {sorted(unknown)} not among {known}")
        shown = None if y is None else label_table(y)
        if shown is not None and set(names) - set(shown):
            raise ValueError(f"y has no column {sorted(set(names) - set(shown))}")
        side = patch or min(X.shape[1:3]) // 4
        if not 1 <= side <= min(X.shape[1:3]):
            raise ValueError(f"patch={patch} must lie between 1 and the images' shorter side")
        loss = _losses(estimator, X, side)  # (n, h, w, n_aus)
        maps, faces = {}, {}
        for name in names:
            rows = np.ones(len(X), bool) if shown is None else (shown[name] == 1).to_numpy()
            if rows.any():
                maps[name] = loss[rows][..., known.index(name)].mean(axis=0)
                faces[name] = X[rows].mean(axis=0).astype(np.uint8)
        if not maps:
            raise ValueError(f"y: no row of X shows any of {names}")
        if missing := [name for name in names if name not in maps]:
            warnings.warn(
                f"y: no row of X shows {', '.join(missing)}, so there is no map of it",
                stacklevel=user_level(),
            )
        return cls(maps, faces=faces).plot(ax=ax)

    def _plot(self, ax: "Axes | np.ndarray | None") -> None:
        n = len(self.maps)
        columns = min(4, n)
        rows = -(-n // columns)
        height = 2.75 / columns * rows + 0.2 * rows + 0.1
        self.figure_, self.axes_ = panels(ax, n, columns, height)
        for panel, (name, values) in zip(self.axes_, self.maps.items(), strict=True):
            face = self.faces[name]
            grey = face if face.ndim == 2 else face.mean(axis=2)
            panel.imshow(grey, cmap="gray", vmin=0, vmax=255)
            top = max(float(np.abs(values).max()), 1e-12)
            strength = np.clip(values / top, 0, 1)
            image = panel.imshow(
                values, cmap="inferno", vmin=0, vmax=top, alpha=0.65 * strength**0.7
            )
            panel.contour(values, levels=[0.5 * top], colors="white", linewidths=0.8)
            panel.set_title(name, pad=2)
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
        bar = self.figure_.colorbar(
            image,
            ax=self.axes_.tolist(),
            ticks=[0, top],
            shrink=0.8,
            pad=0.02,
            aspect=12 * rows,
        )
        bar.ax.set_yticklabels(["0", "most"])
        bar.set_label("logit lost when covered")


def _losses(estimator: Any, X: np.ndarray, side: int) -> np.ndarray:
    """Return what every logit loses at every pixel, mean over the squares that cover it."""
    height, width = X.shape[1:3]
    before = _logits(estimator, X)
    colour = X.mean(axis=(1, 2), keepdims=True).astype(np.uint8)
    loss = np.zeros((len(X), height, width, before.shape[1]))
    count = np.zeros((height, width))
    for top in _starts(height, side):
        for left in _starts(width, side):
            part = np.s_[:, top : top + side, left : left + side]
            covered = X.copy()
            covered[part] = colour
            loss[part] += (before - _logits(estimator, covered))[:, None, None]
            count[part[1:]] += 1
    return loss / count[..., None]


def _logits(estimator: Any, X: np.ndarray) -> np.ndarray:
    logits = np.asarray(estimator.decision_function(X))
    return logits[:, None] if logits.ndim == 1 else logits


def _starts(length: int, side: int) -> list[int]:
    """Return the first pixels of squares that overlap by half and reach the border."""
    step = max(1, side // 2)
    return sorted({*range(0, length - side, step), length - side})
