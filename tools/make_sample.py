"""Render the corpus of ``load_sample_faces`` and write ``skau/datasets/data/sample_faces.npz``.

python tools/make_sample.py
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from skau.datasets import make_au_faces
from skau.preprocessing import FaceCropper

OUT = Path(__file__).parents[1] / "skau" / "datasets" / "data" / "sample_faces.npz"
SUBJECTS, FRAMES, SPARE, SIZE, SEED, QUALITY = 24, 20, 2, 128, 2019, 88


def main() -> None:
    """Write the sample and print its size."""
    faces = make_au_faces(
        SUBJECTS, FRAMES + SPARE, image_size=SIZE, random_state=SEED, n_jobs=-1, cache=False,
        verbose=True,
    )  # fmt: skip
    # The sample has to crop without a gap: of each person, the detector's surest pictures stay.
    sure = FaceCropper(on_missing="warn", threshold=0).detect(faces.images)["probability"]
    order = np.argsort(-sure.to_numpy().reshape(SUBJECTS, -1), axis=1)[:, :FRAMES]
    kept = (np.sort(order, axis=1) + np.arange(SUBJECTS)[:, None] * (FRAMES + SPARE)).ravel()
    print(f"least probability of a face: {sure[kept].min():.3f}")
    # One picture for all, a person a row. SIZE is a multiple of the JPEG block, so no face
    # bleeds into its neighbours.
    rows = faces.images[kept].reshape(SUBJECTS, FRAMES, SIZE, SIZE, 3).swapaxes(1, 2)
    sheet = BytesIO()
    Image.fromarray(rows.reshape(SUBJECTS * SIZE, FRAMES * SIZE, 3)).save(
        sheet, "JPEG", quality=QUALITY, optimize=True
    )
    np.savez(
        OUT,
        sheet=np.frombuffer(sheet.getvalue(), np.uint8),
        size=SIZE,
        au_name=np.array(faces.au_names),
        intensity=faces.intensity.to_numpy()[kept].astype(np.float32),
        present=faces.target.to_numpy()[kept].astype(bool),
        subject=faces.groups[kept],
        number=faces.frame["frame"].to_numpy()[kept].astype(np.int16),
    )
    print(f"{OUT.name}: {OUT.stat().st_size / 1e6:.2f} MB, {len(kept)} images")


if __name__ == "__main__":
    main()
