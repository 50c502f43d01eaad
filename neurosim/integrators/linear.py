"""The linear part of a model's derivatives, read off the trace of its formula.

Differences such as f(1) − f(0) would lose digits in float32.
"""

from __future__ import annotations

from typing import Any

from neurosim.backends.tracing import Graph, NotAffine, Value, coefficient
from neurosim.integrators.base import slopes
from neurosim.model import NeuronModel


def slopes_and_rates(xp: Graph, model: NeuronModel, s: Any, i_syn: Any) -> tuple[Any, list[Any], list[bool]]:
    """Derivatives f, and for each variable x the coefficient a in f = a·x + b with all else frozen.

    The coefficient is None where f does not depend on x, or is not linear in it. Last, whether b is nothing at all.
    """
    derivatives = slopes(xp, model, s, i_syn)
    found = [_rate(xp, slope, x) for slope, x in zip(derivatives, s, strict=True)]
    return derivatives, found, [_decays(xp, *of_one) for of_one in zip(derivatives, s, found, strict=True)]


def _rate(graph: Graph, slope: Any, x: Any) -> Value | None:
    if not isinstance(slope, Value):
        return None
    try:
        return coefficient(graph, slope, x)
    except NotAffine:
        return None


def _decays(graph: Graph, slope: Any, x: Any, rate: Any) -> bool:
    """Whether a slope is the product of its variable and its rate."""
    if rate is None:
        return False
    node = graph.nodes[slope.index]
    return node.op == "multiply" and sorted(node.args) == sorted((x.index, rate.index))
