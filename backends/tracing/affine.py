"""The coefficient of one value in another that is linear in it.

Exponential Euler needs a in dx/dt = a·x + b. Differences f(1) − f(0) lose digits in float32; the graph does not.
"""

from __future__ import annotations

from neurosim.backends.errors import UsageError
from neurosim.backends.tracing.graph import Graph, Value


class NotAffine(UsageError):
    """The value is not linear in the variable."""


def dependants(graph: Graph, leaf: int) -> set[int]:
    """Every node whose value depends on ``leaf``."""
    found = {leaf}
    for index in range(leaf + 1, len(graph.nodes)):
        if not found.isdisjoint(graph.nodes[index].args):
            found.add(index)
    return found


def coefficient(graph: Graph, y: Value, x: Value) -> Value | None:
    """``a`` in ``y = a·x + b``, where neither depends on ``x``; None where ``y`` does not depend on ``x`` at all.

    Raises
    ------
    NotAffine
        When ``y`` is not linear in ``x``.
    """
    depends = dependants(graph, x.index)
    known: dict[int, Value | None] = {}

    def visit(index: int) -> Value | None:
        if index not in known:
            known[index] = compute(index)
        return known[index]

    def compute(index: int) -> Value | None:
        if index == x.index:
            return graph.constant(1, x.dtype)
        if index not in depends:
            return None
        node = graph.nodes[index]
        values = [Value(graph, i) for i in node.args]
        if node.op == "add":
            a, b = visit(node.args[0]), visit(node.args[1])
            return b if a is None else a if b is None else _sum(graph, a, b)
        if node.op == "subtract":
            a, b = visit(node.args[0]), visit(node.args[1])
            return a if b is None else _negated(graph, b) if a is None else _sum(graph, a, _negated(graph, b))
        if node.op == "negative":
            a = visit(node.args[0])
            return None if a is None else _negated(graph, a)
        if node.op == "multiply" and len(depends.intersection(node.args)) == 1 and node.args[0] != node.args[1]:
            i = 0 if node.args[0] in depends else 1
            a = visit(node.args[i])
            return None if a is None else _product(graph, a, values[1 - i])
        if node.op == "divide" and node.args[1] not in depends:
            a = visit(node.args[0])
            return None if a is None else a / values[1]
        if node.op == "where" and node.args[0] not in depends:
            a, b = visit(node.args[1]), visit(node.args[2])
            if a is None and b is None:
                return None
            return graph.where(values[0], 0.0 if a is None else a, 0.0 if b is None else b)
        raise NotAffine(f"not linear: {node.op}")

    return visit(y.index)


# Signs are moved outwards, where they cost nothing: −x·y − z·y is −(x·y + z·y). No result changes but in the sign of 0.


def _inside(graph: Graph, a: Value) -> Value | None:
    """``x`` of ``-x``."""
    node = graph.nodes[a.index]
    return Value(graph, node.args[0]) if node.op == "negative" else None


def _negated(graph: Graph, a: Value) -> Value:
    inside = _inside(graph, a)
    return -a if inside is None else inside


def _sum(graph: Graph, a: Value, b: Value) -> Value:
    x, y = _inside(graph, a), _inside(graph, b)
    if x is not None:
        return -(x + y) if y is not None else b - x
    return a + b if y is None else a - y


def _product(graph: Graph, a: Value, b: Value) -> Value:
    x, node = _inside(graph, a), graph.nodes[a.index]
    if x is not None:
        return -(x * b)
    return -b if node.op == "constant" and node.payload == -1 else a * b
