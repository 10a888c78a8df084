"""Model files after accidents and forgery: refused, or loaded; what was run meanwhile."""

import copy
import json
import pickle
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from _record import Record
from sklearn.pipeline import make_pipeline
from tqdm import tqdm

import skau
from skau.baselines import SVTPTClassifier
from skau.datasets import load_sample_faces
from skau.models import ModelFileError
from skau.models._container import pack
from skau.models._schema import nodes
from skau.preprocessing import FaceCropper

N = 1000
HARMFUL = ("pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.remove",
           "os.rename", "shutil.", "socket.", "ctypes.")  # fmt: skip
EXPECTED = {"skau", "sklearn", "skops", "skorch", "numpy", "scipy", "torch", "pandas", "joblib"}


class Watch:
    """Note what Python reports of its own doings (PEP 578) while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, args: tuple) -> None:
        if not self.on:
            return
        if event == "open":
            mode, flags = args[1], args[2]
            harmful = bool(set(mode or "") & set("wax+")) or bool(flags & 0o3)
        elif event == "import":
            name = args[0].partition(".")[0]
            harmful = name not in EXPECTED and name not in sys.stdlib_module_names
        elif event == "exec":
            harmful = args[0].co_filename.startswith("<string")
        else:
            harmful = event.startswith(HARMFUL)
        if harmful:
            self.seen.append(f"{event} {args[0]!r}"[:200])


def mutate_files(record: Record) -> None:
    """Change good files a thousand times, in a seeded way, and load each."""
    rng = np.random.RandomState(0)
    faces = load_sample_faces()
    X, Y = faces.images[::12, ::4, ::4].copy(), faces.target[["AU1", "AU12"]][::12]
    groups = faces.groups[::12]
    clf = skau.DSNClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)
    pipeline = make_pipeline(FaceCropper(size=32, align=None, n_jobs=1), clf)
    models = [clf, pipeline, SVTPTClassifier().fit(X, Y, groups=groups)]
    outcomes: dict[str, Counter] = {"accident": Counter(), "forgery": Counter()}
    watch, worst = Watch(), 0.0
    watch.on = True
    pickle.loads(pickle.dumps(Path()))  # it does see what it is there for
    watch.on = False
    assert watch.seen
    watch.seen.clear()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.skau"
        files, answers = [], []
        for model in models:
            skau.save(model, path)
            files.append(path.read_bytes())
            answers.append(skau.load(path).predict_proba(X))
        for i in tqdm(range(N), disable=not sys.stderr.isatty()):
            which = i % len(models)
            kind = "accident" if i % 2 else "forgery"
            data = files[which]
            path.write_bytes(_damage(data, rng) if kind == "accident" else _forge(data, rng))
            watch.on, start = True, time.perf_counter()
            try:
                outcome = ""
                model = skau.load(path)
            except ModelFileError:
                outcome = "refused"
            except BaseException as error:
                outcome = f"ended in {type(error).__name__}"
            finally:
                watch.on = False
                worst = max(worst, time.perf_counter() - start)
            outcomes[kind][outcome or _compare(model, X, answers[which])] += 1
    record.say(f"{N:,} changed model files of {len(models)} models")
    for kind, counts in outcomes.items():
        said = ", ".join(f"{n} {outcome}" for outcome, n in counts.most_common())
        record.say(f"{kind:>8}: {sum(counts.values())} files: {said}")
    record.say(f"code run, files written, foreign modules imported: {len(watch.seen)}")
    for line in watch.seen[:10]:
        record.say(f"    {line}")
    record.say(f"slowest load or refusal {worst:.2f} s")


def _compare(model: Any, X: np.ndarray, answer: np.ndarray) -> str:
    try:
        found = model.predict_proba(X)
    except Exception:
        return "loaded, cannot predict"
    return "loaded equal" if np.array_equal(found, answer) else "loaded, answers otherwise"


def _damage(data: bytes, rng: np.random.RandomState) -> bytes:
    """Do what disks and networks do: flip, cut, lose, repeat, move, overwrite."""
    out = bytearray(data)
    a, b = sorted(rng.randint(len(out), size=2))
    kind = rng.randint(7)
    if kind == 0:
        out[a] ^= 1 << rng.randint(8)
    elif kind == 1:
        for place in rng.randint(len(out), size=rng.randint(2, 9)):
            out[place] = rng.randint(256)
    elif kind == 2:
        del out[a:]
    elif kind == 3:
        del out[a : min(b, a + 1000)]
    elif kind == 4:
        out[a:a] = out[a : min(b, a + 1000)] or b"0"
    elif kind == 5:
        out[a : a + 512] = bytes(len(out[a : a + 512]))
    else:  # where most bytes have a meaning: the directory at the end
        out[len(out) - rng.randint(1, 2000)] ^= 1 << rng.randint(8)
    return bytes(out)


def _forge(data: bytes, rng: np.random.RandomState) -> bytes:
    """Change the description or an array, and write the checksums anew."""
    with zipfile.ZipFile(BytesIO(data)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    about, schema = json.loads(members.pop("skau.json")), json.loads(members["schema.json"])
    if rng.rand() < 0.2:
        name = rng.choice([name for name in members if name.endswith(".npy")])
        array = bytearray(members[name])
        for place in rng.randint(min(len(array), 128), size=rng.randint(1, 4)):
            array[place] = rng.randint(256)
        members[name] = bytes(array)
    for _ in range(rng.randint(1, 4)):
        every = list(nodes(schema))
        node, other = (every[i] for i in rng.randint(len(every), size=2))
        kind = rng.randint(6)
        if kind == 0:
            key = rng.choice(["__class__", "__module__", "__loader__", "__id__"])
            node[key] = copy.deepcopy(other.get(key))
        elif kind == 1:
            node.pop(rng.choice(list(node)))
        elif kind == 2:
            other = copy.deepcopy(other)
            node.clear()
            node.update(other)
        elif kind == 3:
            node["content"] = rng.choice(["null", "[]", "1e999", "-1", '"x"', "{", "10000000000"])
        elif kind == 4:
            name, cls = [("os", "system"), ("builtins", "eval"), ("pickle", "loads"),
                         ("skau", "save"), ("pathlib", "Path")][rng.randint(5)]  # fmt: skip
            node.update(__module__=name, __class__=cls)
        elif isinstance(node.get("content"), dict | list) and node["content"]:
            keys = list(node["content"]) if isinstance(node["content"], dict) else None
            del node["content"][rng.choice(keys) if keys else rng.randint(len(node["content"]))]
    members["schema.json"] = json.dumps(schema).encode()
    return pack(members, about)
