"""Who does the work of a command: processes of its own, or a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

from ._warnings import show_as_lines


@contextmanager
def workers(dask: str | None) -> Iterator[None]:
    """Share out joblib's work: among processes that warn in lines, too, or those of a cluster."""
    import joblib

    from ..utils._cluster import on_cluster

    config = joblib.parallel_config
    with config("loky", initializer=show_as_lines) if dask is None else on_cluster(dask):
        yield
