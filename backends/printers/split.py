"""Cut a long loop body into several loops.

A step of a Hodgkin-Huxley neuron is some 400 vector instructions in chains of 250 cycles. A processor looks ahead about
300 instructions, so it finishes one iteration before it can begin the next and waits most of the time. Cut into
shorter loops, with the values that pass from one to the next in the first-level cache, iterations overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from neurosim.backends.tracing.graph import Node

_LOOP_WEIGHT = 55.0  # measured: the best length of a loop, in operations
_SLACK = 1.5  # a loop may be this much longer where fewer values pass the cut
_PASSING = 1.0  # price of storing and loading one value
_LOOP_PRICE = 10.0  # of one more loop
_FORBIDDEN = 1e9


def weight(node: Node, calls: frozenset[str]) -> float:
    """Instructions that an operation takes, about."""
    if node.op in calls:
        return 25.0
    return {"divide": 4.0, "input": 0.0, "constant": 0.0}.get(node.op, 1.0)


def split(
    weights: Sequence[float],
    last_use: Sequence[int],
    passable: Sequence[bool],
    cuts: Sequence[int] = (),
) -> list[tuple[int, int]]:
    """Ranges of operations, one for each loop.

    Parameters
    ----------
    weights : sequence of float
        Of each operation, in order of computation.
    last_use : sequence of int
        The last operation that reads each one's value; ``len(weights)`` where it must live to the end.
    passable : sequence of bool
        Whether each value can be kept in a row of the scratch array.
    cuts : sequence of int
        Where to cut in any case, if the values there are passable.
    """
    n = len(weights)
    passing = [0.0] * (n + 1)
    for position in range(n):
        price = _PASSING if passable[position] else _FORBIDDEN
        for cut in range(position + 1, min(last_use[position], n - 1) + 1):
            passing[cut] += price
    edges = [0, *(cut for cut in sorted(set(cuts)) if 0 < cut < n and passing[cut] < _FORBIDDEN), n]
    ranges: list[tuple[int, int]] = []
    for begin, stop in pairwise(edges):
        ranges += _cheapest(weights, passing, begin, stop)
    return ranges


def _cheapest(weights: Sequence[float], passing: Sequence[float], begin: int, stop: int) -> list[tuple[int, int]]:
    """The cheapest way from ``begin`` to ``stop``, by dynamic programming over the cut before each cut."""
    before = list(accumulate(weights[begin:stop], initial=0.0))
    size = stop - begin
    if before[-1] <= _LOOP_WEIGHT * _SLACK:
        return [(begin, stop)]
    best = [0.0] + [float("inf")] * size
    previous = [0] * (size + 1)
    for cut in range(1, size + 1):
        for start in range(cut):
            excess = max(0.0, before[cut] - before[start] - _LOOP_WEIGHT)
            price = best[start] + excess * excess / _LOOP_WEIGHT + _LOOP_PRICE
            price += passing[begin + cut] if cut < size else 0.0
            if price < best[cut]:
                best[cut], previous[cut] = price, start
    edges = [size]
    while edges[-1] > 0:
        edges.append(previous[edges[-1]])
    edges.reverse()
    return [(begin + a, begin + b) for a, b in pairwise(edges)]
