"""Parameters, inputs and definitions of the twenty patterns of ``izhikevich_gallery``.

Values are those of figure1.m of Izhikevich 2004, checked against two independent copies of it. Inputs are as
the program applies them: where it writes t > 10, the next step is the first; a ramp is read at the begin of
a step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from neurosim import Constant, PulseTrain, Ramp, Step

_NEVER = 1e9


class Pattern(NamedTuple):
    """A panel of the paper's Fig. 1; times in ms."""

    name: str
    shows: str  # the definition, in the paper's sense
    abcd: tuple[float, float, float, float]
    v: float  # at t = 0; u begins at b·v, in R at −16
    duration: float
    step: float  # of the program
    inputs: tuple[Any, ...]
    marks: tuple[float, ...] = ()  # times at which the verdict cuts
    k1: float = 5.0
    k0: float = 140.0


def _pulse(amplitude: float, start: float, width: float) -> PulseTrain:
    return PulseTrain(amplitude, start, width, _NEVER, 1)


def _two(amplitude: float, start: float, width: float, interval: float) -> PulseTrain:
    return PulseTrain(amplitude, start, width, interval, 2)


_RS, _CLASS1 = (0.02, 0.2, -65.0, 6.0), (0.02, -0.1, -55.0, 6.0)
_RAMPS = (Ramp(0, 8, 0.25, 200.25), Step(-8, 200), Ramp(0, 4, 300.25, 312.75), Step(-4, 312.5))
_INHIBITION = (Constant(80), Step(-5, 50, 250.5))
# fmt: off
PATTERNS = {
    "A": Pattern("tonic spiking", "a regular train while the input is on",
                 _RS, -70, 100, 0.25, (Step(14, 10.25),)),
    "B": Pattern("phasic spiking", "one spike at the onset, none after",
                 (0.02, 0.25, -65, 6), -64, 200, 0.25, (Step(0.5, 20.25),)),
    "C": Pattern("tonic bursting", "bursts again and again",
                 (0.02, 0.2, -50, 2), -70, 220, 0.25, (Step(15, 22.25),)),
    "D": Pattern("phasic bursting", "one burst at the onset, none after",
                 (0.02, 0.25, -55, 0.05), -64, 200, 0.2, (Step(0.6, 20.2),)),
    "E": Pattern("mixed mode", "a burst, then single spikes",
                 (0.02, 0.2, -55, 4), -70, 160, 0.25, (Step(10, 16.25),)),
    "F": Pattern("frequency adaptation", "intervals grow",
                 (0.01, 0.2, -65, 8), -70, 85, 0.25, (Step(30, 8.75),)),
    "G": Pattern("class 1 excitable", "fires slowly at the onset, faster with more input",
                 _CLASS1, -60, 300, 0.25, (Ramp(0, 20.25, 30.125, 300.125),), k1=4.1, k0=108),
    "H": Pattern("class 2 excitable", "fires at 40 Hz or more from the onset",
                 (0.2, 0.26, -65, 0), -64, 300, 0.25, (Ramp(-0.5, 3.55, 30.125, 300.125),)),
    "I": Pattern("spike latency", "spikes long after a brief pulse",
                 _RS, -70, 100, 0.2, (_pulse(7.04, 10.2, 2.8),), (13,)),
    "J": Pattern("subthreshold oscillation", "one spike, then v rings",
                 (0.05, 0.26, -60, 0), -62, 200, 0.25, (_pulse(2, 20.25, 4.75),)),
    "K": Pattern("resonator", "answers only the doublet of the resonant interval",
                 (0.1, 0.26, -60, -1), -62, 400, 0.25,
                 (_two(0.65, 40.25, 3.75, 20), _two(0.65, 280.25, 3.75, 40)), (280,)),
    "L": Pattern("integrator", "answers only the doublet of the shorter interval",
                 _CLASS1, -60, 100, 0.25,
                 (_two(9, 9.25, 2, 5), _two(9, 70.25, 1.75, 10)), (40,), k1=4.1, k0=108),
    "M": Pattern("rebound spike", "one spike after inhibition ends",
                 (0.03, 0.25, -60, 4), -64, 200, 0.2, (_pulse(-15, 20.2, 4.8),), (25,)),
    "N": Pattern("rebound burst", "a burst after inhibition ends",
                 (0.03, 0.25, -52, 0), -64, 200, 0.2, (_pulse(-15, 20.2, 4.8),), (25,)),
    "O": Pattern("threshold variability", "a pulse too weak before works after inhibition",
                 (0.03, 0.25, -60, 4), -64, 100, 0.25,
                 (_two(1, 10.25, 4.75, 70), _pulse(-6, 70.25, 4.75)), (80,)),
    "P": Pattern("bistability", "a pulse starts the train, the next stops it",
                 (0.1, 0.26, -60, 0), -61, 300, 0.25,
                 (Constant(0.24), _pulse(1, 37.75, 4.75), _pulse(1, 216.25, 4.75)), (221,)),
    "Q": Pattern("depolarizing after-potential", "v has a hump after the spike",
                 (1, 0.2, -60, -21), -70, 50, 0.1, (_pulse(20, 9.1, 1.9),)),
    "R": Pattern("accommodation", "a slow ramp fails, a lower fast one works",
                 (0.02, 1, -55, 4), -65, 400, 0.5, _RAMPS, (300,)),
    "S": Pattern("inhibition-induced spiking", "spikes only while inhibited",
                 (-0.02, -1, -60, 8), -63.8, 350, 0.5, _INHIBITION, (50, 250.5)),
    "T": Pattern("inhibition-induced bursting", "bursts only while inhibited",
                 (-0.026, -1, -45, -2), -63.8, 350, 0.5, _INHIBITION, (50, 250.5)),
}
# fmt: on

