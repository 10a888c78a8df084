"""Times of the frames of a film, whatever its file says of them."""

from fractions import Fraction
from typing import Any

_BACK = Fraction(1, 2)  # seconds: less is a slip of whoever wrote the file
_ON = 10  # seconds that no broadcast pauses: another recording goes on
_SLIP = Fraction(1, 1000)
_JOINED = ("mpegts", "mpeg")  # of cameras, discs and broadcasts, which are joined as they are


class Clock:
    """Turn the time stamps of one stream, in order of showing, into seconds that only grow.

    Where recordings were joined, which begin their times anew, the next goes on a step behind the
    last. A frame without a time comes a step behind the one before it.

    Parameters
    ----------
    container, stream
        Of PyAV.
    start : Fraction
        The time stamp, in seconds, that is 0.
    step : Fraction
        Seconds from one frame to the next, where the file does not say.

    Attributes
    ----------
    told : bool
        Whether a time stamp was seen.
    """

    def __init__(self, container: Any, stream: Any, start: Fraction, step: Fraction) -> None:
        # AVI knows the order of decoding, at a constant rate, and no times of showing
        self._by_dts = stream.type == "video" and container.format.name == "avi"
        self._joined = container.format.name in _JOINED
        self._base, self._step = stream.time_base, step
        self._shift = -start
        self._last: Fraction | None = None
        self.told = False

    def __call__(self, frame: Any) -> Fraction:
        """Return the seconds of the next frame or packet."""
        stamp = frame.dts if self._by_dts else frame.pts
        self.told |= stamp is not None
        last = self._last
        if last is None:
            if stamp is None or self._by_dts:
                self._shift = Fraction(0) if stamp is None else -stamp * self._base
                stamp = stamp or 0
            self._last = Fraction(stamp * self._base + self._shift)
            return self._last
        if stamp is None:
            self._last = last + self._step
            return self._last
        time = stamp * self._base + self._shift
        if time < last - _BACK or (self._joined and time > last + _ON):
            self._shift += last + self._step - time
            time = last + self._step
        elif time <= last:
            time = last + _SLIP
        self._last = Fraction(time)
        return self._last


def start_of(container: Any, stream: Any) -> Fraction:
    """Return the time stamp of the start of a film, in seconds: of picture or sound.

    A sound that begins before 0 does so for its decoder's sake, and is not heard.
    """
    first = Fraction((stream.start_time or 0) * stream.time_base)
    film = Fraction(max(container.start_time or 0, 0), 1_000_000)
    return film if first - film > _SLIP else first  # the latter is exact


def step_of(stream: Any) -> Fraction:
    """Return the seconds between frames, on average; FFmpeg's own guess is a 25th."""
    return 1 / Fraction(stream.average_rate or 25)
