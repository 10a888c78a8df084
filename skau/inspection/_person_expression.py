"""A face = a person + an expression (paper 1, Figure 1), by the network's own decoder."""

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..modules import DSN
from ..utils._unwrap import classifier_of
from ._display import Display
from ._plotting import panels, show_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KINDS = {
    "input": "input",
    "person": "person\nalone",
    "expression": "expr.\nalone",
    "both": "both",
}


@dataclass(eq=False, repr=False)
class PersonExpressionDisplay(Display):
    """What a DSN's decoder makes of the person code, the expression code, and of both.

    It is paper 1's Figure 1 in use. A row a face: the input, the person code alone, the
    expression code alone, their sum; then the expression of that row with the person of each
    other face. The reconstruction loss is blind to brightness, so every decoded picture has the
    mean brightness of the face that gave the person. It is recommended to use `from_estimator`.

    Parameters
    ----------
    images : dict of ndarray of shape (n, h, w[, 3]), uint8
        "input", "person", "expression" and "both".
    swaps : ndarray of shape (n, n, h, w[, 3])
        Row i, column j: the expression of face i with the person of face j.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Row by row.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from skau.inspection import PersonExpressionDisplay
    >>> PersonExpressionDisplay.from_estimator(dsn, crops[:4])  # doctest: +SKIP
    """

    images: dict[str, np.ndarray]
    _: KW_ONLY
    swaps: np.ndarray

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, *, ax: "Axes | np.ndarray | None" = None
    ) -> Self:
        """Decode the codes of a few faces.

        Parameters
        ----------
        estimator : DSNClassifier
            Fitted to images, with ``person_encoder=True``.
        X : array-like of shape (n, h, w[, 3]), uint8
            A few faces, best of different people with different expressions.
        ax : matplotlib Axes, or array of n (n + 4) of them, default=None

        Returns
        -------
        display
        """
        classifier = classifier_of(estimator)
        module = getattr(classifier, "module_", None)
        if not isinstance(module, DSN) or module.person is None or len(module.input_shape) != 3:
            raise ValueError(
                "estimator must be a fitted DSNClassifier(person_encoder=True) of images, got "
                f"{classifier!r:.80}"
            )
        X = np.asarray(X)
        images = {
            "input": X,
            "person": classifier._decode_one(X, "person"),
            "expression": classifier._decode_one(X, "expression"),
            "both": classifier.reconstruct(X),
        }
        swaps = np.stack(
            [classifier.reconstruct(X, person=X[j : j + 1]) for j in range(len(X))], axis=1
        )
        return cls(images, swaps=swaps).plot(ax=ax)

    def _plot(self, ax: "Axes | np.ndarray | None") -> None:
        n, wide = len(self.swaps), len(self.swaps) + len(_KINDS)
        height = 3.5 / wide * n + 0.35
        self.figure_, self.axes_ = panels(ax, n * wide, wide, height)
        grid = self.axes_.reshape(n, wide)
        for i, row in enumerate(grid):
            for panel, kind in zip(row, _KINDS, strict=False):
                show_image(panel, self.images[kind][i])
            for j, panel in enumerate(row[len(_KINDS) :]):
                show_image(panel, self.swaps[i, j])
        for panel, title in zip(grid[0], _KINDS.values(), strict=False):
            panel.set_title(title, fontsize=6, pad=2)
        for j, panel in enumerate(grid[0, len(_KINDS) :]):
            panel.set_title(f"with\nperson {j + 1}", fontsize=6, pad=2)
        for i, panel in enumerate(grid[:, 0]):
            panel.set_ylabel(str(i + 1), rotation=0, va="center", labelpad=5)
