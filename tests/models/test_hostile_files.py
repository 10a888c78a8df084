"""Files that are cut, changed, newer or hostile: one error, and nothing is run."""

import json
import pickle
import sys
import tracemalloc
import zipfile
from io import BytesIO

import numpy as np
import pytest

from skau.models import ModelFileError, load
from skau.models._container import pack
from skau.models._schema import nodes

EVENTS = ("pickle.find_class", "subprocess.Popen", "os.system", "shutil.", "socket.")
ran: list[str] = []
watching = False


def _watch(event, args):
    # code of a module that is imported has a file; that of a text has none
    text = event == "exec" and args[0].co_filename.startswith("<string")
    if watching and (text or event.startswith(EVENTS)):
        ran.append(event)


sys.addaudithook(_watch)


def refuse(path, reason):
    """Expect the error, that it names the file, and that nothing was run."""
    global watching
    ran.clear()
    watching = True
    try:
        with pytest.raises(ModelFileError, match=reason) as caught:
            load(path)
    finally:
        watching = False
    assert str(caught.value).startswith(f"{str(path)!r} cannot be loaded: ")
    assert isinstance(caught.value, ValueError)
    assert ran == []


class _Harmful:
    def __reduce__(self):
        return (exec, ("raise SystemExit('the file was run')",))


def test_the_watch_sees_what_it_is_there_for():
    global watching
    watching = True
    try:
        exec("1")
        pickle.loads(pickle.dumps(_Harmful))
    finally:
        watching = False
    assert ran[-2:] == ["exec", "pickle.find_class"]


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"no zip", pickle.dumps(_Harmful()), pickle.dumps({"a": 1}), bytes(1000)],
    ids=["empty", "two bytes", "text", "harmful pickle", "pickle", "zeros"],
)
def test_what_is_no_model_file(content, tmp_path):
    path = tmp_path / "model.skau"
    path.write_bytes(content)
    refuse(path, "cut, damaged or no model file")


def test_a_file_too_large_for_memory(tmp_path):
    path = tmp_path / "model.skau"
    with path.open("wb") as file:
        file.truncate(2**33)  # holds nothing, and takes no place
    refuse(path, "larger than any model file")


def test_a_description_too_large(forge, tmp_path):
    refuse(forge(lambda schema, _: [[]] * (2**22 + 1)), "more than it may")
    lists = [[]] * 2**17
    tracemalloc.start()
    try:
        assert not list(nodes(lists))  # nor does a smaller one take more memory to be looked at
        assert tracemalloc.get_traced_memory()[1] < 10**5
    finally:
        tracemalloc.stop()


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="model.skau"):
        load(tmp_path / "model.skau")


def test_a_file_cut_anywhere(saved, tmp_path):
    data, path = saved.read_bytes(), tmp_path / "cut.skau"
    for length in np.linspace(0, len(data) - 1, 20).astype(int):
        path.write_bytes(data[:length])
        refuse(path, "cut, damaged or no model file|lacks a part")


def test_a_changed_byte(saved, tmp_path):
    data, path = bytearray(saved.read_bytes()), tmp_path / "changed.skau"
    middle = len(data) // 2
    data[middle] ^= 1
    path.write_bytes(data)
    refuse(path, "damaged")


def rewrite(saved, path, change=None, **options):
    """Write a file whose members are changed and whose checksums are not."""
    with zipfile.ZipFile(BytesIO(saved.read_bytes())) as file:
        members = {name: file.read(name) for name in file.namelist()}
    if change is not None:
        change(members)
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_a_part_changed_with_the_zip_s_own_checksum(saved, tmp_path):
    def change(members):
        name = next(name for name in members if name.endswith(".npy"))
        members[name] = members[name][:-1] + b"?"

    refuse(rewrite(saved, tmp_path / "a", change), "changed after it was written")


def test_a_newer_format(saved, tmp_path):
    def change(members):
        about = json.loads(members["skau.json"])
        members["skau.json"] = json.dumps({**about, "format": 2}).encode()

    refuse(rewrite(saved, tmp_path / "a", change), "its format is 2, .* update skau")


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("format", True, "does not say its format"),
        ("format", -1, "does not say its format"),
        ("format", "1", "does not say its format"),
        ("card", ["a"], "its card or its versions are no table"),
        ("versions", "1.0", "its card or its versions are no table"),
    ],
)
def test_what_a_file_says_of_itself(saved, tmp_path, field, value, reason):
    def change(members):
        about = json.loads(members["skau.json"])
        members["skau.json"] = json.dumps({**about, field: value}).encode()

    refuse(rewrite(saved, tmp_path / "a", change), reason)


