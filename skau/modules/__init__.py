"""Torch building blocks and networks; nothing here knows scikit-learn."""

from .blocks import AUModule, AUOutput, MaxFeatureMap
from .dsn import DSN
from .idennet import IdenNet
from .lightcnn import lightcnn_trunk

__all__ = ["DSN", "AUModule", "AUOutput", "IdenNet", "MaxFeatureMap", "lightcnn_trunk"]
