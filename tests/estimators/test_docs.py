"""What users read of the parameters, in help() and on the pages."""

import inspect
import re
from ast import literal_eval

import pytest

from skau.utils import all_estimators

# a reader of docstrings that knows no `a, b, c : type` finds every parameter by its own line
EACH = pytest.mark.parametrize("Estimator", [cls for _, cls in all_estimators()])


def entries(doc, section):
    """(name, type) of a numpydoc section, with the lines that describe each."""
    lines = inspect.cleandoc(doc).splitlines()
    start = lines.index(section) + 2
    found = {}
    for line, after in zip(lines[start:], [*lines[start + 1 :], ""], strict=True):
        if set(after) == {"-"}:  # the next section
            break
        if line and not line.startswith(" "):
            name, _, kind = line.partition(" : ")
            assert kind, f"{line!r} has no type"
            found[name, kind] = []
        elif line:
            found[name, kind].append(line.strip())
    return found


@EACH
def test_every_parameter_is_described_with_its_default(Estimator):
    described = entries(Estimator.__doc__, "Parameters")
    signature = inspect.signature(Estimator).parameters
    assert [name for name, _ in described] == list(signature)
    assert all(described.values())
    for name, kind in described:
        default = signature[name].default
        if isinstance(default, str | int | float | None):
            assert literal_eval(kind.partition("default=")[2]) == default, (name, kind)


@EACH
def test_the_signature_shows_types_alone(Estimator):
    assert "Annotated" not in str(inspect.signature(Estimator))


@EACH
def test_no_placeholder_is_left(Estimator):
    assert not re.findall(r"^ *\{\w+\}$", Estimator.__doc__, re.MULTILINE)
