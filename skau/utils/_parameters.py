"""Constructors of estimators with many parameters, each declared once: type, values, default."""

import inspect
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(field,))
def parameters(cls: type[T]) -> type[T]:
    """Make the annotated defaults of a class, and of its bases, the constructor's parameters.

    scikit-learn reads an estimator's parameters from the signature of ``__init__``, which has to
    name them all; a dataclass writes it. A class's own parameters come before those of its bases,
    and a default that it gives anew takes the base's place. What ``Annotated`` says beside the
    type is what scikit-learn's ``_parameter_constraints`` hold: the values that it may have.

    Examples
    --------
    >>> from typing import Annotated
    >>> @parameters
    ... class Base:
    ...     lr: Annotated[float, "positive"] = 1e-4
    >>> @parameters
    ... class Derived(Base):
    ...     alpha: float = 0.5
    ...     lr: float = 1e-3
    >>> inspect.signature(Derived)
    <Signature (*, alpha: float = 0.5, lr: float = 0.001) -> None>
    >>> Derived._parameter_constraints
    {'lr': ['positive']}
    """
    own = inspect.get_annotations(cls)
    # what has no default, such as an attribute that fit sets, is no parameter
    cls.__annotations__ = {name: kind for name, kind in own.items() if name in vars(cls)}
    cls = dataclass(kw_only=True, repr=False, eq=False)(cls)
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    declared_by: dict[str, type] = {}
    kinds: dict[str, Any] = {}
    constraints: dict[str, list[Any]] = {}
    for base in reversed(cls.__mro__):
        constraints |= vars(base).get("_parameter_constraints", {})
        for name, kind in _annotations(base).items():
            declared_by.setdefault(name, base)
            kinds[name] = kind
            if values := getattr(kind, "__metadata__", ()):
                constraints[name] = list(values)
    cls._parameter_constraints = constraints  # type: ignore[attr-defined]
    order = [name for base in cls.__mro__ for name in names if declared_by[name] is base]
    given = inspect.signature(cls.__init__).parameters
    order.sort(key=lambda name: given[name].kind)  # what is given by its place comes first
    cls.__init__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [given["self"], *(_readable(given[name], kinds[name]) for name in order)],
        return_annotation=None,
    )
    for name in names:
        if name in vars(cls):
            delattr(cls, name)  # the default is the constructor's; the class itself has no value
    return cls


def _annotations(cls: type) -> dict[str, Any]:
    try:
        return inspect.get_annotations(cls, eval_str=True)
    except NameError:  # of what only type checkers import
        return inspect.get_annotations(cls)


def _readable(parameter: inspect.Parameter, kind: Any) -> inspect.Parameter:
    """Leave out which values it may have: signatures are read by people."""
    return parameter.replace(annotation=kind.__origin__ if hasattr(kind, "__metadata__") else kind)
