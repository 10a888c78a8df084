"""Is our NumPy renderer fast enough to do without VTK? Same mesh, same picture size, one core.

    pip install pyvista
    OMP_NUM_THREADS=1 LP_NUM_THREADS=1 python benchmarks/bench_render.py

VTK's time is for moving the vertices, drawing with Phong shading and 8-fold antialiasing, and
reading the picture back; it draws no shadow and no skin. Ours is for the finished picture.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from skau.datasets._rendering._furrows import furrow_maps
from skau.datasets._rendering._render import render
from skau.datasets._rendering._rig import expression, load_rig, person
from skau.datasets._rendering._scene import Scene
from skau.datasets._rendering._skin import paint

SIZES, REPEATS = (128, 256), 30


def vtk_drawer(size: int) -> Callable[[np.ndarray], np.ndarray]:
    """Set up VTK once; the function returned draws a head."""
    try:
        import pyvista
    except ImportError as error:
        raise SystemExit("This benchmark compares with VTK: pip install pyvista") from error
    rig = load_rig()
    plotter = pyvista.Plotter(off_screen=True, window_size=(size, size))
    plotter.enable_anti_aliasing("msaa", multi_samples=8)
    mesh = pyvista.PolyData.from_regular_faces(rig.position.astype(np.float32), rig.triangle)
    plotter.add_mesh(mesh, smooth_shading=True)
    plotter.camera_position = [(0, 7.2, 16), (0, 7.2, 0), (0, 1, 0)]

    def draw(position: np.ndarray) -> np.ndarray:
        mesh.points = position.astype(np.float32)
        plotter.render()
        return plotter.screenshot(return_img=True)

    return draw


def main() -> None:
    """Print a table of milliseconds a picture and the ratio."""
    rng = np.random.default_rng(0)
    rig, (rest, traits) = load_rig(), person(rng)
    look, furrows = paint(rng, traits), furrow_maps()
    strength = {12: 1.0, 6: 1.0}
    heads = [
        rig.moved(rest, expression({12: amount, 6: amount}, strength=strength))
        for amount in np.linspace(0, 1, REPEATS)
    ]
    depth, scene = furrows[12] + furrows[6], Scene(grain=1.2)

    def clock(draw: Callable[[np.ndarray], np.ndarray]) -> float:
        draw(heads[0])
        start = time.perf_counter()
        for head in heads:
            draw(head)
        return (time.perf_counter() - start) / REPEATS * 1e3

    print("size  NumPy ms  VTK ms  NumPy/VTK")
    for size in SIZES:
        ours = clock(lambda head, size=size: render(look, rest, head, depth, scene, size))
        vtk = clock(vtk_drawer(size))
        print(f"{size:4d} {ours:9.1f} {vtk:7.1f} {ours / vtk:10.1f}")


if __name__ == "__main__":
    main()
