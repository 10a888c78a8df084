"""Links from an estimator's HTML diagram to its page."""

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata

__all__ = ["PagesMixin"]


class PagesMixin:
    """Let the HTML diagram link to skau's own pages.

    Their address is the project's URL "Documentation"; while it has none, there is no link.
    """

    _doc_link_module = "skau"

    @property
    def _doc_link_template(self) -> str:
        address = _address()
        return address and f"{address.rstrip('/')}/api/{{page}}.html"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        import skau

        name = type(self).__name__
        room = type(self).__module__.split("._")[0]
        return {"page": f"skau.{name}" if name in skau.__all__ else f"{room}.{name}"}


@cache
def _address() -> str:
    try:
        urls = metadata("skau").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from a folder, not installed
        urls = []
    pairs = (url.partition(",") for url in urls)
    return next((at.strip() for name, _, at in pairs if name.lower() == "documentation"), "")