def test_what_stands_around_the_parts(saved, tmp_path):
    data, path = saved.read_bytes(), tmp_path / "a"
    for content in (data + b"x", b"MZ" + data, data + data):
        path.write_bytes(content)
        refuse(path, "something stands before, between or behind its parts")


def test_a_newer_format_of_skops(forge):
    refuse(forge(lambda schema, _: {**schema, "protocol": 99}), "protocol 99")


def test_a_zip_bomb(saved, tmp_path):
    def change(members):
        members["99.npy"] = bytes(10**7)

    path = rewrite(saved, tmp_path / "a", change, compression=zipfile.ZIP_DEFLATED)
    refuse(path, "is compressed; none may be")


def test_a_zip_whose_parts_lie_one_over_the_other(saved, tmp_path):
    one = rewrite(saved, tmp_path / "a", lambda m: m.update({"99.bin": bytes(10**6)}))
    data = one.read_bytes()
    # fifty entries of the directory for the one part
    start = data.rindex(b"PK\x01\x02")
    entry = data[start : data.rindex(b"PK\x05\x06")]
    names = [f"{i:02}.bin".encode() for i in range(50)]
    copies = b"".join(entry.replace(b"99.bin", name) for name in names)
    end = bytearray(data[data.rindex(b"PK\x05\x06") :])
    n = int.from_bytes(end[8:10], "little") + 50
    size = int.from_bytes(end[12:16], "little") + len(copies)
    end[8:10] = end[10:12] = n.to_bytes(2, "little")
    end[12:16] = size.to_bytes(4, "little")
    path = tmp_path / "overlap.skau"
    path.write_bytes(data[: data.rindex(b"PK\x05\x06")] + copies + bytes(end))
    refuse(path, "lie one over the other|damaged")


@pytest.mark.parametrize("name", ["../../evil.npy", "/etc/passwd", "..\\evil.npy", "a/b.npy"])
def test_a_path_that_leads_elsewhere(saved, tmp_path, name):
    path = rewrite(saved, tmp_path / "a", lambda members: members.update({name: b""}))
    refuse(path, "which no model file does")

    def point_there(schema, members):
        next(node for node in nodes(schema) if "file" in node)["file"] = name

    before = set(tmp_path.parent.rglob("*"))
    with zipfile.ZipFile(BytesIO(saved.read_bytes())) as file:
        members = {n: file.read(n) for n in file.namelist()}
    about, schema = json.loads(members.pop("skau.json")), json.loads(members["schema.json"])
    point_there(schema, members)
    members["schema.json"] = json.dumps(schema).encode()
    path.write_bytes(pack(members, about))
    refuse(path, "is missing")
    assert set(tmp_path.parent.rglob("*")) == before


def array_bytes(array):
    out = BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def header(shape, descr="<f4"):
    out = BytesIO()
    np.lib.format.write_array_header_1_0(
        out, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (array_bytes(np.array([_Harmful()], dtype=object)), "a pickle"),
        (array_bytes(np.zeros(2, [("a", "<f4")])), "holds .*, which no model does"),
        (array_bytes(np.zeros(2, complex)), "holds complex128, which no model does"),
        (pickle.dumps(_Harmful()), "is no array"),
        (header((10**12, 10**12)), "says that it holds"),
        (header((-1,)), "says that it holds|is no array"),
        (header((2**62, 4), "<f8") + bytes(8), "says that it holds"),
        (header((10**12, 0)), "without content"),
        (header((10**12,), "<U0"), "without content"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 100, "is no array"),
        (b"\x93NUMPY\x01\x00\x76\x00" + b"(" * 118, "is no array"),
        (b"\x93NUMPY\x03\x00" + header((2,))[8:] + bytes(8), "is no array"),
    ],
    ids=[
        "objects",
        "structure",
        "complex",
        "pickle",
        "bomb",
        "negative",
        "overflow",
        "rows of nothing",
        "texts of nothing",
        "long header",
        "deep",
        "version",
    ],
)
def test_an_array_that_is_none(forge, content, reason):
    def change(schema, members):
        members[next(name for name in members if name.endswith(".npy"))] = content

    refuse(forge(change), reason)


