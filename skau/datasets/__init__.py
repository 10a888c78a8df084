"""Corpora, all as the same Bunch, and a generator of rendered faces.

Every loader returns a :class:`~sklearn.utils.Bunch` with `images` (an array of paths, or of
pixels), `target` (a DataFrame ``AUn`` of 1, 0 and NaN), `groups` (the subject of every row),
`frame` (all that is known of a row, as one DataFrame), `au_names` (the columns of `target`),
`folds` (the published test parts by name, None where there are none), `name`, and `DESCR`, which
says what is in it. The corpora themselves come from their owners: each loader says where to ask.
"""

from ._au_faces import make_au_faces
from ._bp4d import load_bp4d
from ._celeba import load_celeba
from ._disfa import load_disfa
from ._faces import load_faces
from ._london import load_london
from ._sample import load_sample_faces
from ._stack import stack_corpora
from ._unbc import load_unbc

__all__ = [
    "load_bp4d",
    "load_celeba",
    "load_disfa",
    "load_faces",
    "load_london",
    "load_sample_faces",
    "load_unbc",
    "make_au_faces",
    "stack_corpora",
]
