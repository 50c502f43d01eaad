"""Ctrl-C as a wish to stop at the next window."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self


class InterruptFlag:
    """While active, the first Ctrl-C sets ``requested``; a second one raises KeyboardInterrupt at once.

    Only the main thread may handle signals; in another thread nothing changes.
    """

    requested = False

    def __enter__(self) -> Self:
        self._active = threading.current_thread() is threading.main_thread()
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
