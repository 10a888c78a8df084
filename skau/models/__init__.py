"""Models in files: saving and loading, those that ship with skau."""

from ._container import ModelFileError
from ._persist import load, save
from ._registry import list_models, load_model

__all__ = ["ModelFileError", "list_models", "load", "load_model", "save"]
