"""What a backend runs: a pure, elementwise step over independent lanes.

A lane is one neuron to the layer above. The step is an ordinary function of an array namespace ``xp``, so the
same text runs op by op on arrays (``xp`` an array library) and is traced into a kernel (``xp`` a
:class:`~neurosim.backends.tracing.Graph`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from neurosim.backends.errors import UsageError

Array = Any  # of whatever library runs the step
LAST_EVENT = "last event"  # in the state of programs that ask for it: int32, step of each lane's last event
NEVER = -(2**31)  # of a lane that has had none


class Clock(NamedTuple):
    """Where a step stands. Time itself is never carried: float32 would drift."""

    step: Array  # int64, 0-d: number of the step, counted from 0 at the beginning of the simulation
    lane: Array  # int64, (n,): number of each lane


class Outputs(NamedTuple):
    """What one step returns."""

    state: Mapping[str, Array]  # every carried name, (n,)
    event: Array  # bool, (n,): the lane emitted an event in this step
    observables: Mapping[str, Array]  # values that are not carried, (n,)


@dataclass(frozen=True)
class Slot:
    """A parameter of a step: a scalar, or one value per lane."""

    name: str
    dtype: str  # float32, float64 or int64
    per_lane: bool = False

    def __post_init__(self) -> None:
        if self.per_lane and self.dtype == "int64":
            raise UsageError(f"slot {self.name!r}: kernels take whole numbers as scalars only: write dtype='float64'")


@dataclass(frozen=True)
class Program:
    """A step with the names and types of its inputs.

    Parameters
    ----------
    name : str
        For messages and file names.
    dtype : str
        ``"float32"`` or ``"float64"``: type of every carried array.
    state : tuple of str
        Names of the arrays that are carried from step to step.
    slots : tuple of Slot
        The parameters. Their values are given to :meth:`Backend.compile`, so that other values never compile anew.
    function : callable
        ``function(xp, state, params, clock) -> Outputs``, pure.
    inputs : tuple of str
        Values from outside, one per lane and step, in ``params`` by these names; in the type ``dtype``.
    observables : tuple of str
        Names in ``Outputs.observables`` that this run wants; the others are not computed in a kernel.
    flush : bool
        Whether kernels of single precision may take numbers too small for full precision as 0.
    last_event : bool
        Whether the state given to ``function`` has :data:`LAST_EVENT`, too. The backend writes it, where events are: a
        count of steps since would be read and written in every step.
    """

    name: str
    dtype: str
    state: tuple[str, ...]
    slots: tuple[Slot, ...]
    function: Callable[[Any, Mapping[str, Array], Mapping[str, Array], Clock], Outputs] = field(repr=False)
    observables: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    flush: bool = False
    last_event: bool = False

    @property
    def carried(self) -> tuple[str, ...]:
        """Names of all that a lane carries from step to step, and :meth:`Kernel.read` gives."""
        return (*self.state, LAST_EVENT) if self.last_event else self.state


@dataclass(frozen=True)
class Probe:
    """Samples of one name: at every ``every``-th step, of the lanes in ``lanes`` (ascending int64 array).

    A carried name is sampled before the step (its value at time ``step · dt``), an observable in the step.
    """

    name: str
    every: int
    lanes: Any
