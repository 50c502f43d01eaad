"""Put one fused operation in place of a product and a sum, where nothing else reads the product.

A fused multiply-add is rounded once, and is one instruction where there were two. NumPy has none, so kernels whose
bits are those of the eager path keep sums and products apart: those of formulas with no elementary function. Where
there is one (an exponential of NumPy's is not ours to the last bit), nothing is lost. Which products are fused depends
on the state alone, never on what is recorded.
"""

from __future__ import annotations

from collections import Counter

from neurosim.backends.tracing.evaluate import needed
from neurosim.backends.tracing.graph import Graph, Value
from neurosim.backends.tracing.program_trace import Level, Trace
from neurosim.backends.tracing.rewrite import rewritten

_ELEMENTARY = {"exp", "expm1", "exprel", "wide_exprel", "log", "log1p", "tanh", "sin", "cos"}


def fused_products(trace: Trace) -> Trace:
    """The same program with fewer operations, or the trace itself where its bits are NumPy's."""
    graph = trace.graph
    outputs = (*trace.state, trace.event)
    body = [i for i in needed(graph, outputs, given=trace.hoisted) if trace.levels[i] is Level.VARYING]
    if not any(graph.nodes[i].op in _ELEMENTARY for i in body):
        return trace
    readers = Counter(outputs) + Counter(i for index in body for i in graph.nodes[index].args)
    plan: dict[int, tuple[int, ...]] = {}
    negated: dict[int, tuple[bool, bool]] = {}  # the product, and what is added
    for index in body:
        node = graph.nodes[index]
        if node.op not in ("add", "subtract") or not node.dtype.startswith("float"):
            continue
        for product, other in (node.args, node.args[::-1]):
            factors = graph.nodes[product]
            alone = readers[product] == 1 and trace.levels[product] is Level.VARYING
            if factors.op == "multiply" and alone and product != other:
                plan[index] = (*factors.args, other)
                minus = node.op == "subtract"
                negated[index] = minus and product == node.args[1], minus and product == node.args[0]
                break

    def make(new: Graph, index: int, a: Value, b: Value, c: Value) -> Value:
        of_product, of_sum = negated[index]
        return new.kernel_function("fma", -a if of_product else a, b, -c if of_sum else c)

    return rewritten(trace, plan, make) if plan else trace
