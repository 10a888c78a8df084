"""Rendered faces with Action Unit labels: as many people and pictures as one likes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.datasets import get_data_home
from sklearn.utils import Bunch, check_random_state
from tqdm import tqdm

from ..utils._cache import Cache
from ..utils._sklearn import n_workers, validate_params
from ._bunch import au_names, make_bunch
from ._rendering._people import BP4D_AUS, PRESENT, Drawn, draw_subject
from ._rendering._rig import ACTION_UNITS

_RECIPE = 4
"""Raise it whenever the same seed gives other pictures: it is part of the cache's key."""

DESCR = """\
Rendered people, {size} x {size} pixels. No photograph of anybody is in it: the faces are made
from the MakeHuman base mesh, its targets and the Face Units asset pack (all CC0), and may be
used freely.

An AU is present (1) where its intensity is at least {present:g}, absent (0) elsewhere; absent AUs
may show a trace. Everybody has a resting face of their own - a constant trace of a few AUs that
raises no label and no intensity -, shows each AU in a strength of their own and a little more on
one side, and is inclined to some AUs more than to others. Pose, light and background change from
picture to picture, so only the person tells the person. Pictures of one person are independent of
each other: `frame` numbers them, it is no time.
"""


@validate_params({"random_state": ["random_state"]}, prefer_skip_nested_validation=True)
def make_au_faces(
    n_subjects: int = 20,
    n_frames: int = 20,
    *,
    aus: Iterable[int | str] = BP4D_AUS,
    image_size: int = 128,
    variation: float = 1.0,
    resting: float = 1.0,
    likeness: float | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
    cache: bool = True,
    data_home: str | os.PathLike[str] | None = None,
    verbose: bool = False,
    as_frame: bool = True,
) -> Bunch:
    """Render the faces of people who show Action Units.

    A person's head is a random mix of the CC0 MakeHuman shapes (ancestry, sex, age, build and
    about two hundred details), painted with skin, brows, hair, beard, eyes and clothes. AUs move
    it by the targets of the Face Units pack and fold furrows into the skin. Which AUs come
    together follows a few common displays (6 with 12, 1 with 2, ...), at a base rate of about
    30 % each. Everybody has dense dark lashes, on the lower lids too: a network that has seen
    these faces alone takes eyes without them for AU6 and AU7.

    Parameters
    ----------
    n_subjects : int, default=20
        How many people. The first ones stay the same when more are asked for.
    n_frames : int, default=20
        Pictures of each person. The first ones stay the same when more are asked for.
    aus : iterable of int or str, default=(1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
        The AUs shown and labelled, out of 1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20,
        23, 24, 25, 26 and 43. The people do not depend on it.
    image_size : int, default=128
        Side of the pictures in pixels, from 32 to 1024.
    variation : float, default=1.0
        How far head pose, gaze, light, background and sensor noise range: 0 is a passport
        photo, 1 a laboratory, 2 the wild. Train and test at different values for a domain gap.
    resting : float, default=1.0
        How strong the AUs are that a face seems to show at rest, from 0 (none) to 3. They are
        the person's bias: no label tells of them.
    likeness : float or None, default=None
        How far a person's looks foretell their resting face, from 0 (not at all) to 1 (wholly).
        With None three AUs of a resting face are drawn for each person, age leaves no furrow,
        and details of a head that look like an AU are kept small. With a number every AU `a` has
        a trace of ``resting * 0.15 * max(0, likeness * w_a . u + sqrt(1 - likeness**2) * e_a)``:
        ``u`` are six looks (age, sex, two of ancestry, build, depth of lines), ``w_a`` a fixed
        direction of unit length, ``e_a`` standard normal; furrows are
        ``lines * max(0, age - 0.3)`` deep at rest; and all details range freely. So what a
        detector can know of a stranger's bias from one picture grows with it.
    random_state : int, RandomState instance or None, default=None
        Seed of people and pictures. Pass an int for the same output every time; only then is
        the cache used.
    n_jobs : int or None, default=None
        Processes that share the people among them; None means 1, -1 one for each core. The
        pictures do not depend on it.
    cache : bool, default=True
        Keep each person's pictures on disk, so that the next call, or the one after an
        interruption, only renders what is missing. About 50 kB a picture at 128 pixels.
    data_home : str or path or None, default=None
        Where the cache lies; scikit-learn's data home (``~/scikit_learn_data``) if None.
    verbose : bool, default=False
        Show progress.
    as_frame : bool, default=True
        Give `target` and `intensity` as DataFrames and `frame` as one; with False, arrays, and
        `frame` None.

    Returns
    -------
    faces : :class:`~sklearn.utils.Bunch`
        As every loader returns it (see :mod:`skau.datasets`), with

        images : ndarray of shape (n_subjects * n_frames, image_size, image_size, 3), uint8
            RGB pictures, a person after another.
        target : DataFrame of shape (n_subjects * n_frames, n_aus)
            ``AUn``: 1.0 where the AU is present, 0.0 where it is absent.
        intensity : DataFrame of shape (n_subjects * n_frames, n_aus)
            Intensity of each AU, 0 to 1; present means 0.2 or more.
        rest : DataFrame of shape (n_subjects, n_aus)
            The trace of each AU in everybody's resting face, by subject.
        groups : ndarray of shape (n_subjects * n_frames,), dtype str
            Subjects ``S001``, ``S002``, ...
        frame : DataFrame
            Columns subject, frame (the picture's number, from 0) and the AUs of `target`.

    Raises
    ------
    ValueError
        If an AU cannot be shown, or a number is out of range.

    See Also
    --------
    load_sample_faces : A small corpus of such faces that ships with skau.

    Notes
    -----
    Rendering takes some 40 to 70 ms a picture of 128 pixels on one core. The same seed gives
    the same bytes whatever `n_jobs`; another processor or NumPy may round a pixel differently.

    References
    ----------
    .. [1] P. Ekman, W. V. Friesen and J. C. Hager, "Facial Action Coding System", 2002.
    .. [2] MakeHuman, https://static.makehumancommunity.org (CC0), with the Face Units pack by
       Mika Suominen (CC0).

    Examples
    --------
    >>> from skau.datasets import make_au_faces
    >>> faces = make_au_faces(1, 2, aus=[1, 12], image_size=32, random_state=0, cache=False)
    >>> faces.images.shape, faces.au_names, faces.groups.tolist()
    ((2, 32, 32, 3), ['AU1', 'AU12'], ['S001', 'S001'])
    """
    _check("n_subjects", n_subjects, Integral, 1, 100_000)
    _check("n_frames", n_frames, Integral, 1, 100_000)
    _check("image_size", image_size, Integral, 32, 1024)
    _check("variation", variation, Real, 0, 4)
    _check("resting", resting, Real, 0, 3)
    if likeness is not None:
        _check("likeness", likeness, Real, 0, 1)
    names = au_names(aus)
    numbers = [int(name[2:]) for name in names]
    unknown = [name for name, number in zip(names, numbers, strict=True)
               if number not in ACTION_UNITS]  # fmt: skip
    if unknown or not names:
        raise ValueError(
            f"aus: cannot show {unknown or 'nothing'}; "
            f"choose from {', '.join(map(str, ACTION_UNITS))}."
        )
    manner = (float(variation), float(resting), None if likeness is None else float(likeness))
    folder = None
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    if isinstance(random_state, Integral):
        seed = int(random_state)
        recipe = [_RECIPE, seed, sorted(numbers), int(image_size), int(n_frames), *manner]
        digest = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]
        folder = Path(get_data_home(data_home)) / "skau" / "au_faces" / digest if cache else None

    shape = (n_frames, image_size, image_size, 3)
    images = np.empty((n_subjects, *shape), np.uint8)
    intensity = np.empty((n_subjects, n_frames, len(numbers)))
    rest = np.empty((n_subjects, len(numbers)))
    jobs = (
        delayed(_subject)(seed, subject, sorted(numbers), shape, manner, folder)
        for subject in range(n_subjects)
    )
    order = np.argsort(np.argsort(numbers))
    results = Parallel(n_jobs=n_workers(n_jobs, n_subjects), return_as="generator")(jobs)
    bar = tqdm(results, total=n_subjects, disable=not verbose, desc="people", unit="person")
    for subject, drawn in enumerate(bar):
        images[subject], intensity[subject] = drawn.images, drawn.intensity[:, order]
        rest[subject] = drawn.rest[order]

    amounts = pd.DataFrame(intensity.reshape(-1, len(names)), columns=names)
    subjects = [f"S{subject + 1:03d}" for subject in range(n_subjects)]
    corpus = make_bunch(
        "AU faces",
        images.reshape(-1, *shape[1:]),
        np.repeat(subjects, n_frames),
        (amounts >= PRESENT).astype(float),
        extra=pd.DataFrame({"frame": np.tile(np.arange(n_frames), n_subjects)}),
        descr=DESCR.format(size=image_size, present=PRESENT),
        as_frame=as_frame,
    )
    corpus.intensity = amounts if as_frame else amounts.to_numpy(copy=True)
    corpus.rest = pd.DataFrame(rest, index=subjects, columns=names) if as_frame else rest
    return corpus


def _check(name: str, value: Any, kind: type, low: float, high: float) -> None:
    whole = "a whole number" if kind is Integral else "a number"
    if not isinstance(value, kind) or isinstance(value, bool) or not low <= value <= high:  # type: ignore[operator]
        raise ValueError(f"{name} must be {whole} from {low:g} to {high:g}, not {value!r}.")


def _subject(
    seed: int, subject: int, aus: list[int], shape: tuple[int, ...],
    manner: tuple[float, float, float | None], folder: Path | None,
) -> Drawn:  # fmt: skip
    """Give one person's pictures and what they show, from the cache if they are there."""
    key = f"S{subject + 1:05d}"
    cache = None if folder is None else Cache(folder)
    kept = None if cache is None else cache.get(key)
    if kept is not None:
        return Drawn(**kept)
    drawn = draw_subject(seed, subject, aus, shape, *manner)
    if cache is not None:
        cache.put(key, drawn._asdict())
    return drawn
