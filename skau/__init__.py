"""Facial Action Unit detection for people never seen in training, as scikit-learn estimators."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dsn import DSNClassifier
    from .idennet import IdenNetClassifier
    from .int8 import Int8Classifier
    from .regions import RegionClassifier
    from .resume import ResumeTraining
    from .video import predict_video

__version__ = "0.1.0.dev0"

__all__ = [
    "DSNClassifier",
    "IdenNetClassifier",
    "Int8Classifier",
    "RegionClassifier",
    "ResumeTraining",
    "__version__",
    "predict_video",
]

# torch and scikit-learn are imported with the first estimator, not with the package.
_HOMES = {
    "DSNClassifier": "dsn",
    "IdenNetClassifier": "idennet",
    "Int8Classifier": "int8",
    "RegionClassifier": "regions",
    "ResumeTraining": "resume",
    "predict_video": "video",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
