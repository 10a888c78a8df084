"""Fitted networks as ONNX files, which run without Python."""

import json
from contextlib import redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from io import StringIO
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from .._version import __version__
from ..estimators._base import BaseAUClassifier
from ..model_selection import CalibratedAUClassifier, TunedThresholdsClassifier
from ..modules import AUModule
from ..preprocessing import FaceCropper
from ..utils._cache import write_whole
from ..utils._device import own_modes
from ..utils._extras import import_extra
from ..utils._warnings import quietly

_OPSET = 18
_TALKERS = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir", "torch.fx")


class _Probabilities(nn.Module):
    """The network with all that comes before and after it, (b, h, w, c) uint8 -> (b, n_aus)."""

    slopes: Tensor
    offsets: Tensor
    unlearned: Tensor

    def __init__(
        self, module: AUModule, slopes: np.ndarray, offsets: np.ndarray, unlearned: np.ndarray
    ) -> None:
        super().__init__()
        self.module = module
        dtype = next(module.parameters()).dtype
        self.register_buffer("slopes", torch.as_tensor(slopes, dtype=dtype))
        self.register_buffer("offsets", torch.as_tensor(offsets, dtype=dtype))
        self.register_buffer("unlearned", torch.as_tensor(unlearned))
        self._lacks_any = bool(unlearned.any())

    def forward(self, crops: Tensor) -> Tensor:
        if crops.dtype == torch.uint8:
            crops = crops.permute(0, 3, 1, 2).float() / 255
        probabilities = (self.module.logits(crops) * self.slopes + self.offsets).sigmoid()
        return probabilities.masked_fill(self.unlearned, nan) if self._lacks_any else probabilities


@dataclass
class _Parts:
    """What an exported model is made of."""

    classifier: BaseAUClassifier
    thresholds: np.ndarray
    slopes: np.ndarray  # of a calibration; 1 where there is none
    offsets: np.ndarray
    cropper: dict[str, Any] | None


