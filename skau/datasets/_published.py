"""The folds that published work shares, by their test parts."""

from __future__ import annotations


def _subjects(text: str) -> list[str]:
    return text.split()


# JAA-Net, ME-GraphAU and AUNets. Papers number them differently, so the name is the test part.
BP4D_FOLDS = {
    "P1": _subjects("F001 F002 F008 F009 F010 F016 F018 F023 M001 M004 M007 M008 M012 M014"),
    "P2": _subjects("F003 F005 F011 F013 F020 F022 M002 M005 M010 M011 M013 M016 M017 M018"),
    "P3": _subjects("F004 F006 F007 F012 F014 F015 F017 F019 F021 M003 M006 M009 M015"),
}

# JAA-Net and ME-GraphAU.
DISFA_FOLDS = {
    "P1": _subjects("SN001 SN002 SN009 SN010 SN016 SN026 SN027 SN030 SN032"),
    "P2": _subjects("SN006 SN011 SN012 SN013 SN018 SN021 SN024 SN028 SN031"),
    "P3": _subjects("SN003 SN004 SN005 SN007 SN008 SN017 SN023 SN025 SN029"),
}
