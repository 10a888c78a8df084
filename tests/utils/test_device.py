import pytest
import torch

from skau.utils._device import resolve_device, resolve_precision


def test_the_tests_can_ask_for_a_processor_without_bfloat16(monkeypatch):
    monkeypatch.setenv("SKAU_TEST_PRECISION", "float32")
    assert resolve_precision("auto", torch.device("cpu")) == "float32"
    assert resolve_precision("bfloat16", torch.device("cpu")) == "bfloat16"


def test_a_device_that_is_not_here_is_named():
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type in ("cpu", "cuda")
    with pytest.raises(ValueError, match="device='cuda:99' cannot be used here"):
        resolve_device("cuda:99")
    with pytest.raises(ValueError, match="device='graphics' cannot be used here"):
        resolve_device("graphics")
    with pytest.raises(ValueError, match="device='meta' cannot be used here: its tensors hold no"):
        resolve_device(torch.device("meta"))
