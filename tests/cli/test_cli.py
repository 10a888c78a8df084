"""The command as a shell runs it: what it prints, writes and returns."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from errno import EACCES
from importlib import import_module
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
from click.shell_completion import ShellComplete
from PIL import Image
from sklearn.pipeline import make_pipeline

from skau import (
    DSNClassifier,
    IdenNetClassifier,
    MixedEffectsClassifier,
    PretrainedTrunk,
    load,
    load_model,
    predict_files,
    predict_video,
    save,
)
from skau.cli import main
from skau.cli._group import skau
from skau.cli._words import plain
from skau.datasets import load_sample_faces
from skau.estimators._table_file import read_table
from skau.preprocessing import FaceCropper
from skau.preprocessing._worker import Worker

av = pytest.importorskip("av", reason='needs pip install "skau[video]"')

pytestmark = pytest.mark.filterwarnings("ignore:This process:UserWarning")
shown = pytest.mark.filterwarnings("default::UserWarning")  # as at a shell, where none is an error


def call(*args):
    """Run the command in this process, and return its exit code."""
    try:
        main([str(arg) for arg in args])
    except SystemExit as end:
        return end.code or 0
    return 0


def write_film(path, images):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 128
        stream.pix_fmt = "yuv420p"
        for image in images:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photos with a broken one among them, two films, and a model, in a folder with blanks."""
    root = tmp_path_factory.mktemp("my films and ünicode")
    faces = load_sample_faces()
    cropper = FaceCropper(size=32)
    clf = DSNClassifier(person_encoder=False, max_epochs=1, validation_fraction=0, random_state=0)
    crops = FaceCropper(size=32).fit_transform(faces.images[:24])
    clf.fit(crops, faces.target[["AU1", "AU12"]][:24], groups=faces.groups[:24])
    save(make_pipeline(cropper, clf), root / "model.skau")
    photos = root / "photos"
    photos.mkdir()
    for name, row in (("9 é.png", 0), ("10.png", 30), ("sub.jpg", 60)):
        Image.fromarray(faces.images[row]).save(photos / name)
    for number in (0, 1):
        write_film(root / f"film {number}.mp4", faces.images[60 * number : 60 * number + 4])
    return root


def test_help_is_quick_and_imports_no_torch():
    code = (
        "import sys\nfrom skau.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('torch', 'sklearn', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in ("predict", "crop", "train", "report", "models", "export"):
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("name", ["predict", "crop", "train", "report", "models", "export"])
def test_each_subcommand_has_a_line_to_paste(name, capsys):
    assert call(name, "--help") == 0
    shown = capsys.readouterr().out
    assert "\\b" not in shown
    start = "  Use one:  skau predict " if name == "models" else f"  skau {name} "
    assert any(line.startswith(start) for line in shown.splitlines())
    extra = {"predict": "video", "report": "plot", "export": "onnx"}.get(name, "")
    assert f'pip install ".[{extra}]"' in " ".join(shown.split()) or not extra
    # a line to paste is not wrapped, whatever the width of the terminal
    doc = import_module(f"skau.cli._{name}").command.help
    to_paste = [line for part in doc.split("\b\n")[1:] for line in part.strip().split("\n")]
    assert {f"  {line.strip()}" for line in to_paste} <= set(shown.splitlines())


def test_the_help_says_what_was_measured():
    results = Path(__file__).parents[2] / "benchmarks" / "results" / "calibration.txt"
    found = re.findall(r"^  (calibrate|reference) .*, \+([\d.]+) ", results.read_text(), re.M)
    gain = dict(found)
    said = " ".join(import_module("skau.cli._predict").command.help.split())
    assert (
        f"gained {gain['calibrate']} points of F1 by the first and {gain['reference']} by" in said
    )


def test_photos_and_films_in_one_table(folder, tmp_path, capsys):
    out = tmp_path / "aus.csv"
    how = ["--model", folder / "model.skau"]
    assert call("predict", folder / "photos", folder / "film 0.mp4", "-o", out, *how) == 0
    table = pd.read_csv(out)
    assert [os.path.basename(p) for p in table["path"][:3]] == ["9 é.png", "10.png", "sub.jpg"]
    assert table["frame"][3:].tolist() == [0, 1, 2, 3]
    assert table[["AU1", "AU12"]].notna().all(axis=None)
    story = json.loads((tmp_path / "aus.csv.json").read_text())
    assert story["columns"]["yaw"].startswith("degrees")
    assert story["model"]["name"] == str(folder / "model.skau")
    assert not list(tmp_path.glob("*.part"))
    # what is there is not written over
    assert call("predict", folder / "photos", "-o", out, *how) == 2
    assert "--force" in capsys.readouterr().err
    assert call("predict", folder / "film 0.mp4", "-o", out, "--force", *how) == 0
    assert len(pd.read_csv(out)) == 4


@shown
def test_a_broken_file_stops_no_other_and_is_named(folder, tmp_path, capsys):
    broken, cut = tmp_path / "broken.jpg", tmp_path / "cut.mp4"
    broken.write_bytes(b"no image")
    cut.write_bytes((folder / "film 0.mp4").read_bytes()[:200])
    out = tmp_path / "aus.csv"
    sources = [broken, folder / "photos" / "sub.jpg", cut, folder / "film 1.mp4"]
    assert call("predict", *sources, "-o", out, "--model", folder / "model.skau") == 1
    told = capsys.readouterr().err
    assert "broken.jpg" in told
    assert "cut.mp4" in told
    for of_python in ("Traceback", "Error", "Errno", "NaN"):
        assert of_python not in told
    table = pd.read_csv(out)
    assert table["AU12"].notna().sum() == 1 + 4
    unread = json.loads((tmp_path / "aus.csv.json").read_text())["unread"]
    assert list(unread) == [str(broken), str(cut)]
    # nor do broken photos stop films, or broken films photos; nothing is left of nothing
    how = ["--model", folder / "model.skau", "--force"]
    photo, film = sources[1], sources[3]
    for bad, good, rows in ((broken, film, 1 + 4), (cut, photo, 1)):
        assert call("predict", bad, good, "-o", out, *how) == 1
        assert "cannot read 1 of 2; they have no scores" in capsys.readouterr().err
        table = pd.read_csv(out)
        assert len(table) == rows
        assert table.columns[0] == "path"
        assert table["AU12"].isna().sum() == (bad == broken)
    drawn = ["--overlay", tmp_path / "drawn"]  # of a table that is there
    assert call("predict", photo, broken, "-o", out, *how) == 1
    capsys.readouterr()
    assert call("predict", photo, broken, "-o", out, *how[:-1], *drawn) == 1
    assert "cannot read 1 of 2; they have no scores\n" in (said := capsys.readouterr().err)
    assert "broken.jpg: " in said
    assert call("predict", cut, broken, "-o", out, *how) == 1
    assert "none can be read" in capsys.readouterr().err
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".part"]


