"""The table of the faces of a film or of photos: scored, told apart, kept, written."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from ..preprocessing import head_pose
from ..preprocessing._appearance import Appearances, join_people
from ..preprocessing._film import Seen
from ..preprocessing._landmarks import BOX, COLUMNS, POINTS, PROBABILITY
from ..utils._cache import Cache
from ..utils._formats import POSE
from ..utils._warnings import user_level
from ._calibration import calibrate, seen_once
from ._reference import ANYBODY, OfSeveral, nobody_has, rest_lines, taken_for_one
from ._scorer import Scorer
from ._table_file import ArgumentError, TableFile, check_names, read_run, refuse_other, remember

_NUMBERS = ["frame", "time", "face", "probability", *COLUMNS[BOX], *POSE]  # of a row, before AUs
_DIGITS = 6
_CORRECTIONS = ("calibrate", "reference")  # for people: made at the end, of the rows that are kept
_AT_END = (*_CORRECTIONS, "thresholds", "population")  # what parts do not depend on
_RATE = 25  # frames a second of a camera, which nobody has told


@dataclass(frozen=True)
class Settings:
    """What a table depends on, beside the model."""

    places: str  # "frame"; or "path" or "image", which have no time
    source: dict[str, Any]
    calibrate: bool
    reference: Any
    paths: list[str] | None = field(default=None, repr=False)


class FaceTable:
    """Collect rows, and make a table of them at the end.

    Parameters
    ----------
    scorer : Scorer
    settings : Settings
    out : path-like or None
        The table's file; parts of it are kept in a folder beside it until it is whole.
    keep : bool
        Whether the source can be read again, so that parts are worth keeping.

    Attributes
    ----------
    ended : DataFrame or None
        The table of an earlier call that had ended.
    state : dict or None
        What an interrupted call gave to `keep` last.
    """

    def __init__(
        self, scorer: Scorer, settings: Settings, out: str | PathLike[str] | None, *, keep: bool
    ) -> None:
        scorer.cropper._validate_params()
        self._scorer, self._settings = scorer, settings
        # logits are kept wherever a later call could want to correct them
        self._population = scorer.known_population()
        self._rest_lines = corrections(scorer, settings.calibrate, settings.reference)
        self._rows: list[np.ndarray] = []
        self._looks: dict[int, list[Any]] = {}  # of each face, the sum, the number, the scene
        self._fresh: tuple[list[np.ndarray], dict[int, list[Any]]] = ([], {})
        self._doubts: list[str] = []  # of corrections, told when the table is written
        self.state: dict[str, Any] | None = None
        self.ended: pd.DataFrame | None = None
        self._file = None if out is None else TableFile(out)
        self._cache = None
        if self._file is not None:
            check_names(settings.paths or ())
            if not keep and self._file.path.exists():
                raise ArgumentError(
                    f"out: {str(self._file.path)!r} is there already, and frames and images in "
                    "memory cannot be compared with those that it was made of; give another file, "
                    "or delete it"
                )
            self.ended = self._file.earlier(self._run())
            if keep and self.ended is None:
                self._cache = Cache(self._file.parts)
                self._go_on(self._cache, self._file.parts)

    # -- what was done before -----------------------------------------------------------------

    def _run(self) -> dict[str, Any]:
        """Return what the rows depend on."""
        how = told(self._settings.calibrate, self._rest_lines)
        return self._settings.source | how | self._scorer.run()

    def _run_of_parts(self) -> dict[str, Any]:
        """Return what the parts depend on: they are corrected when all are there."""
        run = self._run() | {"logits": self._population is not None}
        return {key: run[key] for key in run if key not in _AT_END}

    def _go_on(self, cache: Cache, parts: Path) -> None:
        before = cache.get("run")
        if before is None:
            cache.clear()
            cache.put("run", self._run_of_parts())
            return
        refuse_other(before, self._run_of_parts(), parts)
        while (part := cache.get(f"{len(self._rows):06d}")) is not None:
            self._rows.append(part["rows"])
            self._sum_up(part["looks"])
            self.state = part["state"]

    # -- rows ---------------------------------------------------------------------------------

    def add(self, parts: Iterable[Sequence[Seen]]) -> None:
        """Score the next faces."""
        rows, looks = self._fresh
        for seen in parts:
            rows.append(self._score(seen))
            for one in seen:
                if one.look is not None:
                    total = looks.setdefault(one.face, [np.zeros_like(one.look), 0, one.scene])
                    total[0] += one.look
                    total[1] += 1

    def _score(self, seen: Sequence[Seen]) -> np.ndarray:
        values = np.array([one.values for one in seen])
        pose = head_pose(values[:, POINTS].reshape(-1, 5, 2))
        places = [[one.frame, one.time, np.nan if one.face < 0 else one.face] for one in seen]
        score = self._scorer.proba if self._population is None else self._scorer.logits
        aus = np.full((len(seen), len(self._scorer.names)), np.nan)
        crops = {i: one.crop for i, one in enumerate(seen) if one.crop is not None}
        if crops:
            aus[list(crops)] = score(np.stack(list(crops.values())))
        return np.column_stack([places, values[:, PROBABILITY], values[:, BOX], pose, aus])

    def keep(self, state: dict[str, Any]) -> None:
        """Close a part: all rows since the last one are kept, with what is needed to go on."""
        rows, looks = self._fresh
        self._fresh = ([], {})
        width = len(_NUMBERS) + len(self._scorer.names)
        part = np.concatenate([np.zeros((0, width)), *rows])
        if self._cache is not None:
            value = {"rows": part, "looks": looks, "state": state}
            self._cache.put(f"{len(self._rows):06d}", value)
        self._rows.append(part)
        self._sum_up(looks)

    def _sum_up(self, looks: Mapping[int, Sequence[Any]]) -> None:
        for face, (total, n, scene) in looks.items():
            before = self._looks.setdefault(face, [np.zeros_like(total), 0, scene])
            before[0] = before[0] + total
            before[1] += n

    # -- the end ------------------------------------------------------------------------------

    def finish(self, unread: Mapping[str, str] | None = None) -> pd.DataFrame:
        """Return the table; it is written first, and what was kept is deleted.

        ``unread`` says of files that cannot be read why.
        """
        numbers = np.concatenate([np.zeros((0, len(_NUMBERS) + len(self._scorer.names))),
                                  *self._rows])  # fmt: skip
        table = pd.DataFrame(numbers, columns=[*_NUMBERS, *self._scorer.names])
        table = table.astype({"frame": int, "face": "Int64"})
        table.insert(3, "person", self._people(table))
        if self._population is not None:
            table[self._scorer.names] = self._calibrated(table, self._population)
        rounded = [*_NUMBERS[3:], *self._scorer.names]
        table[rounded] = _round(table[rounded].to_numpy())
        table["time"] = table["time"].round(_DIGITS)
        if self._settings.places != "frame":
            table = table.drop(columns="time").rename(columns={"frame": self._settings.places})
            if self._settings.paths is not None:
                paths = np.array(self._settings.paths, dtype=object)
                table[self._settings.places] = paths[table[self._settings.places]]
        story = {
            "model": self._scorer.story(), "thresholds": self._scorer.thresholds(),
            "unread": dict(unread or {}), "run": self._run(),
        }  # fmt: skip
        remember(table, story)
        if self._file is not None:
            self._file.write(table, story)
        for doubt in self._doubts:
            warnings.warn(doubt, stacklevel=user_level())
        return table

    def give_up(self) -> None:
        """Delete what was kept: no row is worth going on from."""
        if self._file is not None:
            self._file.forget()

    def _people(self, table: pd.DataFrame) -> pd.Series:
        known = table[table["face"].notna()]
        frames, times = (known[name].to_numpy() for name in ("frame", "time"))
        times = np.where(np.isnan(times), frames / _RATE, times)
        boxes = known[list(COLUMNS[BOX])].to_numpy()
        whose = known["face"].to_numpy(dtype=int)
        order = np.argsort(whose, kind="stable")
        faces, starts = np.unique(whose[order], return_index=True)
        tracks = {}
        for face, rows in zip(faces.tolist(), np.split(order, starts[1:]), strict=len(faces) > 0):
            total, n, scene = self._looks[face]
            ends = rows[[0, -1]]
            tracks[face] = Appearances(total / n, frames[rows], times[ends], boxes[ends], scene)
        return table["face"].map(join_people(tracks)).astype("Int64")

    def _calibrated(self, table: pd.DataFrame, population: pd.DataFrame) -> np.ndarray:
        # a copy: what pandas shares, of a single column, may not be written to
        logits = table[self._scorer.names].to_numpy(copy=True)
        person = table["person"].to_numpy(dtype=float, na_value=np.nan)
        # an AU that was not learned is NaN in every row
        rows = np.flatnonzero(~np.isnan(logits).all(axis=1) & ~np.isnan(person))
        whose = person[rows].astype(int)
        if len(rows):
            lines = self._rest_lines or {}
            if ANYBODY in lines:
                most = int(np.bincount(whose).argmax())
                lines = {most: lines[ANYBODY]}
                if besides := sorted(set(whose.tolist()) - {most}):
                    self._doubts.append(
                        taken_for_one(most, besides, self._where(), self._settings.calibrate)
                    )
            unknown = sorted(set(lines) - set(whose.tolist()))
            if unknown and not isinstance(self._settings.reference, OfSeveral):
                error = ArgumentError(nobody_has(unknown, whose, self._where()))
                if self._cache is not None:
                    error.add_note("another number goes on from what is done")
                raise error
            own = np.isin(whose, list(lines))
            for number, (slope, offset) in lines.items():
                theirs = rows[whose == number]
                logits[theirs] = slope * logits[theirs] + offset
            others = rows[~own]
            if self._settings.calibrate and len(others):
                codes = np.unique(whose[~own], return_inverse=True)[1]
                logits[others] = calibrate(logits[others], codes, population)
                if np.bincount(codes).max() == 1:
                    whom = f"nobody{' without photos at rest' if lines else ''}{self._where()}"
                    self._doubts.append(seen_once(whom, film=self._settings.places == "frame"))
        return np.asarray(expit(logits))

    def _where(self) -> str:
        film = self._settings.source.get("film")
        return f" of {film[0]}" if film else ""


def corrections(scorer: Scorer, calibrate: bool, reference: Any) -> dict[int, np.ndarray] | None:
    """Return the lines of people at rest; refuse a model that cannot correct for people."""
    if calibrate or reference is not None:
        scorer.population("calibrate" if calibrate else "reference")
    return None if reference is None else rest_lines(scorer, reference)


def told(calibrate: bool, lines: dict[int, np.ndarray] | None) -> dict[str, Any]:
    """Say how a table is corrected for people."""
    values = bool(calibrate), None if lines is None else Cache.key(lines)
    return dict(zip(_CORRECTIONS, values, strict=True))


def drop_others(out: Path, calibrate: bool, lines: dict[int, np.ndarray] | None) -> None:
    """Delete a table of ours that was corrected for people in another way, or is not whole."""
    how, run = told(calibrate, lines), read_run(out)
    if not isinstance(run, dict) or {key: run.get(key) for key in how} != how:
        out.unlink(missing_ok=True)


def _round(numbers: np.ndarray) -> np.ndarray:
    """Round to six significant digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.floor(np.log10(np.abs(numbers)))
    power = 10.0 ** np.nan_to_num(_DIGITS - 1 - scale, posinf=0.0)
    return np.round(numbers * power) / power
