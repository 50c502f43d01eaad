"""Run an elementwise Array-API function on symbols and keep what it did.

``Graph`` is a namespace ``xp`` whose arrays are :class:`Value` nodes. Equal operations on equal operands are one
node (hash-consing), operations on constants are done at once, and the nodes are in an order in which they can be
computed. What a formula may use is listed in :mod:`neurosim.backends.tracing.functions` and nowhere else.
"""

from neurosim.backends.tracing.affine import NotAffine, Parts, coefficient, parts
from neurosim.backends.tracing.evaluate import Plan, evaluate
from neurosim.backends.tracing.functions import FUNCTIONS, NotTraceable
from neurosim.backends.tracing.fused_products import fused_products
from neurosim.backends.tracing.graph import Graph, Node, Value
from neurosim.backends.tracing.program_trace import Trace, trace
from neurosim.backends.tracing.relative_exponentials import relative_exponentials
from neurosim.backends.tracing.share_exponentials import share_exponentials

__all__ = [
    "FUNCTIONS",
    "Graph",
    "Node",
    "NotAffine",
    "NotTraceable",
    "Parts",
    "Plan",
    "Trace",
    "Value",
    "coefficient",
    "evaluate",
    "fused_products",
    "parts",
    "relative_exponentials",
    "share_exponentials",
    "trace",
]
