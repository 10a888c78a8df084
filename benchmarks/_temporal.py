"""R-T1 and R-T2 of paper 2's tables: ROINet's features, and LSTM layers over the frames of a film.

After W. Li, F. Abtahi, Z. Zhu, "Action Unit Detection with Region Adaptation, Multi-labeling
Learning and Optimal Temporal Fusing", CVPR 2017, who put one or two LSTM layers behind their ROI
network.
"""

from typing import Any, Self

import numpy as np
import torch
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state
from torch import Tensor, nn

from skau.losses import masked_bce
from skau.utils._labels import read_table

_CLIP = 24  # frames that a sequence has, about a second
_WIDTH = 128  # of an LSTM layer
_CLIPS = 16  # sequences in a batch


class _Layers(nn.Module):
    """LSTM layers and the AU outputs: (b, t, d) -> (b, t, n_aus)."""

    def __init__(self, n_features: int, n_layers: int, n_aus: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(n_features, _WIDTH, n_layers, batch_first=True)
        self.out = nn.Linear(_WIDTH, n_aus)

    def forward(self, x: Tensor) -> Tensor:
        """Compute logits; a frame sees itself and those before it in the clip."""
        logits: Tensor = self.out(self.lstm(x)[0])
        return logits


class FilmClassifier(ClassifierMixin, BaseEstimator):
    """An LSTM over what a network says of the frames of each person, in their order.

    Network and LSTM learn one after the other, as in the paper. The LSTM has as many epochs as the
    network, of which the last is kept. Clips are of 24 frames of a person that follow one another
    among the rows.

    Parameters
    ----------
    network : AU classifier with ``transform``
    n_layers : int, default=1
    lr : float, default=1e-3
        Of the LSTM, by Adam.
    random_state : int, RandomState instance or None, default=None
    """

    def __init__(
        self, network: Any, *, n_layers: int = 1, lr: float = 1e-3, random_state: Any = None
    ) -> None:
        self.network = network
        self.n_layers = n_layers
        self.lr = lr
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: Any) -> Self:
        """Train the network on frames, then the LSTM on clips of its features."""
        rng = check_random_state(self.random_state)
        self.network_ = clone(self.network).fit(X, y, groups=groups)
        labels = read_table(y, "y")
        self.au_names_, self.classes_ = np.array(labels.names), np.arange(len(labels.names))
        features = self.network_.transform(X)
        self.mean_, self.spread_ = features.mean(axis=0), features.std(axis=0) + 1e-6
        rows = _clips(groups)
        rows = rows[~np.isnan(labels.values[rows]).all(axis=(1, 2))]
        clips = self._scaled(features)[torch.from_numpy(rows)]
        Y = np.where((rows < 0)[..., None], np.nan, labels.values[rows])
        targets = torch.from_numpy(Y.astype(np.float32))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(rng.randint(2**31))
            layers = _Layers(features.shape[1], self.n_layers, len(labels.names))
        optimizer = torch.optim.Adam(layers.parameters(), lr=self.lr)
        for _ in range(self.network.max_epochs):
            for batch in np.array_split(rng.permutation(len(rows)), -(-len(rows) // _CLIPS)):
                logits = layers(clips[batch])
                loss = masked_bce(logits.flatten(0, 1), targets[batch].flatten(0, 1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        self.layers_ = layers
        self.module_ = nn.ModuleList([getattr(self.network_, "module_", nn.Identity()), layers])
        return self

    def predict_proba(self, X: Any, groups: Any) -> np.ndarray:
        """Probability of each AU, (n, n_aus), of frames in the order of the film."""
        rows = _clips(groups)
        with torch.inference_mode():
            told = self.layers_(self._scaled(self.network_.transform(X))[torch.from_numpy(rows)])
        logits = np.empty((len(X), len(self.au_names_)))
        logits[rows[rows >= 0]] = told.numpy()[rows >= 0]
        return expit(logits)

    def _scaled(self, features: np.ndarray) -> Tensor:
        return torch.from_numpy(((features - self.mean_) / self.spread_).astype(np.float32))


def _clips(groups: Any) -> np.ndarray:
    """Rows of clips of each person in order, (n_clips, 24); -1 after the last frame."""
    clips = []
    for person in np.unique(groups):
        rows = np.flatnonzero(np.asarray(groups) == person)
        padded = np.full(-(-len(rows) // _CLIP) * _CLIP, -1)
        padded[: len(rows)] = rows
        clips.append(padded.reshape(-1, _CLIP))
    return np.concatenate(clips)