def node(name, kind, **fields):
    module, _, cls = name.rpartition(".")
    return {"__class__": cls, "__module__": module, "__loader__": kind, "__id__": 10**6, **fields}


def content_of(schema):
    return schema["content"]["content"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (node("os.system", "FunctionNode"), "it names os.system"),
        (node("skau.models._persist.save", "FunctionNode"), "it names skau.models._persist.save"),
        (node("skau.utils._cache.os", "TypeNode"), "it names skau.utils._cache.os"),
        (node("subprocess.Popen", "TypeNode"), "it names subprocess.Popen"),
        (node("builtins.eval", "TypeNode"), "it names builtins.eval"),
        (node("builtins.eval", "ListNode", content=[]), "as a ListNode"),
        (
            node("skau.metrics._scorers.f1_frame_scorer", "ListNode", content=[]),
            "f1_frame_scorer as a ListNode",
        ),
        (node("os.system", "ConstructorFromReduceNode"), "as a ConstructorFromReduceNode"),
        (node("operator.methodcaller", "OperatorFuncNode"), "describes a 'OperatorFuncNode'"),
        (node("skau.DSNClassifier", "MethodNode"), "describes a 'MethodNode'"),
        (node("sklearn.tree._tree.Tree", "TreeNode"), "describes a 'TreeNode'"),
        (node("builtins.str", "Unheard"), "describes a 'Unheard'"),
        (node("builtins.dict", "DictNode", content=[]), "a table in its description is none"),
        (node("builtins.list", "ListNode"), "damaged|no model"),
        (node("builtins.str", "JsonNode", content="{"), "no model that can be made"),
        (node("builtins.str", "JsonNode", content="[" * 10**5), "no model that can be made"),
    ],
    ids=lambda v: v["__loader__"] + "-" + v["__class__"] if isinstance(v, dict) else "",
)
def test_types_and_kinds_that_no_file_may_hold(forge, value, reason):
    refuse(forge(lambda schema, _: content_of(schema).update(monitor=value)), reason)


@pytest.mark.parametrize("name", ["memory", "backbone", "trunk"])
def test_parameters_that_would_act(forge, name):
    path = node("builtins.str", "JsonNode", content='"/tmp/elsewhere"')
    refuse(
        forge(lambda schema, _: content_of(schema).update({name: path})), f"{name}' is not None"
    )


def test_ids_that_refer_to_each_other(forge):
    """A few lines that stand for a tree of 2**60 nodes would take the audit for ever."""

    def change(schema, members):
        inner = node("builtins.list", "ListNode", content=[])
        for i in range(60):
            short = {**node("builtins.list", "ListNode", content=[]), "__id__": inner["__id__"]}
            inner = node("builtins.list", "ListNode", content=[inner, short])
            inner["__id__"] += i + 1
        content_of(schema)["monitor"] = inner

    refuse(forge(change), "the same id")


def test_a_description_nested_without_end(forge, saved, tmp_path):
    def change(schema, members):
        inner = node("builtins.list", "ListNode", content=[])
        for i in range(250):
            inner = {**node("builtins.list", "ListNode", content=[inner]), "__id__": 10**7 + i}
        content_of(schema)["monitor"] = inner

    refuse(forge(change), "nested too deeply")
    path = rewrite(
        saved, tmp_path / "a", lambda m: m.update({"skau.json": b'{"format":' + b"[" * 10**6})
    )
    refuse(path, "is no JSON")


def test_a_network_larger_than_its_weights(forge):
    """The shape of the images says how much memory is asked for."""

    def change(schema, members):
        content = content_of(schema)["input_shape_"]["content"]
        content[1]["content"] = content[2]["content"] = "1000000000"
        content[1]["__id__"] = content[2]["__id__"] = 0

    refuse(forge(change), "weights are not those of the network|no model that can be made")


@pytest.mark.parametrize("name", ["_weights", "_built", "_epochs", "input_shape_", "au_names_"])
def test_a_state_that_lacks_something(forge, name):
    def change(schema, members):
        state = schema["content"]
        keys = list(state["content"])
        state["key_types"]["content"].pop(keys.index(name))
        del state["content"][name]

    if name == "_weights":  # as if it was never fitted
        model = load(forge(change))
        assert not hasattr(model, "net_")
    else:
        refuse(forge(change), "no model that can be made")
