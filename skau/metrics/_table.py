"""Labels beside predictions, checked once for all metrics."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from ..utils._labels import read_predictions, read_table, require_probabilities
from ..utils._rows import require_same_rows
from ..utils._sample_weight import read_weights
from ..utils._text import first_few
from ..utils._warnings import user_level

GAPS = r"\w+ is NaN in labelled frames"  # of which Scored warns


class Scored:
    """Labels beside predictions, matched by name where both have names.

    Frames without a label, or of weight 0, are left out, and so are those of an AU that was not
    predicted (NaN): of an AU that had no label in training, or in rows that no fold tests.
    """

    def __init__(self, Y_true: Any, Y_other: Any, sample_weight: Any, name: str) -> None:
        true = read_table(Y_true, "Y_true").frame()
        require_same_rows({name: Y_other, "sample_weight": sample_weight}, {"Y_true": Y_true})
        self.other = read_predictions(Y_other, true, name, "Y_true").to_numpy()
        self.true, self.names, self.other_name = true.to_numpy(), true.columns.tolist(), name
        weight = read_weights(sample_weight, len(self.true), "Y_true")[:, None]
        labelled, predicted = ~np.isnan(self.true) & (weight > 0), ~np.isnan(self.other)
        self.known = labelled & predicted
        rows = Y_true.index if isinstance(Y_true, pd.DataFrame | pd.Series) else true.index
        self._warn_of_gaps(labelled & ~predicted, labelled, rows)
        self.weight = weight * self.known

    def _warn_of_gaps(self, lost: np.ndarray, labelled: np.ndarray, rows: pd.Index) -> None:
        """Tell of AUs that are predicted in some labelled frames and not in others."""
        some = lost.any(axis=0) & self.known.any(axis=0)
        if some.any():
            gaps = [
                f"{self.names[j]} ({lost[:, j].sum()} of {labelled[:, j].sum()})"
                for j in np.flatnonzero(some)
            ]
            first = int(lost[:, some].any(axis=1).argmax())
            warnings.warn(
                f"{self.other_name} is NaN in labelled frames, which are left out of the scores, "
                f"of {first_few(gaps)}; the first is row {rows[first]}",
                stacklevel=user_level(),
            )

    def require_binary(self) -> None:
        """Raise if a prediction is no decision."""
        if not np.isin(self.other[~np.isnan(self.other)], (0, 1)).all():
            raise ValueError(
                f"{self.other_name} must hold 0 and 1; threshold probabilities first, or use "
                "au_report"
            )

    def require_probability(self) -> None:
        """Raise if a prediction is no probability."""
        require_probabilities(pd.DataFrame(self.other, columns=self.names), self.other_name)

    def decided(self, threshold: Any) -> "Scored":
        """Return the same with decisions: present above the threshold, one or one an AU."""
        decided = object.__new__(Scored)
        vars(decided).update(vars(self))
        decided.other = (self.other > threshold).astype(float)
        return decided

    def series(self, values: np.ndarray, name: str) -> pd.Series:
        """Return one value an AU."""
        return pd.Series(values, index=self.names, name=name)

    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Weighted tp, fp, fn, tn of each AU."""
        t, p = self.true == 1, self.other == 1
        cells = (t & p, ~t & p, t & ~p, ~t & ~p)
        tp, fp, fn, tn = ((cell * self.weight).sum(axis=0) for cell in cells)
        return tp, fp, fn, tn

    def f1(self) -> np.ndarray:
        """2 tp / (2 tp + fp + fn); NaN without a positive."""
        tp, fp, fn, _ = self.counts()
        return np.where(tp + fn > 0, ratio(2 * tp, 2 * tp + fp + fn), np.nan)

    def accuracy(self) -> np.ndarray:
        """(tp + tn) / n."""
        tp, fp, fn, tn = self.counts()
        return ratio(tp + tn, tp + fp + fn + tn)

    def false_alarm_rate(self) -> np.ndarray:
        """Fp / (fp + tn); NaN without a negative."""
        _, fp, _, tn = self.counts()
        return ratio(fp, fp + tn)

    def roc_auc(self) -> np.ndarray:
        """Area under the ROC curve; NaN without both classes."""
        values = np.full(len(self.names), np.nan)
        for j in range(len(values)):
            known = self.weight[:, j] > 0
            t = self.true[known, j]
            if len(np.unique(t)) == 2:
                values[j] = roc_auc_score(
                    t, self.other[known, j], sample_weight=self.weight[known, j]
                )
        return values

    def calibration_error(self, n_bins: int) -> np.ndarray:
        """Mean distance of the mean probability in a bin from the share of positives there."""
        bins = np.minimum((np.nan_to_num(self.other) * n_bins).astype(int), n_bins - 1)
        values = np.full(len(self.names), np.nan)
        for j, (bin_of, weight) in enumerate(zip(bins.T, self.weight.T, strict=True)):
            if weight.sum() > 0:
                surplus = weight * np.nan_to_num(self.other[:, j] - self.true[:, j])
                sums = np.bincount(bin_of, surplus, minlength=n_bins)
                values[j] = np.abs(sums).sum() / weight.sum()
        return values


def ratio(a: np.ndarray, b: np.ndarray, empty: float = np.nan) -> np.ndarray:
    """Divide, where there is something to divide by."""
    return np.divide(a, b, out=np.full(len(b), empty), where=b > 0)
