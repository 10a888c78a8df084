"""Fit what tells people apart in films: ``skau/preprocessing/data/appearance.npz``.

    python tools/fit_appearance.py [--people 320] [--pictures 12]

Linear discriminant analysis of small crops of the rendered people that the open model learns
from, in the directions in which people differ most against what changes within one of them. Takes
about twenty minutes on one core.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.linalg import svd

from skau.preprocessing import FaceCropper
from skau.preprocessing._appearance import DATA, pixels
from skau.preprocessing._landmarks import POINTS

sys.path.append(str(Path(__file__).parent))
N_COMPONENTS, N_DIRECTIONS, SHRINKAGE = 150, 32, 0.1


def fit(X: np.ndarray, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean (d,) of X (n, d), and the directions (d, k)."""
    mean = X.mean(axis=0)
    _, scale, axes = svd(X - mean, full_matrices=False)
    whiten = axes[:N_COMPONENTS].T / (scale[:N_COMPONENTS] / np.sqrt(len(X)))
    Z = (X - mean) @ whiten
    centres = np.array([Z[people == person].mean(axis=0) for person in range(people.max() + 1)])
    within = np.cov((Z - centres[people]).T, bias=True)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / len(within) * np.eye(
        len(within)
    )
    values, vectors = np.linalg.eigh(within)
    inward = vectors / np.sqrt(values)
    between = np.cov((centres @ inward).T, bias=True)
    values, vectors = np.linalg.eigh(between)
    return mean, whiten @ inward @ vectors[:, np.argsort(-values)[:N_DIRECTIONS]]


def main() -> None:
    """Render, fit, and write."""
    from _open_faces import draw_person

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=320)
    parser.add_argument("--pictures", type=int, default=12)
    options = parser.parse_args()
    cropper, X, people = FaceCropper(on_missing="warn"), [], []
    for person in range(options.people):
        images, _ = draw_person(2026, person, options.pictures, 128)
        for image, row in zip(images, cropper.detect(images).to_numpy(float), strict=True):
            if not np.isnan(row).any():
                X.append(pixels(Image.fromarray(image), row[POINTS].reshape(5, 2)))
                people.append(person)
    mean, directions = fit(np.array(X), np.unique(people, return_inverse=True)[1])
    np.savez(DATA, mean=mean.astype(np.float32), directions=directions.astype(np.float32))


if __name__ == "__main__":
    main()
