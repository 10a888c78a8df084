"""Facial Action Unit detection for people never seen in training, as scikit-learn estimators."""

from __future__ import annotations

from importlib import import_module

from ._version import __version__

# That of typing, whose import would be the longest part of the command's start at which Ctrl-C
# shows a traceback; type checkers know the name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .estimators import (
        DSNClassifier,
        IdenNetClassifier,
        Int8Classifier,
        MixedEffectsClassifier,
        RegionClassifier,
        predict_files,
        predict_images,
        predict_video,
    )
    from .models import PretrainedTrunk, list_models, load, load_model, save
    from .models._onnx import export_onnx
    from .training import ResumeTraining

__all__ = [
    "DSNClassifier",
    "IdenNetClassifier",
    "Int8Classifier",
    "MixedEffectsClassifier",
    "PretrainedTrunk",
    "RegionClassifier",
    "ResumeTraining",
    "__version__",
    "export_onnx",
    "list_models",
    "load",
    "load_model",
    "predict_files",
    "predict_images",
    "predict_video",
    "save",
]

# torch and scikit-learn are imported with the first estimator, not with the package.
_HOMES = {
    "DSNClassifier": "estimators",
    "IdenNetClassifier": "estimators",
    "Int8Classifier": "estimators",
    "MixedEffectsClassifier": "estimators",
    "PretrainedTrunk": "models",
    "RegionClassifier": "estimators",
    "ResumeTraining": "training",
    "export_onnx": "models._onnx",
    "list_models": "models",
    "load": "models",
    "load_model": "models",
    "predict_files": "estimators",
    "predict_images": "estimators",
    "predict_video": "estimators",
    "save": "models",
}


# As in scikit-learn, ``skau.datasets`` is there after ``import skau``.
_ROOMS = {
    "baselines",
    "datasets",
    "inspection",
    "losses",
    "metrics",
    "model_selection",
    "modules",
    "preprocessing",
    "utils",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_ROOMS})
