"""The version, in a file of its own so that nothing imports upwards."""

__version__ = "0.1.0.dev0"
