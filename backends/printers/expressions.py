"""Names and expressions of the nodes of a trace, as Numba reads them."""

from __future__ import annotations

from collections.abc import Sequence

from neurosim.backends.printers.numba_tables import CALLS, NUMPY, OPERATORS, SHORT
from neurosim.backends.tracing.graph import Node


class Expressions:
    """What every printer knows.

    Parameters
    ----------
    nodes : sequence of Node
        Of the graph.

    Attributes
    ----------
    imports : set of str
        Functions of :mod:`neurosim.backends.math_functions` that the text calls.
    constants : dict
        Expression of a constant to its name.
    names : dict
        Number of a node to its name.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.imports: set[str] = set()
        self.constants: dict[str, str] = {}
        self.names: dict[int, str] = {}

    def constant(self, value: object, dtype: str) -> str:
        """Name of a number."""
        text = repr(value.item() if hasattr(value, "item") else value)
        if text in ("inf", "-inf", "nan"):
            text = f"np.{text}" if text != "-inf" else "-np.inf"
        expression = text if dtype in ("bool", "int64") else f"{NUMPY[dtype]}({text})"
        return self.constants.setdefault(expression, f"c{len(self.constants)}")

    def name(self, index: int) -> str:
        """Name of what a node computes."""
        node = self.nodes[index]
        return self.constant(node.payload, node.dtype) if node.op == "constant" else self.names[index]

    def expression(self, node: Node, dtype: str | None = None) -> str:
        """What a node computes of others; with ``dtype`` in that type in place of its own."""
        kind = dtype or node.dtype
        operands = [self.name(i) for i in node.args]
        if node.op == "astype":
            source = self.nodes[node.args[0]].dtype
            if source == "bool":
                return f"{self.constant(1, kind)} if {operands[0]} else {self.constant(0, kind)}"
            return f"{operands[0]} != {self.constant(0, source)}" if kind == "bool" else f"{NUMPY[kind]}({operands[0]})"
        if node.op in CALLS:
            function = f"{node.op}_{SHORT[kind]}"
            self.imports.add(function)
            return f"{function}({operands[0]})"
        extra = {}
        if node.op == "sign":
            extra = {k: self.constant(v, kind) for k, v in (("one", 1), ("zero", 0), ("minus", -1))}
        text = OPERATORS[node.op].format(*operands, **extra)
        return f"np.int32({text})" if kind == "int32" else text  # Numba would go on in 64 bits
