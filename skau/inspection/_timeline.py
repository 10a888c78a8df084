"""The AUs of a film over time, with pictures of their peaks."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import islice
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import pandas as pd

from ..estimators import predict_video
from ..preprocessing import Video, read_video
from ..utils._formats import BOX_COLUMNS, thresholds_of
from ..utils._labels import read_thresholds, require_probabilities
from ..utils._text import first_few
from ..utils._warnings import user_level
from ._display import Display
from ._plotting import COLOURS, GREY, halo, panels, show_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_COLUMNS, _MIN_GAP = 5, 0.06  # pictures, and their least distance in shares of the film


class Peak(NamedTuple):
    """A moment that gets a picture."""

    frame: int
    time: float
    au: str
    value: float
    row: int


@dataclass(eq=False, repr=False)
class TimelineDisplay(Display):
    """Probability of each AU over the time of a film, with pictures of the strongest moments.

    A row an AU, from 0 to 1; the dark part is above the threshold. Grey stripes are frames
    without a face. A picture is cut from the frame of the peak whose number it bears. It is
    recommended to use `from_predictions` or `from_estimator`.

    Parameters
    ----------
    table : DataFrame with one row a frame
        ``time`` in seconds, a column an AU, and the edges of the face's box ``box_x1``, ... for
        the pictures.
    aus : list of str
        The columns to draw.
    peaks : list of (frame, time, au, value, row)
        The moments that get a picture.
    pictures : list of ndarray (h, w, 3), default=()
        The faces at the peaks.
    threshold : float or Series of float, default=0.5
        Above it an AU is present; one number, or one an AU by its name.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One an AU. Where `plot` is given an array of them, there are no pictures.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skau.inspection import TimelineDisplay
    >>> table = pd.DataFrame({"frame": range(5), "time": np.arange(5) / 25})
    >>> table["AU12"] = [0.1, 0.4, 0.9, 0.7, 0.2]
    >>> display = TimelineDisplay.from_predictions(table)
    >>> display.aus
    ['AU12']
    """

    table: pd.DataFrame
    _: KW_ONLY
    aus: list[str]
    peaks: list[Peak]
    pictures: Sequence[np.ndarray] = ()
    threshold: Any = 0.5

    def __post_init__(self) -> None:
        self.threshold = read_thresholds(self.threshold, self.aus)

    @classmethod
    def from_estimator(
        cls, estimator: Any, video: "str | PathLike[str] | Video", **options: Any
    ) -> Self:
        """Score a film with :func:`skau.predict_video`, and draw it.

        Parameters
        ----------
        estimator : Pipeline
            A fitted pipeline of a FaceCropper and a classifier.
        video : path-like or Video
        **options
            As of `from_predictions`. With ``person``, all faces of the film are scored, otherwise
            the largest of each frame.

        Returns
        -------
        display
        """
        cls._require_matplotlib()
        faces = "largest" if options.get("person") is None else "all"
        table = predict_video(estimator, video, faces=faces, verbose=0)
        return cls.from_predictions(table, video=video, **options)

    @classmethod
    def from_predictions(
        cls,
        table: pd.DataFrame,
        *,
        person: int | None = None,
        video: "str | PathLike[str] | Video | Mapping[int, np.ndarray] | np.ndarray | None" = None,
        aus: Sequence[str] | None = None,
        n_peaks: int = _N_COLUMNS,
        threshold: Any = None,
        ax: "Axes | np.ndarray | None" = None,
    ) -> Self:
        """Draw the table of :func:`skau.predict_video`.

        Parameters
        ----------
        table : DataFrame with one row a frame and face
        person : int, default=None
            Whose AUs to draw, by the column ``person``; frames without them are grey. None is
            for a table without two faces in a frame; several people in it are drawn as one, with
            a warning.
        video : path-like, Video, array (n, h, w, 3) or mapping, default=None
            Where the pictures come from: the film, or its frames by number. None draws none.
        aus : list of str or str, default=None
            The AUs to draw; None is all columns named "AU" and a number.
        n_peaks : int, default=5
            The number of pictures at most: of the strongest moments at which an AU is present.
        threshold
            As in :func:`draw_overlay`.
        ax : matplotlib Axes, or array of them, default=None
            One Axes is divided into panels. None makes a new figure.

        Returns
        -------
        display
        """
        if not isinstance(table, pd.DataFrame) or "time" not in table or not len(table):
            raise ValueError(
                "table must be a DataFrame with a row a frame and a column time in seconds, as "
                f"predict_video returns it, got {table!r:.80}"
            )
        table = _one_row_a_frame(table, person)
        known = numbered_aus(table)
        names = known if aus is None else [aus] if isinstance(aus, str) else list(aus)
        if not names or (missing := set(names) - set(table)):
            raise ValueError(f"aus: the table has no column {sorted(missing) if names else 'AU'}")
        require_probabilities(table[names], "table")
        limits = thresholds_of(table, threshold, names)
        peaks = _find_peaks(table, names, n_peaks if video is not None else 0, limits)
        pictures = [] if video is None else _cut(table, peaks, video)
        return cls(table, aus=names, peaks=peaks, pictures=pictures, threshold=limits).plot(ax)

    def _plot(self, ax: "Axes | np.ndarray | None") -> None:
        time = self.table["time"].to_numpy(float)
        pictures = list(self.pictures) if not isinstance(ax, np.ndarray | list) else []
        heights = [2.6] * bool(pictures) + [1.0] * len(self.aus)
        inches = 0.5 + 0.26 * sum(heights)
        self.figure_, axes = panels(ax, len(heights), 1, inches, heights=heights)
        self.axes_ = axes[len(axes) - len(self.aus) :]
        for panel, au in zip(self.axes_, self.aus, strict=True):
            self._draw_au(panel, time, au)
        self.axes_[-1].spines["bottom"].set_visible(True)
        self.axes_[-1].tick_params(bottom=True, labelbottom=True)
        self.axes_[-1].set_xlabel("time (s)")
        if pictures:
            self._draw_pictures(axes[0], pictures)

    def _caption(self) -> str:
        told = "Each row: the probability of an AU from 0 to 1, dark above its threshold (dotted)."
        if self.table[self.aus].isna().any(axis=None):
            told += " Grey: no face, so no score."
        if self.pictures:
            told += " Numbers: the moments of the pictures, with the probability there."
        return told

    def _draw_au(self, panel: "Axes", time: np.ndarray, au: str) -> None:
        p = self.table[au].to_numpy(float)
        limit = self.threshold[au]
        panel.fill_between(time, 0, p, color=COLOURS[3], alpha=0.45, lw=0)
        panel.fill_between(time, limit, np.where(p > limit, p, limit), color=COLOURS[0], lw=0)
        panel.plot(time, p, color=COLOURS[0], lw=0.6)
        panel.axhline(limit, color=GREY, lw=0.4, ls=":")
        step = np.median(np.diff(time)) / 2 if len(time) > 1 else 0.5
        panel.fill_between(time, 0, 1, where=np.isnan(p), step="mid", color="0.85", lw=0, zorder=0)
        panel.set(ylim=(0, 1), xlim=(time[0] - step, time[-1] + step), yticks=[])
        panel.set_ylabel(au, rotation=0, ha="right", va="center", labelpad=4)
        panel.spines["bottom"].set_color("0.8")
        panel.tick_params(bottom=False, labelbottom=False)
        for number, peak in enumerate(self.peaks, start=1):
            if peak.au == au:
                panel.plot(peak.time, peak.value, "v", color=COLOURS[4], ms=3, clip_on=False)
                panel.annotate(
                    str(number), (peak.time, peak.value), (3, -1), textcoords="offset points",
                    fontsize=6, va="top", path_effects=halo(),
                )  # fmt: skip

    def _draw_pictures(self, strip: "Axes", pictures: list[np.ndarray]) -> None:
        strip.set_axis_off()
        n = len(pictures)
        for i, (picture, peak) in enumerate(zip(pictures, self.peaks, strict=True)):
            inset = strip.inset_axes((i / n, 0, 0.94 / n, 0.84))
            show_image(inset, picture)
            inset.set_title(f"{i + 1}: {peak.au} {peak.value:.2f}", fontsize=6, pad=1.5)


def numbered_aus(table: pd.DataFrame) -> list[str]:
    """Return the columns that are named "AU" and a number."""
    return [name for name in table.columns.astype(str) if re.fullmatch(r"AU\d+", name)]


def people_of(table: pd.DataFrame) -> list[int]:
    """Return the numbers of the people in a table of faces, if it has any."""
    if "person" not in table:
        return []
    return sorted(table["person"].dropna().convert_dtypes().unique().tolist())


def _one_row_a_frame(table: pd.DataFrame, person: int | None) -> pd.DataFrame:
    """Return one person's row of every frame, without scores where they are not seen."""
    if "path" in table and table["path"].nunique() > 1:
        raise ValueError("table holds several films or photos; give a table of one film")
    if person is None and not ("frame" in table and table.duplicated("frame").any()):
        if len(people := people_of(table)) > 1:
            warnings.warn(
                f"table holds the people {first_few(people)}, never two in a frame; they are "
                "drawn as one, and person=N draws one of them",
                stacklevel=user_level(),
            )
        return table
    if missing := sorted({"frame", "person"} - set(table)):
        raise ValueError(
            f"table has no column {', '.join(missing)}, which says whose its rows are; it must "
            "come from predict_video"
        )
    people = people_of(table)
    told = ", ".join(map(str, people)) or "nobody"
    if person is None:
        raise ValueError(f"table holds the people {told}; choose one by person=N")
    if person not in people:
        raise ValueError(f"person={person!r}: the table holds {told}")
    own = table[table["person"] == person].drop(columns="time")
    if (twice := own.loc[own["frame"].duplicated(), "frame"]).size:
        raise ValueError(
            f"table holds several rows of person {person} in frame {twice.iloc[0]}; give a table "
            "of one film"
        )
    whole = table[["frame", "time"]].drop_duplicates("frame").merge(own, "left", on="frame")
    whole.attrs = table.attrs
    return whole


