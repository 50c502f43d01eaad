"""Copy a trace with some of its nodes replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from neurosim.backends.tracing.evaluate import needed
from neurosim.backends.tracing.functions import KERNEL_FUNCTIONS
from neurosim.backends.tracing.graph import Graph, Value
from neurosim.backends.tracing.program_trace import Trace


def rewritten(trace: Trace, sources: Mapping[int, Sequence[int]], make: Callable[..., Value]) -> Trace:
    """The same program with other nodes in place of some.

    Parameters
    ----------
    trace : Trace
        It stays as it is.
    sources : mapping of int to sequence of int
        Nodes that are replaced, each with the nodes that its replacement is made of.
    make : callable
        ``make(graph, index, *sources)`` gives the replacement of a node in the new graph.
    """
    graph, new = trace.graph, Graph()
    outputs = (*trace.state, trace.event, *trace.observables)
    image: dict[int, Value] = {}

    def copy(index: int) -> Value:
        node = graph.nodes[index]
        if index in sources:
            return make(new, index, *(image[i] for i in sources[index]))
        if node.op == "input":
            return new.input(node.payload, node.dtype)
        if node.op == "constant":
            return new.constant(node.payload, node.dtype)
        operands = [image[i] for i in node.args]
        if node.op == "where":
            return new.where(operands[0], operands[1], operands[2])
        if node.op == "astype":
            return new.astype(operands[0], node.dtype)
        if node.op in KERNEL_FUNCTIONS:
            return new.kernel_function(node.op, *operands)
        return new.apply(node.op, *operands)

    for index in needed(graph, outputs):
        # What a replacement is made of may come later in the formula.
        first = needed(graph, sources[index], given=image) if index in sources else []
        for i in (*first, index):
            image[i] = copy(i)
    nodes = [image[i].index for i in outputs]
    n = len(trace.state)
    return Trace(trace.program, new, tuple(nodes[:n]), nodes[n], tuple(nodes[n + 1 :]))
