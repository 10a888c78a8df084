"""`FaceCropper`: photos in, aligned face crops of one size out."""

from numbers import Integral, Real
from os import PathLike
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from .._paths import check_out
from ..utils._device import device_or_cpu
from ..utils._groups import check_groups
from ..utils._pages import PagesMixin
from ..utils._parameters import parameters
from ..utils._sklearn import HasMethods, Interval, StrOptions
from ._image_source import ImageSource
from ._landmarks import (
    PROBABILITY,
    is_landmark_table,
    landmark_table,
    pool_values,
    read_landmarks,
    sample_rows,
)
from ._results import Results, Source, report, run, table_writer
from ._storage import Crops, forget_parts
from ._video import Video
from ._worker import NO_FACE, Worker


@parameters
class FaceCropper(PagesMixin, TransformerMixin, BaseEstimator):
    """Find the face in each image and cut it out, aligned, at one size.

    Faces are found with the MTCNN cascade [1]_ and the weights that facenet-pytorch ships.  Each
    crop is one affine warp of the original pixels, antialiased where it shrinks, continued by
    reflection beyond the image's border.  Large faces that lie on their side or stand on their
    head are found too, and their crops are upright.  The transformer learns nothing: `fit` only
    checks.

    Parameters
    ----------
    size : int, default=128
        Side of the crops, in pixels, 8 to 4096.
    align : {"eyes", "eye_distance", "box"} or None, default="eyes"
        ``"eyes"``: the LightCNN template: eyes level at 40/128 of the height, their mid-point in
        the middle of the width, the mouth's centre 48/128 of the height below them.
        ``"eye_distance"``: the eyes at the same place, but scaled so that they are 48/128 apart,
        whatever the mouth does; see `eye_distance_matrix`.  ``"box"``:
        an upright square about the detected box.  None: the whole image, made square by
        reflection at its borders; no face is looked for unless ``region`` needs it.
    region : {"full", "upper", "lower"}, default="full"
        The part of the crop above or below the mid-point between eyes and nose, stretched to the
        square.
    margin : float, default=0.0
        Widens the crop on each side by this fraction of its side, up to 10; negative values, down
        to -0.5, narrow it.
    landmarks_per_subject : int or None, default=None
        With ``groups``, find the landmarks in so many evenly spread images of each subject only,
        and cut all images of the subject by their median; in further ones where these show no
        face.  None: each image by its own.  Scorers tell `predict` no groups: in searches let X
        be the table of ``detect(X, groups=...)``.
    select : {"largest", "central", "most_confident"}, default="largest"
        Which face to take where there are several.  ``"largest"`` is by far the fastest: the
        search can stop at the first size at which there is a face.
    on_missing : {"raise", "warn"}, default="raise"
        What to do about images without a face and files that cannot be read, after all others
        have been done.  With ``"warn"``, the crop of an image without a face is the whole image,
        made square by reflection, and that of an unreadable file is black.
    min_face_size : float, default=20
        Side of the smallest face that is looked for, in pixels of the image.
    threshold : float, default=0.85
        Least probability of a face.  Below 0.999, it must be confirmed in a mirror and by windows
        of other sizes, which textures seldom are.
    n_jobs : int or None, default=None
        Number of threads that read, search and cut.  None means as many as PyTorch uses
        (``torch.get_num_threads()``: 1 inside joblib's processes), -1 one a processor.
    device : str, default="auto"
        Where the networks run: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
    memory : str, path-like, joblib.Memory or None, default=None
        A folder that keeps what was found and cut, by the content of each image and the settings,
        as a pipeline's ``memory`` does for whole steps. A search over a pipeline then crops each
        image once and not once a candidate and fold. Of a video, the frames of its landmark
        table are kept.
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
    ValueError: no face found in row 0...
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"groups": True}

    size: Annotated[int, Interval(Integral, 8, 4096, closed="both")] = 128
    align: Annotated[str | None, StrOptions({"eyes", "eye_distance", "box"}), None] = "eyes"
    region: Annotated[str, StrOptions({"full", "upper", "lower"})] = "full"
    margin: Annotated[float, Interval(Real, -0.5, 10, closed="right")] = 0.0
    landmarks_per_subject: Annotated[
        int | None, Interval(Integral, 1, None, closed="left"), None
    ] = None
    select: Annotated[str, StrOptions({"largest", "central", "most_confident"})] = "largest"
    on_missing: Annotated[str, StrOptions({"raise", "warn"})] = "raise"
    min_face_size: Annotated[float, Interval(Real, 12, None, closed="left")] = 20
    threshold: Annotated[float, Interval(Real, 0, 1, closed="left")] = 0.85
    n_jobs: Annotated[int | None, Integral, None] = None
    device: Annotated[str, str] = "auto"
    memory: Annotated[Any, str, PathLike, HasMethods(["cache"]), None] = None
    verbose: Annotated[int, "verbose"] = 0

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

    def transform(
        self,
        X: Any,
        groups: ArrayLike | None = None,
        *,
        out: str | PathLike[str] | None = None,
    ) -> NDArray[np.uint8]:
        """Cut the faces out.

        Parameters
        ----------
        X : images, video or landmark table
            An array ``(n, height, width[, 1|3|4])`` of uint8 or uint16; a list, Series or
            one-column DataFrame of paths; a list of arrays or PIL images of any sizes; a video
            opened by `read_video`; or a landmark table that `detect` made from paths or a video.
        groups : array-like of shape (n,), optional
            The subject of each image; used with ``landmarks_per_subject`` only.
        out : path-like, optional
            A ``.npy`` file to write the crops to, for more of them than the memory holds.  It is
            there when it is whole, and takes the place of an earlier one.  If X is paths or their
            landmark table, a run that was interrupted goes on where it stopped when it is called
            again; until its end it keeps what is done in ``memory`` or, without that, in a folder
            beside the file, with ``.part`` added to the name.

        Returns
        -------
        ndarray of shape (n, size, size, 3), dtype uint8
            A read-only memory map if ``out`` is given.

        Raises
        ------
        ValueError
            If, with ``on_missing="raise"``, images have no face or cannot be read; the message
            names each.
        OSError
            If there is no such folder as ``out`` names, before any work.
        """
        self._validate_params()
        check_out(out, ".npy")
        source, known, groups = self._open(X, groups)
        wanted = self.landmarks_per_subject is not None and Worker.of(self).needs_landmarks
        if known is None and wanted:
            if groups is None:
                raise ValueError(
                    f"landmarks_per_subject={self.landmarks_per_subject} needs groups, the "
                    "subject of each image; or pass the table of detect(X, groups=...) as X"
                )
            known = pool_values(self._sample(source, groups).table(), groups)
        n = None if isinstance(source, Video) else len(source)
        with Crops(int(self.size), n, out) as crops:
            results = run(self, source, None, known, crops=crops, out=out)
        self._report(source, results.problems)
        forget_parts(out)
        return crops.array()

    def detect(
        self,
        X: Any,
        groups: ArrayLike | None = None,
        *,
        out: str | PathLike[str] | None = None,
    ) -> pd.DataFrame:
        """Find the faces and return their landmarks as a table.

        Parameters
        ----------
        X : images or video
            See `transform`.
        groups : array-like of shape (n,), optional
            The subject of each image.  If given, all images of a subject get the median landmarks
            of ``landmarks_per_subject`` of them (of all, where that is None).
        out : path-like, optional
            A ``.csv`` or ``.parquet`` (extra ``parquet``) file to write the table to.  If X is
            paths, a run that was interrupted goes on where it stopped when it is called again.

        Returns
        -------
        DataFrame with n rows
            ``path`` (where X is paths), the box's edges ``box_x1, box_y1, box_x2, box_y2``, its
            ``probability``, the points ``left_eye_x, left_eye_y, right_eye_*, nose_*,
            mouth_left_*, mouth_right_*`` and the image's ``width`` and ``height``, all in pixels.
            **Left and right are those of the image**: ``left_eye`` is the eye with the smaller
            ``x`` in an upright face, which is the person's right eye; in a face that is turned,
            the one that comes there when it is turned upright.  With ``groups``, width and
            height are those of the images that were looked at.  NaN where there is no face;
            `missing_` has these rows.  A video's table also has the ``frame``, counted from 0, and
            its ``time`` in seconds.

        Raises
        ------
        ValueError
            If, with ``on_missing="raise"``, images cannot be read; the message names each.
        OSError, ImportError
            If ``out`` could not be written: no such folder, or no pyarrow; before any work.
        """
        self._validate_params()
        write = table_writer(out)
        source, known, groups = self._open(X, groups)
        if known is not None:
            raise ValueError("X already is a landmark table; detect needs the images: X['path']")
        if groups is None:
            results = run(self, source, out=out)
        else:
            results = self._sample(source, groups, out)
        unread = {row: why for row, why in results.problems.items() if why != NO_FACE}
        self._report(source, unread)
        values = results.table() if groups is None else pool_values(results.table(), groups)
        self.missing_ = np.flatnonzero(np.isnan(values[:, PROBABILITY]))
        table = landmark_table(values, source, results.times)
        write(table)
        forget_parts(out)
        return table

    def _open(
        self, X: Any, groups: ArrayLike | None
    ) -> tuple[Source, NDArray[np.float64] | None, NDArray[Any] | None]:
        """Return the images, the landmarks where X is a table, and the checked groups."""
        source: Source
        known = None
        if is_landmark_table(X):
            known, source = read_landmarks(X)
        else:
            source = X if isinstance(X, Video) else ImageSource(X)
        if groups is None:
            return source, known, None
        if isinstance(source, Video):
            raise ValueError("groups are for images; pool the table of a video: pool_by_subject")
        return source, known, check_groups(groups, len(source))

    def _sample(
        self, source: Source, groups: NDArray[Any], out: str | PathLike[str] | None = None
    ) -> Results:
        """Find the faces in some images of each subject; in further ones where these show none."""
        k = self.landmarks_per_subject
        rows = sample_rows(groups, k)
        results = run(self, source, rows, out=out)
        while k is not None:
            k *= 2
            shown = ~np.isnan(results.table()[:, PROBABILITY])
            rows = sample_rows(groups, k)
            rows = rows[~np.isin(groups[rows], groups[shown])]
            rows = np.setdiff1d(rows, list(results.values))
            if not len(rows):
                break
            more = run(self, source, rows, out=out)
            results.values |= more.values
            results.problems |= more.problems
        return results

    def _report(self, source: Source, problems: dict[int, str]) -> None:
        """Raise or warn about the images that cannot be used or have no face."""
        self.missing_ = np.array(sorted(problems), dtype=int)
        report(source, problems, self.on_missing)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self.device != "auto" and device_or_cpu(self.device).type == "cpu":
            self.device = "cpu"

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