@shown
def test_files_without_a_face_are_named(folder, tmp_path, capsys):
    walls = [tmp_path / f"wall {k}.png" for k in range(7)]
    for wall in walls:
        Image.new("RGB", (64, 64), (90, 90, 90)).save(wall)
    film = tmp_path / "wall.mp4"
    with av.open(str(film), "w") as out:
        stream = out.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for packet in (stream.encode(av.VideoFrame(64, 64, "yuv420p")), stream.encode()):
            out.mux(packet)
    how = ["-o", tmp_path / "aus.csv", "--model", folder / "model.skau"]
    assert call("predict", *walls, folder / "photos" / "sub.jpg", film, *how) == 0
    named = ", ".join(map(str, walls[:5]))
    assert capsys.readouterr().err == (
        f"skau: no face found in 7 of 8 photos; their rows hold no scores: {named} and 2 more\n"
        f"skau: no face found in any frame of {film}\n"
    )


@pytest.mark.parametrize("ends", ["\n\n", "\r\n", "\0"])
def test_the_table_goes_to_standard_output_and_names_come_from_standard_input(
    folder, monkeypatch, capsysbinary, ends
):
    listed = f"\ufeff{folder / 'photos' / '9 é.png'}{ends}".encode()
    stdin = type("Stdin", (), {"buffer": type("B", (), {"read": lambda self: listed})()})()
    monkeypatch.setattr(sys, "stdin", stdin)
    assert call("predict", "-", "--model", folder / "model.skau") == 0
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert lines[0].startswith("path,face,person,")
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["predict", "nobody.jpg"], 2, "there is no file 'nobody.jpg'"),
        (["predict", "{link}"], 2, "link.png' is a link to a file that is not there"),
        (["predict", "{corpus}/l*.png"], 2, "link.png' is a link to a file that is not there"),
        (["predict", ""], 2, "one of the names is empty; is a variable"),
        (["predict", "{latin}"], 2, "is not UTF-8, as names in a table are; rename the file"),
        (["predict"], 2, "Missing argument"),
        (["frobnicate"], 2, "No such command"),
        (["predict", "{photos}", "-o", "no/such/aus.csv"], 2, "no folder"),
        (["predict", "{photos}", "--model", "nope"], 2, "no model 'nope': it is no file"),
        (["predict", "{photos}", "-o", "aus.txt"], 2, "must end in .csv or .parquet"),
        (["predict", "{photos}", "--fps", "5", "--every", "2"], 2, "exclude each other"),
        (["predict", "{films}", "--overlay", "x.mp4"], 2, "one film"),
        (["predict", "{films}", "-o", "aus.csv", "--fps", "inf"], 2, "--fps must be a number"),
        (["predict", "{films}", "-o", "aus.csv", "--jobs", "0"], 2, "-1 takes all processors"),
        (["predict", "{films}", "-o", "aus.csv", "--dask", "here"], 2, "one is tcp://host:8786"),
        (["predict", "{photos}", "-o", "aus.csv", "--model", "{bad}"], 2, "cannot be loaded"),
        (["predict", "{photos}", "-o", "aus.csv", "--reference", "{wall}"], 2, "wall.png, or it"),
        (["predict", "{photos}", "-o", "x.csv", "--overlay", "x.csv"], 2, "of this call already"),
        (["predict", "{wall}", "-o", "x", "--overlay", "{wall}"], 2, "is there already"),
        (["predict", "{wall}", "--overlay", "x.png"], 2, "is no folder; photos need one"),
        (["predict", "{wall}", "--overlay", "{bad}", "--force"], 2, "is no folder; photos"),
        (["predict", "{wall}", "--overlay", "{corpus}", "--force"], 2, "is the folder of the"),
        (["crop", "{photos}", "-o", "crops.png"], 2, ".npy"),
        (["crop", "{photos}", "-o", "crops.npy", "--size", "7"], 2, "8<=x<=4096"),
        (["crop", "{photos}", "-o", "crops.npy", "--size", "5000"], 2, "8<=x<=4096"),
        (["crop", "{photos}", "-o", "crops.npy", "--align", "ears"], 2, "is not one of 'eyes'"),
        (["crop", "{films}", "-o", "crops.npy"], 2, "is a film, and crops are of photos"),
        (["train", "{photos}", "-o", "run"], 2, "expected a .csv file"),
        (["train", "{corpus}", "-o", "run", "--folds", "3"], 2,
         "--folds: 3 parts need 3 people with a label, and there are 2; give at most 2 parts, or"),
        (["train", "{corpus}", "-o", "a/run", "--epochs", "0"], 2, "x>=1"),
        (["train", "{corpus}", "-o", "run", "--size", "31"], 2, "32<=x<=4096"),
        (["train", "{corpus}", "-o", "run", "--seed", "-1"], 2, "0<=x"),
        (["train", "{corpus}", "-o", "{bad}"], 2, "is a file; name a folder"),
        (["report", "{photos}", "-o", "x.html"], 2, "scores.csv"),
        (["report", "{photos}", "-o", "x.html", "--person", "1"], 2, "table of a film"),
        (["report", "{wall}", "-o", "x.html"], 2, "is no table"),
        (["report", "{corpus}/labels.csv", "-o", "x.html"], 2, "is no table of skau predict"),
        (["export", "{bad}", "x.onnx"], 2, "cannot be loaded"),
    ],
)  # fmt: skip
def test_errors(folder, monkeypatch, tmp_path_factory, capsys, args, code, told):
    named, here = tmp_path_factory.mktemp("named"), tmp_path_factory.mktemp("here")
    (named / "bad.skau").write_text("no model")
    Image.new("RGB", (64, 64), (90, 90, 90)).save(named / "wall.png")
    (named / "2.png").write_bytes((named / "wall.png").read_bytes())
    (named / "link.png").symlink_to("gone.png")
    (named / os.fsdecode(b"\xfc")).touch()
    (named / "labels.csv").write_text("image,subject,AU1\nwall.png,a,0\n2.png,b,1\n")
    places = {
        "{photos}": folder / "photos", "{films}": folder / "film*.mp4", "{corpus}": named,
        "{bad}": named / "bad.skau", "{wall}": named / "wall.png",
        "{corpus}/labels.csv": named / "labels.csv", "{link}": named / "link.png",
        "{corpus}/l*.png": named / "l*.png", "{latin}": os.fsdecode(os.fsencode(named) + b"/\xfc"),
    }  # fmt: skip
    monkeypatch.chdir(here)
    assert call(*(places.get(arg, arg) for arg in args)) == code
    err = capsys.readouterr().err
    assert told in err
    assert "Traceback" not in err
    assert not list(here.iterdir())  # nothing is begun


