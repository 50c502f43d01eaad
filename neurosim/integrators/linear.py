"""The linear part of a model's derivatives, read off the trace of its formula.

Over real arrays the coefficients are those of the same trace, run op by op: eager and fused do the same
operations. Differences such as f(1) − f(0) would lose digits in float32.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any

from neurosim.backends.tracing import Graph, NotAffine, NotTraceable, Plan, Value, coefficient
from neurosim.errors import UsageError
from neurosim.integrators.base import slopes
from neurosim.model import NeuronModel
from neurosim.parameters import parameters, unchecked

_CURRENT = "current"


def slopes_and_rates(xp: Any, model: NeuronModel, s: Any, i_syn: Any) -> tuple[Any, list[Any], list[bool]]:
    """Derivatives f, and for each variable x the coefficient a in f = a·x + b with all else frozen.

    The coefficient is None where f does not depend on x, or is not linear in it. Last, whether b is nothing at all.
    """
    if isinstance(xp, Graph):
        derivatives = slopes(xp, model, s, i_syn)
        found = [_rate(xp, slope, x) for slope, x in zip(derivatives, s, strict=True)]
        return derivatives, found, [_decays(xp, *of_one) for of_one in zip(derivatives, s, found, strict=True)]
    traced = _trace(type(model), _options(model), str(s[0].dtype).rpartition(".")[2] if s else "float64")
    inputs = {name: getattr(model, name) for name in parameters(type(model))} | s._asdict() | {_CURRENT: i_syn}
    values = traced.plan(xp, inputs)
    n = len(s)
    rates = iter(values[n:])
    return type(s)(*values[:n]), [next(rates) if has else None for has in traced.has_rate], traced.decays


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


@dataclasses.dataclass(frozen=True)
class _Traced:
    plan: Plan
    has_rate: list[bool]
    decays: list[bool]


def _options(model: NeuronModel) -> tuple[tuple[str, Any], ...]:
    """Fields that are no parameters: they may change the formula."""
    names = [f.name for f in dataclasses.fields(model) if f.name not in parameters(type(model))]
    return tuple((name, getattr(model, name)) for name in names)


@lru_cache(maxsize=128)
def _trace(cls: type[NeuronModel], options: tuple[tuple[str, Any], ...], dtype: str) -> _Traced:
    graph = Graph()
    names = list(parameters(cls))
    model = unchecked(cls, dict(options) | {name: graph.input(name, dtype) for name in names})
    s = cls.State(*(graph.input(name, dtype) for name in cls.State._fields))
    try:
        derivatives, rates, decays = slopes_and_rates(graph, model, s, graph.input(_CURRENT, dtype))
    except NotTraceable as error:
        raise UsageError(
            f"method='exponential_euler' reads the linear part of {cls.__name__} off a trace, but {error}; "
            "write method='euler', 'heun' or 'rk4'"
        ) from error
    slope_nodes = [(x if isinstance(x, Value) else graph.constant(x, dtype)).index for x in derivatives]
    rate_nodes = [a.index for a in rates if a is not None]
    return _Traced(Plan(graph, [*slope_nodes, *rate_nodes]), [a is not None for a in rates], decays)
