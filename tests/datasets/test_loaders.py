"""Loaders on copies of the official layouts, against labels worked out by hand."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skau.datasets import load_bp4d, load_celeba, load_disfa, load_london, load_unbc

nan = np.nan


def names(corpus):
    return [Path(path).relative_to(Path(path).parents[2]).as_posix() for path in corpus.images]


def load_and_listen(load, folder, **kwargs):
    """Return the corpus and what its warnings say; they point at the line that loads."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        corpus = load(folder, **kwargs)
    assert all(warning.filename == __file__ for warning in caught)
    return corpus, "\n".join(str(warning.message) for warning in caught)


def assert_whole(corpus, n):
    """Check what every corpus promises."""
    assert len(corpus.images) == len(corpus.groups) == len(corpus.target) == n
    assert all(isinstance(path, str) and Path(path).is_file() for path in corpus.images)
    assert corpus.groups.dtype.kind == "U"
    assert list(corpus.target) == corpus.au_names
    assert all(dtype == np.float64 for dtype in corpus.target.dtypes)
    assert (corpus.target.isin([0, 1]) | corpus.target.isna()).all(axis=None)
    assert list(corpus.frame["image"]) == list(corpus.images)
    assert list(corpus.frame["subject"]) == list(corpus.groups)
    pd.testing.assert_frame_equal(corpus.frame[corpus.au_names], corpus.target)
    assert corpus.DESCR.startswith(corpus.name)
    assert f"{n} images" in corpus.DESCR


# BP4D


def load_bp4d_with_gap(folder, **kwargs):
    with pytest.warns(UserWarning, match=r"F001/T1 lacks 1 of 4 \(3\)"):
        return load_bp4d(folder, **kwargs)