def test_a_gif_that_moves_is_a_film_and_another_a_photo(folder, tmp_path):
    faces = [Image.fromarray(load_sample_faces().images[row]) for row in (0, 1, 2)]
    faces[0].save(tmp_path / "moves.gif", save_all=True, append_images=faces[1:], duration=200)
    faces[0].save(tmp_path / "still.GIF")
    out = tmp_path / "aus.csv"
    assert call("predict", tmp_path, "-o", out, "--model", folder / "model.skau") == 0
    table = pd.read_csv(out)
    moves = table["path"].str.endswith("moves.gif")
    assert table.loc[moves, ["frame", "time"]].to_numpy().tolist() == [[0, 0], [1, 0.2], [2, 0.4]]
    assert table.loc[~moves, "frame"].isna().tolist() == [True]
    assert table["face"].notna().all()


def test_films_of_cameras_and_archives_are_films(folder, tmp_path):
    faces = load_sample_faces()
    with av.open(str(tmp_path / "one.MXF"), "w", format="mxf") as film:
        stream = film.add_stream("mpeg2video", rate=25)
        stream.width = stream.height = 128
        stream.pix_fmt = "yuv420p"
        for image in faces.images[:4]:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        film.mux(stream.encode())
    Image.fromarray(faces.images[0]).save(tmp_path / "a.png")
    out = tmp_path / "aus.csv"
    assert call("predict", tmp_path, "-o", out, "--model", folder / "model.skau") == 0
    assert pd.read_csv(out)["frame"].fillna(-1).tolist() == [-1, 0, 1, 2, 3]


def test_a_folder_that_is_called_like_a_photo_is_none(tmp_path):
    from skau.cli._files import PHOTOS, files_of

    photo = tmp_path / "album.jpg" / "1.png"
    photo.parent.mkdir()
    Image.new("RGB", (64, 64)).save(photo)
    assert files_of([str(tmp_path)], PHOTOS) == [str(photo)]


def test_folders_behind_links_belong_to_a_folder(tmp_path, monkeypatch, capsys):
    from skau.cli._files import PHOTOS, files_of

    monkeypatch.chdir(tmp_path)
    for name in ("d/b/1.jpg", "d/.hidden/2.jpg", "real/deep/3.jpg", "real/4.jpg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    for link, target in (("a", "b"), ("more", "../real"), ("again", "../real"), ("loop", ".")):
        Path("d", link).symlink_to(target)
    Path("real/back").symlink_to("../d")
    found = ["d/again/4.jpg", "d/again/deep/3.jpg", "d/b/1.jpg"]  # each once, by the first way
    assert files_of(["d"], PHOTOS) == files_of(["./d/"], PHOTOS) == found
    twice = ["d/b/1.jpg", "./d/b/1.jpg", str(tmp_path / "d" / "b" / "1.jpg"), "d/a/1.jpg", "d"]
    assert files_of(twice, PHOTOS) == ["d/b/1.jpg", *found[:2]]
    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(click.UsageError, match="the folder 'd' holds no photo"):
        files_of(["d"], PHOTOS)
    assert "skau: the folder 'd' is left out: Permission denied\n" in capsys.readouterr().err


def refused(folder):
    raise PermissionError(EACCES, "Permission denied", folder)


def test_a_stopped_call_says_whether_it_goes_on(monkeypatch, capsys, tmp_path):
    def stopped(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("skau.cli._predict.files_of", stopped)
    assert call("predict", "a.jpg", "-o", tmp_path / "aus.csv") == 130
    assert "goes on where it stopped" in capsys.readouterr().err
    monkeypatch.setattr("skau.cli._report._of_run", stopped)
    for keeps_nothing in (["predict", "a.jpg"], ["report", tmp_path, "-o", tmp_path / "a.html"]):
        assert call(*keeps_nothing) == 130
        assert capsys.readouterr().err.strip() == "stopped"


@pytest.mark.parametrize("module", ["click", "torch"])
def test_ctrl_c_while_modules_are_imported(tmp_path, module):
    interrupt = (
        "import os, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # not so in background jobs
        "os.kill(os.getpid(), signal.SIGINT)"
    )
    (tmp_path / f"{module}.py").write_text(interrupt)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "skau", "predict", __file__],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "stopped")


def test_little_is_imported_before_ctrl_c_is_heeded():
    code = (
        "import sys\nbefore = set(sys.modules)\nimport skau.cli\n"
        "print(*sorted(set(sys.modules) - before - {'importlib', 'warnings', '__future__'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [name for name in done.stdout.split() if not name.startswith("importlib")] == [
        "skau", "skau._version", "skau.cli",
    ]  # fmt: skip


@shown
def test_a_full_disk_is_told_with_the_file(folder, tmp_path, little_space, capsys):
    out = tmp_path / "crops.npy"
    with little_space(4000):
        assert call("crop", folder / "photos" / "sub.jpg", "-o", out) == 1
    *warned, told = capsys.readouterr().err.splitlines()
    assert told == f"skau: File too large: {str(out)!r}"
    assert all("the work goes on" in line for line in warned)
    assert [path.name for path in tmp_path.iterdir()] == ["crops.npy.part"]


def test_python_runs_the_package_as_the_command():
    version = [sys.executable, "-m", "skau", "--version"]
    done = subprocess.run(version, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("skau, version ")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["predict"], "file"), (["predict", "--model"], "file"), (["crop"], "file"),
        (["predict", "--reference"], "file"), (["train"], "file"), (["report"], "file"),
        (["export"], "file"), (["predict", "x", "--overlay"], "file"),
    ],
)  # fmt: skip
def test_the_shell_completes_names_of_files(words, kind):
    found = ShellComplete(skau, {}, "skau", "_SKAU_COMPLETE").get_completions(words, "ph")
    assert [item.type for item in found] == [kind]


