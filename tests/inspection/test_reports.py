import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.model_selection import GridSearchCV

from skau import DSNClassifier
from skau.inspection import (
    AURocDisplay,
    AUScoreDisplay,
    TrainingHistoryDisplay,
    benchmark_report,
    film_report,
    training_report,
    write_report,
)
from skau.metrics import au_report, f1_frame_scorer
from skau.model_selection import SubjectKFold


class Outside(HTMLParser):
    """Notes whatever a page would load from elsewhere."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [v for k, v in attrs if k in ("src", "srcset") and not v.startswith("data:")]
        if tag == "link":
            self.found += [v for k, v in attrs if k == "href" and not v.startswith("data:")]


def load(path):
    text = path.read_text(encoding="utf-8")
    page = Outside()
    page.feed(text)
    assert page.found == []
    assert not re.search(
        r"url\((?!.?data:)|@import|fetch\(", re.sub(r'src="data:[^"]*"', "", text)
    )
    return text


@pytest.fixture
def scores():
    rng = np.random.RandomState(0)
    aus = ["AU1", "AU2", "AU12"]
    return {name: pd.DataFrame(rng.rand(3, 3), columns=aus) for name in ("DSN", "IdenNet", "LBP")}


def test_training_run(dsn, blobs, tmp_path):
    from matplotlib import pyplot as plt

    X, Y, _ = blobs
    before = plt.get_fignums()
    card = {"trained on": "bars <and> patches"}
    text = load(training_report(tmp_path / "run.html", dsn, X, Y, card=card))
    assert "bars &lt;and&gt; patches" in text
    assert text.count("<img") == 4
    f1 = au_report(Y, dsn.predict_proba(X))["f1"]
    for au in Y:
        assert re.search(
            rf'<th[^>]*><span>{au}</span></th>.*?data-key="{re.escape(repr(float(f1[au])))}"', text
        )
    assert len(re.findall("<tr>", text)) == 2 + 3 + len(dsn.history_)
    assert plt.get_fignums() == before


def test_search_with_its_heat_map(blobs, tmp_path):
    X, Y, groups = blobs
    search = GridSearchCV(
        DSNClassifier(max_epochs=1, validation_fraction=0, random_state=0),
        {"alpha": [0.0, 0.1], "beta": [0.0, 0.1]},
        cv=SubjectKFold(2), scoring=f1_frame_scorer,
    )  # fmt: skip
    text = load(
        training_report(tmp_path / "s.html", search.fit(X, Y, groups=groups), X, Y, title="A & B")
    )
    assert "Search: LossWeights" in text
    assert "<title>A &amp; B</title>" in text


def test_methods_of_other_aus_are_not_compared(scores, tmp_path):
    scores["LBP"] = scores["LBP"][["AU1", "AU2"]]
    with pytest.raises(ValueError, match=r"scores\['LBP'\] lacks AU12, but scores\['DSN'\] has"):
        benchmark_report(tmp_path / "benchmark.html", scores)
    assert not (tmp_path / "benchmark.html").exists()


def test_film(tmp_path):
    time = np.arange(50) / 25
    table = pd.DataFrame({"frame": range(50), "time": time, "probability": 1.0, "AU12": 0.1})
    table.loc[10:19, "AU12"] = 0.9
    table.loc[30:34, "AU12"] = 0.7
    table.loc[40:49, ["AU12", "probability"]] = np.nan
    text = load(film_report(tmp_path / "film.html", table))
    assert "80.0%" in text
    row = re.search(r"<th[^>]*><span>AU12</span></th>(.*?)</tr>", text).group(1)
    values = [float(v) for v in re.findall(r'data-key="([^"]*)"', row)]
    # threshold, share of the frames with a face, events, mean, highest, when
    assert values == pytest.approx([0.5, 15 / 40, 2, (9 + 3.5 + 2.5) / 40, 0.9, 0.4])


def test_film_of_one_of_several_people(tmp_path):
    both = pd.DataFrame({"frame": np.repeat(range(50), 2), "person": [0, 1] * 50})
    both = both.assign(time=both["frame"] / 25, probability=1.0, AU12=0.1)
    both.loc[both["person"] == 0, "AU12"] = 0.9
    table = both[(both["person"] == 1) | ~both["frame"].between(10, 29)]  # 0 leaves, and returns
    with pytest.raises(ValueError, match="table holds the people 0, 1; choose one by person=N"):
        film_report(tmp_path / "film.html", table)
    text = load(film_report(tmp_path / "film.html", table, person=0))
    assert "<dt>frames</dt><dd>50</dd>" in text
    assert "60.0%" in text
    row = re.search(r"<th[^>]*><span>AU12</span></th>(.*?)</tr>", text).group(1)
    values = [float(v) for v in re.findall(r'data-key="([^"]*)"', row)]
    assert values == pytest.approx([0.5, 1, 2, 0.9, 0.9, 0])  # two events, before and after


def test_people_who_are_never_in_one_frame_are_told(tmp_path):
    table = pd.DataFrame(
        {"frame": range(10), "time": np.arange(10.0), "person": [0] * 5 + [1] * 5}
    )
    table = table.assign(probability=1.0, AU12=[0.9] * 5 + [0.1] * 5)
    with pytest.warns(
        UserWarning, match="the people 0, 1, never two in a frame; they are drawn as"
    ):
        text = load(film_report(tmp_path / "film.html", table))
    assert "<dt>people</dt><dd>0, 1, taken for one</dd>" in text
    for one in ({"person": 0}, {"table": table[table["person"] == 0]}):
        text = load(film_report(tmp_path / "film.html", **({"table": table} | one)))
        assert "<dt>people</dt>" not in text


def test_a_film_tells_what_its_table_remembers(tmp_path):
    table = pd.DataFrame({"frame": range(4), "time": np.arange(4.0), "AU12": 0.3})
    text = load(film_report(tmp_path / "film.html", table))
    assert "<dt>film</dt>" not in text
    assert "calibrated" not in text
    assert "Model" not in text
    model = {"classifier": "DSNClassifier"}
    table.attrs |= {"film": "a <b>.mp4", "model": model, "calibrate": False, "reference": False}
    path = film_report(tmp_path / "film.html", table[table["time"] > 0])  # over the other
    text = load(path)
    assert "<dt>film</dt><dd>a &lt;b&gt;.mp4</dd>" in text
    assert "<dt>calibrated to people</dt><dd>no</dd>" in text
    assert "<dt>classifier</dt><dd>DSNClassifier</dd>" in text
    table.attrs |= {"calibrate": True, "reference": True}
    text = load(film_report(path, table.assign(path="films/c.mp4"), card={"licence": "none"}))
    assert "<dt>film</dt><dd>c.mp4</dd>" in text
    assert "<dd>by all of their frames and photos at rest</dd>" in text
    assert "<dt>licence</dt><dd>none</dd>" in text
    assert "DSNClassifier" not in text


def test_film_by_the_threshold_of_each_au(tmp_path):
    table = pd.DataFrame({"frame": range(4), "time": np.arange(4.0), "AU1": 0.3, "AU12": 0.3})
    for limits in ({"AU12": 0.4, "AU1": 0.2}, [0.2, 0.4], pd.Series([0.2, 0.4], ["AU1", "AU12"])):
        text = load(film_report(tmp_path / "film.html", table, threshold=limits))
        shares = re.findall(
            r"<th[^>]*><span>(AU\d+)</span></th><td[^>]*>[^<]*</td><td[^>]*>([^<]*)<", text
        )
        assert shares == [("AU1", "1.000"), ("AU12", "0.000")]
    table.attrs["thresholds"] = {"AU1": 0.4, "AU12": 0.2}  # as predict_video tells them
    text = load(film_report(tmp_path / "film.html", table))
    shares = re.findall(
        r"<th[^>]*><span>(AU\d+)</span></th><td[^>]*>[^<]*</td><td[^>]*>([^<]*)<", text
    )
    assert shares == [("AU1", "0.000"), ("AU12", "1.000")]
    with pytest.raises(ValueError, match="threshold has none for AU12"):
        film_report(tmp_path / "film.html", table, threshold={"AU1": 0.2})
    with pytest.raises(ValueError, match="one for each of the 2 AUs"):
        film_report(tmp_path / "film.html", table, threshold=[0.2, 0.3, 0.4])


def test_what_a_figure_does_not_say_stands_below_it(scores, dsn, blobs, predictions, tmp_path):
    X, Y, _ = blobs

    def captions(path):
        return re.findall("<figcaption>(.*?)</figcaption>", load(path))

    bars = "Bars: one standard deviation over folds"
    (told,) = captions(benchmark_report(tmp_path / "folds.html", scores))
    assert bars in told
    one = {name: table[:1] for name, table in scores.items()}
    assert captions(benchmark_report(tmp_path / "one.html", one)) == []
    assert captions(training_report(tmp_path / "run.html", dsn, X, Y)) == []
    table = pd.DataFrame({"frame": range(4), "time": np.arange(4.0), "AU12": [0.1, 0.9, 0.7, 0.2]})
    (told,) = captions(film_report(tmp_path / "film.html", table))
    assert "dark above its threshold" in told
    assert "Grey" not in told
    assert "pictures" not in told
    table.loc[3, "AU12"] = np.nan
    video = np.zeros((4, 8, 8, 3), np.uint8)
    table[["box_x1", "box_y1", "box_x2", "box_y2"]] = [1, 1, 6, 6]
    (told,) = captions(film_report(tmp_path / "film.html", table, video=video))
    assert "Grey: no face" in told
    assert "moments of the pictures" in told
    labels, proba, folds = predictions
    curves = AURocDisplay.from_predictions(labels, proba, folds=folds)
    stages = pd.DataFrame({"train_class_loss": [0.7, 0.5, 0.4], "stage": [1, 1, 2]})
    history = TrainingHistoryDisplay.from_history(stages)
    told = captions(write_report(tmp_path / "more.html", "More", {"A": curves, "B": history}))
    assert told == [
        "Thin lines: single folds. Thick lines: their mean.",
        "Shaded: the first stage of training.",
    ]


def test_what_a_section_may_hold(predictions, dsn, tmp_path):
    Y, P, _ = predictions
    display = AUScoreDisplay.from_predictions(Y, P)
    content = ["one\n\ntwo", pd.Series([1.0, None], name="s"), display, display.figure_, dsn, None]
    text = load(write_report(tmp_path / "all.html", "All", {"All": content, "Empty": None}))
    assert text.count("<p>") >= 2
    assert text.count("<img") == 2
    assert "Empty" not in text
    with pytest.raises(TypeError, match=r"sections\['bad'\] holds a object"):
        write_report(tmp_path / "bad.html", "Bad", {"bad": object()})
    with pytest.raises(ValueError, match="must end in .html"):
        write_report(tmp_path / "bad.pdf", "Bad", {})


def test_a_full_disk_keeps_the_report_that_was_there(tmp_path, little_space):
    path = write_report(tmp_path / "run.html", "Before", {"One": "words"})
    before = path.read_bytes()
    with little_space(500), pytest.raises(OSError, match=r"File too large.*run\.html"):
        write_report(path, "After", {"One": "words"})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# -- a real browser --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver", reason='needs pip install "skau[test]"')
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no Chromium: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--no-first-run", "--window-size=1100,1400",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield window
    window.quit()


def column(browser, j):
    cells = browser.find_elements("css selector", f"tbody tr > :nth-child({j})")
    return [cell.text for cell in cells]


def test_the_page_sorts_in_a_browser(browser, scores, tmp_path):
    path = benchmark_report(tmp_path / "benchmark.html", scores, about={"folds": 3})
    load(path)
    browser.get(path.as_uri())
    assert browser.get_log("browser") == []
    assert browser.title == "Benchmark"
    body = "section:nth-of-type(2) "
    heads = browser.find_elements("css selector", body + "thead th")
    means = {name: f"{table.to_numpy().mean():.3f}" for name, table in scores.items()}

    def names():
        return [e.text for e in browser.find_elements("css selector", body + "tbody th")]

    assert names() == list(scores)
    falling = sorted(means, key=means.get, reverse=True)
    assert falling != list(scores)
    heads[1].find_element("tag name", "button").click()
    assert names() == falling
    assert heads[1].get_attribute("aria-sort") == "descending"
    heads[1].find_element("tag name", "button").click()
    assert names() == falling[::-1]
    heads[0].find_element("tag name", "button").click()
    assert names() == sorted(scores)
    assert heads[1].get_attribute("aria-sort") is None
    assert browser.get_log("browser") == []


def test_missing_values_stay_at_the_end(browser, tmp_path):
    table = pd.DataFrame({"value": [2.0, np.nan, 10.0, -1.0]}, index=list("abcd"))
    browser.get(write_report(tmp_path / "nan.html", "NaN", {"One": table}).as_uri())
    button = browser.find_elements("css selector", "thead button")[1]
    button.click()
    assert column(browser, 1) == ["c", "a", "d", "b"]
    button.click()
    assert column(browser, 1) == ["d", "a", "c", "b"]


def test_tables_of_every_kind_sort(browser, tmp_path):
    levels = pd.MultiIndex.from_product([["b", "a"], [2, 10]], names=["method", "fold"])
    values = {"f1": [-np.inf, 0.5, np.inf, 0.5], "n": pd.array([3, None, 1, 2], dtype="Int64")}
    table = pd.DataFrame(values, index=levels)
    browser.get(write_report(tmp_path / "kinds.html", "Kinds", {"One": table}).as_uri())
    buttons = browser.find_elements("css selector", "thead button")
    assert [button.text for button in buttons] == ["method", "fold", "f1", "n"]
    assert column(browser, 4) == ["3", "–", "1", "2"]
    buttons[2].click()
    assert column(browser, 3) == ["inf", "0.500", "0.500", "-inf"]
    buttons[1].click()
    assert column(browser, 2) == ["10", "10", "2", "2"]
    buttons[3].click()
    assert column(browser, 4) == ["3", "2", "1", "–"]


def test_hostile_names_are_names(browser, tmp_path):
    name = '</script><img src=x onerror="window.hacked = 1">"\'&amp; $\\foo$ {{7*7}}'
    scores = {name: pd.DataFrame([[0.4], [0.6]], columns=[name])}
    path = benchmark_report(tmp_path / "hostile.html", scores, title=name, about={name: name})
    load(path)
    browser.get(path.as_uri())
    assert browser.get_log("browser") == []
    assert browser.execute_script("return window.hacked") is None
    assert browser.title == name
    assert browser.find_element("css selector", "tbody th").text == name


def test_the_page_is_seen_and_printed(browser, scores, tmp_path):
    path = benchmark_report(tmp_path / "benchmark.html", scores)
    browser.get(path.as_uri())
    assert browser.save_screenshot(str(tmp_path / "page.png"))
    seen = np.asarray(Image.open(tmp_path / "page.png").convert("L"))
    assert (seen < 100).mean() > 0.005  # ink
    assert (seen > 250).mean() > 0.5  # paper
    widths = browser.execute_script(
        "return [...document.images].map(i => [i.complete, i.naturalWidth, i.alt])"
    )
    assert all(complete and width > 500 and alt for complete, width, alt in widths)
    pdf = browser.print_page()
    assert len(pdf) > 10_000


def test_figures_are_as_wide_as_they_were_made_while_they_fit(browser, scores, tmp_path):
    aus = [f"AU{i}" for i in range(1, 19)]
    table = pd.DataFrame(0.4, range(30), aus).assign(time=np.arange(30.0))
    film = film_report(tmp_path / "film.html", table)
    narrow = benchmark_report(tmp_path / "narrow.html", scores)
    told = (
        "const i = document.images[0];"
        "return [i.clientWidth, i.parentNode.clientWidth, document.body.scrollWidth]"
    )

    def widths(page, window):
        browser.set_window_size(window, 1400)
        browser.get(page.as_uri())
        return browser.execute_script(told)

    try:
        assert widths(film, 1100)[0] == 896  # with letters as large as in a narrow figure
        assert widths(narrow, 1100)[0] == 448
        image, room, _ = widths(film, 800)
        assert 700 < image == room
        image, room, page = widths(film, 500)
        assert image > room  # it scrolls, and the page does not
        assert page <= browser.execute_script("return innerWidth")
        browser.set_window_size(673, 1400)  # a sheet of A4
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        image, room, _ = browser.execute_script(told)
        assert 600 < image == room <= 673
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.set_window_size(1100, 1400)


def test_wide_tables_are_read_to_their_last_column(browser, tmp_path):
    aus = [f"AU{i}" for i in range(1, 13)]
    labels = pd.DataFrame(np.tile([[0.0], [1.0]], 12), columns=aus)
    report = au_report(labels, np.tile([[0.2], [0.7]], 12)).rename_axis("AU")
    report = report.assign(fold="1", f1_always_present=0.5)
    many = pd.DataFrame(0.5, ["a method of a long name"], [f"AU{i}" for i in range(1, 31)])
    page = write_report(tmp_path / "wide.html", "Wide", {"Twelve": report, "Thirty": many})
    hidden = (
        "return [...document.querySelectorAll('div.table')]"
        ".map(d => d.scrollWidth - d.clientWidth)"
    )
    right = (
        "return Math.max(...[...document.querySelectorAll('td')]"
        ".map(d => d.getBoundingClientRect().right))"
    )
    try:
        browser.set_window_size(800, 1400)
        browser.get(page.as_uri())
        assert report.shape[1] == 11  # as in the table of every fold
        twelve, thirty = browser.execute_script(hidden)
        assert twelve == 0 < thirty
        name = browser.find_element("xpath", "//tbody//th[.='a method of a long name']")
        assert name.size["height"] < 40  # in one line, though there is less room than wanted
        before = name.rect["x"]
        browser.execute_script("document.querySelectorAll('div.table')[1].scrollLeft = 300")
        assert name.rect["x"] == before
        # On a sheet of A4 nothing scrolls, and the heads stand on every sheet.
        browser.set_window_size(673, 1400)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        assert browser.execute_script(right) <= browser.execute_script("return innerWidth")
        head = browser.find_element("css selector", "thead button")
        assert head.value_of_css_property("display") == "contents"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.set_window_size(1100, 1400)
