"""Where a kernel finds each value."""

from __future__ import annotations

from neurosim.backends.tracing.program_trace import Level, Trace
from neurosim.backends.tracing.rarely import choices, every_fourth_step

VECTOR = 16  # lanes of the widest vector: 512 bits of float32
_SCRATCH_BYTES = 28 * 1024  # of a first-level cache of 32 KiB
_CONNECTED_VECTORS = 16  # of a block with inputs: its windows are short, and its blocks are shared out among threads


class Layout:
    """Where the kernel finds each value: rows of the scratch array, indices of the scalars.

    Attributes
    ----------
    lanes, lanes64, scalars, scalars64, integers : list of int
        Hoisted nodes in the order in which the kernel's arguments hold them.
    words, rare : list of int
        Random words that are kept for four steps, and the operations that compute them.
    choices : dict
        Nodes that are one of these words, by the step.
    """

    def __init__(self, trace: Trace) -> None:
        nodes, dtype = trace.graph.nodes, trace.program.dtype
        groups: dict[str, list[int]] = {
            "lanes": [],
            "lanes64": [],
            "scalars": [],
            "scalars64": [],
            "integers": [],
        }
        for index in trace.hoisted:
            node = nodes[index]
            kind = "lanes" if trace.levels[index] is Level.LANES else "scalars"
            if node.dtype.startswith("int"):
                groups["integers"].append(index)
            else:
                groups[kind if node.dtype == dtype else kind + "64"].append(index)
        self.lanes, self.lanes64 = groups["lanes"], groups["lanes64"]
        self.scalars, self.scalars64, self.integers = (
            groups["scalars"],
            groups["scalars64"],
            groups["integers"],
        )
        self.words, self.rare = every_fourth_step(trace)
        self.choices = choices(trace, self.words)
        self.n_state = len(trace.program.state)
        self.n_last = int(trace.program.last_event)
        self.rows = len(trace.program.observables)
        self.input_rows = [self.new_row() for _ in trace.program.inputs]
        self.itemsize = 4 if dtype == "float32" else 8

    def new_row(self) -> int:
        """One more row of the scratch array."""
        self.rows += 1
        return self.rows - 1

    @property
    def block(self) -> int:
        """Lanes of a block, a whole number of vectors."""
        per_lane = (self.n_state + len(self.lanes) + self.rows) * self.itemsize + len(self.lanes64) * 8
        per_lane += (len(self.words) + self.n_last) * 4
        most = _CONNECTED_VECTORS if self.input_rows else 128
        vectors = max(4, min(most, _SCRATCH_BYTES // max(per_lane, 1) // VECTOR))
        # An odd number: rows a large power of two apart fall on the same lines of the cache.
        return (vectors - 1 + vectors % 2) * VECTOR