def test_every_option_says_what_it_is():
    for name in ("predict", "crop", "train", "report", "models", "export"):
        for param in import_module(f"skau.cli._{name}").command.params:
            assert param.param_type_name == "argument" or param.help, (name, param.name)


def test_verbose_shows_the_traceback(folder, tmp_path, capsys):
    bad = tmp_path / "bad.skau"
    bad.write_text("no model")
    assert call("predict", folder / "photos", "--model", bad, "--verbose") == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.slow
@shown
def test_films_in_processes_equal_one_after_the_other(folder, tmp_path, capfd):
    films = [folder / "film 0.mp4", folder / "film 1.mp4"]
    how = ["--model", folder / "model.skau", "--faces", "all", "--fps", 30]
    for name, jobs in (("one", 1), ("two", 2)):
        assert call("predict", *films, "-o", tmp_path / f"{name}.csv", *how, "--jobs", jobs) == 0
        # in a process of its own a warning is a line, too
        told = capfd.readouterr().err.splitlines()
        line = "skau: --fps 30, but the film has 5 frames a second on average; none is looked"
        assert set(told) == {f"{line} at twice"}
        assert len(told) <= jobs
    one, two = (pd.read_csv(tmp_path / f"{n}.csv").sort_values(["path", "frame"]) for n in
                ("one", "two"))  # fmt: skip
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), two.reset_index(drop=True), atol=1e-5
    )


def test_what_is_done_is_not_done_again(folder, tmp_path, monkeypatch):
    from skau.estimators import _predict_files

    model, films = load(folder / "model.skau"), [folder / "film 0.mp4", folder / "film 1.mp4"]
    whole = predict_files(model, films, out=tmp_path / "whole.csv", verbose=0)
    score, seen = _predict_files.predict_video, []

    def stopped(model, film, **how):
        if len(seen) == 1:
            raise KeyboardInterrupt
        seen.append(film)
        return score(model, film, **how)

    monkeypatch.setattr(_predict_files, "predict_video", stopped)
    for name in ("half.csv", "torn.csv"):
        with pytest.raises(KeyboardInterrupt):
            predict_files(model, films, out=tmp_path / name, verbose=0)
        assert list((tmp_path / f"{name}.part").glob("*.csv"))
        seen.clear()
    monkeypatch.setattr(_predict_files, "predict_video", score)
    for beside in (tmp_path / "torn.csv.part").glob("*.json"):  # killed before it was there
        beside.unlink()
    again = predict_files(model, films, out=tmp_path / "torn.csv", verbose=0)
    pd.testing.assert_frame_equal(whole, again)
    again = predict_files(model, films, out=tmp_path / "half.csv", verbose=0)
    pd.testing.assert_frame_equal(whole, again)
    assert again["path"].unique().tolist() == [str(film) for film in films]
    monkeypatch.setattr(_predict_files, "predict_video", None)  # nothing is computed again
    again = predict_files(model, films, out=tmp_path / "half.csv", verbose=0)
    pd.testing.assert_frame_equal(whole, again)
    with pytest.raises(ValueError, match="of a run that differs in files"):
        predict_files(model, films[:1], out=tmp_path / "half.csv", verbose=0)


@shown
def test_calibration_and_photos_at_rest_with_the_model_that_ships(
    folder, tmp_path, capsys, monkeypatch
):
    film, rest = folder / "film 1.mp4", folder / "photos" / "10.png"
    tables = {}
    for name, how in (
        ("plain", []),
        ("calibrated", ["--calibrate"]),
        ("at rest", ["--reference", rest]),
        ("numbered", ["--reference", f"0={rest}"]),
    ):
        out = tmp_path / f"{name}.csv"
        assert call("predict", film, "-o", out, *how) == 0
        tables[name] = pd.read_csv(out)
        said = capsys.readouterr().err
        told = r"taken for person 1 of film 1\.mp4, .*: --reference 1=PHOTO --reference 0=PHOTO\n"
        assert bool(re.search(told, said)) == (name == "at rest"), said
    films = [tmp_path / "of person 0 alone.mp4", film]
    write_film(films[0], load_sample_faces().images[[0, 0]])
    for number, told in (("", "taken for whoever is seen most in each of"), ("1=", "number 1 in")):
        out = tmp_path / f"both {number}.csv"
        assert call("predict", *films, "-o", out, "--reference", f"{number}{rest}") == 0
        said = capsys.readouterr().err
        assert f"--reference: {told} {films[0]}" in said.replace("nobody has the ", "")
    changed = pd.read_csv(out)["AU12"][2:].to_numpy() - tables["plain"]["AU12"].to_numpy()
    assert set(tables["plain"]["person"][np.abs(changed) > 1e-5]) == {1}
    assert call("predict", *films, "-o", tmp_path / "no.csv", "--reference", f"7={rest}") == 2
    assert "nobody has the number 7; the column person holds 0, 1" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "no.csv.part")
    most = tables["plain"]["person"].mode()[0]
    for name, person in (("at rest", most), ("numbered", 0)):
        other = (tables[name]["AU12"] - tables["plain"]["AU12"]).abs() > 1e-5
        assert set(tables["plain"]["person"][other]) == {person}
    assert (tables["calibrated"]["AU12"] - tables["plain"]["AU12"]).abs().max() > 1e-3
    story = json.loads((tmp_path / "numbered.csv.json").read_text())
    assert story["run"]["reference"]
    out = tmp_path / "x.csv"
    for wrong, code, told in (
        (["--reference", "nobody.jpg"], 2, "there is no file 'nobody.jpg'"),
        (["--reference", f"0={rest}", "--reference", rest], 2, "before all photos or none"),
        (["--reference", f"7={rest}"], 2, "nobody of film 1.mp4 has the number 7"),
    ):
        assert not list(tmp_path.glob("*.part"))
        assert call("predict", film, "-o", out, *wrong) == code
        assert told in (said := capsys.readouterr().err)
    assert "another number goes on from what is done" in said
    assert call("predict", film, "--reference", f"7={rest}") == 2  # nothing is kept
    assert "goes on" not in capsys.readouterr().err

    # which is known at the end alone: no face is looked at again
    def not_again(*args):
        raise AssertionError(args)

    monkeypatch.setattr("skau.preprocessing._film._cut_all", not_again)
    assert call("predict", film, "-o", out, "--reference", f"0={rest}") == 0
    pd.testing.assert_frame_equal(pd.read_csv(out), tables["numbered"])


