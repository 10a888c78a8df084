"""Action Units of many films and photos, a process a film."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm.auto import tqdm

from .._paths import is_film
from ..utils._cache import Cache
from ..utils._sklearn import n_workers
from ..utils._text import first_few, first_lines
from ..utils._warnings import user_level
from ._face_table import corrections, drop_others, told
from ._predict_common import Reference, check_faces, check_pace, fingerprint, warn_of_unread
from ._predict_images import UnreadableError, predict_images
from ._predict_video import predict_video
from ._reference import OfSeveral, nobody_has
from ._scorer import Scorer
from ._table_file import ArgumentError, TableFile, check_names, read_table, remember

_PHOTOS = "the photos"
_UNREAD = ("files", "they have no scores")
_ATTEMPTS = 3  # at what is left, after a process was killed


def predict_files(
    model: Any,
    files: Iterable[str | PathLike[str]],
    *,
    out: str | PathLike[str],
    faces: str = "largest",
    every: int = 1,
    fps: float | None = None,
    calibrate: bool = False,
    reference: Reference | None = None,
    n_jobs: int | None = None,
    verbose: int = 1,
) -> pd.DataFrame:
    """Compute the probability of each AU of the faces in films and photos, into one table.

    Films are shared out among processes, or among the machines of a cluster inside
    ``joblib.parallel_config("dask")``; all photos are one piece of work, so that a person has the
    same number in all of them. What is done lies in a folder with ``.part`` added to the name of
    ``out``: the rows of each film are there whole or not at all, a film whose process was killed
    is begun again, and so is the whole where it was stopped, when the call is repeated.

    Parameters
    ----------
    model : estimator
        As in :func:`predict_video`.
    files : list of paths
        What has the ending of a film is one, and a GIF that moves; everything else is a photo.
        What is named twice is scored once.
    out : path-like
        A ``.csv`` or ``.parquet`` (extra ``parquet``) file. Where the same call has written it,
        it is read; further files, and files that are mended, want a table of their own.
    faces, every, fps, calibrate, reference
        As in :func:`predict_video`; photos at rest are of the same people in every film, by their
        numbers or, as a list, of whoever is seen most in each. A film may lack some numbers.
    n_jobs : int, default=None
        Films at a time, as in joblib.
    verbose : int, default=1
        0 shows no progress bar.

    Returns
    -------
    DataFrame with a row a face and frame or photo
        The columns of :func:`predict_video` behind ``path``; ``frame`` and ``time`` are empty for
        photos, and not there where no film is. ``person`` counts anew in every film. A photo
        without a face, or that cannot be read, has a row of NaN; a film that cannot be, none.

    Raises
    ------
    ValueError
        If no file can be read, ``out`` is there of another call, or as in :func:`predict_video`.
    OSError
        If a table cannot be written, as on a full disk; the next call goes on from those that are.

    Warns
    -----
    UserWarning
        Of files that cannot be read, once all others are done, and when their table is read from
        ``out``; of photos and films without a face; of ``calibrate`` and ``reference`` as in
        :func:`predict_video`, and of films for which a list is taken or that lack a number.

    Examples
    --------
    >>> import skau
    >>> model = skau.load_model("open-1")
    >>> skau.predict_files(model, ["a.mp4", "b.mp4"], n_jobs=2)  # doctest: +SKIP
    """
    file, paths = TableFile(out), list(dict.fromkeys(_as_paths(files)))
    films = [path for path in paths if is_film(path)]
    return score_files(
        model, paths, films, file, file.write, faces=faces, every=every, fps=fps,
        calibrate=calibrate, reference=reference, n_jobs=n_jobs, verbose=verbose, layout="skau",
    )  # fmt: skip


def _as_paths(files: Any) -> list[str]:
    if isinstance(files, str | PathLike):
        raise ValueError("files is one path, not a list of them: pass [files]")
    if isinstance(files, bytes) or not isinstance(files, Iterable):
        raise TypeError(f"files is a {type(files).__name__}; expected a list of paths")
    paths = list(files)
    for row, path in enumerate(paths):
        if not isinstance(path, str | PathLike):
            raise TypeError(
                f"files[{row}] is {path!r:.80} ({type(path).__name__}); expected a path"
            )
    return [fspath(path) for path in paths]


def score_files(
    model: Any,
    paths: Sequence[str],
    films: Sequence[str],
    file: TableFile,
    write: Callable[[pd.DataFrame, dict[str, Any]], None],
    *,
    faces: str,
    every: int,
    fps: float | None,
    calibrate: bool,
    reference: Reference | None,
    n_jobs: int | None,
    verbose: int,
    layout: str,
) -> pd.DataFrame:
    """Do the work of `predict_files`, where it is known which files are films.

    ``write`` gets the table and how it was made, and gives it the columns of ``layout``; what is
    done is kept until it has returned.
    """
    check_faces(faces)
    every, fps = check_pace(every, fps)
    calibrate = bool(calibrate)
    if not paths:
        raise ValueError("files holds no path; at least one film or photo is needed")
    check_names(paths)
    scorer = Scorer(model)  # refuses what is no pipeline before any work
    lines = corrections(scorer, calibrate, reference)  # so are photos at rest without a face
    run = {
        "files": [fingerprint(path) for path in paths], "faces": faces,
        "every": every, "fps": fps, **told(calibrate, lines), **scorer.run(), "format": layout,
    }  # fmt: skip
    earlier = file.earlier(run)
    if earlier is not None:
        warn_of_unread(_lines(earlier.attrs.get("unread", {})), len(paths), *_UNREAD)
        return _with_whole_frames(earlier)
    moving = set(films)
    photos = [path for path in paths if path not in moving]
    if isinstance(reference, Mapping) and len(moving) + bool(photos) > 1:
        reference = OfSeveral(reference)
    file.parts.mkdir(exist_ok=True)
    own: dict[str, Any] = {"faces": faces, "calibrate": calibrate, "reference": reference}
    options = own | {"every": every, "fps": fps}
    # named by what was looked at: what another call left there is gone on from, or not in the way
    settings = Cache.key(faces, every, fps, scorer.run())
    known = dict(zip(paths, run["files"], strict=True))
    parts = {film: file.parts / f"{Cache.key(known[film], settings)}.csv" for film in films}
    of_photos = file.parts / f"{Cache.key([known[path] for path in photos], settings)}.csv"
    for part in (*parts.values(), of_photos):
        drop_others(part, calibrate, lines)
    tables: dict[str, pd.DataFrame] = {}
    unread: dict[str, str] = {}
    broken: dict[str, str] = {}  # of which nothing was said yet
    if photos:
        try:
            scored = predict_images(model, photos, **own, out=of_photos, verbose=verbose)
            unread = scored.attrs.pop("unread")
        except UnreadableError as error:
            scored, unread, broken = pd.DataFrame({"path": photos}), error.unread, {**error.unread}
        tables[_PHOTOS] = scored
    for film, problem in _score_films(model, parts, options, n_jobs, verbose):
        if problem is not None:
            unread[film] = broken[film] = problem
    of_films = {
        film: read_table(part).assign(path=film)
        for film, part in parts.items()
        if film not in broken
    }
    if len(broken) == len(paths):
        file.forget()
        raise ValueError(f"files: none can be read:{first_lines(_lines(broken))}")
    tables |= of_films
    doubt = _whose_photos_at_rest(reference, tables)
    whole = _joined(list(tables.values()))
    story = {
        "model": scorer.story(), "thresholds": scorer.thresholds(), "unread": unread, "run": run,
    }  # fmt: skip
    remember(whole, story)
    write(whole, story)
    warn_of_unread(_lines(broken), len(paths), *_UNREAD)
    lonely = [film for film, table in of_films.items() if table["face"].isna().all()]
    if lonely:
        warnings.warn(
            f"no face found in any frame of {first_few(lonely)}", stacklevel=user_level()
        )
    if doubt:
        warnings.warn(doubt, stacklevel=user_level())
    return whole


def _whose_photos_at_rest(
    reference: Reference | None, tables: Mapping[str, pd.DataFrame]
) -> str | None:
    """Say what is to be doubted where photos at rest are for several tables; None if nothing is.

    Raises
    ------
    ArgumentError
        If nobody in any of them has a number that photos are given of.
    """
    seen = {
        name: set(table["person"].dropna()) for name, table in tables.items() if "person" in table
    }
    seen = {name: people for name, people in seen.items() if people}
    if reference is None or not seen:
        return None
    if not isinstance(reference, Mapping):
        several = (
            f"reference: taken for whoever is seen most in each of {first_few(seen)}; score by "
            "themselves those of somebody else"
        )
        return several if len(seen) > 1 else None
    everybody = set().union(*seen.values())
    if lacking := sorted(set(reference) - everybody):
        raise ArgumentError(nobody_has(lacking, everybody, ""))
    lacks = [f"{n} in {name}" for n in reference for name in seen if n not in seen[name]]
    return f"reference: nobody has the number {first_few(lacks)}" if lacks else None


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables below one another, with the file and the place in it first."""
    whole = pd.concat(tables, ignore_index=True)
    first = [name for name in ("path", "frame", "time") if name in whole]
    return _with_whole_frames(whole[[*first, *whole.columns.drop(first)]])


