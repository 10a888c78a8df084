"""Small things that every room needs: labels, subjects, caches, the device, warnings."""

from ._discovery import all_estimators
from ._formats import to_openface, to_pyfeat
from ._predict_table import predict_table

__all__ = ["all_estimators", "predict_table", "to_openface", "to_pyfeat"]