@shown
def test_one_photo_is_calibrated_by_nothing(folder, capsys):
    assert call("predict", folder / "photos" / "10.png", "--calibrate") == 0
    said = capsys.readouterr().err
    assert said.startswith("skau: --calibrate: nobody is found in more than one photo, so")
    assert "leave --calibrate out. " in said
    assert said.endswith("say who is who, in Python: model.predict_proba(photos, groups=people)\n")
    assert said.count("\n") == 1


@pytest.mark.filterwarnings("ignore:reference. taken for person")
def test_what_is_left_of_a_call_with_other_settings_is_not_in_the_way(
    folder, tmp_path, monkeypatch
):
    from skau.estimators import _predict_files

    films, score, asked = (
        [folder / f"film {k}.mp4" for k in (0, 1)],
        _predict_files.predict_video,
        [],
    )
    rest = [str(folder / "photos" / "10.png")]

    def stopped(model, film, **how):
        asked.append(how)
        if len(asked) % 2 == 0:
            raise KeyboardInterrupt
        return score(model, film, **how)

    model, how = load_model("open-1"), {"out": tmp_path / "aus.csv", "verbose": 0}
    monkeypatch.setattr(_predict_files, "predict_video", stopped)
    for other in ({"reference": rest}, {"faces": "all"}, {}):
        with pytest.raises(KeyboardInterrupt):
            predict_files(model, films, **other, **how)
    for part in (tmp_path / "aus.csv.part").glob("*.csv"):
        part.write_text("torn")
    monkeypatch.setattr(_predict_files, "predict_video", score)
    table = predict_files(model, films, **how)
    plain = predict_files(model, films, out=tmp_path / "plain.csv", verbose=0)
    pd.testing.assert_frame_equal(table, plain)


@shown
def test_openface_columns_and_an_overlay(folder, tmp_path, capsys):
    out, film = tmp_path / "aus.csv", tmp_path / "drawn.mp4"
    how = ["--model", folder / "model.skau", "--format", "openface", "--overlay", film]
    assert call("predict", folder / "film 0.mp4", "-o", out, *how) == 0
    assert {"AU12_c", "AU12_r", "confidence"} <= set(pd.read_csv(out).columns.str.strip())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["aus.csv", "aus.csv.json", "drawn.mp4"]
    with av.open(str(film)) as drawn:
        assert len(list(drawn.decode(video=0))) == 4
    beside = json.loads((tmp_path / "aus.csv.json").read_text())
    assert list(beside["columns"]) == pd.read_csv(out).columns.tolist()
    assert beside["columns"]["AU12_r"].startswith("five times the probability")
    assert beside["columns"]["pose_Rx"] == "radians, positive downwards"
    # a table in other columns is not taken for skau's own
    again = ["--model", folder / "model.skau", "--overlay", tmp_path / "again.mp4"]
    capsys.readouterr()
    assert call("predict", folder / "film 0.mp4", "-o", out, *again) == 2
    assert "of a run that differs in format;" in capsys.readouterr().err
    again += ["--format", "openface"]
    assert call("predict", folder / "film 0.mp4", "-o", out, *again) == 2
    assert "not drawn from columns of openface; --force scores" in capsys.readouterr().err
    assert call("predict", folder / "film 0.mp4", "-o", out, *again, "--force") == 0
    assert (tmp_path / "again.mp4").exists()


@shown
def test_a_report_of_a_film(folder, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason='needs pip install "skau[plot]"')
    pytest.importorskip("jinja2", reason='needs pip install "skau[plot]"')
    out, page = tmp_path / "aus.csv", tmp_path / "aus.html"
    film = folder / "film 0.mp4"
    assert call("predict", film, "-o", out, "--model", folder / "model.skau") == 0
    assert call("report", out, "-o", page, "--video", film) == 0
    text = page.read_text()
    assert "frames with a face" in text
    assert "film 0.mp4" in text
    assert "calibrated to people" in text
    assert "model.skau" in text
    told = capsys.readouterr().err
    assert "one half" not in told
    assert "the people 0, 1, never two in a frame; they are drawn as one, and --person N" in told
    read = read_table(out)
    assert read.attrs["model"]["classifier"] == "DSNClassifier"
    made = predict_video(load(folder / "model.skau"), film, verbose=0)
    assert made.attrs == {
        "thresholds": read.attrs["thresholds"], "unread": {}, "film": "film 0.mp4",
        "model": {key: read.attrs["model"][key] for key in ("classifier", "pipeline")},
        "calibrate": False, "reference": False,
    }  # fmt: skip
    made.assign(AU12=0.4).to_csv(out, index=False)  # another table, which has no thresholds
    assert call("report", out, "-o", page, "--force") == 0
    told = capsys.readouterr().err
    assert f"nothing beside '{out}' tells the model of this table" in told
    assert "one half counts" in told
    assert "DSNClassifier" not in page.read_text()


def test_an_overlay_is_drawn_of_a_table_that_is_there(folder, tmp_path, monkeypatch, capsys):
    from skau.estimators import _predict_files

    out, film = tmp_path / "aus.csv", folder / "film 0.mp4"
    how = ["--model", folder / "model.skau"]
    assert call("predict", film, "-o", out, *how) == 0
    written = out.read_bytes()
    monkeypatch.setattr(_predict_files, "predict_video", None)  # nothing is computed again
    assert call("predict", film, "-o", out, *how, "--overlay", tmp_path / "drawn.mp4") == 0
    assert out.read_bytes() == written
    assert sorted(p.name for p in tmp_path.iterdir()) == ["aus.csv", "aus.csv.json", "drawn.mp4"]
    assert call("predict", film, "-o", out, *how, "--overlay", tmp_path / "x.txt") == 2
    assert "must end in .mp4" in capsys.readouterr().err
    other = ["--faces", "all", "--overlay", tmp_path / "other.mp4"]
    assert call("predict", film, "-o", out, *how, *other) == 2
    assert "differs in faces" in capsys.readouterr().err


@shown
def test_force_keeps_what_is_there_until_it_is_written_anew(
    folder, tmp_path, monkeypatch, little_space, capsys
):
    from skau.estimators import _predict_files

    out, beside = tmp_path / "aus.csv", tmp_path / "aus.csv.json"
    how = ["predict", folder / "photos", "-o", out, "--model", folder / "model.skau"]
    assert call(*how) == 0
    before = out.read_bytes(), beside.read_bytes()
    with little_space(1):
        assert call(*how, "--force", "--faces", "all") == 1
    assert (out.read_bytes(), beside.read_bytes()) == before
    again = []
    score = _predict_files.predict_images
    monkeypatch.setattr(
        _predict_files, "predict_images", lambda *args, **kw: again.append(1) or score(*args, **kw)
    )
    assert call(*how, "--force") == 0
    assert again
    assert out.read_bytes() == before[0]


