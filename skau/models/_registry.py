"""List and load the models that ship with skau, and ship one."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.exceptions import InconsistentVersionWarning

from ..utils._cache import write_whole
from ._cards import file_to_ship, read_card, shipped_files
from ._container import ModelFileError
from ._persist import load, save

_LISTED = ("au_names", "licence", "summary")


def list_models() -> pd.DataFrame:
    """Tell which models ship with skau.

    Returns
    -------
    DataFrame with one row a model
        ``name``, as `load_model` takes it; ``au_names``, a list; ``licence``; ``summary``, one
        line; ``size``, bytes of the file.

    Examples
    --------
    >>> from skau import list_models
    >>> list_models()["name"].tolist()
    ['open-1']
    """
    rows = [{**read_card(path), "name": name} for name, path in shipped_files().items()]
    return pd.DataFrame(rows, columns=["name", *_LISTED, "size"])


def load_model(name: str, *, return_card: bool = False) -> Any:
    """Load a model that ships with skau; nothing is downloaded.

    For a file of your own, see :func:`skau.load`.

    Parameters
    ----------
    name : str
        One of `list_models`.
    return_card : bool, default=False
        Whether to return the model's card, too.

    Returns
    -------
    model : fitted pipeline
        From photographs to AUs.
    card : dict
        If ``return_card``: what it was trained on, on whom it was tried and how well it did, what
        it is not for, its licence.

    Raises
    ------
    ValueError
        If there is no such model; the message names those there are.
    ModelFileError
        If the file is not the one that was shipped.

    Examples
    --------
    >>> import skau
    >>> model = skau.load_model("open-1")
    >>> "AU12" in model[-1].au_names_
    True
    >>> model.predict_proba(["photo.jpg"])  # doctest: +SKIP
    """
    known = shipped_files()
    if name not in known:
        said = ", ".join(known) or "none in this version"
        hint = ""
        if Path(str(name)).suffix or Path(str(name)).exists():
            hint = "; skau.load reads a file of your own"
        raise ValueError(f"name: no model is called {name!r}; shipped are: {said}{hint}")
    path = known[name]
    card = read_card(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != card["sha256"]:
        raise ModelFileError(
            f"{str(path)!r} is not the file that was shipped: its checksum is another; "
            "install skau again"
        )
    with warnings.catch_warnings():
        # tried with the scikit-learn of its day; it holds arrays and parameters alone
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = load(path)
    return (model, card) if return_card else model


def ship(model: Any, name: str, card: Mapping[str, Any]) -> None:
    """Put a model and its card among those that ship; for those who make a release.

    Its weights have 16 bits in the file: measure what `load_model` returns, not what was given.

    Parameters
    ----------
    model : fitted pipeline
    name : str
    card : dict
        With ``au_names``, ``licence`` and ``summary`` (one line), and all that a user should know.
    """
    missing = [key for key in _LISTED if key not in card]
    if missing:
        raise ValueError(f"card lacks {', '.join(missing)}")
    path = file_to_ship(name)
    save(model, path, card=card, half=True)
    data = path.read_bytes()
    card = {**card, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    with write_whole(path.with_suffix(".json")) as file:
        file.write(text.encode())