def _find_peaks(table: pd.DataFrame, names: list[str], n: int, threshold: pd.Series) -> list[Peak]:
    """Choose the strongest moment of one AU after another, not close to one chosen before.

    Where no AU ever reaches its threshold, the strongest moment of all is the only one.
    """
    time = table["time"].to_numpy(float)
    gap = _MIN_GAP * (time[-1] - time[0])
    frames = table["frame"] if "frame" in table else pd.Series(range(len(table)))
    values = np.nan_to_num(table[names].to_numpy(float), nan=-np.inf)
    present = values > threshold.to_numpy()
    if present.any():
        values[~present] = -np.inf
    else:
        n = min(n, 1)
    chosen: list[Peak] = []
    waiting = np.ones(len(names), bool)  # for a first picture
    while len(chosen) < n and values.max() > -np.inf:
        if values[:, waiting].max(initial=-np.inf) == -np.inf:
            waiting[:] = True  # every AU that is there has a picture; some may have a second
        row, au = np.unravel_index(np.where(waiting, values, -np.inf).argmax(), values.shape)
        value = float(values[row, au])
        chosen.append(Peak(int(frames.iloc[row]), time[row], names[au], value, int(row)))
        values[np.abs(time - time[row]) <= gap] = -np.inf
        waiting[au] = False
    return sorted(chosen, key=lambda peak: peak.time)


