"""The API reference: every public name of every public module, as its ``__all__`` lists them."""

from importlib import import_module
from pathlib import Path
from typing import Any

MODULES = (
    "skau", "skau.baselines", "skau.preprocessing", "skau.datasets", "skau.model_selection",
    "skau.metrics", "skau.inspection", "skau.losses", "skau.modules", "skau.utils",
)  # fmt: skip


def build(app: Any, config: Any) -> None:
    """Write the page."""
    parts = ["API reference", "=============", ""]
    for name in MODULES:
        module = import_module(name)
        assert module.__doc__
        summary = module.__doc__.strip()
        names = [entry for entry in module.__all__ if not entry.startswith("__")]
        parts += [
            name, "-" * len(name), "", f".. currentmodule:: {name}", "", summary, "",
            ".. autosummary::", "   :toctree: api", "   :nosignatures:", "",
            *(f"   {entry}" for entry in names), "",
        ]  # fmt: skip
    page, text = Path(app.srcdir) / "api.rst", "\n".join(parts)
    if not page.exists() or page.read_text() != text:
        page.write_text(text)


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx, before it looks which pages there are, for autosummary to see it."""
    app.connect("config-inited", build)
    return {"parallel_read_safe": True}