@own_modes()
def export_onnx(model: Any, path: str | Path) -> None:
    """Write a fitted network as an ONNX file: face crops in, probabilities out.

    Parameters
    ----------
    model : fitted classifier
        A classifier of skau with a network; or a pipeline or search around one, or
        :class:`skau.model_selection.TunedThresholdsClassifier` or
        :class:`skau.model_selection.CalibratedAUClassifier`, but for ``method="isotonic"``. Of a
        pipeline the network alone is exported: crops are cut by whoever runs the file.
    path : str or Path
        The file, ``"model.onnx"`` by custom. It is written whole or not at all.

    Raises
    ------
    ImportError
        If ONNX is not installed (extra ``onnx``).
    ValueError
        If the model has no network that could be exported, or several.
    RuntimeError
        If this torch cannot export the network; 2.6 cannot with some of ``skau.baselines``.

    Notes
    -----
    Input ``crops``: uint8 of shape (n, height, width, 3), or (n, height, width, 1) after a fit on
    grey images; the scaling is inside. After a fit on vectors it is float64 of shape (n, d). The
    number n is free. Output ``probabilities``: float of shape (n, n_aus), each the probability
    that the AU is present, within 1e-4 of ``predict_proba`` in float32; on a GPU, where torch
    rounds convolutions to TF32, by up to 4e-4 in what was measured; NaN, as there, of an AU that
    had no label. (After a 1-D ``y`` it has one column, that of the larger class.)

    The file's ``metadata_props`` hold, as JSON: ``au_names``; ``thresholds``, from which each AU
    counts as present; ``input``, what the crops are like; ``cropper``, the parameters of the
    :class:`skau.preprocessing.FaceCropper` before the network, if there is one; ``skau``, the
    version.

    Examples
    --------
    >>> import skau
    >>> skau.export_onnx(clf, "model.onnx")  # doctest: +SKIP
    >>> import onnxruntime  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession("model.onnx")  # doctest: +SKIP
    >>> (probabilities,) = session.run(None, {"crops": crops})  # doctest: +SKIP
    """
    need = "export_onnx needs ONNX"
    onnx = import_extra("onnx", "onnx", need)
    import_extra("onnxscript", "onnx", need)
    check_is_fitted(model)
    parts = _take_apart(model)
    clf = parts.classifier
    module = deepcopy(clf.module_).cpu().eval().to(memory_format=torch.contiguous_format)
    shape = clf.input_shape_
    if len(shape) == 3:
        example = torch.zeros(2, *shape[1:], shape[0], dtype=torch.uint8)
        what = {
            "dtype": "uint8", "layout": "NHWC", "height": shape[1], "width": shape[2],
            "channels": "RGB" if shape[0] == 3 else shape[0], "normalisation": "x / 255, inside",
        }  # fmt: skip
    else:
        example = torch.zeros(2, *shape, dtype=torch.float64)
        what = {"dtype": "float64", "layout": "NC", "features": shape[0]}
    with quietly(*_TALKERS), redirect_stdout(StringIO()), torch.no_grad():
        try:
            program = torch.onnx.export(
                _Probabilities(module, parts.slopes, parts.offsets, clf._unlearned),
                (example,),
                input_names=["crops"],
                output_names=["probabilities"],
                dynamic_shapes=({0: torch.export.Dim("n")},),
                opset_version=_OPSET,
                dynamo=True,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise _refusal(clf) from error
    assert program is not None
    proto = program.model_proto
    # early exporters fix the number of rows of some networks, and say nothing
    if not proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise _refusal(clf)
    proto.producer_name, proto.producer_version = "skau", __version__
    metadata = {
        "au_names": clf.au_names_.tolist(),
        "thresholds": parts.thresholds.tolist(),
        "input": what,
        "cropper": parts.cropper,
        "skau": __version__,
    }
    onnx.helper.set_model_props(proto, {key: json.dumps(v) for key, v in metadata.items()})
    with write_whole(Path(path)) as file:
        file.write(proto.SerializeToString())


def _refusal(clf: BaseAUClassifier) -> RuntimeError:
    return RuntimeError(
        f"torch {torch.__version__} cannot export the network of {type(clf).__name__} for any "
        "number of rows; torch 2.14 can"
    )


def _take_apart(model: Any) -> _Parts:
    """Look through what is put around a network."""
    tuned: TunedThresholdsClassifier | None = None
    calibrated: CalibratedAUClassifier | None = None
    cropper = None
    part = model
    while not isinstance(part, BaseAUClassifier):
        if isinstance(part, Pipeline):
            before = [step for _, step in part.steps[:-1] if step not in (None, "passthrough")]
            if len(before) > 1 or not all(isinstance(step, FaceCropper) for step in before):
                raise ValueError(
                    "model: of a pipeline a FaceCropper and a network can be exported, but this "
                    f"one has {', '.join(type(step).__name__ for step in before)}"
                )
            if before:
                cropper = before[0].get_params()
                for name in ("memory", "n_jobs", "device", "verbose"):
                    cropper.pop(name, None)
            part = part.steps[-1][1]
        elif isinstance(part, TunedThresholdsClassifier):
            if calibrated is None:  # inside a calibration they decide nothing
                tuned = tuned or part
            part = part.estimator_
        elif isinstance(part, CalibratedAUClassifier) and not (calibrated or part.curves_):
            calibrated, part = part, part.estimator_
        elif hasattr(part, "best_estimator_"):
            part = part.best_estimator_
        elif isinstance(part, FrozenEstimator):
            part = part.estimator
        else:
            raise ValueError(
                f"model: {type(part).__name__} cannot be exported, for it is not one network in "
                "floating point with at most a linear calibration; the networks are "
                "DSNClassifier, IdenNetClassifier, MixedEffectsClassifier and those of "
                "skau.baselines but SVTPTClassifier (of a RegionClassifier, export each of "
                "estimators_; of an Int8Classifier, its estimator_)"
            )
    n = len(part.au_names_)
    return _Parts(
        part,
        np.full(n, 0.5) if tuned is None else tuned.thresholds_,
        np.ones(n) if calibrated is None else calibrated.slopes_,
        np.zeros(n) if calibrated is None else calibrated.offsets_,
        cropper,
    )
