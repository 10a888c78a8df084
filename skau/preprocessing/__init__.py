"""Find, align and cut faces."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .alignment import box_matrix, eye_matrix, region_matrix, whole_matrix
    from .cropper import FaceCropper
    from .images import read_image
    from .landmarks import pool_by_subject
    from .video import Video, read_video
    from .warping import warp

__all__ = [
    "FaceCropper",
    "Video",
    "box_matrix",
    "eye_matrix",
    "pool_by_subject",
    "read_image",
    "read_video",
    "region_matrix",
    "warp",
    "whole_matrix",
]

_MODULES = {
    "FaceCropper": "cropper",
    "Video": "video",
    "box_matrix": "alignment",
    "eye_matrix": "alignment",
    "pool_by_subject": "landmarks",
    "read_image": "images",
    "read_video": "video",
    "region_matrix": "alignment",
    "warp": "warping",
    "whole_matrix": "alignment",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that ``import skau`` stays light."""
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
