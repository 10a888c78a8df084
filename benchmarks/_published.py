"""What the two papers print, to stand beside what is measured; F1-frame and accuracy in percent.

Paper 1 is "Domain Separation for Person-Specific Aspects in Facial Expression Recognition" (2021),
Tables 1 to 3; paper 2 "IdenNet: Identity-Aware Facial Action Unit Detection" (FG 2019), Tables III
to VII. Training and test corpora are named as ``tables.py`` names them.
"""

import pandas as pd

# (train, test) -> mean F1 of each system
MEAN_F1: dict[tuple[str, str], dict[str, float]] = {
    ("bp4d", "bp4d"): {
        "AlexNet": 49.1, "DRML": 48.3, "SVTPT": 51.8, "LightCNN": 54.1, "ATF": 55.4,
        "ROINet": 56.4, "IdenNet": 59.3, "IdenNet:normalize=False": 58.0,
    },
    ("disfa", "disfa"): {
        "AlexNet": 35.4, "DRML": 26.7, "SVTPT": 38.9, "LightCNN": 43.4, "ATF": 49.2,
        "ROINet": 48.5, "IdenNet": 52.6, "IdenNet:normalize=False": 47.8,
    },
    ("unbc", "unbc"): {
        "AlexNet": 13.9, "DRML": 17.5, "SVTPT": 7.8, "LightCNN": 21.5, "IdenNet": 28.5,
        "IdenNet:normalize=False": 23.9,
    },
    ("bp4d", "disfa"): {
        "AlexNet": 26.4, "DRML": 26.3, "SVTPT": 21.4, "LightCNN": 30.6, "IdenNet": 39.7,
    },
    ("bp4d", "unbc"): {
        "AlexNet": 15.3, "DRML": 15.3, "SVTPT": 13.1, "LightCNN": 15.7, "IdenNet": 20.1,
    },
}  # fmt: skip

# Paper 1 on BP4D: Table 1, and Tables 2 and 3, whose region models it calls "single class".
PAPER_1 = {"DSN": {"f1": 62.1, "accuracy": 70.2}, "SingleEncoder": {"f1": 52.2, "accuracy": 64.5}}
PER_AU = {
    ("DSN", "accuracy"): {"AU1": 40.9, "AU6": 53.8, "AU12": 90.4, "AU14": 61.1},
    ("DSN-regions", "accuracy"): {"AU1": 59.0, "AU6": 73.4, "AU12": 96.9, "AU14": 61.3},
    ("DSN", "f1"): {"AU1": 51.5, "AU6": 45.7, "AU12": 95.1, "AU14": 75.3},
    ("DSN-regions", "f1"): {"AU1": 65.0, "AU6": 82.4, "AU12": 97.9, "AU14": 76.1},
}

N_SUBJECTS = {"bp4d": 41, "disfa": 27, "unbc": 25, "celeba": 10_177}
"""People in each corpus as its owners hand it out."""


def published_mean(method: str, train: str, test: str) -> float:
    """Mean F1 that the papers print of a system; NaN where they print none.

    A system "as released" or "as printed" is the paper's own.
    """
    base = method.removesuffix("-released").removesuffix("-printed")
    if (train, test) == ("bp4d", "bp4d") and base in PAPER_1:
        return PAPER_1[base]["f1"]
    return MEAN_F1.get((train, test), {}).get(base, float("nan"))


def published_margin(ours: str, rivals: tuple[str, ...], train: str, test: str) -> float:
    """Mean F1 of a system less that of the best of its rivals; NaN where a paper has no such."""
    best = pd.Series([published_mean(rival, train, test) for rival in rivals]).max()
    return round(published_mean(ours, train, test) - best, 1)
