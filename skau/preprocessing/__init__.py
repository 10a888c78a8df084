"""Find, align and cut faces."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._alignment import (
        box_matrix,
        eye_distance_matrix,
        eye_matrix,
        region_matrix,
        whole_matrix,
    )
    from ._cropper import FaceCropper
    from ._images import read_image
    from ._landmarks import pool_by_subject
    from ._pose import head_pose
    from ._video import Frame, Video, read_video
    from ._warp import warp

__all__ = [
    "FaceCropper",
    "Frame",
    "Video",
    "box_matrix",
    "eye_distance_matrix",
    "eye_matrix",
    "head_pose",
    "pool_by_subject",
    "read_image",
    "read_video",
    "region_matrix",
    "warp",
    "whole_matrix",
]

_MODULES = {
    "FaceCropper": "_cropper",
    "Frame": "_video",
    "Video": "_video",
    "box_matrix": "_alignment",
    "eye_distance_matrix": "_alignment",
    "eye_matrix": "_alignment",
    "head_pose": "_pose",
    "pool_by_subject": "_landmarks",
    "read_image": "_images",
    "read_video": "_video",
    "region_matrix": "_alignment",
    "warp": "_warp",
    "whole_matrix": "_alignment",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that ``import skau`` stays light."""
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
