"""The systems that the papers compare with, each as an estimator on the same base."""

from ._enhancing import add_enhancing_maps
from .alexnet import AlexNetClassifier
from .atf import ATFClassifier
from .drml import DRMLClassifier
from .lightcnn import LightCNNClassifier
from .roinet import ROINetClassifier
from .svtpt import SVTPTClassifier

__all__ = [
    "ATFClassifier",
    "AlexNetClassifier",
    "DRMLClassifier",
    "LightCNNClassifier",
    "ROINetClassifier",
    "SVTPTClassifier",
    "add_enhancing_maps",
]
