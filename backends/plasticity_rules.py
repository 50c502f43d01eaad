"""Rules of plasticity: formulas of numbers or of arrays, the one text that both loops compute with.

A source and a target keep traces, which a spike raises and which decay between spikes. With the names of Pfister and
Gerstner (2006): r1, r2 of the source as it arrives at the synapse, o1, o2 of the target. A pair rule is the triplet
rule without its triplet terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# Numbers of a rule that changes weights.
A2_PLUS, A3_PLUS, A2_MINUS, A3_MINUS, W_MIN, W_MAX, SOFT, HARD, KEEP = range(9)
# Number of a rule that changes what a spike releases.
USE = 0
N_NUMBERS = 9

R1, R2, O1, O2 = range(4)  # rows of the tables of decay
RESOURCES, UTILISATION = range(2)  # the same of a rule that changes what a spike releases
NEVER = -(1 << 50)  # step of a spike that has not been

_BITS = 10
_MASK = (1 << _BITS) - 1
_LOST = 60.0  # time constants after which a trace is zero: e⁻⁶⁰ is lost in any sum
MOST_STEPS = 1 << 24  # of a time constant


@dataclass(frozen=True, eq=False)
class Rule:
    """What the synapses of some rows do when spikes come.

    Attributes
    ----------
    learns : bool
        Whether weights change; else the weight of each spike is multiplied by what its source releases.
    triplets : bool
        Whether r2 and o2 matter.
    numbers : ndarray of float64, shape (N_NUMBERS,)
        Named above.
    fine, coarse : ndarray of float64, shape (4, 1024) and (4, C)
        Tables for :func:`decay` of each trace.
    """

    learns: bool
    triplets: bool
    numbers: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray


@dataclass(frozen=True, eq=False)
class Plastic:
    """Rows with a rule.

    Attributes
    ----------
    rows : int
        Their number.
    rule : Rule
        What they do.
    target : int
        Number of the member that all their synapses are onto.
    slots : ndarray of int64, shape (owners,)
        Accumulator of the first target of each owner.
    """

    rows: int
    rule: Rule
    target: int
    slots: np.ndarray


def decay_tables(taus: Sequence[float], dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Factors e^(−k·dt/tau) for every k, as products of one of a fine and one of a coarse table.

    Parameters
    ----------
    taus : sequence of float, shape (4,)
        In ms; of a trace with tau = 0 nothing is left after a step.
    dt : float
        Step in ms.
    """
    tau = np.array(taus, np.float64)[:, None]
    blocks = int(_LOST * tau.max(initial=0.0) / dt) // (_MASK + 1) + 2
    coarse_steps, fine_steps = np.arange(blocks, dtype=np.float64) * (_MASK + 1), np.arange(_MASK + 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        tables = [np.where(steps == 0.0, 1.0, np.exp(-steps * dt / tau)) for steps in (fine_steps, coarse_steps)]
    tables[1][:, -1] = 0.0
    return tables[0], tables[1]


# -- formulas: Python on arrays, and compiled on numbers, with the same operations in the same order


def decay(fine: Any, coarse: Any, steps: Any) -> Any:
    """What is left of a trace after so many steps, at least 0."""
    return fine[steps & _MASK] * coarse[np.minimum(steps >> _BITS, coarse.shape[0] - 1)]


def raised(trace: Any, numbers: Any) -> Any:
    """A trace after a spike: 1 more where all spikes count, 1 where only the nearest does."""
    return numbers[KEEP] * trace + 1.0


def depressed(weight: Any, o1: Any, r2: Any, numbers: Any) -> Any:
    """A weight after a spike of the source has arrived, to be clipped; r2 is that of before."""
    room = numbers[SOFT] * (weight - numbers[W_MIN]) + numbers[HARD] * (numbers[W_MAX] - numbers[W_MIN])
    return weight - room * (o1 * (numbers[A2_MINUS] + numbers[A3_MINUS] * r2))


def potentiated(weight: Any, r1: Any, o2: Any, numbers: Any) -> Any:
    """A weight after a spike of the target, to be clipped; o2 is that of before."""
    room = numbers[SOFT] * (numbers[W_MAX] - weight) + numbers[HARD] * (numbers[W_MAX] - numbers[W_MIN])
    return weight + room * (r1 * (numbers[A2_PLUS] + numbers[A3_PLUS] * o2))


def released(x: Any, u: Any, left_x: Any, left_u: Any, numbers: Any) -> Any:
    """Resources after a spike, utilisation at it, and the part of the weight that it releases.

    Parameters
    ----------
    x, u : float or ndarray
        Resources after and utilisation at the spike before.
    left_x, left_u : float or ndarray
        What the time since then leaves of 1 − x and of u.
    numbers : ndarray
        Of the rule.
    """
    faded = u * left_u
    utilisation = faded + numbers[USE] * (1.0 - faded)
    resources = 1.0 - (1.0 - x) * left_x
    part = utilisation * resources
    return resources - part, utilisation, part
