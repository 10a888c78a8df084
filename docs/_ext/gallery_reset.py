"""What an example has set for its process is taken back before the next one."""

from typing import Any

import sklearn

_AT_FIRST = sklearn.get_config()


def scikit_learn(gallery_conf: Any, file_name: str) -> None:
    """Give scikit-learn its settings back, such as metadata routing."""
    sklearn.set_config(**_AT_FIRST)
