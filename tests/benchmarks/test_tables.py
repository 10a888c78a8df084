"""The benchmark behind the tables, on a few of the faces that ship with skau."""

import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skau.datasets import load_faces, load_sample_faces
from skau.metrics import au_report

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TWO = ["--aus", "AU1", "AU12"]  # what is asked here is the same for all twelve


@pytest.fixture(scope="module")
def tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import _margins
        import tables

        patch.setattr(_margins, "RESAMPLES", 50)
        yield tables


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three small corpora: one to train on, one to test on, one of identities."""
    root = tmp_path_factory.mktemp("corpora")
    faces = load_sample_faces()
    subjects = np.unique(faces.groups)
    for name, own in (("lab", subjects[:6]), ("wild", subjects[6:8]), ("ids", subjects[8:12])):
        rows = np.flatnonzero(np.isin(faces.groups, own))[::4]
        folder = root / name
        folder.mkdir()
        for row in rows:
            Image.fromarray(faces.images[row]).save(folder / f"{row}.png")
        table = pd.DataFrame({"image": [f"{row}.png" for row in rows]})
        table["subject"] = faces.groups[rows]
        if name != "ids":
            aus = faces.target.iloc[rows].reset_index(drop=True).astype(int)
            table = pd.concat([table, aus], axis=1)
        table.to_csv(folder / "labels.csv", index=False)
    return root


def arguments(folders, out, *more):
    pairs = [f"{name}={folders / name}" for name in ("lab", "wild", "ids")]
    return [
        "--work", str(folders / "work"), "--train", pairs[0], "--test", pairs[1],
        "--identities", pairs[2], "--out", str(out), "--folds", "2", "--seeds", "0",
        "--size", "32", "--epochs", "1", *more,
    ]  # fmt: skip


pytestmark = [
    pytest.mark.filterwarnings("ignore:no (positive|negative) example"),
    pytest.mark.filterwarnings("ignore:all (positive|negative) examples of"),
    pytest.mark.filterwarnings("ignore:no face found"),
]


def test_runs_resumes_and_reports(tables, folders, tmp_path, monkeypatch):
    figure = ["--figure"] if find_spec("matplotlib") else []
    out = tmp_path / "results.csv"
    methods = ["DSN:beta=0.1", "LightCNN-pretrained", "SVTPT"]
    call = arguments(folders, out, *figure, *TWO, "--methods", *methods)
    run_cell, done = tables.run_cell, []

    def stop_at_the_fourth(setting, spec, fold, seed):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append((spec, fold.name))
        return run_cell(setting, spec, fold, seed)

    monkeypatch.setattr(tables, "run_cell", stop_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        tables.main(call)
    half = pd.read_csv(out)
    pooled = {f"{method} + unlabelled frames" for method in methods}
    assert set(half["method"]) == {*methods, *pooled}
    assert set(half["fold"]) == {"S001-S003"}
    done.clear()
    tables.main(call)
    assert len(done) == 3  # of six cells, the other three
    results = pd.read_csv(out)
    pd.testing.assert_frame_equal(results[: len(half)], half)
    assert len(results) == (6 + 6) * (2 + 2)
    assert set(results["method"]) == {*methods, *pooled}
    columns = ["method", "train", "test", "fold", "seed", "au", "f1", "accuracy", "auc", "n_pos"]
    assert results.columns[:11].tolist() == [*columns, "n"]
    assert set(results["fold"]) == {"S001-S003", "S004-S006"}
    assert (results.loc[results["test"] == "lab", "n"] == 15).all()
    assert (results.loc[results["test"] == "wild", "n"] == 10).all()
    tables.main(call)
    assert len(done) == 3  # nothing is left to do
    tables.main([*call, "--only-folds", "S001-S003"])
    assert len(done) == 3
    with pytest.raises(ValueError, match="no fold S9 among S001-S003, S004-S006"):
        tables.main([*call, "--only-folds", "S9"])

    report = out.with_suffix(".md").read_text()
    if figure:
        assert out.with_suffix(".png").stat().st_size > 10_000
        picture = tmp_path / "results-DSN_beta=0.1-features.png"  # of the only one with two codes
        assert picture.stat().st_size > 10_000
        assert list(tmp_path.glob("*-features.png")) == [picture]
    assert "Within lab" in report
    assert "--train lab=DIR" in report
    assert str(folders) not in report
    assert "From lab to wild" in report
    f1 = results[(results["method"] == "SVTPT") & (results["test"] == "wild")]
    mean = f1.groupby("au")["f1"].mean().mean()
    assert f"| {100 * mean:.1f} |" in report
    config = json.loads(out.with_suffix(".json").read_text())
    assert "beta=0.1" in config["methods"]["DSN:beta=0.1"]
    with pytest.raises(ValueError, match="another configuration of budget"):
        tables.main([*call, "--epochs", "2"])


def test_an_inner_split_knows_nobody_of_the_fold(tables, folders, tmp_path, monkeypatch):
    seen = []
    run_cell = tables.run_cell

    def note(setting, spec, fold, seed):
        seen.append(fold)
        return run_cell(setting, spec, fold, seed)

    monkeypatch.setattr(tables, "run_cell", note)
    out = tmp_path / "results.csv"
    call = arguments(folders, out, *TWO, "--methods", "SVTPT", "--inside", "S001-S003")
    tables.main([*call, "--only-folds", "S006-S006"])
    assert [(fold.train, fold.test) for fold in seen] == [(["S004", "S005"], ["S006"])]
    with pytest.raises(ValueError, match="--inside: no fold S9 among S001-S003, S004-S006"):
        tables.main([*call[:-1], "S9"])


def test_draws_are_not_taken_inside_a_fold(tables, folders, tmp_path, capsys):
    with pytest.raises(SystemExit):
        tables.main(
            arguments(folders, tmp_path / "r.csv", "--draws", "3", "--inside", "S001-S003")
        )
    assert "--draws takes from all subjects" in capsys.readouterr().err


def test_a_figure_without_matplotlib_fails_before_any_work(
    tables, folders, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit):
        tables.main(arguments(folders, tmp_path / "r.csv", "--figure"))
    assert 'pip install ".[plot]"' in capsys.readouterr().err


def test_a_failing_cell_leaves_the_others_alone(tables, folders, tmp_path, monkeypatch):
    out = tmp_path / "results.csv"
    run_cell = tables.run_cell

    def fail_once(setting, spec, fold, seed):
        if fold.name == "S001-S003":
            raise ValueError("out of luck")
        return run_cell(setting, spec, fold, seed)

    monkeypatch.setattr(tables, "run_cell", fail_once)
    with pytest.raises(RuntimeError, match="1 of 2 cells failed"):
        tables.main(arguments(folders, out, *TWO, "--methods", "SVTPT"))
    assert set(pd.read_csv(out)["fold"]) == {"S004-S006"}


def test_nothing_of_the_test_subjects_is_learnt(tables, folders):
    """A mark in the picture that gives the label away, in the test fold alone."""
    from _cells import Setting, run_cell
    from _corpora import open_corpus
    from _folds import make_folds

    corpus = open_corpus(f"lab={folders / 'lab'}", folders / "work", 32, ("full",))
    fold = make_folds(corpus, 2)[0]
    setting = Setting(
        corpus,
        [],
        None,
        ["AU1", "AU12"],
        {"max_epochs": 2, "validation_fraction": 0.3},
        folders / "work",
        folders / "work" / "records",
    )
    before = run_cell(setting, "LightCNN", fold, 0)
    test = np.isin(corpus.groups, fold.test)
    assert set(fold.test).isdisjoint(fold.train)
    turned = corpus.target.copy()
    turned[test] = 1 - turned[test]
    corpus.target = turned
    after = run_cell(setting, "LightCNN", fold, 0)
    np.testing.assert_allclose(after["accuracy"], 1 - before["accuracy"])  # same predictions
    np.testing.assert_allclose(after["auc"], 1 - before["auc"])

    marked = corpus.crops["full"].copy()
    marked[test, :4, :4] = (255 * turned[test]["AU12"].to_numpy()[:, None, None, None]).astype(
        np.uint8
    )
    corpus.crops = {"full": marked}
    leaking = run_cell(setting, "LightCNN", fold, 0)
    own, marked = (table.set_index(["method", "au"])["auc"] for table in (after, leaking))
    assert abs(own["LightCNN", "AU12"] - marked["LightCNN", "AU12"]) < 0.2


def test_a_cell_without_one_of_the_test_corpora_is_run_again(tables, folders, tmp_path):
    out = tmp_path / "results.csv"
    call = arguments(folders, out, *TWO, "--methods", "SVTPT", "--only-folds", "S001-S003")
    tables.main([word for word in call if word != "--test" and not word.startswith("wild=")])
    first = pd.read_csv(out)
    assert set(first["test"]) == {"lab"}
    tables.main(call)
    second = pd.read_csv(out)
    assert set(second["test"]) == {"lab", "wild"}
    own = second[second["test"] == "lab"].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        own.drop(columns="fit_seconds"), first.drop(columns="fit_seconds")
    )


def test_regions(tables, folders, tmp_path):
    out = tmp_path / "results.csv"
    methods = ["DSN-regions", "DSN-single-AU", "DSN"]
    tables.main(
        arguments(
            folders, out, *TWO, "--methods", *methods, "--only-folds", "S001-S003"
        )
    )  # fmt: skip
    results = pd.read_csv(out)
    assert set(results["au"]) == {"AU1", "AU12"}
    size = results.groupby("method")["n_parameters"].first()
    assert size["DSN"] < size["DSN-single-AU"] == size["DSN-regions"] < 2 * size["DSN"]


def test_draws(tables, folders, tmp_path):
    out, whole = tmp_path / "draws.csv", tmp_path / "tables.csv"
    methods = [*TWO, "--methods", "DSN", "SingleEncoder"]
    tables.main(arguments(folders, whole, *methods, "--only-folds", "S001-S003"))
    figure = ["--figure"] if find_spec("matplotlib") else []
    tables.main(arguments(folders, out, *methods, *figure, "--draws", "3", "--beside", str(whole)))
    results, beside = pd.read_csv(out), pd.read_csv(whole)
    assert set(results["fold"]) == {"draw000", "draw001", "draw002"}
    assert (results.loc[results["test"] == "lab", "n"] == 5).all()  # one subject
    report = out.with_suffix(".md").read_text()
    assert not figure or out.with_suffix(".png").stat().st_size > 10_000
    name = "| DSN over SingleEncoder, wild | 3 |"
    row = next(line for line in report.splitlines() if line.startswith(name))
    margin = {}
    for name, cells in (("draws", results), ("all", beside)):
        wild = cells[cells["test"] == "wild"].groupby("method")["f1"].mean()
        margin[name] = f"{100 * (wild['DSN'] - wild['SingleEncoder']):+.1f}"
    values = [value.strip() for value in row.split("|")]
    of_all = whole.with_suffix(".md").read_text()
    claims = [line for line in of_all.splitlines() if line.startswith("| DSN over SingleEncoder")]
    assert len(claims) == 2
    for line in claims:
        row_of = [value.strip() for value in line.split("|")]
        assert re.match(re.escape(row_of[3]) + r" \[[-+.\d]+, [-+.\d]+\]$", row_of[-3])
    assert values[3] == margin["draws"]
    assert values[-2] == margin["all"]


@pytest.mark.slow
def test_a_sweep_is_found_and_drawn(tables, folders, tmp_path):
    from _figures import sweeps

    out = tmp_path / "sweep.csv"
    betas = [f"DSN:beta={beta}" for beta in (0.5, 0, 5e-2)]
    others = ["SingleEncoder", "DSN:difference=mean", "DSN:alpha=1", "DSN:alpha=1,beta=2"]
    figure = ["--figure"] if find_spec("matplotlib") else []
    only = ["--only-folds", "S001-S003"]
    tables.main(arguments(folders, out, *figure, *TWO, "--methods", *betas, *others, *only))
    found = dict(sweeps(pd.read_csv(out)))
    assert list(found) == ["DSN:beta"]
    assert list(found["DSN:beta"]) == [0, 0.05, 0.5]
    assert not figure or out.with_suffix(".png").stat().st_size > 10_000


def test_the_margin_is_over_the_better_rival_of_the_same_fold_and_seed(tables):
    from _report import claim_table

    f1 = {  # by method: fold a, fold b within; fold a across
        "IdenNet": (0.60, 0.50, 0.40), "LightCNN": (0.50, 0.52, 0.45),
        "LightCNN-pretrained": (0.51, 0.47, 0.31), "DSN": (0.90, 0.90, 0.90),
    }  # fmt: skip
    where = (("bp4d", "a"), ("bp4d", "b"), ("disfa", "a"))
    cells = [
        {"method": method, "train": "bp4d", "test": test, "fold": fold, "seed": 0, "au": "AU1",
         "f1": value}
        for method, values in f1.items()
        for (test, fold), value in zip(where, values, strict=True)
    ]  # fmt: skip
    table = claim_table(pd.DataFrame(cells), "bp4d").reset_index()
    assert table.to_numpy().tolist() == [
        ["IdenNet over LightCNN", "bp4d", "+4.0", "8.5", "1 of 2", "+5.2"],
        ["IdenNet over LightCNN", "disfa", "-5.0", "", "0 of 1", "+9.1"],
    ]
    none = pd.DataFrame(cells)
    assert claim_table(none[none["method"] == "DSN"], "lab").empty


def test_a_margin_is_drawn_over_people(tables, tmp_path):
    """The score is that of the cells; a person who is drawn is drawn for all seeds."""
    from _margins import cell_file, keep_told, margin_interval, quick_auc, quick_f1, read_told

    rng = np.random.RandomState(0)
    people, aus = np.repeat(list("abcd"), 15), ["AU1", "AU12"]
    cells, means = [], []
    for fold, own in (("a-b", people[:30]), ("c-d", people[30:])):
        for seed in (0, 1):
            true = pd.DataFrame(rng.randint(0, 2, (30, 2)).astype(float), columns=aus)
            true.iloc[::7, 0] = np.nan
            cells.append((fold, seed))
            f1 = []
            for method, noise in (("DSN", 0.6), ("SingleEncoder", 1.5)):
                proba = 0.3 + 0.4 * true.fillna(0) + noise * rng.normal(size=(30, 2)).round(1)
                file = cell_file(
                    tmp_path, "-lab.npz", train="lab", spec=method, fold=fold, seed=seed
                )
                keep_told(file, true, proba, own)
                report = au_report(true, proba.clip(0, 1))
                f1.append(report.loc["mean", "f1"])
                np.testing.assert_allclose(quick_f1(true, proba - 0.5), report["f1"][:-1])
                auc = quick_auc(true, proba.clip(0, 1))
                np.testing.assert_allclose(auc, report["roc_auc"][:-1])
            means.append(f1[0] - f1[1])
    pair = ("DSN", "SingleEncoder")
    found = margin_interval(tmp_path, cells, pair, "lab", "lab", "F1")
    assert found.score == pytest.approx(100 * np.mean(means))
    assert found.low < found.score < found.high
    whole = margin_interval(tmp_path, cells[:1], pair, "lab", "lab", "AUC")
    assert whole.low <= whole.score <= whole.high
    assert margin_interval(tmp_path, [("a-b", 2)], pair, "lab", "lab", "F1") is None
    kept = {"train": "lab", "spec": "SingleEncoder", "fold": "a-b"}
    file = cell_file(tmp_path, "-lab.npz", seed=0, **kept)
    true, told, own = read_told(file, "")
    true, told = (table.set_axis(aus, axis=1) for table in (true, told))
    for other in (
        (true[::-1], told[::-1], own[::-1]),
        (1 - true, told, own),
        (true, told, np.roll(own, 1)),
    ):
        keep_told(file, *other)
        with pytest.raises(ValueError, match=r"SingleEncoder-a-b-0-lab.npz are of other frames"):
            margin_interval(tmp_path, cells, pair, "lab", "lab", "F1")
    for method in pair:  # equal to each other, not to the cells of another seed
        keep_told(
            cell_file(tmp_path, "-lab.npz", seed=0, **{**kept, "spec": method}),
            true[::-1], told[::-1], own[::-1],
        )  # fmt: skip
    with pytest.raises(ValueError, match="other cells tested on a-b"):
        margin_interval(tmp_path, cells, pair, "lab", "lab", "F1")
    (tmp_path / "lab-DSN-a-b-0-lab.npz").unlink()
    assert margin_interval(tmp_path, cells, pair, "lab", "lab", "F1") is None


def test_a_row_says_how_many_of_its_cells_are_there(tables):
    from _report import score_table

    cells = [
        {"method": method, "train": "lab", "test": "lab", "fold": fold, "seed": seed, "au": "AU1",
         "f1": 0.5, "accuracy": 0.5, "auc": 0.5}
        for method in ("DSN", "IdenNet") for seed in (0, 1) for fold in "ab"
    ]  # fmt: skip
    table = score_table(pd.DataFrame(cells[:-1]), "lab", "lab")
    assert table["seeds x folds"].to_dict() == {"DSN": "2 x 2", "IdenNet": "3 of 2 x 2"}


def test_separation_is_measured_on_people_never_seen(tables, folders, tmp_path):
    import separation

    out = tmp_path / "separation.txt"
    pairs = [f"{name}={folders / name}" for name in ("lab", "ids")]
    separation.main([
        "--work", str(folders / "work"), "--train", pairs[0], "--identities", pairs[1],
        "--out", str(out), "--folds", "2", "--fold", "S004-S006", "--size", "32",
        "--epochs", "1", "--methods", "SingleEncoder", "IdenNet",
    ])  # fmt: skip
    report = out.read_text()
    assert report.count("trained on 3 people, probed on 3") == 2
    leaks = [float(part.split()[0]) for part in report.split("identity leakage")[1:]]
    features, centred, *idennet = leaks
    assert centred < 0 < features  # without the means nothing but noise tells who it is
    assert len(idennet) == 6
    assert idennet[-1] < 0 < idennet[0]


def test_published_figures(tables):
    """Means and margins of Tables III to VII of paper 2 and Table 1 of paper 1."""
    from _published import published_margin, published_mean

    rivals = ("LightCNN", "LightCNN-pretrained")
    margins = {
        ("bp4d", "bp4d"): 5.2, ("disfa", "disfa"): 9.2, ("unbc", "unbc"): 7.0,
        ("bp4d", "disfa"): 9.1, ("bp4d", "unbc"): 4.4,
    }  # fmt: skip
    for pair, margin in margins.items():
        assert published_margin("IdenNet", rivals, *pair) == margin
        assert np.isnan(published_margin("DSN", ("SingleEncoder",), *pair)) == (
            pair != ("bp4d", "bp4d")
        )
    assert published_margin("DSN-printed", ("SingleEncoder-printed",), "bp4d", "bp4d") == 9.9
    assert published_mean("IdenNet-released", "bp4d", "disfa") == 39.7
    assert np.isnan(published_mean("IdenNet", "ict-lab", "ict-lab"))


def test_a_corpus_without_all_of_its_people_is_refused(tables, folders, monkeypatch):
    import papers

    monkeypatch.setattr(papers, "LOADERS", {"bp4d": load_faces})
    with pytest.raises(SystemExit, match=r"bp4d in .* has 6 of 41 subjects.*--partial"):
        papers.open_labels({"bp4d": folders / "lab"}, partial=False)


@pytest.mark.slow
def test_one_command_gives_the_tables_of_both_papers(tables, tmp_path, monkeypatch, capsys):
    import _corpora
    import papers

    names = sorted({au for aus in _corpora.PUBLISHED_AUS.values() for au in aus})
    faces = load_sample_faces()
    rows = np.flatnonzero(np.isin(faces.groups, np.unique(faces.groups)[:6]))[::4]
    labels = np.random.RandomState(0).randint(2, size=(len(rows), len(names)))
    table = pd.DataFrame(labels, columns=names)
    table.insert(0, "image", [f"{row}.png" for row in rows])
    table.insert(1, "subject", faces.groups[rows])
    table.to_csv(tmp_path / "labels.csv", index=False)
    for row in rows:
        Image.fromarray(faces.images[row]).save(tmp_path / f"{row}.png")
    # every corpus lies in a folder like this one
    monkeypatch.setattr(_corpora, "LOADERS", {})
    monkeypatch.setattr(papers, "LOADERS", dict.fromkeys(papers.CORPORA, load_faces))
    monkeypatch.setattr(papers, "PAPER_2", ["SVTPT"])
    speeds = []
    monkeypatch.setattr(papers.speed, "main", speeds.append)
    corpora = [word for name in papers.CORPORA for word in (f"--{name}", str(tmp_path))]
    out = tmp_path / "results"
    papers.main([
        "--work", str(tmp_path / "work"), *corpora, "--out", str(out), "--partial", "--draws", "2",
        "--size", "32", "--epochs", "1", "--seeds", "0", "--folds", "2", "--every", "2",
    ])  # fmt: skip
    plan = capsys.readouterr().out
    assert "partial: bp4d" in plan
    assert "has 6 of 41 subjects" in plan
    assert "hours of training" in plan
    assert speeds == [["--only", "methods", "--out", str(out)]]
    found = {file.stem: pd.read_csv(file) for file in out.glob("*.csv")}
    for name, tests in (("bp4d", {"bp4d", "disfa", "unbc"}), ("disfa", {"disfa"})):
        assert set(found[name]["test"]) == tests
        within = found[name].query("test == @name")
        assert set(within["au"]) == set(_corpora.PUBLISHED_AUS[name])
    assert set(found["draws"]["method"]) == set(found["dsn"]["method"]) >= set(papers.PAIR)
    assert set(papers.PRINTED) <= set(found["dsn"]["method"])
    assert found["disfa"]["n"].max() <= len(rows) / 2 + 6  # every second frame of each person
    assert "| published F1 |" in (out / "bp4d.md").read_text()
    assert (
        "paper 1, single class, accuracy | 59.0 | 73.4 | 96.9 | 61.3 |"
        in (out / "regions.md").read_text()
    )
    assert found["draws"]["fold"].nunique() == 2
    assert "all subjects" in (out / "draws.md").read_text()
    assert set(found["regions"]["au"]) == {"AU1", "AU6", "AU12", "AU14"}
    assert set(found) == {"bp4d", "disfa", "unbc", "dsn", "draws", "regions"}


def test_what_other_tools_wrote_stands_beside(tables, folders, tmp_path):
    """OpenFace by frames, Py-Feat by files, LibreFace with intensities; a face not found."""
    labels = {name: pd.read_csv(folders / name / "labels.csv") for name in ("lab", "wild")}
    lab, wild = labels["lab"], labels["wild"]
    n = len(lab)
    rng = np.random.RandomState(0)
    noisy = {au: np.where(rng.rand(n) < 0.2, 1 - lab[au], lab[au]) for au in ("AU1", "AU12")}
    success = np.ones(n, int)
    success[lab["AU12"].to_numpy().argmax()] = 0
    openface = pd.DataFrame({"frame": np.arange(1, n + 1), " success": success})
    for au, told in noisy.items():
        openface[f" AU{int(au[2:]):02d}_r"] = 5 * rng.rand(n)
        openface[f" AU{int(au[2:]):02d}_c"] = told
    openface = openface.sample(frac=1, random_state=0)  # frames in any order
    pyfeat = {
        name: pd.DataFrame({
            "AU01": 0.1 + 0.8 * table["AU1"], "AU12": rng.rand(len(table)),
            "input": "/elsewhere/" + name + "/" + table["image"],
        })[::-1]
        for name, table in labels.items()
    }  # fmt: skip
    libreface = pd.DataFrame({
        "image": lab["image"], "au_1": lab["AU1"], "au_12_intensity": 1 + 2.0 * lab["AU12"],
    })  # fmt: skip
    libreface.iloc[: lab["AU1"].to_numpy().argmax() + 1, 1:] = np.nan  # one of them shows AU1
    files = {"OpenFace": [openface], "Py-Feat": list(pyfeat.values()), "LibreFace": [libreface]}
    words = []
    for name, parts in files.items():
        for i, part in enumerate(parts):
            part.to_csv(tmp_path / f"{name}{i}.csv", index=False)
            words += ["--predictions", f"{name}={tmp_path / f'{name}{i}.csv'}"]
    out = tmp_path / "results.csv"
    call = arguments(folders, out, *words, "--methods")
    tables.main(call)
    results = pd.read_csv(out).set_index(["method", "test", "fold", "au"]).sort_index()
    first = lab["subject"].isin(["S001", "S002", "S003"]).to_numpy()
    for au, told in noisy.items():
        told = pd.Series(told * success)
        report = au_report(lab.loc[first, [au]], told[first].to_frame(au).astype(float))
        row = results.loc["OpenFace, as predicted", "lab", "S001-S003", au]
        np.testing.assert_allclose(row[["f1", "accuracy"]].tolist(),
                                   report.loc[au, ["f1", "accuracy"]], rtol=1e-5)  # fmt: skip
        assert row["n"] == first.sum()
        assert row["auc"] != pytest.approx(report.loc[au, "roc_auc"])  # by intensities
    within, across = (results.loc["Py-Feat, as predicted", test] for test in ("lab", "wild"))
    assert (within.loc[pd.IndexSlice[:, "AU1"], "f1"] == 1).all()
    assert (across.loc[pd.IndexSlice[:, "AU1"], "auc"] == 1).all()
    assert across["n"].eq(len(wild)).all()
    found = results.loc["LibreFace, as predicted", "lab"]
    assert found.loc[("S004-S006", "AU12"), "f1"] == 1
    assert found.loc[("S001-S003", "AU1"), "f1"] < 1  # where it found no face, one shows it
    report = out.with_suffix(".md").read_text()
    assert "| OpenFace, as predicted |" in report.split("## Size")[0]
    assert "as predicted" not in report.split("## Size")[1]
    tables.main(call)  # once more: the same rows
    assert len(pd.read_csv(out)) == len(results)

    openface.iloc[1:].to_csv(tmp_path / "OpenFace0.csv", index=False)
    with pytest.raises(ValueError, match=r"29 frames in 29 rows, and the corpora have \[30, 10\]"):
        tables.main(call)
    there = pyfeat["lab"].replace({"input": {pyfeat["lab"]["input"].iloc[0]: "/lab/NIL.PNG"}})
    there.iloc[:-1].to_csv(tmp_path / "OpenFace0.csv", index=False)
    ends = [lab["image"].iloc[0], lab["image"].iloc[-1]]
    with pytest.raises(ValueError, match=f"lacks 2 of 30 images of lab: {', '.join(ends)}. Call"):
        tables.main(call)
    pd.concat([pyfeat["lab"]] * 2).to_csv(tmp_path / "OpenFace0.csv", index=False)
    with pytest.raises(ValueError, match="keep one face of each image"):
        tables.main(call)
    pyfeat["lab"].assign(input="other.png").to_csv(tmp_path / "OpenFace0.csv", index=False)
    with pytest.raises(ValueError, match="OpenFace0.csv names no image of any corpus here"):
        tables.main(call)
    lab.to_csv(tmp_path / "OpenFace0.csv", columns=["image", "subject"])
    with pytest.raises(ValueError, match="no column of an AU"):
        tables.main(call)


def test_a_row_of_another_tool_is_of_one_corpus(tables, tmp_path):
    from _cells import Setting, score_predictions
    from _corpora import Corpus
    from _folds import Fold

    files = ["1/a.png", "1/b.png", "2/a.png", "2/b.png"]
    target = pd.DataFrame({"AU12": [0.0, 1, 0, 1]})
    groups = np.array(["p", "p", "q", "q"])
    corpora = [Corpus(name, {}, target, groups, None, files) for name in ("lab", "wild")]
    setting = Setting(corpora[0], corpora[1:], None, ["AU12"], {}, tmp_path, tmp_path)
    folds = [Fold("q-q", ["p"], ["q"])]
    told = pd.DataFrame({"path": ["lab/" + name for name in files], "AU12": [0.1, 0.9, 0.2, 0.8]})
    told.to_csv(tmp_path / "told.csv", index=False)
    with pytest.raises(ValueError, match="fit images of wild and of another corpus"):
        score_predictions(setting, folds, "Tool", [tmp_path / "told.csv"])
    setting.others = []
    table = score_predictions(setting, folds, "Tool", [tmp_path / "told.csv"])
    assert table[["fold", "f1", "auc", "n"]].to_numpy().tolist() == [["q-q", 1.0, 1.0, 2]]


def test_other_images_or_folds_are_refused(tables, folders, tmp_path):
    out = tmp_path / "results.csv"
    call = arguments(folders, out, *TWO, "--methods", "SVTPT", "--only-folds", "S001-S003")
    tables.main(call)
    with pytest.raises(ValueError, match="begun with another configuration of partition"):
        tables.main([*call, "--folds", "3", "--only-folds", "S001-S002"])
    labels = folders / "lab" / "labels.csv"
    before = labels.read_text()
    try:
        labels.write_text("\n".join([before.splitlines()[0], *before.splitlines()[:0:-1]]))
        with pytest.raises(ValueError, match="is of other images than those of lab"):
            tables.main(call)
    finally:
        labels.write_text(before)


def test_cells_of_other_labels_or_people_are_not_gone_on_with(tables, folders, tmp_path, capsys):
    out = tmp_path / "results.csv"
    call = arguments(folders, out, *TWO, "--methods", "SVTPT", "--only-folds", "S001-S003")
    tables.main(call)
    labels = folders / "lab" / "labels.csv"
    before = labels.read_text()
    table = pd.read_csv(labels)
    swapped = table["subject"].replace({"S002": "S005", "S005": "S002"})  # folds of equal names
    others = [table.assign(AU1=1 - table["AU1"]), table.assign(subject=swapped)]
    try:
        for other in others:
            other.to_csv(labels, index=False)
            with pytest.raises(ValueError, match=r"another configuration of lab \(its people"):
                tables.main(call)
        table.assign(AU2=1 - table["AU2"]).to_csv(labels, index=False)  # which nothing learns
        tables.main(call)
    finally:
        labels.write_text(before)
    assert "nothing beside" not in capsys.readouterr().out
    config = json.loads(out.with_suffix(".json").read_text())
    assert set(config.pop("corpora")) == {"lab", "wild", "ids"}
    out.with_suffix(".json").write_text(json.dumps(config))  # as it was before corpora were noted
    tables.main(call)
    assert "are taken for those of lab, wild, ids as they are now" in capsys.readouterr().out
    tables.main(call)
    assert "nothing beside" not in capsys.readouterr().out


def test_the_epoch_chosen_on_the_test_fold_has_a_row_of_its_own(tables, folders, tmp_path):
    """It is at least as good as the honest one, whose row does not change."""
    call = ["--methods", "LightCNN", "SVTPT", "--only-folds", "S001-S003", "--epochs", "3"]
    both, plain = tmp_path / "both.csv", tmp_path / "plain.csv"
    tables.main(arguments(folders, both, *call, "--test-epoch"))
    tables.main(arguments(folders, plain, *call))
    name = "LightCNN, epoch chosen on the test fold"
    found, honest = pd.read_csv(both), pd.read_csv(plain)
    own = found[found["method"] == name]
    assert set(own["test"]) == {"lab"}
    rest = found[found["method"] != name].drop(columns="fit_seconds").reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, honest.drop(columns="fit_seconds"))
    within = honest[(honest["method"] == "LightCNN") & (honest["test"] == "lab")]
    assert own["f1"].mean() >= within["f1"].mean()
    assert own["au"].tolist() == within["au"].tolist()
    assert own["n_pos"].tolist() == within["n_pos"].tolist()
    report = both.with_suffix(".md").read_text()
    assert f"| {name} | " in report.split("## Size")[0]
    assert name not in report.split("## Size")[1]
    with pytest.raises(ValueError, match="another configuration of test_epoch"):
        tables.main(arguments(folders, plain, *call, "--test-epoch"))
    with pytest.raises(ValueError, match="another configuration of test_epoch"):
        tables.main(arguments(folders, both, *call))


def test_crops_of_another_alignment_are_files_and_results_of_their_own(tables, folders, tmp_path):
    call = ["--only-folds", "S001-S003", "--methods", "SVTPT"]
    plain, scaled = tmp_path / "plain.csv", tmp_path / "scaled.csv"
    tables.main(arguments(folders, plain, *call, "--align", "eyes"))
    on_open_1 = arguments(folders, scaled, *call, "MixedEffects-open-1", "--align", "eye_distance")
    tables.main(on_open_1)
    assert set(pd.read_csv(scaled)["method"]) >= {"SVTPT", "MixedEffects-open-1"}
    crops = [np.load(file) for file in sorted(folders.rglob("lab*-full-*.npy"))]
    assert len(crops) == 2
    assert crops[0].shape == crops[1].shape
    assert not np.array_equal(*crops)
    for wrong in ("eye_distance", "box"):
        with pytest.raises(ValueError, match="another configuration of align"):
            tables.main(arguments(folders, plain, *call, "--align", wrong))
    with pytest.raises(ValueError, match="another configuration of align"):
        tables.main(arguments(folders, scaled, *call))


def test_a_table_goes_on_where_callbacks_lie_elsewhere_in_memory(tables, tmp_path):
    out, released = tmp_path / "table.csv", "IdenNet-released"
    config = {"budget": {"max_epochs": 1, "lr": 1e-3}, "corpora": {}}
    text = tables.check_config(config, [released], "", out)["methods"][released]
    assert "EarlyStopping object>" in text
    assert " at 0x" not in text
    out.touch()
    assert tables.check_config(config, [released], "", out)["methods"][released] == text
