"""Trace a whole program and sort its nodes by how often they change.

A value that depends on parameters alone is computed once, on the host, by NumPy: kernels hold no such arithmetic,
parameters never recompile, and exp(−dt/τ) has the same bits fused and eager. A value that depends on the time but
not on the lane is computed once a step, outside the loop over lanes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np

from neurosim.backends.errors import UsageError
from neurosim.backends.program import LAST_EVENT, Clock, Program
from neurosim.backends.tracing.evaluate import evaluate, needed
from neurosim.backends.tracing.graph import Graph, Node, Value


class Level(IntEnum):
    """How often a node changes."""

    CONSTANT = 0
    SCALAR = 1  # once a run, the same for all lanes: on the host
    LANES = 2  # once a run, per lane: on the host
    STEP = 3  # every step, the same for all lanes
    VARYING = 4  # every step, per lane


@dataclass(frozen=True)
class Trace:
    """A traced program.

    Attributes
    ----------
    state : tuple of int
        Node of each carried name after the step, in the order of ``program.state``.
    event : int
        Node of the event mask.
    observables : tuple of int
        Nodes in the order of ``program.observables``.
    """

    program: Program
    graph: Graph
    state: tuple[int, ...]
    event: int
    observables: tuple[int, ...]

    @cached_property
    def levels(self) -> list[Level]:
        """Level of every node."""
        lanes = {slot.name for slot in self.program.slots if slot.per_lane}
        levels: list[Level] = []
        for node in self.graph.nodes:
            levels.append(_level(node, lanes, [levels[i] for i in node.args]))
        return levels

    @cached_property
    def hoisted(self) -> tuple[int, ...]:
        """Nodes of level SCALAR and LANES that the kernel reads."""
        outputs = (*self.state, self.event, *self.observables)
        hoistable = {i for i, level in enumerate(self.levels) if level in (Level.SCALAR, Level.LANES)}
        order = needed(self.graph, outputs, given=hoistable)
        used = {a for i in order for a in self.graph.nodes[i].args} | set(outputs)
        return tuple(sorted(used & hoistable))

    @cached_property
    def body(self) -> list[int]:
        """Nodes that the kernel computes, in order."""
        outputs = (*self.state, self.event, *self.observables)
        return needed(self.graph, outputs, given=self.hoisted)

    def host_values(self, values: Mapping[str, Any]) -> list[Any]:
        """Values of the hoisted nodes, by NumPy."""
        with np.errstate(all="ignore"):  # a bad parameter shows as a non-finite state, with its place
            return evaluate(self.graph, self.hoisted, np, _Typed(self.program, values))


class _Typed(Mapping[str, Any]):
    """Parameters in their types, made when they are read: a copy of an array is gone after its last use."""

    def __init__(self, program: Program, values: Mapping[str, Any]) -> None:
        self._types = {f"parameter {s.name}": s.dtype for s in program.slots}
        self._values = values

    def __getitem__(self, name: str) -> np.ndarray:
        return np.asarray(self._values[name.removeprefix("parameter ")], dtype=self._types[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)


def _level(node: Node, lanes: set[str], args: list[Level]) -> Level:
    if node.op == "constant":
        return Level.CONSTANT
    if node.op == "input":
        kind, _, name = node.payload.partition(" ")
        if kind == "parameter":
            return Level.LANES if name in lanes else Level.SCALAR
        return Level.STEP if kind == "step" else Level.VARYING
    level = max(args)
    if level is Level.STEP and Level.LANES in args:
        return Level.VARYING
    # Kernels take floats per lane and numbers: conditions and integers are computed where they are needed.
    if level is Level.LANES and not node.dtype.startswith("float"):
        return Level.VARYING
    if level is Level.SCALAR and node.dtype == "bool":
        return Level.STEP
    return level


def trace(program: Program) -> Trace:
    """Run the program once on symbols.

    Raises
    ------
    NotTraceable
        When it uses a function that no kernel knows.
    UsageError
        When it branches on arrays, writes into its arguments or returns the wrong names or types.
    """
    graph = Graph()
    state = {name: graph.input(f"state {name}", program.dtype) for name in program.state}
    if program.last_event:
        state[LAST_EVENT] = graph.input(LAST_EVENT, "int32")
    params = {s.name: graph.input(f"parameter {s.name}", s.dtype) for s in program.slots}
    params |= {name: graph.input(f"arrival {name}", program.dtype) for name in program.inputs}
    clock = Clock(step=graph.input("step", "int64"), lane=graph.input("lane", "int64"))
    outputs = program.function(graph, state, params, clock)

    def node(name: str, value: Any, dtype: str) -> int:
        if not isinstance(value, Value):
            value = graph.constant(value, dtype)
        if value.dtype != dtype:
            raise UsageError(f"{program.name}: {name} must be {dtype}, the formula gives {value.dtype}")
        return value.index

    return Trace(
        program,
        graph,
        tuple(node(name, outputs.state[name], program.dtype) for name in program.state),
        node("the event", outputs.event, "bool"),
        tuple(node(name, outputs.observables[name], program.dtype) for name in program.observables),
    )
