"""The linear part of a model's derivatives, read off the trace of its formula.

Differences such as f(1) − f(0) would lose digits in float32.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from neurosim.backends.tracing import Graph, NotAffine, Parts, Value, parts
from neurosim.integrators.base import slopes
from neurosim.model import NeuronModel


class Slope(NamedTuple):
    """Derivative f of a variable x, and a and b in f = a·x + b with all else frozen.

    ``rate`` is None where f does not depend on x, or is not linear in it; ``rest`` is None where b is nothing, too.
    """

    whole: Any
    rate: Value | None
    rest: Value | None
    decays: bool  # f is written as a·x


def linear_slopes(xp: Graph, model: NeuronModel, s: Any, i_syn: Any) -> list[Slope]:
    """The derivative of each variable."""
    derivatives = slopes(xp, model, s, i_syn)
    return [_slope(xp, whole, x) for whole, x in zip(derivatives, s, strict=True)]


def _slope(graph: Graph, whole: Any, x: Any) -> Slope:
    if not isinstance(whole, Value):
        return Slope(whole, None, None, False)
    try:
        found = parts(graph, whole, x)
    except NotAffine:
        found = Parts(None, None)
    return Slope(whole, *found, decays=_decays(graph, whole, x, found.slope))


def _decays(graph: Graph, whole: Value, x: Any, rate: Value | None) -> bool:
    if rate is None:
        return False
    node = graph.nodes[whole.index]
    return node.op == "multiply" and sorted(node.args) == sorted((x.index, rate.index))
