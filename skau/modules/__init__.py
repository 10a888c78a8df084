"""Torch building blocks and networks; nothing here knows scikit-learn."""

from ._blocks import AUModule, AUOutput, MaxFeatureMap
from ._dsn import DSN
from ._idennet import IdenNet
from ._image_trunk import ImageTrunk
from ._lightcnn import lightcnn_trunk

__all__ = [
    "DSN", "AUModule", "AUOutput", "IdenNet", "ImageTrunk", "MaxFeatureMap", "lightcnn_trunk",
]  # fmt: skip
