"""Parts of docstrings that several classes share, written once."""

import re
from collections.abc import Callable, Mapping
from textwrap import indent
from typing import TypeVar

__all__ = ["substitute"]

C = TypeVar("C", bound=type)


def substitute(parts: Mapping[str, str]) -> Callable[[C], C]:
    """Return a decorator that puts ``parts`` into a class's docstring.

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

    def decorate(cls: C) -> C:
        if cls.__doc__:  # python -OO leaves none
            line = re.compile(rf"^( *)\{{({'|'.join(parts)})\}}$", re.MULTILINE)
            cls.__doc__ = line.sub(
                lambda found: indent(parts[found[2]].strip("\n"), found[1]), cls.__doc__
            )
        return cls

    return decorate
