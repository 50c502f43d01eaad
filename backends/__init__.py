"""Backends know arrays, not neurons: an array namespace plus what the Array API lacks.

A :class:`~neurosim.backends.base.Backend` runs a :class:`~neurosim.backends.program.Program`, a pure
elementwise step over lanes, in one of two ways that give the same numbers:

- *eager*: op by op on any array library; the reference;
- *fused*: traced once and printed as one kernel.

Nothing here imports from the rest of neurosim.
"""

from neurosim.backends.base import Backend, Kernel, NonFiniteState, Window
from neurosim.backends.errors import SlowPathWarning, UsageError
from neurosim.backends.program import Clock, Outputs, Probe, Program, Slot
from neurosim.backends.registry import available, get

__all__ = [
    "Backend",
    "Clock",
    "Kernel",
    "NonFiniteState",
    "Outputs",
    "Probe",
    "Program",
    "Slot",
    "SlowPathWarning",
    "UsageError",
    "Window",
    "available",
    "get",
]
