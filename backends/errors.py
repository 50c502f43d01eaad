"""What a user can get wrong, in one clear line each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """A mistake in the caller's input; the message names the object, the value and what to write instead."""


class SlowPathWarning(UserWarning):
    """A slower path than the one asked for is taken, and why."""


def nearest(name: str, options: Iterable[str]) -> str:
    """End of a message about an unknown name: the nearest legal one, then all of them."""
    options = sorted(options)
    by_lower = {option.lower(): option for option in options}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    hint = f"did you mean {by_lower[close[0]]!r}? " if close else ""
    return f"{hint}known: {', '.join(options) or 'none'}"
