"""The classifiers, from checked input to AUs, and what they say of films and photos."""

from ._dsn import DSNClassifier
from ._files import predict_files
from ._idennet import IdenNetClassifier
from ._int8 import Int8Classifier
from ._mixed_effects import MixedEffectsClassifier
from ._photos import predict_images
from ._regions import RegionClassifier
from ._video import predict_video

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
