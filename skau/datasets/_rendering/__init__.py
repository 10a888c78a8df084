"""Make faces: a rig of shapes, people who look different, light, and a rasteriser."""
