"""Photos with what was found in them, beside what was cut out."""

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..preprocessing import FaceCropper, read_image
from ..preprocessing._image_source import ImageSource
from ..preprocessing._landmarks import BOX, COLUMNS, FACE, POINTS
from ..preprocessing._worker import Worker
from ._display import Display
from ._plotting import COLOURS, panels, show_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(eq=False, repr=False)
class AlignmentDisplay(Display):
    """Box, landmarks and crop over each photo, and the crop with its landmarks below.

    It is recommended to use `from_estimator`.

    Parameters
    ----------
    photos, crops : lists of ndarray
        Of each row, the whole image and what was cut out, uint8.
    table : DataFrame
        The landmark table of :meth:`~skau.preprocessing.FaceCropper.detect`.
    matrices : list of ndarray of shape (2, 3), or None
        From places in the crop to places in the photo, in pixels from the edge; None where there
        is no face.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The photos, then the crops.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from skau.datasets import load_sample_faces
    >>> from skau.inspection import AlignmentDisplay
    >>> from skau.preprocessing import FaceCropper
    >>> photos = list(load_sample_faces().images[:2])
    >>> display = AlignmentDisplay.from_estimator(FaceCropper(size=64), photos)
    >>> display.crops.shape
    (2, 64, 64, 3)
    """

    photos: list[NDArray[np.uint8]]
    crops: NDArray[np.uint8]
    _: KW_ONLY
    table: pd.DataFrame
    matrices: list[NDArray[np.float64] | None]

    @classmethod
    def from_estimator(
        cls, cropper: FaceCropper, X: Any, *, ax: "Axes | np.ndarray | None" = None
    ) -> Self:
        """Find and cut the faces of a few photos, and draw them.

        Parameters
        ----------
        cropper : FaceCropper
        X : list of paths, arrays or PIL images
            A few photos, up to about six.
        ax : matplotlib Axes, or array of 2 n of them, default=None

        Returns
        -------
        display
        """
        ImageSource(X)  # refuses what is no list of images
        photos = [read_image(x) for x in X]
        worker = Worker.of(cropper)
        done = worker.work([(photo.copy, None) for photo in photos], cut=True)
        values = np.stack([one.values for one in done])
        matrices = [
            None if worker.needs_landmarks and one.problem else worker.matrix(one.values, p.size)
            for one, p in zip(done, photos, strict=True)
        ]
        return cls(
            [np.asarray(photo) for photo in photos],
            np.stack([one.crop for one in done]),  # type: ignore[misc]
            table=pd.DataFrame(values, columns=list(COLUMNS)),
            matrices=matrices,
        ).plot(ax=ax)

    def _plot(self, ax: "Axes | np.ndarray | None") -> None:
        n = len(self.photos)
        self.figure_, self.axes_ = panels(ax, 2 * n, n, 2 * 3.5 / n + 0.15)
        values = self.table[list(COLUMNS)].to_numpy(float)
        for i, (above, below) in enumerate(zip(self.axes_[:n], self.axes_[n:], strict=True)):
            show_image(above, self.photos[i])
            show_image(below, self.crops[i])
            if np.isnan(values[i, FACE]).any():
                above.set_title("no face", pad=2, color=COLOURS[4])
                continue
            self._draw(above, below, values[i], self.matrices[i])

    def _draw(
        self, above: "Axes", below: "Axes", values: np.ndarray, matrix: NDArray[np.float64] | None
    ) -> None:
        """Draw one face; pictures have their origin in the centre of the first pixel."""
        x1, y1, x2, y2 = values[BOX]
        above.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], ":", color="white", lw=0.9)
        points = values[POINTS].reshape(5, 2)
        _crosses(above, points)
        if matrix is None:
            return
        size = len(self.crops[0])
        corners = np.array([[0, 0], [size, 0], [size, size], [0, size], [0, 0]])
        outline = corners @ matrix[:, :2].T + matrix[:, 2] - 0.5
        above.plot(*outline.T, color=COLOURS[1], lw=1.2)
        cut = np.linalg.solve(matrix[:, :2], (points + 0.5 - matrix[:, 2]).T).T - 0.5
        _crosses(below, cut[((cut > -0.5) & (cut < size - 0.5)).all(axis=1)])
        below.spines[:].set(visible=True, color=COLOURS[1], linewidth=1.2)


def _crosses(ax: "Axes", points: np.ndarray) -> None:
    limits = ax.get_xlim(), ax.get_ylim()
    ax.plot(*points.T, "+", color="black", ms=5, mew=1.8)
    ax.plot(*points.T, "+", color="white", ms=4.5, mew=0.8)
    ax.set(xlim=limits[0], ylim=limits[1])
