"""skops: from a model to the members of a file, and from them to a model.

Its types are checked against our list before anything is made.
"""

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import numpy as np

from ..utils._portable import portable
from ._container import SCHEMA, ModelFileError
from ._schema import nodes
from ._trusted import trusted_types

_VALUES = ("JsonNode", "TupleNode", "TypeNode")  # kinds of nodes that nothing can change later


def dump(model: Any) -> tuple[dict[str, bytes], list[str]]:
    """Return skops' members of a model, and the parameters that stay at home.

    Whatever the state of a stranger's class raises is raised here.
    """
    import skops.io

    with portable() as left_out:
        data = skops.io.dumps(model)
    with ZipFile(BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}, left_out


def halve(schema: dict[str, Any], members: dict[str, bytes]) -> None:
    """Store the weights of networks in 16 bits; they have 32 again where a network takes them."""
    for node in nodes(schema):
        if node["__loader__"] == "DictNode" and "_weights" in node["content"]:
            for array in node["content"]["_weights"]["content"].values():
                weights = np.load(BytesIO(members[array["file"]]))
                if weights.dtype != np.float32:
                    continue
                if np.abs(weights).max(initial=0) > np.finfo(np.float16).max:
                    raise ValueError(
                        "half=True: a weight is too large for 16 bits; save without half"
                    )
                out = BytesIO()
                np.save(out, weights.astype(np.float16))
                members[array["file"]] = out.getvalue()


def renumber(schema: dict[str, Any], members: dict[str, bytes]) -> dict[str, bytes]:
    """Name things by their order, not their address: equal models make equal files.

    Whether two equal numbers or texts are one object in memory is a chance of how a model came
    about, fitted at one go or taken up again from a disk: in the file they are one.
    """
    values: dict[str, int] = {}
    for node in reversed([*nodes(schema)]):  # what a tuple holds before the tuple
        if node["__loader__"] in _VALUES:
            told = json.dumps({**node, "__id__": None}, sort_keys=True)
            node["__id__"] = values.setdefault(told, -1 - len(values))
    first: dict[int, dict[str, Any]] = {}
    for node in nodes(schema):  # the same thing again has helpers of other numbers
        if node["__id__"]:
            node.update(first.setdefault(node["__id__"], node))
    schema = json.loads(json.dumps(schema))
    numbers = {0: 0}
    names: dict[str, str] = {}
    for node in nodes(schema):
        node["__id__"] = numbers.setdefault(node["__id__"], len(numbers))
        if "file" in node:
            suffix = node["file"].rpartition(".")[2]
            node["file"] = names.setdefault(node["file"], f"{len(names)}.{suffix}")
    return {
        SCHEMA: json.dumps(schema, separators=(",", ":")).encode(),
        **{new: members[old] for old, new in names.items()},
    }


def check_types(members: dict[str, bytes]) -> None:
    """Raise ModelFileError if a file names types that it may not."""
    import skops.io

    try:
        found = skops.io.get_untrusted_types(data=_zip(members).getvalue())
    except Exception as error:  # a description out of shape may raise anything
        raise ModelFileError(f"its description is damaged ({_said(error)})") from error
    unknown = sorted(set(found) - set(trusted_types()))
    if unknown:
        raise ModelFileError(f"it names {', '.join(unknown)}, which no model file may")


def construct(members: dict[str, bytes]) -> Any:
    import skops.io

    try:
        return skops.io.load(_zip(members), trusted=list(trusted_types()))
    except Exception as error:  # attributes may be missing, and of any type
        raise ModelFileError(f"it describes no model that can be made ({_said(error)})") from error


def _zip(members: dict[str, bytes]) -> BytesIO:
    out = BytesIO()
    with ZipFile(out, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