def test_a_report_is_of_one_film_and_one_person(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason='needs pip install "skau[plot]"')
    pytest.importorskip("jinja2", reason='needs pip install "skau[plot]"')
    panel, page = tmp_path / "panel.csv", tmp_path / "page.html"
    rows = [(k, who) for k in range(5) for who in (0, 1) if k < 3 or who]  # 0 leaves
    table = pd.DataFrame(rows, columns=["frame", "person"])
    table = table.assign(path="a.mp4", time=table["frame"] / 25, face=table["person"])
    table = table.assign(probability=1.0, AU12=[0.9, 0.1] * 3 + [0.1] * 2)
    table.to_csv(panel, index=False)
    assert call("report", panel, "-o", page) == 2
    assert "table holds the people 0, 1; choose one by --person N\n" in capsys.readouterr().err
    assert call("report", panel, "-o", page, "--person", "7") == 2
    assert "--person 7: the table holds 0, 1\n" in capsys.readouterr().err
    assert call("report", panel, "-o", page, "--person", "0") == 0
    assert "60.0%" in page.read_text()  # of the frames show 0
    table.assign(path=["a.mp4", "b.mp4"] * 4).to_csv(tmp_path / "two.csv", index=False)
    assert call("report", tmp_path / "two.csv", "-o", page, "--force") == 2
    assert "several films" in capsys.readouterr().err
    table.drop(columns=["frame", "time"]).to_csv(tmp_path / "photos.csv", index=False)
    assert call("report", tmp_path / "photos.csv", "-o", page, "--force") == 2
    assert "holds photos" in capsys.readouterr().err


def test_crop(folder, tmp_path, capsys):
    out = tmp_path / "crops.npy"
    assert call("crop", folder / "photos", "-o", out, "--size", "32", "--jobs", "1") == 0
    assert np.load(out).shape == (3, 32, 32, 3)
    table = pd.read_csv(tmp_path / "crops.csv")
    assert table["left_eye_x"].notna().all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crops.csv", "crops.npy"]


def test_crop_goes_on_where_it_stopped(folder, tmp_path, monkeypatch, capsys):
    how = ["crop", folder / "photos", "-o", tmp_path / "crops.npy", "--size", "32", "--jobs", "1"]

    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FaceCropper, "transform", stopped)
        assert call(*how) == 130
    assert "the same command goes on where it stopped" in capsys.readouterr().err
    again = []
    monkeypatch.setattr(Worker, "_search", lambda self, images, **how: again.extend(images) or [])
    assert call(*how) == 0
    assert not again
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crops.csv", "crops.npy"]
    (tmp_path / "crops.npy").unlink()
    assert call(*how) == 2  # crops.csv may be somebody else's


def write_corpus(folder, faces, subjects, aus):
    """Write some photos of people, and their labels."""
    rows = np.flatnonzero(np.isin(faces.groups, subjects))[::5]
    for row in rows:
        Image.fromarray(faces.images[row]).save(folder / f"{row}.png")
    table = faces.target[aus].iloc[rows].reset_index(drop=True).astype(int)
    table.insert(0, "subject", faces.groups[rows])
    table.insert(0, "image", [f"{row}.png" for row in rows])
    table.to_csv(folder / "labels.csv", index=False)
    return rows


@shown
def test_train_and_report(tmp_path, capsys):
    faces = load_sample_faces()
    rows = write_corpus(tmp_path, faces, np.unique(faces.groups)[:4], ["AU1", "AU12"])
    run = tmp_path / "run"
    how = ["--folds", "2", "--epochs", "1", "--size", "32"]
    assert call("train", tmp_path, "-o", run, *how) == 0
    told = capsys.readouterr()
    assert all(line.startswith("skau: ") for line in told.err.splitlines())
    scores = pd.read_csv(run / "scores.csv")
    rate = scores.loc[scores["au"] == "AU12", "base_rate"]
    always = (2 * rate / (1 + rate)).mean()  # F1 of recall 1 and a precision of the base rate
    (row,) = (line.split() for line in told.out.splitlines() if line.startswith("AU12"))
    assert float(row[2]) == pytest.approx(always, abs=6e-4)
    assert scores.groupby("fold").size().tolist() == [3, 3]  # two AUs and their mean
    predictions = pd.read_csv(run / "predictions.csv")
    assert predictions[["AU1", "AU12"]].notna().all(axis=None)
    assert call("predict", tmp_path / f"{rows[0]}.png", "--model", run / "model.skau") == 0
    assert call("train", tmp_path, "-o", run, *how) == 2
    pytest.importorskip("matplotlib", reason='needs pip install "skau[plot]"')
    pytest.importorskip("jinja2", reason='needs pip install "skau[plot]"')
    assert call("report", run, "-o", run / "report.html") == 0
    page = (run / "report.html").read_text()
    assert "<h1>Scores on people never seen: run</h1>" in page
    assert "Unseen people" in page
    assert "present everywhere" in page


@shown
def test_train_on_intensities(tmp_path, capsys):
    faces = load_sample_faces()
    rows = write_corpus(tmp_path, faces, np.unique(faces.groups)[:4], ["AU1", "AU12"])
    present = pd.read_csv(tmp_path / "labels.csv")
    graded = present.copy()
    graded[["AU1", "AU12"]] = 1 + 2 * present[["AU1", "AU12"]]
    graded.to_csv(tmp_path / "labels.csv", index=False)
    how = ["--folds", "2", "--epochs", "1", "--size", "32"]
    assert call("train", tmp_path, "-o", tmp_path / "run", *how) == 2
    assert "3, which is neither 0 or 1 (give --threshold if" in capsys.readouterr().err
    for wrong in ("0", "nan"):
        args = ["train", tmp_path, "-o", tmp_path / "run", *how, "--threshold", wrong]
        assert call(*args) == 2
        assert "--threshold" in capsys.readouterr().err
    assert call("train", tmp_path, "-o", tmp_path / "run", *how, "--threshold", "2") == 0
    assert len(pd.read_csv(tmp_path / "run" / "predictions.csv")) == len(rows)
    scores = pd.read_csv(tmp_path / "run" / "scores.csv")
    n_present = (scores["base_rate"] * scores["support"]).groupby(scores["au"]).sum()
    assert n_present[["AU1", "AU12"]].tolist() == pytest.approx(present.sum()[["AU1", "AU12"]])
    how += ["--corpus-type", "bp4d", "--threshold", "2"]
    assert call("train", tmp_path, "-o", tmp_path / "bp4d", *how) == 2
    assert "BP4D's labels are 0 and 1" in capsys.readouterr().err


