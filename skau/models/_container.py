"""The outer layer of a model file: members of a zip, their checksums, what stands beside them.

Nothing here knows what a model is. What leaves `unpack` is complete, unchanged since it was
written, no larger than the file, and made of JSON and plain arrays.
"""

import hashlib
import json
import re
import zipfile
from io import BytesIO
from typing import Any

import numpy as np

FORMAT = 1  # of the file; what cannot be read by older versions of skau raises it
SCHEMA, _ABOUT = "schema.json", "skau.json"
_MEMBER = re.compile(r"[0-9a-f-]{1,40}\.(npy|bin)")
_JSON_LIMIT = 2**24  # bytes; that of a search over a thousand candidates has a twentieth of it
_HEADS, _END = 30 + 46, 22  # bytes of a zip beside its parts, but for their names, twice
LARGEST = zipfile.ZIP64_LIMIT - 1  # bytes of a file; larger zips have other parts at their end
_WHEN = (1980, 1, 1, 0, 0, 0)  # in place of the time of writing: equal content, equal bytes


class ModelFileError(ValueError):
    """A file is no model file, or is damaged, of a newer format, or holds what it may not.

    Nothing of it was run.
    """


def pack(members: dict[str, bytes], about: dict[str, Any]) -> bytes:
    """Return the file: the members, and a last one about them with their checksums."""
    about = {
        "format": FORMAT,
        **about,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name, data in {**members, _ABOUT: json.dumps(about, indent=1).encode()}.items():
            file.writestr(zipfile.ZipInfo(name, _WHEN), data)
    return out.getvalue()


def unpack(data: bytes) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the checked members of a file, and what it says about them.

    Raises
    ------
    ModelFileError
        Without the name of the file, which is not known here.
    """
    try:
        members = _members(data)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise ModelFileError(f"it is cut, damaged or no model file at all ({error})") from error
    except (ValueError, KeyError, OverflowError) as error:
        raise ModelFileError(f"it is damaged ({error})") from error
    about = read_json(members.pop(_ABOUT), _ABOUT)
    number = about.get("format") if isinstance(about, dict) else None
    if type(number) is not int or number < 1:  # True is an int, too
        raise ModelFileError("it does not say its format")
    if not all(isinstance(about.get(part, {}), dict) for part in ("card", "versions")):
        raise ModelFileError("its card or its versions are no table")
    if about["format"] > FORMAT:
        raise ModelFileError(
            f"its format is {about['format']}, and this version of skau reads up to {FORMAT}; "
            "update skau to read it"
        )
    found = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    if about.get("sha256") != found:
        raise ModelFileError("it was changed after it was written: a checksum does not agree")
    for name, content in members.items():
        if name.endswith(".npy"):
            _check_array(name, content)
    return members, about


def _members(data: bytes) -> dict[str, bytes]:
    """Read a zip whose members are stored as they are, so that none is larger than it looks."""
    with zipfile.ZipFile(BytesIO(data)) as file:
        infos = file.infolist()
        names = [info.filename for info in infos]
        if len(set(names)) != len(names) or not {SCHEMA, _ABOUT} <= set(names):
            raise ModelFileError("it is no model file of skau, or lacks a part")
        for info in infos:
            if info.filename not in (SCHEMA, _ABOUT) and not _MEMBER.fullmatch(info.filename):
                raise ModelFileError(f"it holds {info.filename!r}, which no model file does")
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                raise ModelFileError(f"its part {info.filename!r} is compressed; none may be")
        if sum(info.file_size for info in infos) > len(data):
            raise ModelFileError("its parts lie one over the other")
        whole = sum(_HEADS + 2 * len(info.filename) + info.file_size for info in infos) + _END
        if whole != len(data) <= LARGEST:
            raise ModelFileError("something stands before, between or behind its parts")
        return {info.filename: file.read(info) for info in infos}  # compares their CRC


def read_json(data: bytes, name: str) -> Any:
    """Return the content of a JSON member of bounded size."""
    if len(data) > _JSON_LIMIT:
        raise ModelFileError(f"its part {name!r} has {len(data):,} bytes, more than it may")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"its part {name!r} is no JSON ({error})") from error


def _check_array(name: str, content: bytes) -> None:
    """Refuse objects, and shapes of which the file does not hold the numbers."""
    file = BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = read(file)
    except Exception as error:  # the header is an expression, and may be any text
        raise ModelFileError(f"its part {name!r} is no array ({error})") from error
    if dtype.hasobject:
        raise ModelFileError(f"its part {name!r} is an array of objects, a pickle")
    if dtype.kind not in "biufSUmM":
        raise ModelFileError(f"its part {name!r} holds {dtype}, which no model does")
    size = dtype.itemsize
    for n in shape:  # Python's numbers do not overflow
        size *= n
    if size != len(content) - file.tell() or any(n < 0 for n in shape):
        raise ModelFileError(
            f"its part {name!r} says that it holds {shape} numbers, but it does not"
        )
    # of nothing there may be any number, and whoever lists it has as many things
    if dtype.itemsize == 0 or max(shape, default=0) > max(len(content), 2**16):
        raise ModelFileError(f"its part {name!r} is an array without content of shape {shape}")
