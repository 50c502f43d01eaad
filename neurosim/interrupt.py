"""Ctrl-C as a wish to stop at the next window."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self


class InterruptFlag:
    """While active, the first Ctrl-C sets ``requested``; a second one raises KeyboardInterrupt at once.

    Only the main thread may handle signals; in another thread nothing changes. Nor does it where Ctrl-C is
    ignored, as in a job that a shell script put into the background.
    """

    requested = False

    def __enter__(self) -> Self:
        in_main_thread = threading.current_thread() is threading.main_thread()
        # None: the handler is not Python's, so it could not be put back.
        self._active = in_main_thread and signal.getsignal(signal.SIGINT) not in (None, signal.SIG_IGN)
        if self._active:
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True

    def __exit__(self, *exception: Any) -> None:
        if self._active:
            signal.signal(signal.SIGINT, self._before)
