import json
import zipfile
from io import BytesIO

import pytest

from skau import DSNClassifier
from skau.models import save
from skau.models._container import pack


@pytest.fixture(scope="session")
def fitted(blobs):
    X, Y, groups = blobs
    return DSNClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)


@pytest.fixture(scope="session")
def saved(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.skau"
    save(fitted, path, card={"trained_on": "blobs"})
    return path


@pytest.fixture
def forge(saved, tmp_path):
    """Rewrite parts of a good file, with checksums that agree: what a forger would do."""

    def write(change):
        with zipfile.ZipFile(BytesIO(saved.read_bytes())) as file:
            members = {name: file.read(name) for name in file.namelist()}
        about = json.loads(members.pop("skau.json"))
        schema = json.loads(members["schema.json"])
        changed = change(schema, members)
        members["schema.json"] = json.dumps(schema if changed is None else changed).encode()
        path = tmp_path / "forged.skau"
        path.write_bytes(pack(members, about))
        return path

    return write
