"""Statistics of spikes that are made while a network runs, so that the spikes need not be kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurosim.backends import Window
from neurosim.record import CV, POPULATION_RATE, RATES, Channel

UNITS = {POPULATION_RATE: "Hz", RATES: "Hz", CV: "1"}


class Statistics:
    """The statistics that a run records, bin by bin.

    A bin is ``every`` steps and has the number of its first step, as a sample of a trace has. The last may be cut short
    by the end of the run; it counts for the steps that it has.

    Parameters
    ----------
    wanted : sequence of Channel
        Records of a run; those of other variables are left alone.
    dt : float
        ms.
    first_step : int
        Of the run.
    dtype : str
        Of the samples.
    """

    def __init__(self, wanted: Sequence[Channel], dt: float, first_step: int, dtype: str) -> None:
        self._of = [_Bins(c, dt, first_step, dtype) for c in wanted if c.variable in UNITS]

    def take(self, population: str, window: Window, reached: int) -> list[tuple[Channel, np.ndarray]]:
        """Samples of the bins that are whole when the run has reached a step, with the spikes up to it."""
        found = []
        for bins in self._of:
            if bins.channel.population == population:
                found += [(bins.channel, x) for x in bins.take(window.steps, window.lanes, reached)]
        return found

    def finish(self, reached: int) -> list[tuple[Channel, np.ndarray]]:
        """Samples of the bins that the end of the run cuts short."""
        return [(bins.channel, x) for bins in self._of for x in bins.finish(reached)]


class _Bins:
    def __init__(self, channel: Channel, dt: float, first_step: int, dtype: str) -> None:
        self.channel = channel
        self._dt, self._dtype = dt, dtype
        self._bin = -(-first_step // channel.every)  # the first that is whole
        self._place = np.full(channel.n, -1)
        self._place[channel.lanes if channel.variable != POPULATION_RATE else slice(None)] = np.arange(self._width)
        self._last = np.full(self._width, -1)  # step of each neuron's latest spike
        self._clear()

    @property
    def _width(self) -> int:
        return self.channel.n if self.channel.variable == POPULATION_RATE else len(self.channel.lanes)

    def _clear(self) -> None:
        self._count = np.zeros(self._width, np.int64)
        self._intervals, self._sum, self._squares = (np.zeros(self._width) for _ in range(3))

    def take(self, steps: np.ndarray, lanes: np.ndarray, reached: int) -> list[np.ndarray]:
        every, samples = self.channel.every, []
        number = steps // every
        for b in range(min(int(number.min(initial=self._bin)), self._bin), reached // every + 1):
            begin, end = np.searchsorted(number, (b, b + 1))
            self._add(steps[begin:end], self._place[lanes[begin:end]], counted=b >= self._bin)
            if b >= self._bin and (b + 1) * every <= reached:
                samples.append(self._sample(every))
                self._bin = b + 1
        return samples

    def finish(self, reached: int) -> list[np.ndarray]:
        left = reached - self._bin * self.channel.every
        return [self._sample(left)] if left > 0 else []

    def _add(self, steps: np.ndarray, places: np.ndarray, *, counted: bool) -> None:
        steps, places = steps[places >= 0], places[places >= 0]
        order = np.argsort(places, kind="stable")
        steps, places = steps[order], places[order]
        first = np.ones(len(places), bool)
        first[1:] = places[1:] != places[:-1]
        before = np.where(first, self._last[places], np.concatenate(([0], steps[:-1]))) if len(steps) else steps
        self._last[places] = steps  # of repeated indices the last assignment holds
        if not counted:
            return
        self._count += np.bincount(places, minlength=self._width)
        known = before >= 0
        interval, of = (steps - before)[known].astype(float), places[known]
        self._intervals += np.bincount(of, minlength=self._width)
        self._sum += np.bincount(of, interval, self._width)
        self._squares += np.bincount(of, interval * interval, self._width)

    def _sample(self, steps: int) -> np.ndarray:
        variable, seconds = self.channel.variable, steps * self._dt * 1e-3
        if variable == POPULATION_RATE:
            values = np.array([self._count.sum() / self._width / seconds])
        elif variable == RATES:
            values = self._count / seconds
        else:
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = self._sum / self._intervals
                variance = np.maximum(self._squares / self._intervals - mean * mean, 0.0)
                values = np.where(self._intervals >= 2, np.sqrt(variance) / mean, np.nan)
        self._clear()
        return values.astype(self._dtype)[None]
