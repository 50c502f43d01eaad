"""Traces that populations share: of a hundred alike one is traced, rewritten and printed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields
from typing import TYPE_CHECKING

from neurosim.backends.program import Program

if TYPE_CHECKING:
    from neurosim.backends.base import Backend, Fuse
    from neurosim.backends.tracing import Trace  # built on late: tracing is not always wanted


class SharedTraces:
    """The traces of programs on a backend.

    Programs share a trace where all of them is equal but their names and functions, and the functions have the same
    ``structure``: a value that is equal where the formulas are, but for the values of parameters. A function without
    one, or with one that cannot be hashed, is traced for itself.

    Parameters
    ----------
    backend : Backend
        That traces.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._traces: dict[Hashable, Trace] = {}

    def traced(self, program: Program, fuse: Fuse) -> Trace | None:
        """As :meth:`~neurosim.backends.base.Backend.traced`; the program of a shared trace is the first of its kind."""
        key = _key(program)
        try:
            known = self._traces.get(key) if fuse != "off" else None
        except TypeError:  # an option of a formula that is no value, such as an array
            return self._backend.traced(program, fuse)
        if known is None:
            # Not for those that cannot be fused: each of them says so under its own name.
            known = self._backend.traced(program, fuse)
            if known is not None and key is not None:
                self._traces[key] = known
        return known


def _key(program: Program) -> Hashable:
    structure = getattr(program.function, "structure", None)
    if structure is None:
        return None
    rest = (getattr(program, field.name) for field in fields(program) if field.name not in ("name", "function"))
    return structure, *rest
