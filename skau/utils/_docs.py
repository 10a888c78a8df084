"""Parts of docstrings that several classes or functions share, written once."""

import re
from collections.abc import Callable, Mapping
from textwrap import indent
from typing import Any, TypeVar

C = TypeVar("C", bound=Callable[..., Any])


def substitute(parts: Mapping[str, str]) -> Callable[[C], C]:
    """Return a decorator that puts ``parts`` into the docstring of a class or function.

    A line that holds nothing but ``{name}`` becomes ``parts["name"]``, indented like that line.

    Examples
    --------
    >>> @substitute({"unit": "unit : str, default='cm'"})
    ... class Ruler:
    ...     '''Measure.
    ...
    ...     {unit}
    ...     '''
    >>> print(Ruler.__doc__.splitlines()[2].strip())
    unit : str, default='cm'
    """

    def decorate(documented: C) -> C:
        if documented.__doc__:  # python -OO leaves none
            line = re.compile(rf"^( *)\{{({'|'.join(parts)})\}}$", re.MULTILINE)
            documented.__doc__ = line.sub(
                lambda found: indent(parts[found[2]].strip("\n"), found[1]), documented.__doc__
            )
        return documented

    return decorate
