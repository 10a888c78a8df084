"""The systems that the papers compare with, each as an estimator on the same base."""

from ._alexnet import AlexNetClassifier
from ._atf import ATFClassifier
from ._drml import DRMLClassifier
from ._enhancing import add_enhancing_maps
from ._lightcnn import LightCNNClassifier
from ._resnet import ResNetClassifier
from ._roinet import ROINetClassifier
from ._svtpt import SVTPTClassifier

__all__ = [
    "ATFClassifier",
    "AlexNetClassifier",
    "DRMLClassifier",
    "LightCNNClassifier",
    "ROINetClassifier",
    "ResNetClassifier",
    "SVTPTClassifier",
    "add_enhancing_maps",
]
