"""CelebA: its loader, for identities alone."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from sklearn.utils import Bunch

from .._paths import as_path
from ..utils._docs import substitute
from ..utils._text import first_few
from ._bunch import DOCS, make_bunch
from ._folders import Gaps, find_folder, is_image, read_numbers, wrong_folder

DESCR = """\
CelebA: 202,599 photographs of 10,177 celebrities, aligned and cropped to 178 x 218 pixels. Only
the identities are used; no AU is annotated, so the target has no columns.

The data come from the Chinese University of Hong Kong, for non-commercial research; the identity
annotations are given on request:
https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html

Z. Liu et al., "Deep learning face attributes in the wild", ICCV 2015, 3730-3738.
"""


@substitute(DOCS)
def load_celeba(
    folder: str | os.PathLike[str],
    *,
    image_folder: str | os.PathLike[str] | None = None,
    as_frame: bool = True,
) -> Bunch:
    """Load the images and identities of CelebA from its folders on disk.

    Get the images, and ask for the identities, at the Chinese University of Hong Kong
    (https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html).

    The images are ``img_align_celeba/000001.jpg`` and the identities lines ``000001.jpg 2880`` of
    ``identity_CelebA.txt``. Both are looked for up to two levels below `folder`, for example in
    ``Img`` and ``Anno``.

    Use it with :func:`stack_corpora`: its people become identity-only subjects, which
    :mod:`skau.model_selection` keeps in every training part.

    Parameters
    ----------
    folder : str or path
        The folder with ``identity_CelebA.txt``, and the images unless `image_folder` is given.
    image_folder : str or path, default=None
        The folder that holds ``000001.jpg``, ..., for other versions of the images.
    {corpus}

        target : DataFrame of shape (n, 0)
            No AU is annotated. Stacked with other corpora, all NaN.
        groups : ndarray of shape (n,), dtype str
            Identities, such as ``"2880"``.
        frame : DataFrame
            Columns image and subject.
        au_names : list of str
            Empty.

    Raises
    ------
    FileNotFoundError
        If images or identities are not there.
    ValueError
        If ``identity_CelebA.txt`` does not have two columns, or lists an image twice.

    Warns
    -----
    UserWarning
        For images without an identity and identities without an image; both are left out.

    Examples
    --------
    >>> from skau.datasets import load_celeba
    >>> ids = load_celeba("/data/CelebA")  # doctest: +SKIP
    >>> len(set(ids.groups))  # doctest: +SKIP
    """
    root, gaps = as_path(folder, "folder"), Gaps("CelebA")
    file = "identity_CelebA.txt"
    anno = find_folder(
        "load_celeba", root, lambda p: (p / file).is_file(), file, depth=2, skip="img_"
    )
    listing = read_numbers(anno / file, sep=r"\s+", dtype=str)
    if listing.shape[1] != 2:
        raise ValueError(f"{anno / file}: expected lines such as '000001.jpg 2880'.")
    twice = listing[0][listing[0].duplicated()]
    if len(twice):
        raise ValueError(
            f"{anno / file}: {first_few(twice)} is listed twice; keep one of its lines."
        )
    if image_folder is not None:
        image_dir = Path(image_folder)
    else:
        image_dir = find_folder(
            "load_celeba", root, lambda p: p.name == "img_align_celeba",
            "img_align_celeba with images such as 000001.jpg",
            argument="image_folder", depth=2,
        )  # fmt: skip
        # Unpacking may have put it into a folder of the same name.
        nested = image_dir / image_dir.name
        image_dir = nested if nested.is_dir() else image_dir
    files = {path.name for path in image_dir.glob("[!.]*") if is_image(path)}
    there = listing[0].isin(files)
    if not there.any():
        wrong_folder(
            "load_celeba", image_dir, f"images such as {listing[0].iloc[0]} (image_folder)"
        )
    for name in sorted(files - set(listing[0])):
        gaps.add("images without an identity are left out", name)
    for name in listing[0][~there]:
        gaps.add("listed images that are not there are left out", name)
    gaps.warn()
    rows = listing[there]
    return make_bunch(
        "CelebA",
        [str(image_dir / name) for name in rows[0]],
        rows[1],
        pd.DataFrame(index=rows.index, columns=pd.Index([], dtype="str")),
        descr=DESCR,
        as_frame=as_frame,
    )
