"""Render the corpus of ``load_sample_faces`` and write ``skau/datasets/data/sample_faces.npz``.

python tools/make_sample.py
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from skau.datasets import make_au_faces

OUT = Path(__file__).parents[1] / "skau" / "datasets" / "data" / "sample_faces.npz"
SUBJECTS, FRAMES, SIZE, SEED, QUALITY = 24, 20, 128, 2019, 88


def main() -> None:
    """Write the sample and print its size."""
    faces = make_au_faces(
        SUBJECTS, FRAMES, image_size=SIZE, random_state=SEED, n_jobs=-1, cache=False, verbose=True
    )
    # One picture for all, a person a row. SIZE is a multiple of the JPEG block, so no face
    # bleeds into its neighbours.
    rows = faces.images.reshape(SUBJECTS, FRAMES, SIZE, SIZE, 3).swapaxes(1, 2)
    sheet = BytesIO()
    Image.fromarray(rows.reshape(SUBJECTS * SIZE, FRAMES * SIZE, 3)).save(
        sheet, "JPEG", quality=QUALITY, optimize=True
    )
    np.savez(
        OUT,
        sheet=np.frombuffer(sheet.getvalue(), np.uint8),
        size=SIZE,
        au_name=np.array(faces.au_names),
        intensity=faces.intensity.to_numpy().astype(np.float32),
        present=faces.target.to_numpy().astype(bool),
        subject=faces.groups,
        number=faces.frame["frame"].to_numpy().astype(np.int16),
    )
    print(f"{OUT.name}: {OUT.stat().st_size / 1e6:.2f} MB, {len(faces.images)} images")


if __name__ == "__main__":
    main()
