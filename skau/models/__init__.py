"""Models in files: saved and loaded without pickle, exported to ONNX, those that ship."""

from ._container import ModelFileError
from ._persist import load, save
from ._registry import list_models, load_model
from ._trunk import PretrainedTrunk

__all__ = ["ModelFileError", "PretrainedTrunk", "list_models", "load", "load_model", "save"]
