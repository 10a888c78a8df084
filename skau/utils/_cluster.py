"""Work on a Dask cluster, where one is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import joblib

from ._extras import import_extra


@contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Share joblib's work among the workers of a cluster; here, if there is no address."""
    if address is None:
        yield
        return
    distributed = import_extra("distributed", "dask", "--dask needs Dask")
    with distributed.Client(address) as client:
        # joblib keeps each argument on one worker, and waits for ever if that one is lost
        client.scatter = partial(client.scatter, broadcast=True)
        with joblib.parallel_config("dask", client=client):
            yield
