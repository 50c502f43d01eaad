"""A step over real arrays by the trace of its formula: eager and fused then do the same operations."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from neurosim.backends.tracing import Graph, NotTraceable, Plan, Value
from neurosim.errors import UsageError
from neurosim.model import NeuronModel
from neurosim.parameters import parameters, unchecked

if TYPE_CHECKING:
    from neurosim.integrators.base import Integrator

CURRENT, STEP = "the current", "the step"  # no identifiers: a parameter may be called "current"


def options_of(model: NeuronModel) -> tuple[tuple[str, Any], ...]:
    """Fields that are no parameters: they may change the formula."""
    names = [f.name for f in dataclasses.fields(model) if f.name not in parameters(type(model))]
    return tuple((name, getattr(model, name)) for name in names)


def symbols(graph: Graph, cls: type[NeuronModel], options: tuple[tuple[str, Any], ...], dtype: str) -> tuple[Any, Any]:
    """A model and a state made of inputs of the graph."""
    model = unchecked(cls, dict(options) | {name: graph.input(name, dtype) for name in parameters(cls)})
    return model, cls.State(*(graph.input(name, dtype) for name in cls.State._fields))


def evaluated(integrator: Integrator, xp: Any, model: NeuronModel, s: Any, i_syn: Any, dt: Any) -> Any:
    """The state after a step of an integrator that reads the graph."""
    if not s:
        return s
    plan = _plan(integrator, type(model), options_of(model), str(s[0].dtype).rpartition(".")[2])
    inputs = {name: getattr(model, name) for name in parameters(type(model))} | s._asdict()
    return type(s)(*plan(xp, inputs | {CURRENT: i_syn, STEP: dt}))


@lru_cache(maxsize=128)
def _plan(integrator: Integrator, cls: type[NeuronModel], options: tuple[tuple[str, Any], ...], dtype: str) -> Plan:
    graph = Graph()
    model, s = symbols(graph, cls, options, dtype)
    try:
        after = integrator.advance(graph, model, s, graph.input(CURRENT, dtype), graph.input(STEP, dtype), {})
    except NotTraceable as error:
        raise UsageError(
            f"method={integrator.name!r} reads the linear part of {cls.__name__} off a trace, but {error}; "
            "write method='euler', 'heun' or 'rk4'"
        ) from error
    return Plan(graph, [(x if isinstance(x, Value) else graph.constant(x, dtype)).index for x in after])