def _lines(broken: Mapping[str, str]) -> list[str]:
    return [f"{path}: {problem}" for path, problem in broken.items()]


def _with_whole_frames(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with whole numbers of frames, also where photos have none."""
    return table.astype({"frame": "Int64"}) if "frame" in table else table


def _score_films(
    model: Any, parts: dict[str, Path], options: dict[str, Any], n_jobs: int | None, verbose: int
) -> Iterator[tuple[str, str | None]]:
    """Write the table of each film, and yield the film with what was wrong, in any order."""
    left = set(parts)
    # as part of the function the model travels with every film: Dask would keep an argument on
    # one worker, and lose it with that one
    score = delayed(partial(_score_film, model))
    with tqdm(total=len(parts), desc="films", unit="film", disable=not verbose) as bar:
        for attempt in range(_ATTEMPTS):
            work = Parallel(n_jobs=n_workers(n_jobs, len(left)), return_as="generator_unordered")(
                score(film, parts[film], options) for film in sorted(left)
            )
            try:
                for film, problem in work:
                    left.remove(film)
                    bar.update()
                    yield film, problem
            except TerminatedWorkerError:  # killed from outside, or out of memory
                if attempt == _ATTEMPTS - 1:
                    raise
            if not left:
                return


def _score_film(
    model: Any, film: str, part: Path, options: dict[str, Any]
) -> tuple[str, str | None]:
    try:
        predict_video(model, film, out=part, verbose=0, **options)
    except OSError as error:  # one broken film stops no other, but a full disk does
        if error.filename is not None and Path(error.filename).parent == part.parent:
            raise
        return film, str(error)
    return film, None
