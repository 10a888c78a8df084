"""What the description of a model in a file (skops' schema) may look like.

skops audits which types a file names. It does not look at how they are named, and would call a
trusted function as if it were a list type, or expand a few lines that refer to each other into a
tree without end. So the description is walked first, and only what `skau.save` writes passes.
"""

from collections.abc import Iterator
from typing import Any

from ._container import ModelFileError

Node = dict[str, Any]

# Classes and functions by the names that older files know them by, and what they are called now.
# A test holds the names of today; whoever moves one writes the old name here.
MOVED: dict[str, str] = {}

# How each kind of node may be called; None leaves it to the audit of types.
_KINDS: dict[str, tuple[str, ...] | None] = {
    "BytesNode": ("builtins.bytes",),
    "ConstructorFromReduceNode": ("torch.device", "sklearn.utils._bunch.Bunch"),
    "DTypeNode": ("numpy.dtype",),
    "DefaultDictNode": ("collections.defaultdict",),
    "DictNode": ("builtins.dict", "collections.OrderedDict"),
    "FunctionNode": None,
    "JsonNode": ("builtins.str",),
    "ListNode": ("builtins.list",),
    "MaskedArrayNode": ("numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"),
    "NdArrayNode": None,
    "ObjectNode": None,
    "PartialNode": ("functools.partial",),
    "RandomGeneratorNode": None,
    "RandomStateNode": ("numpy.random.mtrand.RandomState",),
    "SetNode": ("builtins.set",),
    "SliceNode": ("builtins.slice",),
    "TupleNode": ("builtins.tuple",),
    "TypeNode": None,
}
_MAX_DEPTH = 400  # of nested brackets; a search over a pipeline has about 40

# Parameters that would act when the model is made or used: write to a folder of the file's
# choosing, or call what it names.
_EMPTY = ("memory", "backbone", "trunk")
_PARTS = {("trunk", "skau.models._trunk.PretrainedTrunk")}  # which may stand there all the same


def nodes(schema: Any) -> Iterator[Node]:
    """Return every node, a parent before its children, in the order of writing."""
    above: list[Iterator[Any]] = [iter([schema])]  # no more of what is to come than that
    while above:
        if len(above) > _MAX_DEPTH:
            raise ModelFileError("its description is nested too deeply")
        for part in above[-1]:
            if isinstance(part, dict) and "__loader__" in part:
                yield part
            inside = list(part.values()) if isinstance(part, dict) else part
            if isinstance(inside, list):
                above.append(iter(inside))
                break
        else:
            above.pop()


def empty(node: Node) -> None:
    """Turn a node, in place, into one that holds None."""
    node.clear()
    node |= {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": "null",
        "is_json": True,
        "__id__": 0,
    }


def _is_empty(node: Any) -> bool:
    return (
        isinstance(node, dict)
        and node.get("__loader__") == "JsonNode"
        and node.get("content") == "null"
    )


def _is_part(name: str, node: Any) -> bool:
    return (
        isinstance(node, dict)
        and node.get("__loader__") == "ObjectNode"
        and (name, f"{node.get('__module__')}.{node.get('__class__')}") in _PARTS
    )


def follow_moves(schema: Any) -> bool:
    """Give moved classes, in place, the names that they have now; say whether there were any."""
    moved = False
    for node in nodes(schema):
        now = MOVED.get(f"{node.get('__module__')}.{node.get('__class__')}")
        if now is not None:
            node["__module__"], _, node["__class__"] = now.rpartition(".")
            moved = True
    return moved


def check_schema(schema: Any, members: dict[str, bytes]) -> None:
    """Raise ModelFileError unless the description is one that `skau.save` may have written."""
    if not isinstance(schema, dict) or "__loader__" not in schema:
        raise ModelFileError("its description describes nothing")
    known: dict[Any, Node] = {}
    for node in nodes(schema):
        kind = node["__loader__"]
        name = f"{node.get('__module__')}.{node.get('__class__')}"
        if kind not in _KINDS:
            raise ModelFileError(f"it describes a {kind!r}, which no model file holds")
        names = _KINDS[kind]
        if kind == "NdArrayNode" and not name.startswith("numpy."):
            names = ()
        if names is not None and name not in names:
            raise ModelFileError(f"it describes {name} as a {kind}, which it is not")
        # skops takes a second node with an id for the first, unread, so they must be equal; a few
        # that refer to each other would take the audit for ever.
        same = known.setdefault(node.get("__id__"), node)
        if same is not node and same != node:
            raise ModelFileError("two parts of its description have the same id")
        if "file" in node and node["file"] not in members:
            raise ModelFileError(f"its part {node['file']!r} is missing")
        if kind == "DictNode":
            _check_parameters(node)


def _check_parameters(node: Node) -> None:
    content = node.get("content")
    if not isinstance(content, dict):
        raise ModelFileError("a table in its description is none")
    for name in _EMPTY:
        if name in content and not _is_empty(content[name]) and not _is_part(name, content[name]):
            raise ModelFileError(f"its parameter {name!r} is not None, as in a model file it is")
