"""A population that spikes when it is told to."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neurosim.errors import UsageError
from neurosim.model import Array, Bool, NeuronModel

_MAX = 2.0**53  # whole numbers below are exact


class SpikeSource(NeuronModel):
    """Spikes at given times: the ``model`` of a population that stands for recorded or made-up input.

    Parameters
    ----------
    t : array_like, shape (S,)
        Times in ms, in any order, each from dt on; a time between two steps is taken at the nearest.
    i : array_like of int, shape (S,), optional
        Neuron of each spike; without it neuron 0.

    Raises
    ------
    UsageError
        For times or neurons that cannot be.
    """

    t: Any = ()
    i: Any = None

    class State(NamedTuple):
        pass

    def __post_init__(self) -> None:
        times = _array(self.t, "t", np.float64)
        if not np.isfinite(times).all():
            raise UsageError(f"SpikeSource.t has {times[~np.isfinite(times)][0]}: give finite times in ms")
        neurons = np.zeros(len(times), np.int64) if self.i is None else _array(self.i, "i", np.int64)
        if len(neurons) != len(times):
            raise UsageError(
                f"SpikeSource: {len(times)} times and {len(neurons)} neurons: give one neuron for each time"
            )
        object.__setattr__(self, "t", times)
        object.__setattr__(self, "i", neurons)

    def init(self, xp: Any) -> State:
        return self.State()

    def derivatives(self, xp: Any, s: State, i_syn: Array) -> State:
        return s

    def threshold(self, xp: Any, s: State) -> Bool:
        raise AssertionError("given spikes have no threshold")

    def steps(self, name: str, n: int, dt: float) -> tuple[np.ndarray, np.ndarray]:
        """Steps at whose end the spikes are, and their neurons.

        Raises
        ------
        UsageError
            For a time before the end of the first step, or a neuron that the population has not.
        """
        late = self.t / dt >= _MAX
        if late.any():
            raise UsageError(
                f"population {name!r}: SpikeSource.t has {self.t[late][0]:g} ms: write times below {_MAX * dt:g} ms"
            )
        steps = np.rint(np.maximum(self.t / dt, -1.0)).astype(np.int64) - 1
        if len(steps) and steps.min() < 0:
            raise UsageError(
                f"population {name!r}: SpikeSource.t has {self.t.min():g} ms: the first spike can be at dt = {dt:g} ms"
            )
        if len(self.i) and not (self.i.min() >= 0 and self.i.max() < n):
            bad = self.i[(self.i < 0) | (self.i >= n)][0]
            raise UsageError(f"population {name!r}: SpikeSource.i has neuron {bad}, there are {n}: use 0 … {n - 1}")
        return steps, self.i


def _array(value: Any, name: str, dtype: Any) -> np.ndarray:
    try:
        array = np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        raise UsageError(f"SpikeSource.{name} = {value!r}: give numbers, one per spike") from None
    if array.ndim != 1:
        raise UsageError(f"SpikeSource.{name} has shape {array.shape}: give one value per spike, shape (S,)")
    if dtype is np.int64:
        whole = (array == np.rint(array)) & (np.abs(array) < _MAX)
        if not whole.all():
            raise UsageError(f"SpikeSource.{name} has {array[~whole][0]}: give whole numbers of neurons")
    array = array.astype(dtype)
    array.setflags(write=False)
    return array
