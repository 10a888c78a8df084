"""What skau takes of scikit-learn's private names: a new release breaks one file alone."""

import sys
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import _fit_context as fit_context
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import HasMethods, StrOptions, validate_params
from sklearn.utils._param_validation import Interval as _Interval
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "StrOptions",
    "fit_context",
    "n_workers",
    "num_samples",
    "safe_indexing",
    "validate_params",
]


class Interval(_Interval):
    """scikit-learn's, without the whole numbers that are too large for a float."""

    def is_satisfied_by(self, val: Any) -> bool:
        """Say whether a value lies in it."""
        number = val.item() if isinstance(val, np.generic) else val  # float32 knows no such bound
        return super().is_satisfied_by(val) and abs(number) <= sys.float_info.max


def n_workers(n_jobs: Any, n_tasks: int) -> int | None:
    """Return ``n_jobs``, but no more than there is to do, which joblib would start."""
    if n_jobs is None:
        return None
    if not isinstance(n_jobs, Integral):
        raise TypeError(f"n_jobs must be a whole number or None, got {n_jobs!r}")
    return min(int(n_jobs), max(n_tasks, 1))  # joblib refuses 0, where nothing is to do as well