def test_a_corpus_that_labels_no_au_is_not_trained_on(tmp_path, capsys):
    faces = load_sample_faces()
    write_corpus(tmp_path, faces, np.unique(faces.groups)[:4], [])
    assert call("train", tmp_path, "-o", tmp_path / "run", "--epochs", "1") == 2
    assert f"{str(tmp_path)!r} labels no AU: its CSV needs columns" in capsys.readouterr().err


@shown
def test_train_on_one_au_without_the_photos_that_show_no_face(tmp_path, capsys):
    faces = load_sample_faces()
    rows = write_corpus(tmp_path, faces, np.unique(faces.groups)[:2], ["AU12"])
    (tmp_path / f"{rows[0]}.png").write_bytes(b"no photo")
    Image.new("RGB", (64, 64)).save(tmp_path / f"{rows[1]}.png")
    how = ["--folds", "2", "--epochs", "1", "--size", "32"]
    assert call("train", tmp_path, "-o", tmp_path / "run", *how) == 0
    told = capsys.readouterr().err
    assert f"skau: 2 of {len(rows)} photos are left out, without a face or unreadable\n" in told
    assert not re.search(r"\bgroups\b|\by\b|=", told)
    table = pd.read_csv(tmp_path / "run" / "predictions.csv")
    assert [Path(image).stem for image in table["image"]] == [str(row) for row in rows[2:]]
    assert table["AU12"].between(0, 1).all()
    assert np.load(tmp_path / "run" / "crops.npy").shape == (len(rows) - 2, 32, 32, 3)
    for row in rows:
        Image.new("RGB", (64, 64)).save(tmp_path / f"{row}.png")
    assert call("train", tmp_path, "-o", tmp_path / "empty", *how) == 1
    assert "shows a face" in capsys.readouterr().err


@shown
def test_a_full_disk_names_the_table_of_a_run(tmp_path, little_space, monkeypatch, capsys):
    write_corpus(tmp_path, load_sample_faces(), ["S003", "S010"], ["AU1", "AU12"])
    run = tmp_path / "run"
    with ExitStack() as stack:

        def filled(estimator, X, y, **kwargs):
            stack.enter_context(little_space(100))
            return np.full(y.shape, 0.5)

        monkeypatch.setattr("skau.model_selection.cross_val_predict", filled)
        assert call("train", tmp_path, "-o", run, "--folds", "2", "--size", "32") == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == f"skau: File too large: {str(run / 'scores.csv')!r}"
    assert not list(run.glob("*scores.csv*"))


@shown
def test_training_goes_on_without_cutting_crops_again(tmp_path, monkeypatch, capsys):
    faces = load_sample_faces()
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    corpus.mkdir()
    write_corpus(corpus, faces, np.unique(faces.groups)[:4], ["AU1", "AU12"])
    how = ["train", corpus, "-o", run, "--folds", "2", "--epochs", "1", "--size", "32"]
    fit, cut = DSNClassifier.fit, Worker.work
    fitted = []

    def stopped(self, X, y, groups):
        fitted.append(len(y))
        if len(fitted) == 2:
            raise KeyboardInterrupt
        return fit(self, X, y, groups=groups)

    monkeypatch.setattr(DSNClassifier, "fit", stopped)
    assert call(*how) == 130
    assert "goes on" in capsys.readouterr().err
    found = []
    monkeypatch.setattr(Worker, "work", lambda *args, **kw: found.append(1) or cut(*args, **kw))
    assert call(*how) == 0
    assert not found
    assert len(fitted) == 5  # one, one that was stopped, and three
    assert not (run / "model.skau.part").exists()
    assert load(run / "model.skau")[0].memory is None
    monkeypatch.setattr("skau.cli._train._of_unseen", lambda *args: (pd.DataFrame(),) * 2)
    fitted[1:] = []  # so the next fit, of all people, is stopped
    assert call(*how, "--force") == 130
    assert not (run / "model.skau").exists()  # that has not the scores that are there
    assert (run / "scores.csv").exists()
    capsys.readouterr()
    assert call("report", run, "-o", tmp_path / "report.html") == 2
    assert "holds no history.csv: no finished run of skau train" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no (positive|negative) example", "ignore:the .* rows held out")
def test_train_with_further_people(tmp_path, capsys, monkeypatch):
    faces = load_sample_faces()
    subjects = np.unique(faces.groups)
    corpus, people, run = (tmp_path / name for name in ("corpus", "people", "run"))
    sizes = {}
    for folder, chosen, aus in (
        (corpus, subjects[:4], ["AU1", "AU12"]),
        (people, subjects[4:7], []),
    ):
        folder.mkdir()
        sizes[folder] = len(write_corpus(folder, faces, chosen, aus))
    how = ["--identities", people, "--folds", "2", "--epochs", "1", "--size", "32"]
    assert call("train", corpus, "-o", run, *how) == 2
    assert "--identities is for --method idennet" in capsys.readouterr().err
    fitted, fit = [], IdenNetClassifier.fit

    def note(self, X, y, groups):
        fitted.append((len(y), set(groups)))
        return fit(self, X, y, groups=groups)

    monkeypatch.setattr(IdenNetClassifier, "fit", note)
    assert call("train", corpus, "-o", run, "--method", "idennet", *how) == 0
    further = {f"identities/{who}" for who in subjects[4:7]}
    assert all(further <= who for _, who in fitted)  # in every fold, and at the end
    assert [n for n, _ in fitted][-1] == sum(sizes.values())
    predictions = pd.read_csv(run / "predictions.csv")
    assert len(predictions) == sizes[corpus]
    assert set(predictions["subject"]) == set(subjects[:4])
    assert predictions[["AU1", "AU12"]].notna().all(axis=None)


