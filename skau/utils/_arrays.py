"""Arrays of other kinds than NumPy's own, which NumPy does not take, or not for what they are."""

import sys
from typing import Any

import numpy as np


def plain(values: Any, argument: str) -> Any:
    """Return a tensor, masked array or memory view as an array; everything else as it is.

    A tensor may stand on a GPU, have a gradient or a type that NumPy lacks. What a mask hides is
    NaN.

    Raises
    ------
    TypeError
        If a tensor is sparse or, on the meta device, holds no values.
    """
    torch = sys.modules.get("torch")  # whoever has a tensor has imported it
    if torch is not None and isinstance(values, torch.Tensor):
        if values.layout != torch.strided:
            raise TypeError(f"{argument} is a sparse tensor; pass {argument}.to_dense()")
        if values.is_meta:
            raise TypeError(f"{argument} is a tensor on the meta device, which holds no values")
        if values.is_quantized:
            values = values.dequantize()
        # force: of another device, with a gradient, conjugated
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy(force=True)
    if isinstance(values, np.ma.MaskedArray):
        if not np.ma.getmaskarray(values).any():
            return values.data
        kind = float if values.dtype.kind in "biuf" else object
        return np.ma.filled(values.astype(kind), np.nan)
    return np.asarray(values) if isinstance(values, memoryview) else values


def refuse_masked(images: Any, argument: str) -> None:
    """Refuse images with masked pixels: what the mask hides would be seen, or be no number."""
    if isinstance(images, np.ma.MaskedArray) and (hidden := np.ma.getmaskarray(images)).any():
        where = f" (row {np.argwhere(hidden)[0][0]})" if images.ndim > 3 else ""
        raise ValueError(
            f"{argument} has masked pixels{where}; choose what shall be seen there, as "
            f"np.ma.filled(images, 0) does, or leave these images out"
        )
