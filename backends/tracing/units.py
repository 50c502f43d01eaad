"""Traces of formulas over the units of a layer: elementwise, but for sums and maxima over the units of each sample.

Arrays have shape (…, samples, units). :class:`UnitGraph` passes for a namespace as :class:`Graph` does, and has two
functions more; ``x.shape[-1]`` of its values is a number that the kernel is given, so that one kernel serves layers of
all widths.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.backends.tracing.graph import Graph, Node, Value

LARGEST, SUM = "largest_unit", "sum_of_units"
REDUCTIONS = (LARGEST, SUM)


class UnitValue(Value):
    """A node that knows how many samples and units there are."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[Any, Any]:
        """Numbers of samples and units, as values of this type."""
        return tuple(self.graph.input(name, self.dtype) for name in ("samples", "units"))  # type: ignore[return-value]


class UnitGraph(Graph):
    """A graph with reductions over the units of each sample."""

    def _add(self, node: Node) -> Value:
        return UnitValue(self, super()._add(node).index)

    def largest_unit(self, x: Value) -> Value:
        """Largest of the units of each sample."""
        return self._add(Node(LARGEST, x.dtype, (x.index,)))

    def sum_of_units(self, x: Value) -> Value:
        """Sum over the units of each sample."""
        return self._add(Node(SUM, x.dtype, (x.index,)))

    def finfo(self, dtype: str) -> Any:
        """Limits of a type."""
        return np.finfo(np.dtype(dtype))
