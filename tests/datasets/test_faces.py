"""Own data with a table, and corpora put together."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from skau.datasets import (
    load_bp4d,
    load_celeba,
    load_faces,
    load_london,
    load_sample_faces,
    load_unbc,
    stack_corpora,
)
from skau.model_selection import PredefinedSubjectSplit, SubjectKFold

nan = np.nan


def write(folder, table, name="faces.csv", images=True):
    (folder / name).write_text(table)
    for line in table.splitlines()[1:]:
        if images:
            (folder / line.split(",")[0]).write_bytes(b"")
    return folder


@pytest.fixture
def faces(tmp_path):
    """Codes of every kind: 9, -1, 999, an empty cell, an intensity beside each."""
    return write(
        tmp_path,
        "image,subject,AU04,AU12,AU12_c,age\n"
        "a.png,001,1,0,0.1,30\n"
        "b.png,001,9,1,0.9,30\n"
        "c.png,002,-1,,0.3,\n"
        "d.png,NA,0,999,999,41\n",
    )


def test_labels_of_a_table(faces):
    corpus = load_faces(faces)
    assert corpus.au_names == ["AU4", "AU12"]
    np.testing.assert_array_equal(corpus.target, [[1, 0], [nan, 1], [nan, nan], [0, nan]])
    assert corpus.groups.tolist() == ["001", "001", "002", "NA"]
    assert list(corpus.images) == [
        str(faces / name) for name in ("a.png", "b.png", "c.png", "d.png")
    ]
    assert list(corpus.frame) == ["image", "subject", "AU04", "AU12_c", "age", "AU4", "AU12"]
    assert corpus.name == faces.name
    assert corpus.folds is None


def test_intensities_and_column_mapping(faces):
    corpus = load_faces(faces, aus={12: "AU12_c"}, threshold=0.3, name="mine")
    np.testing.assert_array_equal(corpus.target["AU12"], [0, 1, 1, nan])
    assert corpus.name == "mine"
    assert load_faces(faces, aus=["AU12"]).au_names == ["AU12"]
    with pytest.raises(ValueError, match=r"AU12 of row 2 is 0\.1, which is neither 0 or 1"):
        load_faces(faces, aus={12: "AU12_c"})


def test_zero_for_unknown_and_minus_one_for_absent(tmp_path):
    write(tmp_path, "path,who,AU1\na.png,x,1\nb.png,x,0\nc.png,y,-1\n")
    corpus = load_faces(tmp_path, image="path", subject="who", unknown=[0], threshold=1)
    np.testing.assert_array_equal(corpus.target["AU1"], [1, nan, 0])


def test_a_table_without_labels_gives_identities(tmp_path):
    write(tmp_path, "image,subject\na.png,x\nb.png,y\n")
    corpus = load_faces(tmp_path)
    assert corpus.target.shape == (2, 0)
    assert corpus.au_names == []
    assert corpus.groups.tolist() == ["x", "y"]


def test_other_columns_called_image_or_subject(tmp_path):
    write(tmp_path, "file,person,subject,image,AU1\na.png,ann,7,raw.png,1\n")
    frame = load_faces(tmp_path, image="file", subject="person").frame
    assert list(frame) == ["image", "subject", "subject.1", "image.1", "AU1"]
    assert frame.iloc[0, 1:].tolist() == ["ann", 7, "raw.png", 1]


def test_missing_values_as_other_programs_write_them(tmp_path):
    table = "\ufeffimage,subject,AU1,AU2\n001,NA,NaN,1\n002,nan,0,NA\n003,1e3,1,\n"
    corpus = load_faces(write(tmp_path, table))
    np.testing.assert_array_equal(corpus.target, [[nan, 1], [0, nan], [1, nan]])
    assert corpus.groups.tolist() == ["NA", "nan", "1e3"]
    assert corpus.frame["image"].str[-3:].tolist() == ["001", "002", "003"]


def test_missing_images(faces):
    (faces / "b.png").unlink()
    (faces / "c.png").unlink()
    with (
        pytest.warns(UserWarning, match=r"image is not there are left out: b.png, c.png"),
        pytest.warns(UserWarning, match="subjects without any image are left out: 002"),
    ):
        corpus = load_faces(faces)
    assert corpus.groups.tolist() == ["001", "NA"]
    np.testing.assert_array_equal(corpus.target["AU4"], [1, 0])
    (faces / "a.png").unlink()
    (faces / "d.png").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"expected the images of faces.csv, such as a.png"
    ):
        load_faces(faces)


@pytest.mark.parametrize(
    ("table", "kwargs", "message"),
    [
        ("image,person\na.png,x\n", {}, r"no column 'subject' for subject; its columns are image"),
        ("image,subject\na.png,x\n", {"aus": {"AU1": "brow"}}, r"no column 'brow' for AU1.*aus="),
        (
            "image,subject,AU2\na.png,x,1\n",
            {"aus": [1]},
            r"no column for AU1; it has AU2.*Leave it out of aus, or .*'AU1': ",
        ),
        ("image,subject,AU2\na.png,x,1\n", {"aus": ["smile"]}, "aus must hold AU numbers"),
        ("image,subject,AU2\na.png,x,1\n", {"aus": [2, "AU02"]}, "an AU twice"),
        ("image,subject\na.png,x\nb.png,\nc.png,\n", {}, "no subject in row 3, 4; fill it in, or"),
        (
            "image,subject\na.png,x\na.png,y\n",
            {},
            "a.png is listed in row 2 and again in row 3; k",
        ),
        (
            "image,subject,AU2\na.png,x,2\n",
            {},
            r"AU2 of row 2 is 2, which is neither.*Write nothing where",
        ),
        ("image,subject,AU2\na.png,x,inf\n", {"threshold": 1}, "which is neither finite"),
        ("image,subject,AU2\na.png,x,yes\n", {}, "labels have to be numbers"),
        ("image,subject,AU2\n", {}, "has no rows; write one an image"),
    ],
)
def test_bad_tables(tmp_path, table, kwargs, message):
    with pytest.raises(ValueError, match=message):
        load_faces(write(tmp_path, table), **kwargs)


def test_which_table(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a \.csv file .* but found an empty folder"):
        load_faces(tmp_path)
    write(tmp_path, "image,subject\na.png,x\n", "one.csv")
    write(tmp_path, "image,subject\na.png,y\n", "two.csv")
    with pytest.raises(ValueError, match=r"several tables \(one.csv, two.csv\)"):
        load_faces(tmp_path)
    assert load_faces(tmp_path, "two.csv").groups.tolist() == ["y"]
    with pytest.raises(
        FileNotFoundError, match=r"the table three.csv .* but found a.png, one.csv"
    ):
        load_faces(tmp_path, "three.csv")


@pytest.mark.parametrize(
    ("name", "n", "n_subjects", "n_aus"),
    [("ict-lab", 2400, 60, 18), ("ict-wild", 1200, 40, 18), ("ict-ids", 2400, 300, 0)],
)
def test_rendered_corpora(shared, name, n, n_subjects, n_aus):
    corpus = load_faces(shared / name)
    assert corpus.target.shape == (n, n_aus)
    assert len(set(corpus.groups)) == n_subjects
    if n_aus:
        recoded = load_faces(
            shared / name, aus={au: f"{au}_c" for au in corpus.au_names}, threshold=0.2
        )
        pd.testing.assert_frame_equal(recoded.target, corpus.target)


# Stacking


@pytest.mark.filterwarnings("ignore:BP4D")
def test_stacked_corpora(bp4d, unbc, celeba):
    parts = load_bp4d(bp4d), load_unbc(unbc), load_celeba(celeba)
    stacked = stack_corpora(*parts)
    assert stacked.name == "BP4D+UNBC+CelebA"
    assert len(stacked.images) == 7 + 6 + 4
    assert all(isinstance(path, str) for path in stacked.images)
    numbers = [int(au[2:]) for au in stacked.au_names]
    assert numbers == sorted({1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24, 9, 20, 25, 26, 27, 43})
    assert stacked.groups[0] == "BP4D/F001"
    assert set(stacked.groups[-4:]) == {"CelebA/2880", "CelebA/2937"}
    pd.testing.assert_frame_equal(stacked.target[:7][parts[0].au_names], parts[0].target)
    assert stacked.target[:7][["AU9", "AU43"]].isna().all(axis=None)
    assert stacked.target[7:13][["AU1", "AU24"]].isna().all(axis=None)
    np.testing.assert_array_equal(stacked.target["AU4"][7:13], parts[1].target["AU4"])
    assert stacked.target[-4:].isna().all(axis=None)
    assert stacked.frame["corpus"].tolist() == ["BP4D"] * 7 + ["UNBC"] * 6 + ["CelebA"] * 4
    np.testing.assert_array_equal(stacked.frame["pspi"][7:13], parts[1].frame["pspi"])
    assert list(stacked.folds) == ["BP4D/P1", "BP4D/P2", "BP4D/P3"]
    assert stacked.folds["BP4D/P1"][0] == "BP4D/F001"
    for train, test in SubjectKFold(2).split(stacked.images, stacked.target, stacked.groups):
        assert {"CelebA/2880", "CelebA/2937"} <= set(stacked.groups[train])
        assert not any(subject.startswith("CelebA") for subject in stacked.groups[test])


def corpus(name, subjects=("1", "2"), au="AU1", images=None, **more):
    n = len(subjects)
    images = np.zeros((n, 8, 8, 3), dtype=np.uint8) if images is None else images
    target = pd.DataFrame({au: np.arange(n) % 2 * 1.0})
    return Bunch(
        name=name, images=images, groups=np.array(subjects), target=target, au_names=[au], **more
    )


def test_published_folds_of_one_corpus_with_the_rest_in_training():
    a = corpus("A", folds={"P1": ["1"], "P2": ["2"]})
    stacked = stack_corpora(a, corpus("B"))
    cv = PredefinedSubjectSplit(stacked.folds, rest="train")
    splits = list(cv.split(stacked.images, stacked.target, stacked.groups))
    assert [stacked.groups[test].tolist() for _, test in splits] == [["A/1"], ["A/2"]]
    assert all({"B/1", "B/2"} <= set(stacked.groups[train]) for train, _ in splits)


def test_equal_subject_names_stay_apart():
    stacked = stack_corpora(corpus("A"), corpus("B", au="AU2"))
    assert stacked.groups.tolist() == ["A/1", "A/2", "B/1", "B/2"]
    np.testing.assert_array_equal(stacked.target, [[0, nan], [1, nan], [nan, 0], [nan, 1]])
    assert "image" not in stacked.frame
    again = stack_corpora(stacked, corpus("C"), names=["AB", "C"])
    assert again.groups.tolist()[:1] == ["AB/A/1"]


def test_images_of_one_shape_become_one_array():
    a, b = corpus("A"), corpus("B", images=np.ones((2, 8, 8, 3), dtype=np.uint8))
    images = stack_corpora(a, b).images
    assert images.dtype == np.uint8
    assert images.shape == (4, 8, 8, 3)
    assert images[2:].all()


@pytest.mark.parametrize("size", [(2, 9, 9, 3), (2, 8, 8)])
def test_images_of_several_shapes_stay_as_they_are(size):
    b = corpus("B", images=np.ones(size, dtype=np.uint8))
    images = stack_corpora(corpus("A"), b).images
    assert images.shape == (4,)
    assert images[0].shape == (8, 8, 3)
    assert images[3].shape == size[1:]
    assert np.shares_memory(images[3], b.images)


def test_images_of_several_types_stay_as_they_are():
    images = stack_corpora(corpus("A"), corpus("B", images=np.ones((2, 8, 8, 3)))).images
    assert [image.dtype.kind for image in images] == ["u", "u", "f", "f"]


def test_paths_and_arrays_mix():
    paths = corpus("B", images=np.array(["x.png", "y.png"], dtype=object))
    images = stack_corpora(corpus("A"), paths).images
    assert images[0].shape == (8, 8, 3)
    assert images[2:].tolist() == ["x.png", "y.png"]


def test_arrays_of_labels_stack_too():
    a = corpus("A")
    a.target = a.target.to_numpy()
    stacked = stack_corpora(a, corpus("B"), as_frame=False)
    assert stacked.frame is None
    np.testing.assert_array_equal(stacked.target, [[0], [1], [0], [1]])


def test_columns_of_labels_are_stacked_by_their_names():
    faces = load_sample_faces()
    turned = Bunch(**{**faces, "target": faces.target[faces.au_names[::-1]]})
    stacked = stack_corpora(corpus("A"), turned)
    np.testing.assert_array_equal(stacked.target[2:][faces.au_names], faces.target)
    some = Bunch(**{**faces, "target": faces.target[["AU12", "AU1"]]})
    stacked = stack_corpora(corpus("A"), some)
    assert stacked.au_names == ["AU1", "AU12"]
    np.testing.assert_array_equal(stacked.target["AU12"][2:], faces.target["AU12"])
    assert list(stacked.frame) == ["subject", "corpus", "frame", "AU1", "AU12"]
    some.target = some.target.to_numpy()
    with pytest.raises(ValueError, match=r"Sample faces has 2 columns .* au_names are 12: name"):
        stack_corpora(corpus("A"), some)
    odd = corpus("B")
    odd.target.columns = ["smile"]
    with pytest.raises(ValueError, match="columns of B: aus must hold AU numbers .* 'smile'"):
        stack_corpora(corpus("A"), odd)


@pytest.mark.parametrize("code", [9, 3])
def test_codes_are_not_stacked_as_labels(code):
    wrong = corpus("B")
    wrong.target.iloc[1] = code
    with pytest.raises(ValueError, match=rf"target of B: row 1, column 'AU1' holds {code}"):
        stack_corpora(corpus("A"), wrong)


def test_frames_with_other_rows_than_the_labels():
    people = ("1", "2", "3")
    a, b = corpus("A"), corpus("B", people, frame=pd.DataFrame({"age": [20, 30, 40]}))
    whole = Bunch(**b)
    for key in ("images", "groups", "target"):
        b[key] = b[key][1:]
    with pytest.raises(ValueError, match="frame of corpus 1 has 3 rows, and its target 2: select"):
        stack_corpora(a, b)
    b.frame = b.frame[1:]
    np.testing.assert_array_equal(stack_corpora(a, b).frame["age"], [nan, nan, 30, 40])
    whole.target = whole.target[::-1]
    with pytest.raises(ValueError, match="frame of corpus 1 has the rows .* in another order"):
        stack_corpora(a, whole)


@pytest.mark.parametrize(
    ("corpora", "names", "message"),
    [
        (["A"], None, "two or more corpora"),
        (["A", "A"], None, "differ.*pass names"),
        (["A", "B/C"], None, "free of '/'"),
        (["A", None], None, "Corpus 1 has no name: pass names"),
        (["A", "B"], ["x"], "2 names"),
        (["A", "B"], ["x", "x"], "differ"),
    ],
)
def test_names_of_stacked_corpora(corpora, names, message):
    with pytest.raises(ValueError, match=message):
        stack_corpora(*map(corpus, corpora), names=names)


def test_rendered_faces_stack_with_photographs(london):
    stacked = stack_corpora(load_sample_faces(), load_london(london))
    assert stacked.images[0].shape[2:] == (3,)
    assert isinstance(stacked.images[-1], str)
    assert stacked.groups[-1] == "London/173"
    assert len(stacked.frame) == len(stacked.images)
    assert stacked.target.drop(columns="AU12")[-4:].isna().all(axis=None)


def test_names_can_be_given():
    assert stack_corpora(corpus("A"), corpus("A"), names=["x", "y"]).groups[-1] == "y/2"


def test_tables_as_other_programs_write_them(tmp_path):
    for content, message in (
        ("image,subject\na.png,José\n".encode("cp1252"), "faces.csv cannot be read: .*UTF-8"),
        (b"", "faces.csv cannot be read: No columns"),
        (b"image,subject\na.png,ann,1\n", "row 2 has more cells than the header .*',' in quotes"),
        (b'image,subject\na.png,"' + b"a" * 200_000, "cannot be read: .* EOF inside string"),
    ):
        (tmp_path / "faces.csv").write_bytes(content)
        with pytest.raises(ValueError, match=message):
            load_faces(tmp_path)


def left_out(folder, table, **kwargs):
    """Load a table, and return its AUs and what is said of others."""
    with pytest.warns(UserWarning, match="not read as AUs") as caught:
        corpus = load_faces(write(folder, table, images=False), **kwargs)
    return corpus, str(caught[0].message)


@pytest.fixture
def one_image(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("header", "aus"),
    [
        ("AU1, AU12", ["AU1", "AU12"]),
        ('AU1,"AU12 "', ["AU1", "AU12"]),
        ("AU 1,AU 12", ["AU1", "AU12"]),
        ("au01,Au_12", ["AU1", "AU12"]),
        ("AU#1,AU#12", ["AU1", "AU12"]),
        (" AU01_c, AU12_c", ["AU1", "AU12"]),  # OpenFace
        ("AU1,AU1_c", ["AU1"]),  # as the intensity beside a label
        ("AU4,browFurrow", ["AU4"]),
        ("AU01,AU12", ["AU1", "AU12"]),  # Py-Feat
    ],
)
def test_names_of_columns(one_image, header, aus):
    write(one_image, f"image,subject,{header}\na.png,ann,1,0\n", images=False)
    corpus = load_faces(one_image)
    assert corpus.au_names == aus
    assert corpus.target.iloc[0].tolist() == [1, 0][: len(aus)]


@pytest.mark.parametrize(
    ("header", "aus", "said"),
    [
        ("AU1,AU12_c", ["AU1"], r"AU12_c\. .*aus=\{'AU12': 'AU12_c', \.\.\.\}"),
        ("AU1,AU 12 left", ["AU1"], "AU 12 left"),
        ("AU_01_conf,AU12.", [], "AU_01_conf, AU12"),
        ("AU1,ActionUnit12", ["AU1"], "ActionUnit12"),
        ("AU(1),AU: 12", [], r"AU\(1\), AU: 12"),
        ("Brow Furrow,smile", [], r"Brow Furrow, smile.*aus=\{'AU4': 'Brow Furrow'"),  # AFFDEX
        ("AU1_r,AU12_r", [], "AU1_r, AU12_r. They are intensities: pass threshold="),
        ("AU1,AU6+12", ["AU1"], r"AU6\+12"),
        ("AUR12,AUL14", [], "AUR12, AUL14"),  # of one side, as FACS scores them
        ("FaceAU12,A.U. 14", [], r"FaceAU12, A\.U\. 14"),
        ("Lip Corner Puller,brow lowerer", [], "'AU12': 'Lip Corner Puller'"),
        ("Inner Brow Raiser,Dimpler", [], "'AU1': 'Inner Brow Raiser'"),
        ("12,04", [], "'AU12': '12'"),
        ("AU\u200b12,\uff21\uff3514", [], "AU\u200b12, \uff21\uff3514"),  # an unseen space, wide
    ],
)
def test_columns_that_look_like_aus_are_told_of(one_image, header, aus, said):
    corpus, message = left_out(one_image, f"image,subject,{header}\na.png,ann,1,0\n")
    assert corpus.au_names == aus
    assert re.search(said, message)


def test_openface(one_image):
    table = (
        "image, subject, frame, confidence, AU01_r, AU12_r, AU01_c, AU12_c, AU28_c\n"
        "a.png, ann, 1, 0.98, 0.40, 3.20, 0.00, 1.00, 1.00\n"
    )
    corpus = load_faces(write(one_image, table, images=False))
    assert corpus.target.iloc[0].to_dict() == {"AU1": 0, "AU12": 1, "AU28": 1}
    assert corpus.frame["AU12_r"].tolist() == [3.2]
    strong, message = left_out(one_image, table, threshold=3)
    assert strong.target.iloc[0].to_dict() == {"AU1": 0, "AU12": 1}
    assert "AU28_c" in message


def test_a_threshold_of_presences(one_image):
    write(one_image, "image,subject,AU01_c,AU12_c\na.png,ann,1,0\n", images=False)
    with pytest.raises(ValueError, match="presences, AU01_c, AU12_c, .* without a threshold"):
        load_faces(one_image, threshold=2)
    with pytest.warns(UserWarning, match="threshold of 2. They lie from 1 to 1; presences are"):
        load_faces(one_image, threshold=2, aus={1: "AU01_c"})
    write(one_image, "image,subject,AU1,AU12,AU25\na.png,ann,1,0,9\n", images=False)
    with pytest.warns(UserWarning, match="every AU is absent, .* They lie from 0 to 1; presences"):
        load_faces(one_image, threshold=2)


@pytest.mark.parametrize(
    "table",
    [
        "image;subject;AU1;age\na.png;ann;1;30,5\n",
        "image\tsubject\tAU1\tage\r\na.png\tann\t1\t30.5\r\n",
        "image|subject|AU1|age\na.png|ann|1|30.5\n",
        "sep=;\nimage;subject;AU1;age\na.png;ann;1;30,5\n",
        '"sep=,"\r\nimage,subject,AU1,age\r\na.png,ann,1,30.5\r\n',
        "\ufeffsep=\\t\nimage\tsubject\tAU1\tage\na.png\tann\t1\t30.5\n",
        'image , subject ,"AU1 ",age\n a.png , ann , 1 , 30.5 \n',
    ],
)
def test_separators(one_image, table):
    corpus = load_faces(write(one_image, table, images=False))
    assert corpus.groups.tolist() == ["ann"]
    assert corpus.target.to_dict("list") == {"AU1": [1]}
    assert corpus.frame["age"].tolist() == [30.5]


def test_rows_are_counted_as_an_editor_does(one_image):
    with pytest.raises(ValueError, match="AU1 of row 3 is 7"):
        load_faces(write(one_image, "sep=,\nimage,subject,AU1\na.png,ann,7\n", images=False))


def test_paths_from_windows(tmp_path):
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "a.png").write_bytes(b"")
    write(tmp_path, "image,subject,AU1\nann\\a.png,ann,1\n", images=False)
    assert load_faces(tmp_path).images.tolist() == [str(tmp_path / "ann" / "a.png")]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("AU1,AU01", r"'AU1' and 'AU01' both name AU1; rename one"),
        ("AU1,AU1 ", "two columns are called 'AU1'"),
        ("au1_c,AU01_c", "'au1_c' and 'AU01_c' both name AU1"),
    ],
)
def test_two_columns_of_one_au(one_image, header, message):
    table = f"image,subject,{header}\na.png,ann,1,0\n"
    with pytest.raises(ValueError, match=message):
        load_faces(write(one_image, table, images=False))


def test_rows_that_excel_emptied_and_breaks_of_lines_in_names(one_image):
    table = '\n\nimage;subject;"AU\n1";frame\n;;;\na.png;ann;1;7\n\n;;;\n'
    corpus = load_faces(write(one_image, table, images=False))
    assert corpus.target.to_dict("list") == {"AU1": [1.0]}
    assert corpus.frame["frame"].tolist() == [7]
    assert corpus.frame["frame"].dtype == int
    table = "image,subject,AU1\n\n,,\na.png,ann,7\n"
    with pytest.raises(ValueError, match="AU1 of row 4 is 7"):
        load_faces(write(one_image, table, images=False))
    with pytest.raises(ValueError, match="row 4 has more cells than the header has names"):
        load_faces(write(one_image, table.replace("7", "1,1"), images=False))


@pytest.mark.parametrize(
    ("row", "number"), [("b.png,ann,0", 3), ("b.png", 3), ("\nb.png,ann,0,", 4)]
)
def test_rows_that_are_cut_off(one_image, row, number):
    table = f"image,subject,AU1,AU2,note\na.png,ann,1,0,\n{row}\n\n"
    with pytest.raises(ValueError, match=rf"row {number} has fewer cells than .* write it anew"):
        load_faces(write(one_image, table, images=False))
    table = "image,subject,AU1,\na.png,ann,1\n,,,\n,\n"  # a column without a name
    assert load_faces(write(one_image, table, images=False)).target["AU1"].tolist() == [1]


def test_paths_from_macos_and_one_image_under_two_names(one_image):
    (one_image / "\u00fc.png").write_bytes(b"")
    write(one_image, "image,subject,AU1\nu\u0308.png,ann,1\n", images=False)
    assert load_faces(one_image).images.tolist() == [str(one_image / "\u00fc.png")]
    write(one_image, "image,subject,AU1\na.png,ann,1\n./a.png,bob,0\n", images=False)
    with pytest.raises(ValueError, match="./a.png is listed in row 2 and again in row 3"):
        load_faces(one_image)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"threshold": nan}, ValueError, "threshold must be a finite number, not nan"),
        ({"threshold": "1"}, ValueError, "threshold must be a finite number, not '1'"),
        ({"unknown": 9}, ValueError, "unknown must be a list of numbers, not 9"),
        ({"unknown": ["NA"]}, ValueError, "unknown must be a list of numbers"),
        ({"aus": 1}, ValueError, "aus must be a list of AUs such as .*, not 1"),
        ({"aus": "AU1"}, ValueError, "aus must be a list of AUs such as .*, not 'AU1'"),
        ({"csv": 3}, TypeError, "csv must be a path"),
    ],
)
def test_arguments_that_are_none(one_image, arguments, error, message):
    write(one_image, "image,subject,AU1\na.png,ann,1\n", images=False)
    with pytest.raises(error, match=message):
        load_faces(one_image, **arguments)
    with pytest.raises(TypeError, match="folder must be a path"):
        load_faces(None)


def test_labels_that_are_no_numbers_are_named(one_image):
    table = "image,subject,AU1\na.png,ann,present\n"
    with pytest.raises(ValueError, match=r"AU1 of row 2 is 'present'. Write 1 where an AU is"):
        load_faces(write(one_image, table, images=False))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((("x", "y"), ("x", "y")), "Corpus 0 is a tuple: pass what a loader returned"),
        (([corpus("A"), corpus("B")],), r"one by one: stack_corpora\(\*corpora\)"),
        ((corpus("A"), pd.DataFrame()), "Corpus 1 is a DataFrame"),
    ],
)
def test_what_is_no_corpus(arguments, message):
    with pytest.raises(TypeError, match=message):
        stack_corpora(*arguments)


def test_incomplete_corpora():
    with pytest.raises(ValueError, match="Corpus 1 has no groups"):
        stack_corpora(corpus("A"), Bunch(images=[], target=[], au_names=[]))
    short = corpus("B")
    short.groups = short.groups[:1]
    with pytest.raises(ValueError, match="2 images, 2 rows of target and 1 groups"):
        stack_corpora(corpus("A"), short)


def test_a_person_written_in_two_ways_is_told(tmp_path):
    names = ["001", "1", "Zo\u00eb", "Zoe\u0308", "anna m", "Anna_M", "S1_1", "S11", "2", "2.0"]
    rows = "".join(f"{k}.png,{name},{k % 2}\n" for k, name in enumerate(names))
    (tmp_path / "labels.csv").write_text(f"image,subject,AU1\n{rows}", encoding="utf-8")
    for k in range(len(names)):
        (tmp_path / f"{k}.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="may be one person") as told:
        faces = load_faces(tmp_path)
    (message,) = (str(warning.message) for warning in told)
    for pair in ("'001' and '1'", "'anna m' and 'Anna_M'", "'2' and '2.0'"):
        assert pair in message
    assert "S1" not in message
    assert "Zo" not in message
    assert faces.groups[2] == faces.groups[3] == "Zo\u00eb"  # one name in two codes of Unicode


@pytest.mark.parametrize("code", [-2, -99, 99, 888])
def test_another_code_of_unknown_is_no_intensity(tmp_path, code):
    (tmp_path / "labels.csv").write_text(f"image,subject,AU1\na.png,p,{code}\nb.png,q,4\n")
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(b"")
    with pytest.raises(
        ValueError, match=rf"AU1 of row 2 is {code}, which is neither an intens.*9"
    ):
        load_faces(tmp_path, threshold=2)
    for others in ([9], [-1, 9], np.array([999.0, 9, -1]), (0,)):
        with pytest.raises(ValueError, match=rf"AU1 of row 2 is {code}, which is neither"):
            load_faces(tmp_path, threshold=2, unknown=others)
    assert load_faces(tmp_path, threshold=2, unknown=[]).target["AU1"][0] == (code > 0)
    assert load_faces(tmp_path, threshold=2, unknown=[code]).target["AU1"].isna()[0]
    (tmp_path / "labels.csv").write_text("image,subject,AU1\na.png,p,999\nb.png,q,4\n")
    with pytest.raises(ValueError, match=r"AU1 of row 2 is 999, which .* unknown code \(9\)"):
        load_faces(tmp_path, threshold=2, unknown=[9])
    (tmp_path / "labels.csv").write_text("image,subject\na.png,p\nb.png,q\n")
    assert load_faces(tmp_path, threshold=2).target.shape == (2, 0)
    if code == 99:  # one of percent
        (tmp_path / "labels.csv").write_text("image,subject,AU1\na.png,p,99\nb.png,q,40\n")
        assert load_faces(tmp_path, threshold=50).target["AU1"].tolist() == [1, 0]
