"""Put ``exprel(x)`` in place of ``expm1(x) / x``.

Exponential Euler moves a variable by f·dt·(eˣ − 1)/x with x = a·dt. Near 0, where dt is small against every time
constant, the quotient is a polynomial, and the division is saved. Only kernels are rewritten, the eager path keeps the
formula.
"""

from __future__ import annotations

from neurosim.backends.tracing.graph import Graph, Value
from neurosim.backends.tracing.program_trace import Level, Trace
from neurosim.backends.tracing.rewrite import rewritten

_NOTHING = 1e-20  # what is added to x lest it be 0, and does not change exprel(x)


def relative_exponentials(trace: Trace) -> Trace:
    """The same program with fewer divisions."""
    graph = trace.graph
    sources = {}
    for index in trace.body:
        node = graph.nodes[index]
        if node.op != "divide" or trace.levels[index] is not Level.VARYING:
            continue
        above, below = node.args
        if graph.nodes[above].op == "expm1" and graph.nodes[above].args[0] == below:
            sources[index] = (_without_guard(graph, below),)
    # Under bombardment a conductance takes a·dt beyond the range of the short polynomial, here and there in each block.
    name = "wide_exprel" if trace.program.inputs else "exprel"

    def make(new: Graph, index: int, x: Value) -> Value:
        return new.kernel_function(name, x)

    return rewritten(trace, sources, make) if sources else trace


def _without_guard(graph: Graph, index: int) -> int:
    """``x`` of ``x + c`` where c only keeps a division by 0 away."""
    node = graph.nodes[index]
    if node.op == "add":
        for here, other in (node.args, node.args[::-1]):
            constant = graph.nodes[here]
            if constant.op == "constant" and abs(float(constant.payload)) < _NOTHING:
                return other
    return index
