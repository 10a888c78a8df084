"""What stands beside a table."""

import json

import pandas as pd
import pytest

from skau.estimators._table_file import TableFile


@pytest.mark.parametrize(
    ("layout", "columns", "units"),
    [
        ("skau", ["box_x1", "AU12"], ["pixels", "probability of the AU, 0 to 1"]),
        ("openface", ["AU12_r", "AU12_c"],
         ["five times the probability of the AU, 0 to 5", "1: the AU is present"]),
        ("py-feat", ["FaceRectX", "AU12"], ["pixels", "probability of the AU, 0 to 1"]),
    ],
)  # fmt: skip
def test_what_a_table_is_of(layout, columns, units, tmp_path):
    path = tmp_path / "tä ble.csv"
    TableFile(path).write(pd.DataFrame([[0.1, 0.2]], columns=columns), {"model": "DSN"}, layout)
    story = json.loads((tmp_path / "tä ble.csv.json").read_text())
    assert story["model"] == "DSN"
    assert story["columns"] == dict(zip(columns, units, strict=True))


def test_a_full_disk_leaves_an_earlier_table_and_what_stands_beside_it(tmp_path, little_space):
    file = TableFile(tmp_path / "aus.csv")
    table = pd.DataFrame({"AU12": [0.25]})
    file.write(table, {"run": {"film": "a"}})
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    long = pd.concat([table] * 1000)
    for story in ({"run": {"film": "b"}}, {"run": {"film": 1000 * "b"}}):
        with little_space(900), pytest.raises(OSError, match="File too large"):
            file.write(long if len(str(story)) < 900 else table, story)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
