"""What stands beside a table."""

import json

import pandas as pd
import pytest

from skau.estimators._table_file import TableFile, read_table


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


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_that_was_changed_is_nobodys(ending, tmp_path):
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason='needs pip install "skau[parquet]"')
    path = tmp_path / f"aus.{ending}"
    file, table, run = TableFile(path), pd.DataFrame({"AU12": [0.25, 0.5]}), {"film": ["a.mp4"]}
    file.write(table, {"run": run, "thresholds": {"AU12": 0.13}})
    assert read_table(path).attrs["thresholds"] == {"AU12": 0.13}
    pd.testing.assert_frame_equal(file.earlier(run), table)
    write = table.to_csv if ending == "csv" else table.to_parquet
    write(path, index=False)  # the same once more
    pd.testing.assert_frame_equal(file.earlier(run), table)
    table["AU12"] = 0.77
    write(path, index=False)
    assert read_table(path).attrs == {}
    with pytest.raises(ValueError, match=r"aus.* is there already, and no .*was changed since"):
        file.earlier(run)
    file.write(table, {"run": run})
    assert file.earlier(run)["AU12"].tolist() == [0.77, 0.77]


def test_a_name_with_a_carriage_return_stays_whole(tmp_path):
    file = TableFile(tmp_path / "aus.csv")
    table = pd.DataFrame({"path": ["a\rb.jpg", "7", 'c"d,.jpg'], "AU12": [0.1 + 0.2, None, 1e-12]})
    table["face"] = table["person"] = pd.array([0, None, 1], dtype="Int64")
    file.write(table, {})
    pd.testing.assert_frame_equal(read_table(file.path), table)
    file.write(table[1:], {})
    assert file.path.read_text().startswith("path,AU12,face,person\n7,,,\n")  # no quotes


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
