"""Write fitted models to files that nobody need be afraid to open.

The format is that of skops [1]_, which scikit-learn's own pages recommend: it knows every
estimator of scikit-learn, pipelines and searches, keeps arrays in NumPy's format, and looks up
types by name against a list before it makes anything. (Weights as safetensors beside JSON would
serve a bare network as well, but pipelines, searches and SVMs would need a format of our own.)
A ``.skau`` file is a skops file with one more member, ``skau.json``: the format's number,
versions, the card and the checksums. What skops does not look at is looked at first, in
`_container` and `_schema`.

.. [1] https://skops.readthedocs.io
"""

import json
import platform
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .._paths import as_path
from .._version import __version__
from ..estimators._part import StoredPart
from ..utils._cache import write_whole
from ..utils._unwrap import fitted_attribute
from ..utils._warnings import user_level
from ._cards import shipped_files
from ._container import LARGEST, SCHEMA, ModelFileError, pack, read_json, unpack
from ._schema import check_schema, empty, follow_moves, nodes
from ._skops import check_types, construct, dump, halve, renumber

_LISTS = ("steps", "transformers", "transformer_list", "estimators")
_PACKAGES = ("numpy", "scikit-learn", "skops", "torch")


def save(
    model: Any,
    path: str | Path,
    *,
    card: Mapping[str, Any] | None = None,
    half: bool = False,
) -> None:
    """Write a model to a file without pickle, for `load` on any machine.

    Parameters
    ----------
    model : estimator
        Any estimator of skau, or a pipeline, search or other estimator of scikit-learn around
        one; fitted or not.
    path : str or Path
        The file, ``"model.skau"`` by custom. It is written whole or not at all, over one that is
        there.
    card : dict, default=None
        What a user of the model should know, as JSON: what it was trained on, its licence, how
        well it does on whom. `load` returns it. Without ``"trained_on"``, the fitted model's
        ``trained_on_`` takes its place: numbers of rows, subjects and labels.
    half : bool, default=False
        Store the weights of networks with 16 bits in place of 32: the file has half the size,
        and probabilities move: by up to 6e-3 in what was measured. After `load` they have 32 bits
        again.

    Raises
    ------
    TypeError
        If the model is no estimator, such as a class.
    ValueError
        If the model holds what no such file may: a class or function of your own, a `backbone`,
        a `trunk` but :class:`skau.PretrainedTrunk`, distributions of scipy. The message names the
        parameters. If its description or `card` is larger than 16 MB.

    Notes
    -----
    Parameters that training alone needs and that hold code, ``augment=`` a function and
    ``callbacks=``, are saved as None, with a warning, and a cropper's or pipeline's ``memory``
    is saved as None too: a folder of this machine means nothing to another.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import skau
    >>> from skau.datasets import load_sample_faces
    >>> faces = load_sample_faces()
    >>> X = faces.images[::4, ::4, ::4]
    >>> clf = skau.DSNClassifier(max_epochs=1, random_state=0)
    >>> clf = clf.fit(X, faces.target[::4], groups=faces.groups[::4])
    >>> with TemporaryDirectory() as folder:
    ...     skau.save(clf, f"{folder}/model.skau", card={"trained_on": "renders"})
    ...     again, card = skau.load(f"{folder}/model.skau", return_card=True)
    >>> bool((again.predict_proba(X) == clf.predict_proba(X)).all()), card["trained_on"]
    (True, 'renders')
    """
    path, card = as_path(path, "path"), _check_card(card)
    if isinstance(model, type) or not hasattr(model, "get_params"):
        told = f"the class {model.__name__}" if isinstance(model, type) else f"{model!r:.80}"
        raise TypeError(f"model must be an estimator, got {told}")
    facts = fitted_attribute(model, "trained_on_")
    if facts is not None:
        card = {"trained_on": facts} | card
    try:
        members, left_out = dump(model)
    except Exception as error:
        raise _explain(model, error) from error
    if left_out:
        warnings.warn(
            f"{', '.join(sorted(set(left_out)))} hold code, which a model file does not, and are "
            "saved as None; training alone needs them",
            stacklevel=user_level(),
        )
    schema = json.loads(members[SCHEMA])
    for node in nodes(schema):
        if node["__loader__"] == "DictNode" and "memory" in node["content"]:
            empty(node["content"]["memory"])
    if half:
        halve(schema, members)
    members = renumber(schema, members)
    try:
        check_schema(json.loads(members[SCHEMA]), members)
        check_types(members)
    except ModelFileError as error:
        raise _explain(model, error) from error
    versions = {"skau": __version__, "python": platform.python_version()}
    versions |= {name: version(name) for name in _PACKAGES}
    data = pack(members, {"versions": versions, "card": card})
    try:
        parts, _ = unpack(data)
        read_json(parts[SCHEMA], SCHEMA)
    except ModelFileError as error:
        raise ValueError(
            f"model cannot be saved: load would not read its file, for {error}; save a part (of a "
            "search, search.best_estimator_)"
        ) from error
    with write_whole(path) as file:
        file.write(data)


