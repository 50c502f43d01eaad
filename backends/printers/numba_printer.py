"""Print a trace as Python source for Numba.

The kernel works on blocks of lanes. A block's rows (state, per-lane parameters, observables) are copied to one
scratch array in the first-level cache, advanced ``n_steps`` steps there, and copied back. Because every row lives in
that one array at a constant distance, LLVM sees without run-time checks that rows do not overlap, and vectorises
the loop over lanes. Blocks are padded to whole vectors by copies of the last lane, so no scalar remainder is left.

Nothing is compiled with fast-math: each operation is rounded as IEEE 754 says, products and sums are not
contracted, and the bits are those of NumPy on every machine, for every number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurosim.backends.printers.numba_template import TEMPLATE
from neurosim.backends.printers.split import split, weight
from neurosim.backends.tracing import FUNCTIONS
from neurosim.backends.tracing.graph import Node
from neurosim.backends.tracing.program_trace import Level, Trace

VECTOR = 16  # lanes of the widest vector: 512 bits of float32
_SCRATCH_BYTES = 28 * 1024  # of a first-level cache of 32 KiB
_SHORT = {"float32": "f32", "float64": "f64"}
_NUMPY = {
    "bool": "np.bool_",
    "int32": "np.int32",
    "int64": "np.int64",
    "float32": "np.float32",
    "float64": "np.float64",
}

_OPERATORS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "negative": "-{0}",
    "abs": "abs({0})",
    "minimum": "{0} if ({0} < {1}) | ({0} != {0}) else {1}",
    "maximum": "{0} if ({0} > {1}) | ({0} != {0}) else {1}",
    "sign": "{one} if {0} > {zero} else ({minus} if {0} < {zero} else {0} + {zero})",  # −0 to 0
    "floor": "np.floor({0})",
    "sqrt": "math.sqrt({0})",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "equal": "{0} == {1}",
    "not_equal": "{0} != {1}",
    "isfinite": "{0} - {0} == {0} - {0}",
    "logical_and": "{0} & {1}",
    "logical_or": "{0} | {1}",
    "logical_not": "not {0}",
    "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}",
    "bitwise_xor": "{0} ^ {1}",
    "bitwise_left_shift": "{0} << {1}",
    "bitwise_right_shift": "{0} >> {1}",
    "where": "{1} if {0} else {2}",
}
CALLS = frozenset(FUNCTIONS) - frozenset(_OPERATORS)  # our own mathematics, math_functions
# Functions with a shorter version for small arguments, and the bound: see math_functions.NARROW, whose import would
# cost every process the import of Numba.
NARROW = {"expm1": 0.34}


class Layout:
    """Where the kernel finds each value: rows of the scratch array, indices of the scalars.

    Attributes
    ----------
    lanes, lanes64, scalars, scalars64, integers : list of int
        Hoisted nodes in the order in which the kernel's arguments hold them.
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
        self.n_state = len(trace.program.state)
        self.rows = self.n_state + len(trace.program.observables) + len(self.lanes)
        self.rows64 = len(self.lanes64)
        self.row_of = {index: self.rows - len(self.lanes) + i for i, index in enumerate(self.lanes)}
        self._itemsize = 4 if dtype == "float32" else 8

    def new_row(self) -> int:
        """One more row of the scratch array."""
        self.rows += 1
        return self.rows - 1

    @property
    def block(self) -> int:
        """Lanes of a block, a whole number of vectors."""
        per_lane = self.rows * self._itemsize + self.rows64 * 8
        vectors = max(4, min(128, _SCRATCH_BYTES // max(per_lane, 1) // VECTOR))
        # An odd number: rows a large power of two apart fall on the same lines of the cache.
        return (vectors - 1 + vectors % 2) * VECTOR


def print_kernel(trace: Trace) -> tuple[str, Layout]:
    """Source of the module with the function ``kernel``, and the layout of its arguments."""
    printer = _Printer(trace)
    return printer.module(), printer.layout


class _Printer:
    def __init__(self, trace: Trace) -> None:
        self.trace, self.layout = trace, Layout(trace)
        self.nodes = trace.graph.nodes
        self.imports: set[str] = set()
        self.constants: dict[str, str] = {}  # expression → name
        self.names: dict[int, str] = {}

    # -- names and expressions

    def constant(self, value: object, dtype: str) -> str:
        text = repr(value.item() if hasattr(value, "item") else value)
        if text in ("inf", "-inf", "nan"):
            text = text.replace("inf", "np.inf").replace("nan", "np.nan")
        expression = text if dtype in ("bool", "int64") else f"{_NUMPY[dtype]}({text})"
        return self.constants.setdefault(expression, f"c{len(self.constants)}")

    def name(self, index: int) -> str:
        node = self.nodes[index]
        if node.op == "constant":
            return self.constant(node.payload, node.dtype)
        return self.names[index]

    def expression(self, node: Node, prefix: str = "") -> str:
        operands = [self.name(i) for i in node.args]
        if node.op == "astype":
            source = self.nodes[node.args[0]].dtype
            if source == "bool":
                return f"{self.constant(1, node.dtype)} if {operands[0]} else {self.constant(0, node.dtype)}"
            if node.dtype == "bool":
                return f"{operands[0]} != {self.constant(0, source)}"
            return f"{_NUMPY[node.dtype]}({operands[0]})"
        if node.op in CALLS:
            function = f"{prefix}{node.op}_{_SHORT[node.dtype]}"
            self.imports.add(function)
            return f"{function}({operands[0]})"
        extra = {}
        if node.op == "sign":
            extra = {k: self.constant(v, node.dtype) for k, v in (("one", 1), ("zero", 0), ("minus", -1))}
        text = _OPERATORS[node.op].format(*operands, **extra)
        return f"np.int32({text})" if node.dtype == "int32" else text  # Numba would go on in 64 bits

    # -- parts

    def inputs(self) -> None:
        layout = self.layout
        for group in ("scalars", "scalars64", "integers"):
            for i, index in enumerate(getattr(layout, group)):
                self.names[index] = f"{group}_{i}"
        for i, index in enumerate(layout.lanes):
            self.names[index] = f"p{i}"
        for i, index in enumerate(layout.lanes64):
            self.names[index] = f"q{i}"
        for index, node in enumerate(self.nodes):
            if node.op == "input" and index not in self.names:
                kind, _, name = node.payload.partition(" ")
                if kind == "state":
                    self.names[index] = f"s{self.trace.program.state.index(name)}"
                elif kind in ("step", "lane"):
                    self.names[index] = kind

    def unpack(self) -> list[str]:
        lines = []
        for group in ("scalars", "scalars64", "integers"):
            for i, index in enumerate(getattr(self.layout, group)):
                lines.append(f"{group}_{i} = {_NUMPY[self.nodes[index].dtype]}({group}[{i}])")
        return lines

    def statements(self) -> tuple[list[str], list[list[str]]]:
        """Statements of the step, and of each loop over lanes."""
        step, operations = [], []
        for index in self.trace.body:
            node = self.nodes[index]
            if node.op in ("input", "constant"):
                continue
            self.names[index] = f"v{index}"
            if self.trace.levels[index] is Level.STEP:
                step.append(f"v{index} = {self.expression(node)}")
            else:
                operations.append(index)
        return step, self.loops(self.scheduled(operations))

    def scheduled(self, operations: list[int]) -> list[int]:
        """Operations by the number of calls before them, each call as late as its peers.

        Calls that do not wait for each other then stand side by side, and their arguments are known before the first.
        """
        depth: dict[int, int] = {}
        for index in operations:
            arguments = [i for i in self.nodes[index].args if i in depth]
            depth[index] = max((depth[i] + (self.nodes[i].op in CALLS) for i in arguments), default=0)
        # What is made of the state alone goes to where it is first read, and takes no row until then; so do conditions
        # and integers, which have no row at all.
        last = max(depth.values(), default=0)
        sinks: dict[int, bool] = {}
        for index in operations:
            node = self.nodes[index]
            cheap = node.op not in CALLS and node.op != "divide"
            sinks[index] = cheap and all(sinks.get(i, True) for i in node.args)
        readers: dict[int, int] = {}
        for index in reversed(operations):
            if sinks[index] or self.nodes[index].dtype != self.trace.program.dtype:
                depth[index] = readers.get(index, last)
            for argument in self.nodes[index].args:
                readers[argument] = min(depth[index], readers.get(argument, last))
        position = {index: i for i, index in enumerate(operations)}
        return sorted(operations, key=lambda i: (depth[i], self.nodes[i].op in CALLS, position[i]))

    def loops(self, operations: list[int]) -> list[list[str]]:
        position = {index: i for i, index in enumerate(operations)}
        outputs = (*self.trace.state, *self.trace.observables)
        end = len(operations)
        last = dict.fromkeys(operations, -1)
        for index in operations:
            for argument in self.nodes[index].args:
                last[argument] = position[index]
        for index in (*outputs, self.trace.event):
            last[index] = end  # outputs are written in the last loop: until then others read the old state
        ranges = split(
            [weight(self.nodes[i], CALLS) for i in operations],
            [last[i] for i in operations],
            [self.nodes[i].dtype == self.trace.program.dtype for i in operations],
            self.before_short_versions(operations),
        )
        short = [self.with_short_version(operations[b:e], position, b) for b, e in ranges]
        rows: dict[int, int] = {}
        loops = []
        for number, (begin, stop) in enumerate(ranges):
            inside = operations[begin:stop]
            final = stop == end
            read = {a for i in inside for a in self.nodes[i].args}
            read |= {*outputs, self.trace.event} if final else set()
            head = self.loads(read, rows, before=begin, position=position)
            tail = self.stores(outputs) if final else []
            # Rows are loaded before they are stored to, so a value read for the last time here makes place at once.
            free = [row for index, row in rows.items() if begin <= last[index] < stop]
            for index in () if final else inside:
                if last[index] >= stop:
                    rows[index] = free.pop() if free else self.layout.new_row()
                    tail.append(f"w[j + {rows[index]} * B] = {self.names[index]}")
            for later in range(number + 1, len(ranges)):
                arguments = {self.nodes[i].args[0] for i in short[later]}
                tail += [line for a in inside if a in arguments for line in self.watch(a, later)]
            general = [f"{self.names[i]} = {self.expression(self.nodes[i])}" for i in inside]
            if not short[number]:
                loops.append(["for j in range(padded):", *_nest([*head, *general, *tail])])
                continue
            shorter = [
                f"{self.names[i]} = {self.expression(self.nodes[i], 'narrow_' if i in short[number] else '')}"
                for i in inside
            ]
            loops.append(
                [
                    f"if top{number} <= {self.largest_magnitude()}:",
                    *_nest(["for j in range(padded):", *_nest([*head, *shorter, *tail])]),
                    "else:",
                    *_nest(["for j in range(padded):", *_nest([*head, *general, *tail])]),
                ]
            )
        zero = f"{_NUMPY[self.integer]}(0)"
        tops = [f"top{number} = {zero}" for number, calls in enumerate(short) if calls]
        return [tops, *loops] if tops else loops

    def before_short_versions(self, operations: Sequence[int]) -> list[int]:
        """Positions where two or more calls with a shorter version begin to follow each other."""
        short = [self.nodes[i].op in NARROW for i in operations]
        return [p for p in range(1, len(short) - 1) if short[p] and short[p + 1] and not short[p - 1]]

    @property
    def integer(self) -> str:
        """The integer of the same size as the program's floats."""
        return "int32" if self.trace.program.dtype == "float32" else "int64"

    def with_short_version(self, inside: Sequence[int], position: dict[int, int], begin: int) -> set[int]:
        """Calls that have a shorter version with the same bits, and whose arguments are known before their loop."""
        dtype = self.trace.program.dtype
        return {
            i
            for i in inside
            if self.nodes[i].op in NARROW
            and self.nodes[i].dtype == dtype
            and position.get(self.nodes[i].args[0], begin) < begin
        }

    def watch(self, argument: int, later: int) -> list[str]:
        """Statements that keep the largest argument of a later loop's calls."""
        function = f"magnitude_{_SHORT[self.trace.program.dtype]}"
        self.imports.add(function)
        return [
            f"size = {function}({self.names[argument]})",
            f"top{later} = size if size > top{later} else top{later}",
        ]

    def largest_magnitude(self) -> str:
        """Bits of the largest argument of the shorter versions."""
        bits = np.asarray(NARROW["expm1"], dtype=self.trace.program.dtype).view(self.integer)
        return f"{_NUMPY[self.integer]}({int(bits)})"

    def loads(self, read: set[int], rows: dict[int, int], before: int, position: dict[int, int]) -> list[str]:
        """Statements that fetch what a loop reads from the scratch array."""
        lines, layout = [], self.layout
        for index in sorted(read):
            node = self.nodes[index]
            if node.op == "input" and node.payload.startswith("state "):
                row = self.trace.program.state.index(node.payload[6:])
                lines.append(f"s{row} = w[j + {row} * B]")
            elif node.op == "input" and node.payload == "lane":
                lines.append("lane = block + j")
            elif index in layout.row_of:
                lines.append(f"{self.names[index]} = w[j + {layout.row_of[index]} * B]")
            elif index in layout.lanes64:
                value = f"w64[j + {layout.lanes64.index(index)} * B]"
                lines.append(f"{self.names[index]} = {_NUMPY[node.dtype]}({value})")
            elif position.get(index, before) < before:
                lines.append(f"{self.names[index]} = w[j + {rows[index]} * B]")
        return lines

    def stores(self, outputs: tuple[int, ...]) -> list[str]:
        lines = [
            f"w[j + {row} * B] = {self.name(index)}"
            for row, index in enumerate(outputs)
            if self.name(index) != f"s{row}"
        ]
        return [*lines, f"spiked[j] = {self.name(self.trace.event)}"]

    def module(self) -> str:
        self.inputs()
        step, loops = self.statements()
        layout, program = self.layout, self.trace.program
        load = [f"w[j + {i} * B] = state[{i}, lane]" for i in range(layout.n_state)]
        load += [f"w[j + {row} * B] = lanes[{i}, lane]" for i, row in enumerate(layout.row_of.values())]
        load += [f"w64[j + {i} * B] = lanes64[{i}, lane]" for i in range(layout.rows64)]
        store = [f"state[{i}, lane] = w[j + {i} * B]" for i in range(layout.n_state)]
        constants = [f"{name} = {expression}" for expression, name in self.constants.items()]
        rows = ", ".join((*program.state, *program.observables)) or "none"
        support = ["from neurosim.backends.kernel_support import grown, sample"]
        if self.imports:
            names = ", ".join(sorted(self.imports))
            support.append(f"from neurosim.backends.math_functions import {names}")
        return TEMPLATE.format(
            columns=f"Rows: {rows}; then {len(layout.lanes)} per-lane parameters.",
            imports="\n" + "\n".join(support) + "\n",
            t=program.dtype,
            dtype=program.dtype,
            rows=max(layout.rows, 1),
            rows64=max(layout.rows64, 1),
            block=layout.block,
            vector=VECTOR,
            vector_1=VECTOR - 1,
            n_state=layout.n_state,
            constants=_indent(constants + self.unpack(), 4),
            load=_indent(load, 12),
            step=_indent(step, 12),
            loops="\n".join(_indent(lines, 12) for lines in loops),
            store=_indent(store, 16),
        )


def _nest(lines: Sequence[str]) -> list[str]:
    return ["    " + line for line in lines]


def _indent(lines: Sequence[str], spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in lines) or " " * spaces + "pass"
