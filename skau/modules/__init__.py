"""Torch building blocks and networks; nothing here knows scikit-learn."""
