"""Bad and odd inputs at random: what came of each."""

import re
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import torch
from _record import Record
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from skau import DSNClassifier, IdenNetClassifier
from skau.baselines import LightCNNClassifier, SVTPTClassifier

NAMES = re.compile(r"\b(X|y|groups|sample_weight|classes|lr|y_true)\b")
MAKE = {
    "DSN": lambda: DSNClassifier(max_epochs=1, batch_size=8, random_state=0),
    "IdenNet": lambda: IdenNetClassifier(
        identity_epochs=1, max_epochs=1, batch_size=8, random_state=0
    ),
    "LightCNN": lambda: LightCNNClassifier(max_epochs=1, batch_size=8, random_state=0),
    "SVTPT": lambda: SVTPTClassifier(),
}  # fmt: skip


@st.composite
def inputs(draw: Any) -> tuple[str, str, Any, Any, Any, Any]:
    """Draw a method, what is odd about its input, X, y, groups and sample_weight."""
    rng = np.random.RandomState(draw(st.integers(0, 2**31 - 1)))
    pick = lambda *values: values[draw(st.integers(0, len(values) - 1))]  # noqa: E731
    n = pick(1, 2, 3, 8, 12)
    method = pick("DSN", "IdenNet", "SVTPT", "LightCNN")
    images = pick(False, False, True)
    odd = [pick("nothing", "X", "y", "groups", "weight", "two")]
    odd = ["X", "y"] if odd == ["two"] else odd
    X: Any = rng.randint(0, 256, (n, 32, 32, 3)).astype(np.uint8) if images else rng.randn(n, 5)
    y: Any = rng.randint(0, 2, (n, pick(1, 2, 3))).astype(float)
    groups: Any = np.arange(n) % pick(1, 2, 3)
    weight: Any = None
    said = []
    if "X" in odd:
        kind = pick("scale", "dtype", "shape", "missing", "infinite", "constant", "pandas",
                    "list", "text", "objects", "complex", "empty", "sparse")  # fmt: skip
        said.append(f"X {kind}")
        if kind == "scale":
            X = X * pick(1e-300, 1e-30, 1e10, 1e30, 1e150, 1e300)
        elif kind == "dtype":
            X = X.astype(pick("float16", "float32", "int8", "int64", "bool", "uint16", ">f8"))
        elif kind == "shape":
            X = pick(X[0], X[None], X.reshape(n, -1), X[:, :1], X[..., :0], X[:-1], X.T)
        elif kind in ("missing", "infinite"):
            X = X.astype(float)
            X.flat[0] = np.nan if kind == "missing" else np.inf
        elif kind == "constant":
            X = np.zeros_like(X)
        elif kind == "pandas":
            X = pick(pd.DataFrame(X.reshape(n, -1)), pd.Series(list(X)),
                     pd.DataFrame(X.reshape(n, -1)).astype("Float64"))  # fmt: skip
        elif kind == "list":
            X = pick(X.tolist(), list(X), tuple(X), torch.from_numpy(X))
        elif kind == "text":
            X = pick([f"/nowhere/{i}.png" for i in range(n)], np.full((n, 2), "a"), "abc")
        elif kind == "objects":
            X = pick(X.astype(object), np.full(n, None), [{}] * n, [None] * n)
        elif kind == "complex":
            X = X * 1j
        elif kind == "empty":
            X = X[:0]
        else:
            from scipy.sparse import csr_array

            X = csr_array(X.reshape(n, -1))
    if "y" in odd:
        kind = pick("codes", "missing", "all missing", "identity-only rows", "text", "pandas",
                    "infinite", "1-D", "shape", "None", "nullable", "bool",
                    "regression")  # fmt: skip
        said.append(f"y {kind}")
        if kind == "codes":
            y = pick(y * 5, y + 1, y * 2 - 1, np.where(y == 0, 9.0, 1.0), y * 1e300, -y)
        elif kind == "missing":
            y[rng.rand(*y.shape) < 0.4] = np.nan
        elif kind == "all missing":
            y = y * np.nan
        elif kind == "identity-only rows":
            y[:: pick(2, 3)] = np.nan
        elif kind == "text":
            y = pick(y.astype(str), np.where(y[:, 0] > 0, "yes", "no"), y.astype(object))
        elif kind == "pandas":
            names = [f"AU{j}" for j in range(y.shape[1])]
            y = pick(pd.DataFrame(y, columns=names), pd.DataFrame(y, columns=[*names[:-1], "AU0"]),
                     pd.Series(y[:, 0]), pd.DataFrame(y).astype("category"),
                     pd.DataFrame(y, index=rng.permutation(n)))  # fmt: skip
        elif kind == "infinite":
            y.flat[0] = np.inf
        elif kind == "1-D":
            y = pick(y[:, 0], np.where(y[:, 0] > 0, 7, -3), y[:, 0].astype(bool))
        elif kind == "shape":
            y = pick(y[:-1], y[None], y[:, :0], y.T, 1.0, y.tolist())
        elif kind == "None":
            y = None
        elif kind == "nullable":
            y = pd.DataFrame(y).astype("Int64")
            y.iloc[0, 0] = pd.NA
        elif kind == "bool":
            y = y.astype(bool)
        else:
            y = rng.randn(*y.shape)
    if "groups" in odd:
        kind = pick("None", "one person", "one image each", "text", "missing", "shape", "mixed",
                    "floats", "pandas")  # fmt: skip
        said.append(f"groups {kind}")
        base = np.arange(n)
        groups = {
            "None": None, "one person": base * 0, "one image each": base,
            "text": [f"S{i // 2}" for i in base], "missing": np.where(base == 0, np.nan, base),
            "shape": pick(base[:-1], base[:, None], 3, np.stack([base, base], 1)),
            "mixed": [1, "a"] * n if n > 1 else ["a"], "floats": base / 3,
            "pandas": pd.Series(pd.Categorical(base // 2), index=base + 5),
        }[kind]  # fmt: skip
    if "weight" in odd:
        kind = pick("zero", "negative", "huge", "tiny", "missing", "shape", "text")
        said.append(f"sample_weight {kind}")
        ones = np.ones(n)
        weight = {
            "zero": ones * 0, "negative": -ones, "huge": ones * 1e38, "tiny": ones * 1e-38,
            "missing": ones * np.nan, "shape": ones[:-1], "text": ["a"] * n,
        }[kind]  # fmt: skip
    return method, ", ".join(said) or "nothing odd", X, y, groups, weight


def _finite(X: Any) -> bool:
    try:
        return bool(np.isfinite(np.asarray(X, dtype=float)).all())
    except (TypeError, ValueError):
        return True


def end_of(method: str, X: Any, y: Any, groups: Any, weight: Any) -> str:
    """Fit and predict; say how it ended."""
    try:
        clf = MAKE[method]()
        more = {} if weight is None else {"sample_weight": weight}
        clf.fit(X, y, groups=groups, **more)
        proba = clf.predict_proba(X)
    except (ValueError, TypeError) as error:
        text = str(error)
        if NAMES.search(text):
            return "an error that names the argument"
        return f"UNNAMED: {type(error).__name__}: {text[:150]}"
    except Exception as error:
        return f"OTHER: {type(error).__name__}: {str(error)[:150]}"
    learned = ~np.atleast_1d(getattr(clf, "_unlearned", False))
    known = proba if proba.shape[1] != len(learned) else proba[:, learned]
    if _finite(X) and not np.isfinite(known).all():
        return "NAN of finite input"
    return "probabilities"


def try_inputs(record: Record, n: int) -> None:
    """Try ``n`` inputs."""
    ends: Counter = Counter()
    worse: dict[str, list[str]] = {}

    @seed(0)
    @settings(max_examples=n, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(inputs())
    def attempt(case: tuple) -> None:
        method, said, *data = case
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            end = end_of(method, *data)
        ends[end.partition(":")[0]] += 1
        if end.startswith(("UNNAMED", "OTHER", "NAN")):
            worse.setdefault(end, []).append(f"{method}, {said}")

    attempt()
    record.say(
        f"{sum(ends.values())} inputs drawn: "
        + ", ".join(f"{count} {end}" for end, count in ends.most_common())
    )
    for end, cases in worse.items():
        record.say(f"    {end}  [{cases[0]}; {len(cases)} times]")
