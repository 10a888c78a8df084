"""The classifiers, from checked input to AUs, and what they say of films and photos."""

from ._dsn import DSNClassifier
from ._idennet import IdenNetClassifier
from ._int8 import Int8Classifier
from ._mixed_effects import MixedEffectsClassifier
from ._predict_files import predict_files
from ._predict_images import predict_images
from ._predict_video import predict_video
from ._regions import RegionClassifier

__all__ = [
    "DSNClassifier",
    "IdenNetClassifier",
    "Int8Classifier",
    "MixedEffectsClassifier",
    "RegionClassifier",
    "predict_files",
    "predict_images",
    "predict_video",
]