# What a fine step needs: I, Q, S as in the PyNN version of Open Source Brain, T with the d of izhikevich.m,
# the other program of the paper.
_SHORTER: dict[str, Any] = {"inputs": (Constant(80), Step(-5, 50, 220)), "marks": (50, 220)}
_EARLIER: dict[str, Any] = {
    "inputs": (Constant(0.24), _pulse(1, 37.75, 4.75), _pulse(1, 207, 4.75)),
    "marks": (212,),
}
ADJUSTED = {
    "I": PATTERNS["I"]._replace(inputs=(_pulse(6.71, 10, 3),)),
    "P": PATTERNS["P"]._replace(**_EARLIER),
    "Q": PATTERNS["Q"]._replace(abcd=(1, 0.18, -60, -21)),
    "S": PATTERNS["S"]._replace(**_SHORTER),
    "T": PATTERNS["T"]._replace(abcd=(-0.026, -1, -45, 0), **_SHORTER),
}
# R in the program: du/dt = a·b·(v + 65), without a decay of u. The same a·b with a thousandth of a makes u
# decay in 50 s, so that the model needs no other term.
CONVERGED = PATTERNS | ADJUSTED | {"R": PATTERNS["R"]._replace(abcd=(2e-5, 1000, -55, 4))}


class Seen(NamedTuple):
    """A panel as simulated: spike times, and potential and input with their times."""

    p: Pattern
    s: np.ndarray
    t: np.ndarray
    v: np.ndarray
    current: np.ndarray

    def gaps(self) -> np.ndarray:
        """Intervals between spikes, ms."""
        return np.diff(self.s)

    def sizes(self) -> list[int]:
        """Spikes in each burst; 15 ms of silence end one."""
        return [len(b) for b in np.split(self.s, np.flatnonzero(self.gaps() > 15.0) + 1)]

    def around(self) -> tuple[int, int]:
        """Spikes before and after the panel's first mark."""
        before = int(np.sum(self.s < self.p.marks[0]))
        return before, len(self.s) - before

    def once(self) -> bool:
        """Whether it is one burst, and silence for 50 ms and more."""
        return self.sizes()[0] >= 3 and len(self.sizes()) == 1 and self.s[-1] < self.p.duration - 50

    def between(self, low: int, high: int) -> bool:
        """Whether all spikes fall between the marks, in two or more bursts of ``low`` to ``high``."""
        sizes, (before, after) = self.sizes(), self.around()
        inside = before == 0 and after > 0 and self.s[-1] <= self.p.marks[1]
        return inside and len(sizes) >= 2 and low <= min(sizes) and max(sizes) <= high

    def rings(self) -> bool:
        """Whether v turns four times or more after the spike."""
        late = self.v[self.t > 30.0]
        return int(np.count_nonzero(np.diff(np.sign(np.diff(late))))) >= 4 and float(np.ptp(late)) > 0.1

    def hump(self) -> bool:
        """Whether v rises above rest after the spike, and comes back."""
        late = self.v[self.t > self.s[0] + 2.0]
        return float(late.max()) > max(self.p.v, float(late[-1])) + 5.0


SHOWS: dict[str, Callable[[Seen], Any]] = {
    "A": lambda x: len(x.s) > 3 and abs(x.gaps()[-1] / x.gaps()[-2] - 1) < 0.05 and x.s[-1] > x.p.duration - 30,
    "B": lambda x: len(x.s) == 1,
    "C": lambda x: len(x.sizes()) >= 3 and min(x.sizes()[:-1]) >= 2,
    "D": lambda x: x.once(),
    "E": lambda x: x.sizes()[0] >= 2 and x.sizes()[1:3] == [1, 1],
    "F": lambda x: len(x.s) > 3 and np.all(np.diff(x.gaps()) > 0) and x.gaps()[-1] > 2 * x.gaps()[0],
    "G": lambda x: len(x.s) > 3 and x.gaps()[0] > 25 and x.gaps()[0] > 2 * x.gaps()[-1],
    "H": lambda x: len(x.s) > 3 and x.gaps()[0] <= 25,
    "I": lambda x: x.around() == (0, 1) and x.s[0] > x.p.marks[0] + 5,
    "J": lambda x: len(x.s) == 1 and x.rings(),
    "K": lambda x: x.around()[0] == 0 and x.around()[1] > 0,
    "L": lambda x: x.around()[0] > 0 and x.around()[1] == 0,
    "M": lambda x: x.around() == (0, 1),
    "N": lambda x: x.around()[0] == 0 and x.once(),
    "O": lambda x: x.around()[0] == 0 and x.around()[1] > 0,
    "P": lambda x: x.around()[0] > 2 and x.around()[1] == 0,
    "Q": lambda x: len(x.s) == 1 and x.hump(),
    "R": lambda x: x.around()[0] == 0 and x.around()[1] > 0,
    "S": lambda x: x.between(1, 1),
    "T": lambda x: x.between(3, 99),
}


def judged(letter: str, seen: Seen) -> bool:
    """Whether a panel shows what it is named for."""
    return bool(SHOWS[letter](seen))
