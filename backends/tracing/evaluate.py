"""Compute nodes of a graph op by op with any array library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neurosim.backends.tracing.graph import Graph


def needed(graph: Graph, outputs: Iterable[int], given: Iterable[int] = ()) -> list[int]:
    """Nodes that the outputs need, in order of computation, down to the ``given`` ones."""
    given = set(given)
    found: set[int] = set()
    stack = [i for i in outputs if i not in given]
    while stack:
        index = stack.pop()
        if index not in found:
            found.add(index)
            stack.extend(i for i in graph.nodes[index].args if i not in given)
    return sorted(found)


class Plan:
    """The computation of some nodes of a graph, worked out once and run with any array library.

    Constants stay Python numbers, which take the type of the arrays that they meet. An intermediate array is dropped
    after its last use.

    Parameters
    ----------
    graph : Graph
        It may grow later; the plan stays.
    outputs : sequence of int
        Nodes to compute.
    """

    def __init__(self, graph: Graph, outputs: Sequence[int]) -> None:
        order = needed(graph, outputs)
        last = {argument: index for index in order for argument in graph.nodes[index].args}
        keep = set(outputs)
        self._outputs = tuple(outputs)
        self._steps = [
            (
                index,
                graph.nodes[index],
                [a for a in set(graph.nodes[index].args) if last[a] == index and a not in keep],
            )
            for index in order
        ]

    def __call__(self, xp: Any, inputs: Mapping[str, Any]) -> list[Any]:
        """The values of the outputs, given arrays for the inputs by name."""
        values: dict[int, Any] = {}
        for index, node, dead in self._steps:
            if node.op == "input":
                values[index] = inputs[node.payload]
            elif node.op == "constant":
                values[index] = node.payload.item()
            elif node.op == "astype":
                values[index] = xp.astype(values[node.args[0]], getattr(xp, node.dtype))
            else:
                values[index] = getattr(xp, node.op)(*[values[i] for i in node.args])
            for argument in dead:
                del values[argument]
        return [values[index] for index in self._outputs]


def evaluate(graph: Graph, outputs: Sequence[int], xp: Any, inputs: Mapping[str, Any]) -> list[Any]:
    """The values of some nodes, once; see :class:`Plan`."""
    return Plan(graph, outputs)(xp, inputs)
