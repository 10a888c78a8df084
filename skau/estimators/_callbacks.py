"""scikit-learn's callbacks: each epoch is a subtask of the fit."""

from typing import Any

from sklearn.callback import CallbackContext

__all__ = ["EpochTasks"]


class EpochTasks:
    """Tells the callbacks of ``set_callbacks`` of the epochs of a fit.

    skorch's callbacks, of the parameter ``callbacks``, are told by skorch.
    """

    def __init__(self, estimator: Any, context: CallbackContext, X: Any, y: Any) -> None:
        self.context = context
        self.data = {"estimator": estimator, "X": X, "y": y}

    def begin_epoch(self) -> None:
        """Begin an epoch."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.data)

    def end_epoch(self) -> bool:
        """End an epoch; True if a callback wants the stage to stop."""
        # A copy of the estimator has the weights as they are now: nothing is to be added to it.
        stop = self.epoch.call_on_fit_task_end(**self.data, reconstruction_attributes={})
        return bool(stop)
