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


def evaluate(graph: Graph, outputs: Sequence[int], xp: Any, inputs: Mapping[str, Any]) -> list[Any]:
    """The values of ``outputs``, given arrays for the inputs by name.

    Constants stay Python numbers, which take the type of the arrays that they meet. An intermediate array is
    dropped after its last use.
    """
    order = needed(graph, outputs)
    last = {argument: index for index in order for argument in graph.nodes[index].args}
    keep = set(outputs)
    values: dict[int, Any] = {}
    for index in order:
        node = graph.nodes[index]
        if node.op == "input":
            values[index] = inputs[node.payload]
        elif node.op == "constant":
            values[index] = node.payload.item()
        elif node.op == "where" and all(graph.nodes[i].op == "constant" for i in node.args[1:]):
            # Two Python numbers have no type of their own, and the Array API refuses them.
            a, b = (values[i] for i in node.args[1:])
            values[index] = xp.where(values[node.args[0]], xp.asarray(a, dtype=getattr(xp, node.dtype)), b)
        elif node.op == "astype":
            values[index] = xp.astype(values[node.args[0]], getattr(xp, node.dtype))
        else:
            values[index] = getattr(xp, node.op)(*(values[i] for i in node.args))
        for argument in set(node.args):
            if last[argument] == index and argument not in keep:
                del values[argument]
    return [values[index] for index in outputs]
