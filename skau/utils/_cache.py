"""What was computed before and need not be computed again: values by key, in files.

Work that can be stopped goes on by it: training, searches, crops, landmark tables, films, rendered
people. No pickle is written or read, so that a folder of somebody else's can do no harm.
"""

import glob
import json
import os
import time
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import joblib
import numpy as np

from .._paths import check_file
from ._warnings import user_level

_LEFT_OVER = 3600.0  # seconds after which a file that was never finished is nobody's any more
_STORY = "value"  # the member that says, as JSON, how the arrays belong together


class Cache:
    """A folder of values by key.

    Every value is written whole or not at all, so several processes may share the folder, and
    machines too if its file system is shared; one that is damaged all the same counts as
    missing. Where nothing can be written (a full disk, a folder for reading only) the work goes
    on without, and the user is told once.

    Parameters
    ----------
    memory : str, path-like or joblib.Memory
        The folder; it is made when the first value is put. Of a ``joblib.Memory``, a folder of
        its own inside the location, which ``Memory.clear`` empties too; nothing is kept where
        that has no location.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     cache = Cache(folder)
    ...     key = cache.key("frames", 3)
    ...     before = cache.get(key)
    ...     cache.put(key, {"frames": np.arange(3), "fps": 25.0, "names": ["a", None]})
    ...     print(before, cache.get(key))
    None {'frames': array([0, 1, 2]), 'fps': 25.0, 'names': ['a', None]}
    """

    def __init__(self, memory: Any) -> None:
        if isinstance(memory, joblib.Memory):
            backend = memory.store_backend
            self.folder = None if backend is None else Path(backend.location) / "skau"
        elif isinstance(memory, str | os.PathLike):
            self.folder = Path(memory)
        else:
            raise ValueError(
                f"memory must be a folder (str or path-like) or a joblib.Memory, got {memory!r}"
            )
        self._told = False
        if self.folder is not None:
            _tidy(self.folder, ".*")

    @staticmethod
    def key(*parts: Any) -> str:
        """Return a short text that differs for different parts, the same in every process."""
        return str(joblib.hash(parts))

    def get(self, key: str) -> Any:
        """Return the value, or None where there is none that can be read."""
        if self.folder is None:
            return None
        try:
            # every member is read to its end, where its checksum is compared
            with zipfile.ZipFile(self._file(key)) as file:
                arrays = {
                    name[:-4]: np.load(BytesIO(file.read(name)), allow_pickle=False)
                    for name in file.namelist()
                }
            return _decode(json.loads(arrays.pop(_STORY).tobytes()), arrays)
        except Exception:
            return None  # not there, or damaged in whatever way: it will be put again

    def put(self, key: str, value: Any) -> None:
        """Keep a value.

        Parameters
        ----------
        key : str
            The name of its file, so letters, digits, ``-`` and ``_``.
        value : dict, list, tuple, array, number, str, bool or None
            Nested as you like; keys of dicts are numbers or str, arrays hold no objects.

        Raises
        ------
        TypeError
            If the value holds anything else.
        """
        arrays: dict[str, Any] = {}
        story = json.dumps(_encode(value, arrays)).encode()
        arrays[_STORY] = np.frombuffer(story, np.uint8)
        if self.folder is None:
            return
        try:
            with _write_beside(self._file(key)) as file:
                np.savez(file, **arrays)
        except OSError as error:
            if not self._told:
                self._told = True
                warnings.warn(
                    f"{str(self.folder)!r} cannot be written ({error.strerror or error}), so what "
                    "is computed now is not kept there; the work goes on",
                    stacklevel=user_level(),
                )

    def drop(self, key: str) -> None:
        """Forget a value; it is no error if there is none."""
        if self.folder is not None:
            with suppress(OSError):
                self._file(key).unlink()

    def clear(self) -> None:
        """Forget all values."""
        if self.folder is not None:
            for path in self.folder.glob("*.npz"):
                with suppress(OSError):
                    path.unlink()

    def _file(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{key}.npz"


@contextmanager
def write_whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that is there at the end of the block, whole, or not at all.

    It is written beside, under a name of its own, reaches the disk and is renamed. A link stays,
    and leads to the new content. What killed processes have left of the file goes.
    """
    target = Path(os.path.realpath(path))
    check_file(target, repr(str(path)))
    _tidy(target.parent, glob.escape(_part_of(target)))
    with _write_beside(path) as file:
        yield file


def _part_of(target: Path) -> str:
    """Begin the name of what is written beside a file, in no more bytes than a name may have."""
    return f".{target.name[:40]}"


def _tidy(folder: Path, begin: str) -> None:
    """Remove what killed processes never finished; names as `_write_beside` gives them."""
    with suppress(OSError):
        for part in folder.glob(f"{begin}.{32 * '[0-9a-f]'}.part"):
            if time.time() - part.stat().st_mtime > _LEFT_OVER:
                part.unlink()


@contextmanager
def _write_beside(path: Path) -> Iterator[IO[bytes]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    target = Path(os.path.realpath(path))
    part = target.with_name(f"{_part_of(target)}.{uuid4().hex}.part")
    with name_file(path, part):
        try:
            with part.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


@contextmanager
def name_file(path: Path, part: Path | None = None) -> Iterator[None]:
    """Let errors of the block tell which file could not be written; a full disk names none.

    ``part`` is the file beside it that is written first.
    """
    try:
        yield
    except OSError as error:
        if error.errno and error.filename in (None, str(part)):
            error.filename = str(path)
            del error.filename2  # of a file that could not be renamed
        raise


def _encode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Turn a value into what JSON can hold, and move its arrays into ``arrays``."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.hasobject:
            raise TypeError("an array of objects cannot be kept; give it a dtype")
        name = f"array{len(arrays)}"
        arrays[name] = array
        return {"scalar" if isinstance(value, np.generic) else "array": name}
    if isinstance(value, list):
        return [_encode(item, arrays) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_encode(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_encode(k, arrays), _encode(v, arrays)] for k, v in value.items()]}
    raise TypeError(f"{type(value).__name__} cannot be kept; arrays, numbers and text can")


def _decode(story: Any, arrays: Any) -> Any:
    if isinstance(story, list):
        return [_decode(item, arrays) for item in story]
    if not isinstance(story, dict):
        return story
    ((kind, content),) = story.items()
    if kind == "array":
        return arrays[content]
    if kind == "scalar":
        return arrays[content][()]
    if kind == "tuple":
        return tuple(_decode(item, arrays) for item in content)
    return {_decode(k, arrays): _decode(v, arrays) for k, v in content}
