"""Find, align and cut faces."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cropper import FaceCropper

__all__ = ["FaceCropper"]


def __getattr__(name: str) -> Any:
    """Import on first use, so that ``import skau`` stays light."""
    if name == "FaceCropper":
        from .cropper import FaceCropper

        return FaceCropper
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
