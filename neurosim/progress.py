"""Progress with the time to finish, on a terminal; silent otherwise."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from neurosim.errors import UsageError

Callback = Callable[[int, int], None]

_SECONDS_PER_WINDOW = 0.1
LONGEST_WINDOW = 1 << 15  # steps


class Progress:
    """Reports steps done of steps in all.

    Parameters
    ----------
    progress : None, bool or callable
        None: a bar on standard error where that is a terminal; True and False: always and never; a callable:
        ``progress(steps_done, steps_in_all)`` after each window.
    total : int
        Steps in all.
    label : str
        Beside the bar.
    """

    def __init__(self, progress: Any, total: int, label: str) -> None:
        if not (progress is None or isinstance(progress, bool) or callable(progress)):
            raise UsageError(f"progress = {progress!r}: write None, True, False or a function of (done, total)")
        self._call: Callback | None = progress if callable(progress) else None
        # There may be no standard error at all, as in a program without a console.
        self._on_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._shown = progress is True or (progress is None and self._on_terminal)
        self._total, self._label = total, label

    def __enter__(self) -> Self:
        self._bar: Any = None
        if self._shown:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
            )
            # Elsewhere, as in a log file, one line at the end: a bar that vanishes would not be drawn at all.
            self._bar = Progress(*columns, console=Console(stderr=True), transient=self._on_terminal)
            self._task = self._bar.add_task(self._label, total=self._total)
            self._bar.start()
        return self

    def update(self, done: int) -> None:
        """``done`` steps are computed."""
        if self._call is not None:
            self._call(done, self._total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def next_window(window: int, seconds: float) -> int:
    """Half, the same or twice as many steps, towards ten windows a second."""
    if seconds < 0.5 * _SECONDS_PER_WINDOW:
        return min(2 * window, LONGEST_WINDOW)
    if seconds > 2.0 * _SECONDS_PER_WINDOW:
        return max(window // 2, 1)
    return window
