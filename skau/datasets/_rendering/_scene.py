"""What a picture needs beside the person."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Scene:
    """How one picture is taken. Angles in radians, lengths in half picture sides."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    field_of_view: float = float(np.radians(13.0))
    gaze: tuple[float, float] = (0.0, 0.0)
    key_from: tuple[float, float, float] = (0.5, 0.6, 1.0)
    key: np.ndarray = field(default_factory=lambda: np.full(3, 1.75))
    sky: np.ndarray = field(default_factory=lambda: np.full(3, 0.55))
    ground: np.ndarray = field(default_factory=lambda: np.full(3, 0.22))
    exposure: float = 1.0
    backdrop: np.ndarray = field(default_factory=lambda: np.full((2, 2, 3), 0.3))
    grain: float = 0.0
    seed: int = 0
