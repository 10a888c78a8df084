"""Parameters of a class whose annotations are text, as `from __future__` makes them."""

from __future__ import annotations

import inspect
from numbers import Real
from typing import TYPE_CHECKING, Annotated

import pytest

from skau import DSNClassifier
from skau.utils._sklearn import Interval

if TYPE_CHECKING:
    import numpy as np


class Own(DSNClassifier):
    gamma: Annotated[float, Interval(Real, 0, 1, closed="both")] = 0.5
    max_epochs: int = 1


class Noted(Own):
    gamma: float = 0.25
    bias_: np.ndarray  # of fit, and known to type checkers alone


@pytest.mark.parametrize("Estimator", [Own, Noted])
def test_they_are_read(Estimator, blobs):
    X, Y, groups = blobs
    names = ["gamma", *inspect.signature(DSNClassifier).parameters]
    assert sorted(Estimator().get_params()) == sorted(names)
    with pytest.raises(ValueError, match=f"'gamma' parameter of {Estimator.__name__}"):
        Estimator(gamma=2).fit(X, Y, groups=groups)
    assert "Annotated" not in str(inspect.signature(Own))
