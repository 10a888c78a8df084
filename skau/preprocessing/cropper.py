"""`FaceCropper`: photos in, aligned face crops of one size out."""

import warnings
from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_consistent_length
from tqdm import tqdm

from .alignment import box_matrix, eye_matrix, region_matrix, whole_matrix
from .images import READ_ERRORS, ImageSource
from .landmarks import (
    BOX,
    COLUMNS,
    DECIMALS,
    FACE,
    POINTS,
    PROBABILITY,
    SIZE,
    is_landmark_table,
    make_table,
    pool_by_subject,
    read_table,
    sample_rows,
)
from .warping import warp

__all__ = ["FaceCropper"]

CHUNK = 16  # images that share the detector's batches


class FaceCropper(TransformerMixin, BaseEstimator):
    """Find the face in each image and cut it out, aligned, at one size.

    Faces are found with the MTCNN cascade [1]_ and the weights that facenet-pytorch ships.  Each
    crop is one affine warp of the original pixels, antialiased where it shrinks, continued by
    reflection beyond the image's border.  The transformer learns nothing: `fit` only checks.

    Parameters
    ----------
    size : int, default=128
        Side of the crops, in pixels.
    align : {"eyes", "box"} or None, default="eyes"
        ``"eyes"``: the LightCNN template: eyes level at 40/128 of the height, their mid-point in
        the middle of the width, the mouth's centre 48/128 of the height below them.  ``"box"``:
        an upright square about the detected box.  None: the whole image, made square by
        reflection at its borders; no face is looked for unless ``region`` needs it.
    region : {"full", "upper", "lower"}, default="full"
        The part of the crop above or below the mid-point between eyes and nose, stretched to the
        square.
    margin : float, default=0.0
        Widens the crop on each side by this fraction of its side; negative values narrow it.
    landmarks_per_subject : int or None, default=None
        With ``groups``, find the landmarks in so many evenly spread images of each subject only,
        and cut all images of the subject by their median.  None: each image by its own.
    select : {"largest", "central", "most_confident"}, default="largest"
        Which face to take where there are several.  ``"largest"`` is by far the fastest: the
        search can stop at the first size at which there is a face.
    on_missing : {"raise", "warn"}, default="raise"
        What to do about images without a face and files that cannot be read, after all others
        have been done.  With ``"warn"``, the crop of an image without a face is the whole image,
        made square by reflection, and that of an unreadable file is black.
    min_face_size : float, default=20
        Side of the smallest face that is looked for, in pixels of the image.
    threshold : float, default=0.9
        Least probability of a face.
    n_jobs : int or None, default=None
        Number of threads that read, search and cut.  None means as many as PyTorch uses
        (``torch.get_num_threads()``: 1 inside joblib's processes), -1 one a processor.
    device : str, default="auto"
        Where the networks run: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    missing_ : ndarray of int
        The rows without a face, or unreadable, of the last call.

    References
    ----------
    .. [1] K. Zhang, Z. Zhang, Z. Li, Y. Qiao, "Joint face detection and alignment using multitask
       cascaded convolutional networks", IEEE Signal Processing Letters 23(10), 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skau.preprocessing import FaceCropper
    >>> photo = np.zeros((60, 80, 3), dtype=np.uint8)
    >>> FaceCropper(size=32, align=None).fit_transform([photo]).shape
    (1, 32, 32, 3)
    >>> FaceCropper().transform([photo])
    Traceback (most recent call last):
    ...
    ValueError: no face found in 1 of 1 images: row 0...
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "size": [Interval(Integral, 8, None, closed="left")],
        "align": [StrOptions({"eyes", "box"}), None],
        "region": [StrOptions({"full", "upper", "lower"})],
        "margin": [Interval(Real, -0.5, None, closed="neither")],
        "landmarks_per_subject": [Interval(Integral, 1, None, closed="left"), None],
        "select": [StrOptions({"largest", "central", "most_confident"})],
        "on_missing": [StrOptions({"raise", "warn"})],
        "min_face_size": [Interval(Real, 12, None, closed="left")],
        "threshold": [Interval(Real, 0, 1, closed="left")],
        "n_jobs": [Integral, None],
        "device": [str],
        "verbose": ["verbose"],
    }
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"groups": True}

    def __init__(
        self,
        *,
        size: int = 128,
        align: str | None = "eyes",
        region: str = "full",
        margin: float = 0.0,
        landmarks_per_subject: int | None = None,
        select: str = "largest",
        on_missing: str = "raise",
        min_face_size: float = 20,
        threshold: float = 0.9,
        n_jobs: int | None = None,
        device: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.size = size
        self.align = align
        self.region = region
        self.margin = margin
        self.landmarks_per_subject = landmarks_per_subject
        self.select = select
        self.on_missing = on_missing
        self.min_face_size = min_face_size
        self.threshold = threshold
        self.n_jobs = n_jobs
        self.device = device
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, groups: ArrayLike | None = None) -> Self:
        """Check the parameters and the kind of input; nothing is learned.

        Parameters
        ----------
        X : images or landmark table
            See `transform`.
        y : ignored
        groups : array-like of shape (n,), optional
            The subject of each image.

        Returns
        -------
        self
        """
        self._validate_params()
        self._open(X, groups)
        return self

    def fit_transform(
        self, X: Any, y: Any = None, groups: ArrayLike | None = None
    ) -> NDArray[np.uint8]:
        """Fit and transform; see `transform`."""
        return self.fit(X, y, groups).transform(X, groups)

    def transform(self, X: Any, groups: ArrayLike | None = None) -> NDArray[np.uint8]:
        """Cut the faces out.

        Parameters
        ----------
        X : images or landmark table
            An array ``(n, height, width[, 1|3|4])`` of uint8 or uint16; a list, Series or
            one-column DataFrame of paths; a list of arrays or PIL images of any sizes; or a
            landmark table that `detect` made from paths.
        groups : array-like of shape (n,), optional
            The subject of each image; used with ``landmarks_per_subject`` only.

        Returns
        -------
        ndarray of shape (n, size, size, 3), dtype uint8

        Raises
        ------
        ValueError
            If, with ``on_missing="raise"``, images have no face or cannot be read; the message
            names each.
        """
        self._validate_params()
        source, values, groups = self._open(X, groups)
        if values is None and self.landmarks_per_subject is not None and self._needs_landmarks:
            if groups is None:
                raise ValueError(
                    f"landmarks_per_subject={self.landmarks_per_subject} needs groups, the "
                    "subject of each image; or pass the table of detect(X, groups=...) as X"
                )
            values = self._detect_subjects(source, groups)[0]
        crops = np.zeros((len(source), self.size, self.size, 3), dtype=np.uint8)
        problems: dict[int, str] = {}
        for row, image, found in self._run(source, values, problems):
            crops[row] = self._crop(image, found, row, problems)
        self._report(source, problems)
        return crops

    def detect(self, X: Any, groups: ArrayLike | None = None) -> pd.DataFrame:
        """Find the faces and return their landmarks as a table.

        Parameters
        ----------
        X : images
            See `transform`.
        groups : array-like of shape (n,), optional
            The subject of each image.  If given, all images of a subject get the median landmarks
            of ``landmarks_per_subject`` of them (of all, where that is None).

        Returns
        -------
        DataFrame with n rows
            ``path`` (where X is paths), the box's edges ``box_x1, box_y1, box_x2, box_y2``, its
            ``probability``, the points ``left_eye_x, left_eye_y, right_eye_*, nose_*,
            mouth_left_*, mouth_right_*`` and the image's ``width`` and ``height``, all in pixels.
            **Left and right are those of the image**: ``left_eye`` is the eye with the smaller
            ``x`` in an upright face, which is the person's right eye.  NaN where there is no
            face.
        """
        self._validate_params()
        source, values, groups = self._open(X, groups)
        if values is not None:
            raise ValueError("X already is a landmark table; detect needs the images: X['path']")
        if groups is not None:
            values, problems = self._detect_subjects(source, groups)
        else:
            values, problems = self._detect(source)
        self._report(source, problems, faces=False)
        self.missing_ = np.flatnonzero(np.isnan(values[:, PROBABILITY]))
        return make_table(values, source)

    @property
    def _needs_landmarks(self) -> bool:
        return self.align is not None or self.region != "full"

    def _open(
        self, X: Any, groups: ArrayLike | None
    ) -> tuple[ImageSource, NDArray[np.float64] | None, NDArray[Any] | None]:
        """Return the images, the landmarks where X is a table, and the checked groups."""
        values = None
        if is_landmark_table(X):
            values, source = read_table(X)
        else:
            source = ImageSource(X)
        if groups is not None:
            groups = np.asarray(groups)
            check_consistent_length(source, groups)
        return source, values, groups

    def _detect(self, source: ImageSource) -> tuple[NDArray[np.float64], dict[int, str]]:
        values = np.full((len(source), len(COLUMNS)), np.nan)
        problems: dict[int, str] = {}
        for row, _, found in self._run(source, None, problems):
            values[row] = found
        return values, problems

    def _detect_subjects(
        self, source: ImageSource, groups: NDArray[Any]
    ) -> tuple[NDArray[np.float64], dict[int, str]]:
        """Detect in the sample images of each subject and pool."""
        rows = np.sort(np.concatenate(sample_rows(groups, self.landmarks_per_subject)))
        values = np.full((len(source), len(COLUMNS)), np.nan)
        problems: dict[int, str] = {}
        for row, _, found in self._run(source, None, problems, rows):
            values[row] = found
        return pool_by_subject(values, groups), problems

    def _run(
        self,
        source: ImageSource,
        values: NDArray[np.float64] | None,
        problems: dict[int, str],
        rows: NDArray[np.intp] | None = None,
    ) -> Iterator[tuple[int, Image.Image, NDArray[np.float64]]]:
        """Read the images and, where no landmarks are known, detect; in order."""
        rows = np.arange(len(source)) if rows is None else rows
        with tqdm(total=len(rows), disable=not self.verbose, desc="faces") as bar:
            for start in range(0, len(rows), CHUNK):
                chunk = rows[start : start + CHUNK]
                images = {}
                for row in chunk.tolist():
                    try:
                        images[row] = source.read(row)
                    except READ_ERRORS as error:
                        problems[row] = f"{type(error).__name__}: {error}"
                if values is None and self._needs_landmarks:
                    found = self._find(list(images.values()))
                elif values is None:
                    found = np.full((len(images), len(COLUMNS)), np.nan)
                else:
                    found = values[list(images)]
                yield from zip(images, images.values(), found, strict=True)
                bar.update(len(chunk))

    def _find(self, images: list[Image.Image]) -> NDArray[np.float64]:
        """Return the landmarks of the selected face of each image."""
        from skau._device import resolve_device

        from .detector import find_faces

        found = find_faces(
            images,
            min_face_size=self.min_face_size,
            threshold=self.threshold,
            largest_only=self.select == "largest",
            device=str(resolve_device(self.device)),
        )
        values = np.full((len(images), len(COLUMNS)), np.nan)
        for row, (image, faces) in enumerate(zip(images, found, strict=True)):
            values[row, SIZE] = image.size
            if not len(faces):
                continue
            if self.select == "central":
                middle = faces.boxes.reshape(-1, 2, 2).mean(axis=1)
                best = np.linalg.norm(middle - np.array(image.size) / 2, axis=1).argmin()
            else:
                best = faces.probability.argmax() if self.select == "most_confident" else 0
            values[row, BOX] = faces.boxes[best].round(DECIMALS)
            values[row, PROBABILITY] = faces.probability[best].round(6)
            values[row, POINTS] = faces.points[best].ravel().round(DECIMALS)
        return values

    def _crop(
        self,
        image: Image.Image,
        values: NDArray[np.float64],
        row: int,
        problems: dict[int, str],
    ) -> NDArray[np.uint8]:
        matrix = whole_matrix(*image.size, self.size)
        if self._needs_landmarks and np.isnan(values[FACE]).any():
            problems[row] = ""
            return warp(image, matrix, self.size)
        points = values[POINTS].reshape(5, 2)
        if self.align == "eyes":
            matrix = eye_matrix(points, self.size, self.margin)
        elif self.align == "box":
            matrix = box_matrix(values[BOX], self.size, self.margin)
        else:
            matrix = whole_matrix(*image.size, self.size, self.margin)
        matrix = region_matrix(matrix, points, self.size, self.region)
        return warp(image, matrix, self.size)

    def _report(self, source: ImageSource, problems: dict[int, str], faces: bool = True) -> None:
        """Raise or warn about the images that cannot be read or have no face."""
        self.missing_ = np.array(sorted(problems), dtype=int)
        unread = [f"{source.name(i)}: {problems[i]}" for i in sorted(problems) if problems[i]]
        faceless = [source.name(i) for i in sorted(problems) if not problems[i]]
        said = []
        if faceless:
            said.append(
                f"no face found in {len(faceless)} of {len(source)} images: {_some(faceless)}"
            )
        if unread:
            said.append(f"cannot read {len(unread)} of {len(source)} images: {_some(unread)}")
        if not said:
            return
        message = "; ".join(said)
        if self.on_missing == "raise":
            raise ValueError(
                f"{message}. Leave these out, or pass on_missing='warn' to keep their rows; a "
                "lower threshold or min_face_size finds more faces"
            )
        warnings.warn(message, UserWarning, stacklevel=3)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags


def _some(names: list[str], most: int = 20) -> str:
    more = f" and {len(names) - most} more (see missing_)" if len(names) > most else ""
    return ", ".join(names[:most]) + more
