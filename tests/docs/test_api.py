"""Every public name has an example, and what stands beside it."""

import inspect
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs/_ext"))
from see_also import FAMILIES, public_names, relatives

NAMES = {name: thing for name, thing in public_names().items() if callable(thing)}
# named by what they are made by: a film, a network, a scorer that is called by scikit-learn
WITHOUT = {"Video", "AUModule", "accuracy_scorer", "f1_frame_scorer", "roc_auc_scorer"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_it_has_an_example_and_relatives(name):
    doc = inspect.getdoc(NAMES[name]) or ""
    assert "Examples\n--------" in doc or name.rpartition(".")[2] in WITHOUT
    assert "See Also\n--------" in doc or relatives(name), (
        "add it to a family in docs/_ext/see_also.py"
    )


def test_families_name_what_is_there():
    assert {name for family in FAMILIES for name in family.split()} <= set(NAMES)