@pytest.mark.filterwarnings("ignore:no (positive|negative) example", "ignore:the .* rows held out")
def test_train_on_the_network_that_ships(tmp_path, capsys):
    faces = load_sample_faces()
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    corpus.mkdir()
    rows = write_corpus(corpus, faces, np.unique(faces.groups)[:6], ["AU1", "AU12"])
    how = ["train", corpus, "-o", run, "--trunk", "open-1", "--folds", "2", "--epochs", "1"]
    assert call(*how) == 2
    assert (
        "--trunk is for --method idennet, lightcnn, mixed-effects, not" in capsys.readouterr().err
    )
    for wrong, mend in (("open-2", ""), ("my.skau", "; it takes no file")):
        assert call(*how[:5], wrong, "--method", "lightcnn") == 2
        told = f"Error: --trunk: no model is called {wrong!r}; shipped are: open-1{mend}\n"
        assert told in capsys.readouterr().err
    assert not run.exists()
    assert call(*how, "--method", "mixed-effects") == 0
    cropper, model = load(run / "model.skau").named_steps.values()
    assert isinstance(model, MixedEffectsClassifier)
    assert model.trunk == PretrainedTrunk("open-1")
    assert cropper.align == load_model("open-1")[0].align == "eye_distance"
    assert cropper.size == load_model("open-1")[0].size
    assert model.lr == 1e-3
    assert cropper.on_missing == "raise"
    assert call("predict", corpus / f"{rows[0]}.png", "--model", run / "model.skau") == 0


def corpus_of(table, names=("a.png", "b.png"), **further):
    """Return what writes a corpus: photos, labels.csv and other files."""

    def write(root):
        root.mkdir()
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (64, 64)).save(root / name)
        (root / "labels.csv").write_text(table)
        for name, text in further.items():
            (root / f"{name}.csv").write_text(text)

    return write


def bp4d(root):
    for place, text in (("AU_OCC/F001_T1.csv", "0,1\n1,1\n"), ("again/F001_T1.csv", "0,1\n1,1\n")):
        (root / place).parent.mkdir(parents=True)
        (root / place).write_text(text)


def bp4d_of_other_aus(root):
    (root / "AU_OCC").mkdir(parents=True)
    (root / "AU_OCC" / "F001_T1.csv").write_text("0,30\n1,1\n")
    (root / "F001" / "T1").mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(root / "F001" / "T1" / "0001.jpg")


def bp4d_of_one(root, image="0001.jpg"):
    (root / "AU_OCC").mkdir(parents=True)
    (root / "AU_OCC" / "F001_T1.csv").write_text("0,1\n1,1\n")
    (root / "F001" / "T1").mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(root / "F001" / "T1" / image)


def bp4d_from_zero(root):
    bp4d_of_one(root, "0000.jpg")


@shown
@pytest.mark.parametrize(
    ("write", "args", "told"),
    [
        (corpus_of("image,subject,AU1\na.png,p,1\nb.png,q,0\n", other="image,subject,AU1\n"), (),
         "has several tables (labels.csv, other.csv): name one in place of the folder."),
        (corpus_of("file,subject,AU1\na.png,p,1\nb.png,q,0\n"), (),
         "labels.csv has no column 'image' for image; its columns are file, subject, AU1. "
         "Call the right one image."),
        (corpus_of("image,subject,AU1_r\na.png,p,1\nb.png,q,0\n"), (),
         "not read as AUs: AU1_r. They are intensities: give --threshold, the value"),
        (corpus_of("image,subject,smile\na.png,p,1\nb.png,q,0\n"), (),
         "not read as AUs: smile. If they hold labels, call them AU1, AU2 and so on."),
        (corpus_of("image,subject,AU1,AU 1\na.png,p,1,1\nb.png,q,0,0\n"), (),
         "'AU1' and 'AU 1' both name AU1; rename one."),
        (corpus_of("image,subject,AU1\na.png,p,3\nb.png,q,0\n"), (),
         "3, which is neither 0 or 1 (give --threshold if these are intensities) nor"),
        (corpus_of("image,subject,AU1\na.png,p,1\nb.png,,0\n"), (),
         "labels.csv: no subject in row 3; fill it in, or delete such rows.\n"),
        (bp4d_of_other_aus, ("--corpus-type", "bp4d"),
         " is in the first line: 30. Correct it.\n"),
        (bp4d, ("--corpus-type", "bp4d"), "in more than one place: "),
        (bp4d_from_zero, ("--corpus-type", "bp4d"),
         "holds an image 0. If its images count from 0, add 1 to their numbers, as the labels "),
        (bp4d_of_one, ("--corpus-type", "bp4d"),
         "--folds: No annotated row belongs to fold P2, P3. Give --folds N to divide the people "
         "that are there, or add labels of those of the fold.\n"),
    ],
)  # fmt: skip
def test_messages_of_python_are_in_the_words_of_the_shell(tmp_path, capsys, write, args, told):
    write(tmp_path / "corpus")
    assert call("train", tmp_path / "corpus", "-o", tmp_path / "run", *args) == 2
    err = capsys.readouterr().err
    assert told in err
    assert not re.search(r"\b[a-z_]+=|\bload_\w+: |pass one|to use as", err)


def test_a_table_of_several_is_named(tmp_path, capsys):
    table = "image,subject,AU1\na.png,p,1\nb.png,q,0\n"
    corpus_of(table, other=table.replace("b.png", "c.png"))(tmp_path / "corpus")
    (tmp_path / "corpus" / "._labels.csv").write_bytes(b"\x00\x05\x16\x07")  # as macOS leaves it
    how = ["-o", tmp_path / "run", "--folds", "3"]
    assert call("train", tmp_path / "corpus" / "labels.csv", *how) == 2
    assert "there are 2; give at most 2 parts" in capsys.readouterr().err
    (tmp_path / "corpus" / "other.csv").unlink()
    assert call("train", tmp_path / "corpus", *how) == 2
    assert "there are 2; give at most 2 parts" in capsys.readouterr().err


def test_a_file_that_looks_like_an_option(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-lead.jpg").touch()
    assert call("predict", "-lead.jpg") == 2
    assert "A file is meant? Then write ./-lead.jpg" in capsys.readouterr().err
    assert call("predict", "-leader.jpg") == 2
    assert "meant" not in capsys.readouterr().err


def test_names_of_files_stay_as_they_are():
    assert plain("out='a.csv' must end in .npy") == "--out 'a.csv' must end in .npy"
    assert plain("cannot open 'fps=5.mp4'") == "cannot open 'fps=5.mp4'"
    inner = f"'a.csv.part/{'0a' * 16}.csv.json'"  # which nobody has named
    assert plain(f"[Errno 28] No space left on device: {inner}") == (
        "No space left on device: 'a.csv.part'"
    )
