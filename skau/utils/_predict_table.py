"""Probabilities as a table that names the AUs."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from ._labels import default_names, present_proba
from ._sklearn import safe_indexing
from ._unwrap import fitted_attribute


def predict_table(estimator: Any, X: Any, **params: Any) -> pd.DataFrame:
    """Compute the probability of each AU, as a table that names the AUs.

    Parameters
    ----------
    estimator : estimator
        A fitted AU classifier, or a pipeline or search with one at its end.
    X : array-like of length n
        What its ``predict_proba`` takes: images, paths or vectors.
    **params
        What else ``predict_proba`` takes, such as ``groups``.

    Returns
    -------
    DataFrame of shape (n, n_aus)
        Probability, from 0 to 1, that the AU is present; columns as in the ``y`` of ``fit``. The
        rows are named by the index of ``X`` if that is a Series or DataFrame, by the paths if it
        holds paths, and else counted from 0.

    See Also
    --------
    skau.predict_video : The same of every frame of a film.

    Examples
    --------
    >>> from skau import DSNClassifier
    >>> from skau.datasets import load_sample_faces
    >>> from skau.utils import predict_table
    >>> faces = load_sample_faces()
    >>> X, Y, groups = faces.images[:96, ::2, ::2], faces.target[:96], faces.groups[:96]
    >>> clf = DSNClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)
    >>> predict_table(clf, X).columns.tolist() == faces.au_names
    True
    """
    proba, names = estimator.predict_proba(X, **params), fitted_attribute(estimator, "au_names_")
    if names is not None:
        single = len(names) == 1
    else:  # it may have been fitted on a 1-D y
        first = safe_indexing(X.tocsr() if issparse(X) else X, [0])
        single = not isinstance(proba, list) and np.ndim(estimator.predict(first)) == 1
    proba = present_proba(proba, single, getattr(estimator, "classes_", None))
    if names is None:
        names = default_names(proba.shape[1])
    index = getattr(X, "index", None)
    if not isinstance(index, pd.Index):
        paths = isinstance(X, list | tuple | np.ndarray) and len(X) and np.ndim(X[0]) == 0
        index = pd.Index([str(path) for path in X], name="path") if paths else None
    return pd.DataFrame(proba, index=index, columns=[str(name) for name in names])
