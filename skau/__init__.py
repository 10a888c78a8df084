"""Facial Action Unit detection for people never seen in training, as scikit-learn estimators."""

__version__ = "0.1.0.dev0"