def test_bp4d_labels(bp4d):
    corpus = load_bp4d_with_gap(bp4d)
    assert_whole(corpus, 7)
    assert corpus.au_names == [f"AU{n}" for n in (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)]
    assert names(corpus) == [
        "F001/T1/0001.jpg",
        "F001/T1/0002.jpg",
        "F001/T1/0004.jpg",
        "F001/T2/0010.jpg",
        "F001/T2/0011.jpg",
        "M009/T1/001.jpg",
        "M009/T1/002.jpg",
    ]
    assert corpus.groups.tolist() == ["F001"] * 5 + ["M009"] * 2
    np.testing.assert_array_equal(corpus.target["AU12"], [1, 1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(corpus.target["AU6"], [0, nan, 0, 0, 0, 0, 0])  # a code 9
    np.testing.assert_array_equal(corpus.target["AU4"], [0, 0, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(corpus.target["AU1"], [0, 0, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(corpus.target["AU24"], [0, 0, 0, 0, 0, 1, 0])
    assert corpus.frame["sequence"].tolist() == ["F001/T1"] * 3 + ["F001/T2"] * 2 + ["M009/T1"] * 2
    assert corpus.frame["frame"].tolist() == [1, 2, 4, 10, 11, 1, 2]
    assert "left out because nobody coded their frames: 1." in corpus.DESCR
    assert corpus.folds["P1"][0] == "F001"


def test_bp4d_uncoded_frames_can_be_kept(bp4d):
    corpus = load_bp4d_with_gap(bp4d, uncoded=True)
    assert_whole(corpus, 8)
    row = names(corpus).index("F001/T1/0005.jpg")
    assert corpus.target.iloc[row].isna().all()


def test_bp4d_other_aus_and_images_that_count_from_zero(bp4d):
    corpus = load_bp4d_with_gap(bp4d, aus=["AU12", 5])
    assert corpus.au_names == ["AU12", "AU5"]
    assert corpus.target["AU5"].isna().all()  # 9 throughout
    shifted, told = load_and_listen(load_bp4d, bp4d, first_frame=0)
    assert "no image has the number first_frame=0; if images count from another" in told
    # Image 0001 shows the second frame then, and image 0004 the fifth, which is not coded.
    assert names(shifted)[0] == "F001/T1/0001.jpg"
    assert shifted.frame["frame"].tolist()[0] == 2
    np.testing.assert_array_equal(shifted.target["AU6"].iloc[0], nan)


def test_bp4d_flat_label_folder_and_images_elsewhere(bp4d, tmp_path):
    shutil.rmtree(bp4d / "AUCoding" / "AU_INT")
    for path in (bp4d / "AUCoding" / "AU_OCC").iterdir():
        path.rename(bp4d / "AUCoding" / path.name)
    (bp4d / "Sequences(2D+3D)").rename(tmp_path / "crops")
    with pytest.raises(FileNotFoundError, match=r"expected images such as F001/T1/0001.jpg"):
        load_bp4d(bp4d)
    corpus = load_bp4d_with_gap(bp4d, image_folder=tmp_path / "crops")
    assert_whole(corpus, 7)


def test_bp4d_task_without_label_file(bp4d):
    (bp4d / "AUCoding" / "AU_OCC" / "F001_T2.csv").unlink()
    corpus, told = load_and_listen(load_bp4d, bp4d)
    assert "images without a label file are kept as rows of NaN: F001/T2 (2)" in told
    assert_whole(corpus, 7)
    assert corpus.target[corpus.frame["sequence"] == "F001/T2"].isna().all(axis=None)


def test_bp4d_subject_without_images(bp4d):
    shutil.rmtree(bp4d / "Sequences(2D+3D)" / "M009")
    corpus, told = load_and_listen(load_bp4d, bp4d)
    assert "subjects with labels but without any image are left out: M009" in told
    assert "M009/T1" not in told
    assert set(corpus.groups) == {"F001"}


def test_bp4d_named_header_and_absent_column(bp4d):
    # Later releases write only the AUs they code, and the first column's header is anything.
    path = bp4d / "AUCoding" / "AU_OCC" / "M009_T1.csv"
    path.write_text(
        "1,AU1,AU02,4,6,7,10,12,14,15,17,23\n1,1,0,0,0,0,0,0,0,0,0,0\n2,0,0,0,0,0,0,1,0,0,0,9\n"
    )
    corpus, told = load_and_listen(load_bp4d, bp4d)
    assert "AUs without a column are NaN: AU24 in M009_T1.csv" in told
    last = corpus.target[corpus.groups == "M009"]
    assert last["AU1"].tolist() == [1, 0]
    assert last["AU12"].tolist() == [0, 1]
    np.testing.assert_array_equal(last["AU23"], [0, nan])
    assert last["AU24"].isna().all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0,1,12\n1,0,3\n", r"AU12 of row 1 is 3, which is neither 0 or 1"),
        ("0,1,12\n1,0,1\n1,0,0\n", "frame 1 is listed twice; keep one of its lines"),
        ("frame,brow,smile\n1,0,1\n", "expected AU numbers in the first line"),
        (
            "0,30,31\n1,0,1\n",
            r"none of AU1.* is in the first line: 30, 31\. Correct it, or pass other AUs",
        ),
        ("1,0,1,0,9\n2,0,1,0,9\n", "the header is missing: put one in front"),
        ("1,0\n2,1\n", "the header is missing"),
        ("0,1,12\n1,0,yes\n", "labels have to be numbers"),
        ("", "cannot be read"),
        (",,\n,,\n", "cannot be read"),
        ("0,1,12\n1,0\n2,1,1\n", "line 2 has fewer cells than others. .* write it anew"),
        ("0,1,12\n\n1,0,1\n,0,1\n", "line 4 has to begin with the number .* with nan; correct it"),
        ("0,1,12\n1.5,0,1\n2.5,0,1\n", "line 2 has to begin with the .* with 1.5; correct"),
        ("0,1,1.5\n1,0,1\n", "expected AU numbers in the first line"),
        ("0,1,12\n0,0,1\n1,0,1\n", "frame 0 is coded, .* count from 0, add 1 to the frame of"),
    ],
)
def test_bp4d_bad_label_file(bp4d, content, message):
    path = bp4d / "AUCoding" / "AU_OCC" / "M009_T1.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        load_bp4d(bp4d)
    assert "M009_T1.csv" in str(error.value)


def test_bp4d_empty_rows_and_columns(bp4d):
    path = bp4d / "AUCoding" / "AU_OCC" / "M009_T1.csv"
    path.write_text("0,1,12,\n1,0,1,\n\n2,9,0\n,,,\n,,\n")  # as Excel leaves them
    corpus = load_bp4d_with_gap(bp4d, aus=[1, 12])
    labels = corpus.target[corpus.groups == "M009"]
    np.testing.assert_array_equal(labels, [[0, 1], [nan, 0]])


def test_bp4d_two_files_of_one_frame(bp4d):
    folder = bp4d / "Sequences(2D+3D)" / "M009" / "T1"
    shutil.copy(folder / "001.jpg", folder / "0001.jpg")
    with pytest.raises(ValueError, match="are both frame 1"):
        load_bp4d(bp4d)


def test_bp4d_image_without_a_number(bp4d):
    folder = bp4d / "Sequences(2D+3D)" / "M009" / "T1"
    (folder / "001.jpg").rename(folder / "first.jpg")
    with pytest.raises(ValueError, match=r"first.jpg: expected a frame number .*; rename"):
        load_bp4d(bp4d)


def test_bp4d_two_copies_of_the_images(bp4d):
    shutil.copytree(bp4d / "Sequences(2D+3D)", bp4d / "resized")
    with pytest.raises(ValueError, match="in more than one place"):
        load_bp4d(bp4d)
    assert len(load_bp4d_with_gap(bp4d, image_folder=bp4d / "resized").images) == 7


# DISFA


def load_disfa_with_gap(folder, **kwargs):
    with pytest.warns(UserWarning, match=r"SN010/\w+ lacks 1 of 4 \(4\)"):
        return load_disfa(folder, **kwargs)


def test_disfa_labels(disfa):
    corpus = load_disfa_with_gap(disfa)
    assert_whole(corpus, 7)
    assert len(corpus.au_names) == 12
    assert names(corpus)[0] == "Videos_LeftCamera/LeftVideoSN001_comp/00001.png"
    assert corpus.groups.tolist() == ["SN001"] * 4 + ["SN010"] * 3
    np.testing.assert_array_equal(corpus.target["AU12"], [0, 0, 1, 1, 1, 1, 0])
    np.testing.assert_array_equal(corpus.target["AU4"], [1, nan, 0, nan, 0, 0, 0])
    assert corpus.folds["P1"][:2] == ["SN001", "SN002"]


@pytest.mark.parametrize(
    ("threshold", "smile"), [(1, [0, 1, 1, 1]), (2, [0, 0, 1, 1]), (5, [0, 0, 0, 1])]
)
def test_disfa_threshold(disfa, threshold, smile):
    corpus = load_disfa_with_gap(disfa, threshold=threshold)
    assert corpus.target["AU12"].tolist()[:4] == smile
    np.testing.assert_array_equal(corpus.target["AU4"].iloc[[1, 3]], [nan, nan])


def test_disfa_cameras(disfa):
    right = load_disfa_with_gap(disfa, camera="right")
    assert all("RightVideo" in path for path in right.images)
    both = load_disfa_with_gap(disfa, camera="both")
    assert_whole(both, 14)
    assert set(both.groups) == {"SN001", "SN010"}
    assert sorted(set(both.frame["sequence"])) == [
        "SN001/left",
        "SN001/right",
        "SN010/left",
        "SN010/right",
    ]
    with pytest.raises(ValueError, match="AU7 is not coded in DISFA"):
        load_disfa(disfa, aus=["AU7"])
    with pytest.raises(ValueError, match="camera must be"):
        load_disfa(disfa, camera="front")


def test_disfa_frames_that_count_from_zero(disfa):
    folder = disfa / "Videos_LeftCamera" / "LeftVideoSN001_comp"
    for frame in range(1, 5):
        (folder / f"{frame:05}.png").rename(folder / f"{frame - 1}.png")
    with pytest.raises(ValueError, match="holds an image 0, but first_frame=1"):
        load_disfa(disfa)
    shutil.rmtree(disfa / "Videos_LeftCamera" / "LeftVideoSN010_comp")
    with pytest.warns(UserWarning, match="without any image are left out: SN010"):
        corpus = load_disfa(disfa, first_frame=0)
    assert corpus.target["AU12"].tolist() == [0, 0, 1, 1]
    assert Path(corpus.images[0]).name == "0.png"


@pytest.mark.parametrize("load", [load_bp4d, load_disfa])
@pytest.mark.parametrize("first_frame", ["1", 1.0, None])
def test_a_first_frame_that_is_none(load, first_frame, request):
    folder = request.getfixturevalue(load.__name__.removeprefix("load_"))
    with pytest.raises(ValueError, match=f"first_frame must be a whole .*, not {first_frame!r}"):
        load(folder, first_frame=first_frame)


def test_disfa_frames_in_folders_named_by_subject(disfa, tmp_path):
    crops = tmp_path / "crops"
    for subject in ("SN001", "SN010"):
        shutil.copytree(disfa / "Videos_LeftCamera" / f"LeftVideo{subject}_comp", crops / subject)
    assert len(load_disfa_with_gap(disfa, image_folder=crops, camera="right").images) == 7
    crops.rename(disfa / "crops")
    for folder in ("Videos_LeftCamera", "Video_RightCamera"):
        shutil.rmtree(disfa / folder)
    assert load_disfa_with_gap(disfa).frame["sequence"].iloc[0] == "SN001/left"
    (disfa / "crops").rename(crops)
    with pytest.raises(ValueError, match="does not say which camera"):
        load_disfa(disfa, image_folder=crops, camera="both")


def test_disfa_missing_au_file_and_missing_subject(disfa):
    (disfa / "ActionUnit_Labels" / "SN001" / "SN001_au5.txt").unlink()
    shutil.rmtree(disfa / "ActionUnit_Labels" / "SN010")
    corpus, told = load_and_listen(load_disfa, disfa)
    assert "AU5 of SN001" in told
    assert "images without a label file are kept as rows of NaN: SN010/left (3)" in told
    assert_whole(corpus, 7)
    assert corpus.target["AU5"].isna().all()
    assert corpus.target[corpus.groups == "SN010"].isna().all(axis=None)
    assert corpus.target["AU12"].tolist()[:4] == [0, 0, 1, 1]


def test_disfa_missing_frame_and_missing_subject(disfa):
    (disfa / "Videos_LeftCamera" / "LeftVideoSN001_comp" / "00003.png").unlink()
    shutil.rmtree(disfa / "Videos_LeftCamera" / "LeftVideoSN010_comp")
    corpus, told = load_and_listen(load_disfa, disfa)
    assert "SN001/left lacks 1 of 4 (3)" in told
    assert "without any image are left out: SN010" in told
    assert corpus.target["AU12"].tolist() == [0, 0, 1]


def test_disfa_image_without_a_label_line(disfa):
    for au in (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26):
        path = disfa / "ActionUnit_Labels" / "SN001" / f"SN001_au{au}.txt"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    path.write_text("1,0\n2,0\n")  # AU26
    corpus, told = load_and_listen(load_disfa, disfa)
    assert "images without a label are kept as rows of NaN: SN001/left frame 4" in told
    assert "frames that one AU's label file lacks are NaN: AU26 of SN001 (1 of 3)." in told
    assert_whole(corpus, 7)
    assert corpus.target.iloc[3].isna().all()
    assert corpus.target.iloc[2].notna().sum() == 11  # all but AU26
    _, told = load_and_listen(load_disfa, disfa, camera="both")
    assert told.count("AU26 of SN001") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot be read"),
        ("1,0\n2,7\n", "is 7"),
        ("1,0\n2,-3\n", "is -3"),
        ("1,0\n2,x\n", "labels have to be numbers"),
        ("1\n2\n", "expected lines"),
        ("a,0\nb,0\n", "line 1 has to begin with the number .* with a;"),
        ("0,0\n1,2\n", "frame 0 is coded, but labels count from 1. .* add 1 to the frame of"),
        ("1,0\n\n2\n", "line 3 has fewer cells than others"),
        ("1,0\n1,0\n", "frame 1 is listed twice; keep one of its lines"),
    ],
)
def test_disfa_bad_label_file(disfa, content, message):
    path = disfa / "ActionUnit_Labels" / "SN001" / "SN001_au9.txt"
    path.write_text(content)
    with pytest.raises(ValueError, match=rf"SN001_au9\.txt.*{message}"):
        load_disfa(disfa)


def test_disfa_label_files_of_other_spellings(disfa):
    expected = load_disfa_with_gap(disfa)
    folder = disfa / "ActionUnit_Labels"
    for path in sorted((folder / "SN001").iterdir()):
        au = int(path.stem.partition("_au")[2])
        path.rename(path.with_name(f"SN001_AU{au:02}.txt"))
    (folder / "SN010").rename(folder / "sn010")
    found = load_disfa_with_gap(disfa)
    pd.testing.assert_frame_equal(found.target, expected.target)
    for path in (folder / "sn010").iterdir():
        path.rename(path.with_suffix(".csv"))
    with pytest.raises(FileNotFoundError, match=r"such as SN010_au1.txt under .*sn010, but found"):
        load_disfa(disfa)


def test_disfa_without_extracted_frames(disfa):
    for video in ("SN001", "SN010"):
        shutil.rmtree(disfa / "Videos_LeftCamera" / f"LeftVideo{video}_comp")
    with pytest.raises(FileNotFoundError, match=r"extract their frames first.*ffmpeg"):
        load_disfa(disfa)


# UNBC


def test_unbc_labels(unbc):
    corpus = load_unbc(unbc)
    assert_whole(corpus, 6)
    assert corpus.groups.tolist() == ["042-ll042"] * 4 + ["043-jh043"] * 2
    assert Path(corpus.images[0]).name == "ll042t1aaaff001.png"
    np.testing.assert_array_equal(corpus.target["AU4"], [0, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(corpus.target["AU43"], [0, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(corpus.target["AU12"], [0, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(corpus.frame["pspi"], [0, 4, 3, 0, 5, 0])
    assert (corpus.frame[["vas", "opr", "sen", "aff"]] == [3, 2, 7, 1]).all(axis=None)
    assert corpus.folds is None
    assert len(corpus.au_names) == 11


def test_unbc_threshold_leaves_au43_alone(unbc):
    corpus = load_unbc(unbc, threshold=3, aus=(4, 6, 25, 43))
    np.testing.assert_array_equal(corpus.target[:3], [[0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 1, 0]])


def test_unbc_an_au_listed_twice_counts_once(unbc):
    folder = unbc / "Frame_Labels" / "FACS" / "043-jh043" / "jh043t1aeaff"
    (folder / "jh043t1aeaff002_facs.txt").write_text("4 3 0 0\n\n4 1 0 0\n")
    assert load_unbc(unbc, threshold=3).target["AU4"].iloc[-1] == 1


@pytest.mark.parametrize("part", ["Frame_Labels/FACS", "Frame_Labels/PSPI", "Sequence_Labels/VAS"])
def test_unbc_two_folders_of_one_part(unbc, part):
    (unbc / "copy" / part).mkdir(parents=True)
    with pytest.raises(ValueError, match="copy"):
        load_unbc(unbc)


def test_unbc_empty_folder(unbc):
    (unbc / "Images" / "047-jl047" / "jl047t1aaaff").mkdir(parents=True)
    assert_whole(load_unbc(unbc), 6)


def test_unbc_missing_files(unbc):
    labels = unbc / "Frame_Labels"
    (labels / "FACS" / "042-ll042" / "ll042t1aaaff" / "ll042t1aaaff002_facs.txt").unlink()
    shutil.rmtree(labels / "FACS" / "042-ll042" / "ll042t1afaff")
    (labels / "PSPI" / "043-jh043" / "jh043t1aeaff" / "jh043t1aeaff001_facs.txt").unlink()
    shutil.rmtree(unbc / "Sequence_Labels" / "SEN")
    corpus, told = load_and_listen(load_unbc, unbc)
    assert "images without a label are kept as rows of NaN: ll042t1aaaff frame 2" in told
    assert "images without a label file are kept as rows of NaN: ll042t1afaff (1)" in told
    assert "images without a pain score: jh043t1aeaff (1)" in told
    assert_whole(corpus, 6)
    np.testing.assert_array_equal(corpus.target["AU4"], [0, nan, 1, nan, 0, 0])
    np.testing.assert_array_equal(corpus.frame["pspi"], [0, 4, 3, 0, nan, 0])
    assert "sen" not in corpus.frame


def test_unbc_missing_images(unbc):
    (unbc / "Images" / "042-ll042" / "ll042t1aaaff" / "ll042t1aaaff003.png").unlink()
    shutil.rmtree(unbc / "Images" / "043-jh043")
    corpus, told = load_and_listen(load_unbc, unbc)
    assert "ll042t1aaaff lacks 1 of 3 (3)" in told
    assert "without any image are left out: 043-jh043" in told
    assert_whole(corpus, 3)


def test_unbc_two_subjects_with_sequences_of_one_name(unbc):
    expected = load_unbc(unbc)
    named = {"ll042t1aaaff": "t1", "ll042t1afaff": "t2", "jh043t1aeaff": "t1"}
    paths = (p for p in unbc.rglob("*") if p.name.startswith(tuple(named)))
    for path in sorted(paths, reverse=True):  # what is in a folder goes before it
        path.rename(path.with_name(f"{named[path.name[:12]]}_{path.name[12:]}".replace("_.", ".")))
    for folder in unbc.rglob("t?_"):
        folder.rename(folder.with_name(folder.name[:2]))
    scores = unbc / "Sequence_Labels" / "VAS" / "042-ll042" / "t1.txt"
    scores.write_text("9")
    found = load_unbc(unbc)
    pd.testing.assert_frame_equal(found.target, expected.target)
    np.testing.assert_array_equal(found.frame["pspi"], expected.frame["pspi"])
    assert found.frame["vas"].tolist() == [9, 9, 9, 3, 3, 3]
    (unbc / "Frame_Labels/PSPI/042-ll042/t1/t1_002_facs.txt").unlink()
    found, told = load_and_listen(load_unbc, unbc)
    assert "images without a pain score: t1 (1)" in told
    np.testing.assert_array_equal(found.frame["pspi"], [0, nan, 3, 0, 5, 0])


def test_unbc_unpacked_into_folders_of_the_same_name(unbc):
    for name in ("Images", "Frame_Labels"):
        (unbc / name).rename(unbc / "inner")
        (unbc / name).mkdir()
        (unbc / "inner").rename(unbc / name / name)
    assert_whole(load_unbc(unbc), 6)


def test_unbc_bad_files(unbc):
    with pytest.raises(ValueError, match="AU1 is not coded in UNBC"):
        load_unbc(unbc, aus=(1, 4))
    with pytest.raises(ValueError, match="threshold must be above 0 and at most 5, not 0"):
        load_unbc(unbc, threshold=0)
    path = (
        unbc / "Frame_Labels" / "FACS" / "042-ll042" / "ll042t1aaaff" / "ll042t1aaaff001_facs.txt"
    )
    path.write_bytes(b"four \xff\n")
    with pytest.raises(ValueError, match=r"ll042t1aaaff001_facs.txt: expected an AU .* in 'four"):
        load_unbc(unbc)
    path.write_text("4.0 6.0 0 0\n")
    with pytest.raises(ValueError, match="AU4 of row 1 is 6, which is neither an intensity"):
        load_unbc(unbc)
    path.write_text("4.0 5.0 0 0\n")
    pain = unbc / "Frame_Labels" / "PSPI" / path.relative_to(unbc / "Frame_Labels" / "FACS")
    pain.write_bytes(b"3 or \xff\n")
    with pytest.raises(ValueError, match="001_facs.txt: expected one number, not '3 or .*NaN"):
        load_unbc(unbc)


# CelebA and London


def test_celeba(celeba):
    corpus = load_celeba(celeba)
    assert_whole(corpus, 4)
    assert corpus.groups.tolist() == ["2880", "2937", "2880", "2937"]
    assert corpus.target.shape == (4, 0)
    assert corpus.target.isna().all(axis=None)


def test_celeba_gaps(celeba):
    images = celeba / "Img" / "img_align_celeba"
    (images / "000002.jpg").rename(images / "999999.jpg")
    corpus, told = load_and_listen(load_celeba, celeba)
    assert "images without an identity are left out: 999999.jpg" in told
    assert "not there are left out: 000002.jpg" in told
    assert corpus.groups.tolist() == ["2880", "2880", "2937"]


def test_celeba_line_that_is_cut_off(celeba):
    file = celeba / "Anno" / "identity_CelebA.txt"
    file.write_text(file.read_text().removesuffix(" 2937 \n"))
    with pytest.raises(ValueError, match="CelebA.txt: line 4 has fewer cells than others"):
        load_celeba(celeba)


def test_celeba_image_of_two_people(celeba):
    file = celeba / "Anno" / "identity_CelebA.txt"
    file.write_text(file.read_text() + "000001.jpg 6\n")
    with pytest.raises(ValueError, match="CelebA.txt: 000001.jpg is listed twice; keep one"):
        load_celeba(celeba)


def test_celeba_all_in_one_folder_twice(celeba, tmp_path):
    root = tmp_path / "flat"
    shutil.copytree(
        celeba / "Img" / "img_align_celeba", root / "img_align_celeba" / "img_align_celeba"
    )
    shutil.copy(celeba / "Anno" / "identity_CelebA.txt", root)
    assert_whole(load_celeba(root), 4)
    assert len(load_celeba(root, image_folder=celeba / "Img" / "img_align_celeba").images) == 4


def test_london(london):
    corpus = load_london(london)
    assert_whole(corpus, 4)
    assert [Path(path).name for path in corpus.images] == [
        "001_03.jpg",
        "001_08.jpg",
        "173_03.jpg",
        "173_08.jpg",
    ]
    assert corpus.groups.tolist() == ["001", "001", "173", "173"]
    assert corpus.target["AU12"].tolist() == [0, 1, 0, 1]
    np.testing.assert_array_equal(corpus.frame["age"], [24, 24, nan, nan])
    assert corpus.frame["gender"].tolist() == ["female", "female", "male", "male"]
    assert corpus.frame["ethnicity"].tolist()[-1] == "east_asian"


def test_london_gaps(london):
    (london / "smiling_front" / "smiling_front" / "173_08.jpg").unlink()
    info = london / "london_faces_info.csv"
    info.write_text(info.read_text() + "X004,30,male,black\n")
    with pytest.warns(UserWarning, match="without a photograph are left out: 004"):
        corpus = load_london(london)
    assert corpus.groups.tolist() == ["001", "001", "173"]
    info.unlink()
    assert load_london(london).frame["age"].isna().all()
    shutil.rmtree(london / "smiling_front")
    with pytest.raises(FileNotFoundError, match=r"such as smiling_front/001_03\.jpg"):
        load_london(london)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("face_id,face_age\nX001,20\nX001,21\n", "subject 001 has a second row, 3; keep one"),
        ("face_id,face_age\n001,20\n\nX001,21\n", "subject 001 has a second row, 4"),
        ("face_id,face_sex,face_gender\nX001,f,f\n", "face_sex and face_gender both say gender"),
    ],
)
def test_london_demographics_twice(london, table, message):
    (london / "london_faces_info.csv").write_text(table)
    with pytest.raises(ValueError, match=f"london_faces_info.csv: {message}"):
        load_london(london)


def test_london_demographics_of_nobody(london):
    info = london / "london_faces_info.csv"
    info.write_text(info.read_text() + "somebody,30,male,black\n")
    with pytest.warns(UserWarning, match="without a photograph are left out: somebody"):
        load_london(london)


def test_london_resized_copy(shared):
    corpus = load_london(shared / "london")
    assert_whole(corpus, 144)
    assert len(set(corpus.groups)) == 72
    assert corpus.groups[0] == "001"
    assert corpus.target["AU12"].sum() == 72
    assert {"age", "gender", "ethnicity", "left_eye_x"} <= set(corpus.frame)


# All of them


LOADERS = [load_bp4d, load_disfa, load_unbc, load_celeba, load_london]


@pytest.mark.parametrize("load", LOADERS)
def test_wrong_folder(load, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="but found an empty folder"):
        load(tmp_path)
    (tmp_path / "holiday").mkdir()
    (tmp_path / "beach.jpg").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"expected .* but found beach.jpg, holiday/"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("load", "fixture"),
    [
        (load_bp4d, "bp4d"),
        (load_disfa, "disfa"),
        (load_unbc, "unbc"),
        (load_celeba, "celeba"),
        (load_london, "london"),
    ],
)
@pytest.mark.filterwarnings("ignore:BP4D", "ignore:DISFA")
def test_return_conventions(load, fixture, request):
    folder = request.getfixturevalue(fixture)
    corpus = load(str(folder))
    arrays = load(folder, as_frame=False)
    assert arrays.frame is None
    assert isinstance(arrays.target, np.ndarray)
    assert arrays.target.flags.writeable
    np.testing.assert_array_equal(arrays.target, corpus.target.to_numpy())
    # Where a user applies for the data.
    assert "https://" in load.__doc__ or "http://" in load.__doc__


def test_bp4d_whose_images_count_from_zero(bp4d):
    images = bp4d / "Sequences(2D+3D)" / "F001" / "T1"
    shutil.copy(images / "0001.jpg", images / "0000.jpg")
    with pytest.raises(ValueError, match="an image 0, but first_frame=1.*pass first_frame=0"):
        load_bp4d(bp4d)


FRAME = "042-ll042/ll042t1afaff/ll042t1afaff001_facs.txt"


@pytest.mark.parametrize(
    ("load", "file", "twin"),
    [
        (load_bp4d, "AUCoding/AU_OCC/F001_T1.csv", "f001_t1.csv"),
        (load_disfa, "ActionUnit_Labels/SN001/SN001_au1.txt", "SN001_au01.txt"),
        (load_unbc, f"Frame_Labels/FACS/{FRAME}", "1_facs.txt"),
        (load_unbc, f"Frame_Labels/PSPI/{FRAME}", "1_facs.txt"),
    ],
)
def test_two_files_of_the_same_labels(load, file, twin, request):
    folder = request.getfixturevalue(load.__name__.removeprefix("load_"))
    shutil.copy(folder / file, (folder / file).with_name(twin))
    with pytest.raises(
        ValueError, match="and .* hold labels of the same frames: keep one"
    ) as error:
        load(folder)
    assert twin in str(error.value)
    assert Path(file).name in str(error.value)


def test_a_mistyped_image_folder_is_named(celeba):
    with pytest.raises(FileNotFoundError, match=r"no folder .*gone.*\(image_folder\)"):
        load_celeba(celeba, image_folder=celeba / "gone")