def _cut(table: pd.DataFrame, peaks: list[Peak], video: Any) -> list[np.ndarray]:
    """Cut the faces out of the peaks' frames."""
    wanted = {peak.frame for peak in peaks}
    if isinstance(video, np.ndarray | Mapping):
        frames = {number: np.asarray(video[number]) for number in wanted}
    else:
        film = video if isinstance(video, Video) else read_video(video)
        begin = enumerate(islice(film, max(wanted, default=-1) + 1))
        frames = {number: frame.image for number, frame in begin if number in wanted}
        if missing := sorted(wanted - set(frames)):
            raise ValueError(f"video: {film!r} has no frame {missing[0]}, which the table has")
    pictures = []
    for peak in peaks:
        image = frames[peak.frame]
        if set(BOX_COLUMNS) <= set(table):
            image = _square(image, table[BOX_COLUMNS].to_numpy(float)[peak.row])
        pictures.append(image)
    return pictures


def _square(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Cut a square about a box, a quarter wider, as far as the image goes."""
    centre, side = (box[:2] + box[2:]) / 2, 1.25 * (box[2:] - box[:2]).max()
    side = min(side, *image.shape[:2])
    low = np.clip(centre - side / 2, 0, np.array(image.shape[1::-1]) - side).round().astype(int)
    size = int(side)
    return image[low[1] : low[1] + size, low[0] : low[0] + size]
