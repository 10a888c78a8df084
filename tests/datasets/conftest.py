"""Small copies of the corpora's official folders: true names and quirks, made-up data."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image


def picture(path: Path) -> None:
    """Write the smallest of photographs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (200, 160, 140)).save(path)


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def bp4d_csv(path: Path, rows: dict[int, dict[int, int]]) -> None:
    """Write AU_OCC codes: columns 0 to 99, 9 wherever nothing else is said."""
    lines = [",".join(map(str, range(100)))]
    for frame, codes in rows.items():
        lines.append(",".join([str(frame), *(str(codes.get(au, 9)) for au in range(1, 100))]))
    text(path, "\n".join(lines) + "\n")


CODED = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)


def codes(**present: int) -> dict[int, int]:
    """All of BP4D's usual AUs absent, but for those given as AU12=1."""
    return {**dict.fromkeys(CODED, 0), **{int(au[2:]): code for au, code in present.items()}}


@pytest.fixture
def bp4d(tmp_path: Path) -> Path:
    """Two tasks of F001 and one of M009, whose images have three digits.

    Frame 3 of F001/T1 is coded without an image; its image 5 is not coded.
    """
    root = tmp_path / "BP4D"
    occ = root / "AUCoding" / "AU_OCC"
    bp4d_csv(
        occ / "F001_T1.csv",
        {1: codes(AU12=1), 2: codes(AU12=1, AU6=9), 3: codes(), 4: codes(AU4=1)},
    )
    bp4d_csv(occ / "F001_T2.csv", {10: codes(), 11: codes(AU1=1)})
    bp4d_csv(occ / "M009_T1.csv", {1: codes(AU24=1), 2: codes()})
    text(root / "AUCoding" / "AU_INT" / "AU06" / "F001_T1_AU06.csv", "1,0\n2,9\n")
    text(root / "Physiology" / "F001" / "T1" / "BP_mmHg.txt", "80\n")
    images = root / "Sequences(2D+3D)"
    for frame in (1, 2, 4, 5):
        picture(images / "F001" / "T1" / f"{frame:04}.jpg")
        text(images / "F001" / "T1" / f"{frame:04}.obj", "v 0 0 0\n")
    for frame in (10, 11):
        picture(images / "F001" / "T2" / f"{frame:04}.jpg")
    for frame in (1, 2):
        picture(images / "M009" / "T1" / f"{frame:03}.jpg")
    text(images / "F001" / "T1" / "._0001.jpg", "resource fork")
    text(images / "F001" / "T1" / "Thumbs.db", "")
    return root


@pytest.fixture
def disfa(tmp_path: Path) -> Path:
    """Two subjects, four coded frames each; SN010's videos are one frame short."""
    root = tmp_path / "DISFA"
    aus = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
    intensities = {"SN001": {12: (0, 1, 2, 5), 4: (3, -1, 0, 9)}, "SN010": {12: (2, 2, 0, 0)}}
    for subject, shown in intensities.items():
        for au in aus:
            values = shown.get(au, (0,) * 4)
            lines = "".join(f"{frame},{value}\n" for frame, value in enumerate(values, start=1))
            text(root / "ActionUnit_Labels" / subject / f"{subject}_au{au}.txt", lines)
        for folder, video in (
            ("Videos_LeftCamera", f"LeftVideo{subject}_comp"),
            ("Video_RightCamera", f"RightVideo{subject}_Comp"),
        ):
            text(root / folder / f"{video}.avi", "RIFF")
            for frame in range(1, 5 if subject == "SN001" else 4):
                picture(root / folder / video / f"{frame:05}.png")
        text(root / "Landmark_Points" / subject / "tmp_frame_lm" / f"{subject}_0000_lm.mat", "")
    return root


def facs(*lines: tuple[float, float]) -> str:
    return "".join(
        f"   {au:.7e}   {intensity:.7e}   0.0000000e+00   0.0000000e+00\n"
        for au, intensity in lines
    )


@pytest.fixture
def unbc(tmp_path: Path) -> Path:
    """Two sequences of one subject and one of another."""
    root = tmp_path / "UNBC"
    frames = {
        ("042-ll042", "ll042t1aaaff"): [
            (facs(), 0),
            (facs((4, 1), (6, 2), (43, 1)), 4),
            (facs((4, 3), (25, 5), (50, 2)), 3),
        ],
        ("042-ll042", "ll042t1afaff"): [(facs((12, 2)), 0)],
        ("043-jh043", "jh043t1aeaff"): [(facs((7, 1), (10, 4)), 5), (facs(), 0)],
    }
    for (subject, sequence), rows in frames.items():
        for frame, (labels, pain) in enumerate(rows, start=1):
            name = f"{sequence}{frame:03}"
            picture(root / "Images" / subject / sequence / f"{name}.png")
            for kind, content in (("FACS", labels), ("PSPI", f"   {pain:.7e}\n")):
                where = root / "Frame_Labels" / kind / subject / sequence
                text(where / f"{name}_facs.txt", content)
            text(root / "AAM_landmarks" / subject / sequence / f"{name}_aam.txt", "1 1\n")
        for scale, score in (("VAS", 3), ("OPR", 2), ("SEN", 7), ("AFF", 1)):
            where = root / "Sequence_Labels" / scale / subject
            text(where / f"{sequence}.txt", f"   {score:.7e}\n")
    return root


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    """Four images of two people, in the sub-folders of the original share."""
    root = tmp_path / "CelebA"
    people = {"000001.jpg": 2880, "000002.jpg": 2937, "000003.jpg": 2880, "000004.jpg": 2937}
    for name in people:
        picture(root / "Img" / "img_align_celeba" / name)
    lines = "".join(f"{name} {person} \n" for name, person in people.items())
    text(root / "Anno" / "identity_CelebA.txt", lines)
    text(root / "Eval" / "list_eval_partition.txt", "000001.jpg 0\n")
    return root


@pytest.fixture
def london(tmp_path: Path) -> Path:
    """Two people, the archives unpacked into folders of their own names."""
    root = tmp_path / "London"
    for number in ("001", "173"):
        for folder, view in (("neutral_front", "03"), ("smiling_front", "08")):
            picture(root / folder / folder / f"{number}_{view}.jpg")
            text(root / folder / folder / f"{number}_{view}.tem", "189\n")
    text(root / "neutral_front" / "__MACOSX" / "neutral_front" / "._001_03.jpg", "")
    text(
        root / "london_faces_info.csv",
        "face_id,face_age,face_gender,face_eth\nX001,24,female,white\nX173,NA,male,east_asian\n",
    )
    return root
