"""scikit-learn's callbacks: the fit is a task, each epoch one of its subtasks."""

from typing import Any

from sklearn.callback import CallbackContext

__all__ = ["FitTask"]


class FitTask:
    """Tells the callbacks of ``set_callbacks`` of a fit and of its epochs.

    skorch's callbacks, of the parameter ``callbacks``, are told by skorch.
    """

    def __init__(self, estimator: Any, context: CallbackContext, X: Any, y: Any) -> None:
        self.estimator = estimator
        self.context = context
        self.data = {"X": X, "y": y}

    def begin(self) -> None:
        """Begin the fit."""
        self.context.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end(self) -> None:
        """End the fit."""
        self._end(self.context)

    def begin_epoch(self) -> None:
        """Begin an epoch."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end_epoch(self) -> bool:
        """End an epoch; True if a callback wants the stage to stop."""
        return self._end(self.epoch)

    def _end(self, context: CallbackContext) -> bool:
        # A copy of the estimator has the weights as they are now: nothing is to be added to it.
        return bool(
            context.call_on_fit_task_end(
                estimator=self.estimator, **self.data, reconstruction_attributes={}
            )
        )
