"""Networks and their building blocks in plain torch; nothing here imports the rest of skau."""

from ._blocks import AUModule, AUOutput, MaxFeatureMap
from ._dsn import DSN
from ._idennet import IdenNet
from ._image_trunk import ImageTrunk
from ._lightcnn import lightcnn_trunk

__all__ = [
    "DSN", "AUModule", "AUOutput", "IdenNet", "ImageTrunk", "MaxFeatureMap", "lightcnn_trunk",
]  # fmt: skip
