"""From photos and films to aligned face crops: reading, finding faces, alignment, cutting."""

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