def load(path: str | Path, *, return_card: bool = False) -> Any:
    """Read a model that `save` wrote, and run nothing that the file brings.

    Parameters
    ----------
    path : str or Path
    return_card : bool, default=False
        Whether to return what the file says about itself, too.

    Returns
    -------
    model : estimator
        It predicts what the saved one predicts, to the bit on the same machine. Where there is no
        such device as it was fitted on, the CPU takes its place, with a warning.
    card : dict
        If ``return_card``: the card that was saved, and ``versions``, of skau and of what it
        stands on at the time.

    Raises
    ------
    ModelFileError
        A ValueError, if the file is no model file, was cut or changed, is of a newer format, or
        holds what no model file may. Nothing of it was run.
    OSError
        If there is no such file or it cannot be read. Models that ship are no files of yours; see
        :func:`load_model`.

    Notes
    -----
    The checksums inside the file tell of accidents, not of forgers, who would write them anew:
    what a stranger's model answers is as good as the stranger. See ``SECURITY.md``.

    Examples
    --------
    >>> import skau
    >>> model, card = skau.load("model.skau", return_card=True)  # doctest: +SKIP
    """
    path = as_path(path, "path")
    if not path.exists() and (name := str(path).removesuffix(".skau")) in shipped_files():
        raise FileNotFoundError(
            f"path: there is no file {str(path)!r}; the model {name!r} ships with skau, and "
            f"is loaded by skau.load_model({name!r})"
        )
    try:
        if path.stat().st_size > LARGEST:  # before it is in memory
            raise ModelFileError("it is larger than any model file")
        members, about = unpack(path.read_bytes())
        schema = read_json(members[SCHEMA], SCHEMA)
        if follow_moves(schema):
            members[SCHEMA] = json.dumps(schema).encode()
        check_schema(schema, members)
        check_types(members)
        model = construct(members)
    except ModelFileError as error:
        raise ModelFileError(f"{str(path)!r} cannot be loaded: {error}") from error
    if not return_card:
        return model
    return model, {**about.get("card", {}), "versions": about.get("versions", {})}


def _check_card(card: Mapping[str, Any] | None) -> dict[str, Any]:
    card = {} if card is None else card
    if not isinstance(card, Mapping) or "versions" in card:
        raise ValueError('card must be a dict without "versions", which save writes itself')
    try:
        return json.loads(json.dumps(dict(card)))
    except (TypeError, ValueError) as error:
        raise ValueError(f"card must hold what JSON can: {error}") from error


def _explain(model: Any, error: Exception) -> ValueError:
    """Say which parameters or attributes hinder a model from being saved."""
    parts = model.get_params() if hasattr(model, "get_params") else {}
    # what lists steps says nothing more than the steps, which are there by name
    parts = {name: v for name, v in parts.items() if name.rpartition("__")[2] not in _LISTS}
    guilty = {name for name, value in parts.items() if not _can_be_saved(value)}
    ends = ("backbone", "trunk")  # modules, which are code even where they are torch's
    guilty |= {
        name
        for name, part in parts.items()
        if name.endswith(ends) and part is not None and not isinstance(part, StoredPart)
    }
    if not guilty:
        guilty = {
            name
            for name, value in getattr(model, "__dict__", {}).items()
            if not _can_be_saved(value)
        }
    inmost = [
        name for name in guilty if not any(other.startswith(f"{name}__") for other in guilty)
    ]
    what = ", ".join(sorted(inmost)) or type(model).__name__
    return ValueError(
        f"model cannot be saved: {what} holds code or objects that are neither skau's nor "
        f"scikit-learn's, and a model file holds none. Set other values, save a part (of a "
        "search, search.best_estimator_), or give it by joblib.dump to people who trust you. "
        f"[{' '.join(str(error).split())[:300]}]"
    )


def _can_be_saved(value: Any) -> bool:
    try:
        check_types(dump(value)[0])
    except Exception:
        return False
    return True
