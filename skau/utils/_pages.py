"""Links from an estimator's HTML diagram to its page."""

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path


class PagesMixin:
    """Let the HTML diagram link to skau's own pages.

    Their address is the project's URL "Documentation"; while it has none, that of the pages which
    were built in the clone that skau runs from. Where there are none either, there is no link.
    """

    _doc_link_module = "skau"

    @property
    def _doc_link_template(self) -> str:
        address = _address()
        return address and f"{address.rstrip('/')}/api/{{page}}.html"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        room = type(self).__module__.split("._")[0]
        home = "skau" if room == "skau.estimators" else room  # the room whose names skau has
        return {"page": f"{home}.{type(self).__name__}"}


@cache
def _address() -> str:
    try:
        urls = metadata("skau").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from a folder, not installed
        urls = []
    pairs = (url.partition(",") for url in urls)
    public = next((at.strip() for name, _, at in pairs if name.lower() == "documentation"), "")
    return public or _built()


def _built() -> str:
    """Return the address of the pages that ``sphinx-build docs docs/_build`` has made here."""
    pages = Path(__file__).resolve().parents[2] / "docs" / "_build"
    return pages.as_uri() if (pages / "api").is_dir() else ""
