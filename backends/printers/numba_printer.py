"""Print a trace as Python source for Numba.

The kernel works on blocks of lanes and advances one by ``n_steps`` steps before it goes to the next, within the
first-level cache. The state is stored by blocks, too: the rows of a block stand in one piece at a constant distance, so
LLVM sees without run-time checks that they do not overlap, and vectorises the loop over lanes; what passes from loop to
loop has rows in a scratch array of the same kind. Blocks are padded to whole vectors by copies of the last lane, so no
scalar remainder is left.

Nothing is compiled with fast-math: each operation is rounded as IEEE 754 says, products and sums are fused where the
trace says so and nowhere else, and the bits are the same on every machine, for every number of threads; those of NumPy,
where the formula has no exponential or other elementary function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np

from neurosim.backends.printers.numba_layout import VECTOR, Layout
from neurosim.backends.printers.numba_tables import CALLS, NARROW, NUMPY, OPERATORS, SHORT
from neurosim.backends.printers.numba_template import INPUTS, TEMPLATE, WORDS
from neurosim.backends.printers.numba_text import fetched, indent, nest
from neurosim.backends.printers.split import split, weight
from neurosim.backends.program import LAST_EVENT
from neurosim.backends.tracing.evaluate import needed
from neurosim.backends.tracing.graph import Node
from neurosim.backends.tracing.program_trace import Level, Trace
from neurosim.backends.tracing.rarely import SHIFT


def print_kernel(trace: Trace) -> tuple[str, Layout]:
    """Source of the module with the function ``kernel``, and the layout of its arguments."""
    printer = _Printer(trace)
    return printer.module(), printer.layout


class _Printer:
    def __init__(self, trace: Trace) -> None:
        self.trace, self.layout = trace, Layout(trace)
        self.nodes = trace.graph.nodes
        self.imports: set[str] = set()
        self.instructions: set[str] = set()
        self.constants: dict[str, str] = {}  # expression → name
        self.names: dict[int, str] = {}

    # -- names and expressions

    def constant(self, value: object, dtype: str) -> str:
        text = repr(value.item() if hasattr(value, "item") else value)
        if text in ("inf", "-inf", "nan"):
            text = text.replace("inf", "np.inf").replace("nan", "np.nan")
        expression = text if dtype in ("bool", "int64") else f"{NUMPY[dtype]}({text})"
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
            return f"{NUMPY[node.dtype]}({operands[0]})"
        if node.op in CALLS:
            function = f"{prefix}{node.op}_{SHORT[node.dtype]}"
            self.imports.add(function)
            return f"{function}({operands[0]})"
        extra = {"short": SHORT.get(node.dtype, "")}
        if node.op == "fma":
            self.instructions.add(f"fma_{SHORT[node.dtype]}")
        if node.op == "sign":
            extra |= {k: self.constant(v, node.dtype) for k, v in (("one", 1), ("zero", 0), ("minus", -1))}
        text = OPERATORS[node.op].format(*operands, **extra)
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
                elif kind == "arrival":
                    self.names[index] = f"a{self.trace.program.inputs.index(name)}"
                elif kind in ("step", "lane"):
                    self.names[index] = kind
                elif node.payload == LAST_EVENT:
                    self.names[index] = "e"

    def unpack(self) -> list[str]:
        lines = []
        for group in ("scalars", "scalars64", "integers"):
            for i, index in enumerate(getattr(self.layout, group)):
                lines.append(f"{group}_{i} = {NUMPY[self.nodes[index].dtype]}({group}[{i}])")
        return lines

    def statements(self) -> tuple[list[str], list[list[str]]]:
        """Statements of the step, and of each loop over lanes."""
        step, operations = [], []
        outputs = (*self.trace.state, self.trace.event, *self.trace.observables)
        main = set(
            needed(self.trace.graph, outputs, given=(*self.trace.hoisted, *self.layout.words, *self.layout.choices))
        )
        for index in self.trace.body:
            node = self.nodes[index]
            if node.op in ("input", "constant"):
                continue
            self.names[index] = f"v{index}"
            if self.trace.levels[index] is Level.STEP:
                step.append(f"v{index} = {self.expression(node)}")
            elif index in main:
                operations.append(index)
        return step + self.renewed(), self.loops(self.scheduled(operations))

    def renewed(self) -> list[str]:
        """Statements that compute the kept words where their four steps have begun."""
        if not self.layout.words:
            return []
        inner = ["lane = block + j"]
        inner += [f"{self.names[i]} = {self.expression(self.nodes[i])}" for i in self.layout.rare]
        inner += [f"words32[j + {r} * B] = np.uint32({self.names[i]})" for r, i in enumerate(self.layout.words)]
        rows = []
        for index, (condition, *options) in self.layout.choices.items():
            a, b = (f"row{i}" if i in self.layout.choices else f"{self.word_row(i)} * B" for i in options)
            rows.append(f"row{index} = {a} if {self.names[condition]} else {b}")
        four = f"step >> {SHIFT}"
        renew = [f"words_of[0] = {four}", "for j in range(padded):", *nest(inner)]
        return [f"if words_of[0] != {four}:", *nest(renew), *rows]

    def word_row(self, index: int) -> int:
        """Of a word, or of a word in another type."""
        words = self.layout.words
        return words.index(index if index in words else self.nodes[index].args[0])

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
                here = {i for i in short[later] if self.nodes[i].args[0] in inside}
                bounds, tops = self.bounds(short[later]), self.tops(short[later], later)
                tail += [line for value in self.bounds(here) for line in self.watch(value, tops[bounds[value]])]
            general = [f"{self.names[i]} = {self.expression(self.nodes[i])}" for i in inside]
            if not short[number]:
                loops.append(["for j in range(padded):", *nest([*head, *general, *tail])])
                continue
            shorter = [
                f"{self.names[i]} = {self.expression(self.nodes[i], 'narrow_' if i in short[number] else '')}"
                for i in inside
            ]
            loops.append(
                [
                    f"if {self.small(self.tops(short[number], number))}:",
                    *nest(["for j in range(padded):", *nest([*head, *shorter, *tail])]),
                    "else:",
                    *nest(["for j in range(padded):", *nest([*head, *general, *tail])]),
                ]
            )
        zero = f"{NUMPY[self.integer]}(0)"
        zeroed = [f"{top} = {zero}" for number, calls in enumerate(short) for top in self.tops(calls, number).values()]
        return [zeroed, *loops] if zeroed else loops

    def before_short_versions(self, operations: Sequence[int]) -> list[int]:
        """Positions where calls with a shorter version begin: their arguments are then known before their loop."""
        short = [self.nodes[i].op in self.narrow for i in operations]
        return [p for p in range(1, len(short)) if short[p] and not short[p - 1]]

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
            if self.nodes[i].op in self.narrow
            and self.nodes[i].dtype == dtype
            and position.get(self.nodes[i].args[0], begin) < begin
        }

    @property
    def narrow(self) -> Mapping[str, float]:
        """Functions with a shorter version, and its largest argument."""
        return NARROW[self.trace.program.dtype]

    def bounds(self, calls: Set[int]) -> dict[int, float]:
        """What to watch so that all these calls may be short, and the largest magnitude of each.

        That is the argument, or what it is a constant multiple of: two rates that depend on ``v / 80`` and ``v / 18``
        are watched as one. The rounding of the product is far within the margin of the short versions.
        """
        bounds: dict[int, float] = {}
        for call in sorted(calls):
            value, bound = self.nodes[call].args[0], self.narrow[self.nodes[call].op]
            node = self.nodes[value]
            if node.op == "multiply":
                for factor, other in (node.args, node.args[::-1]):
                    constant = self.nodes[factor].payload if self.nodes[factor].op == "constant" else 0.0
                    if constant and np.isfinite(constant):
                        value, bound = other, bound / abs(float(constant))
            bounds[value] = min(bound, bounds.get(value, bound))
        return bounds

    def tops(self, calls: Set[int], number: int) -> dict[float, str]:
        """Names of the largest magnitudes that a loop depends on, one for each bound."""
        bounds = dict.fromkeys(self.bounds(calls).values())
        return {bound: f"top{number}_{i}" for i, bound in enumerate(bounds)}

    def watch(self, value: int, top: str) -> list[str]:
        """Statements that keep the largest magnitude of a value for a later loop."""
        function = f"magnitude_{SHORT[self.trace.program.dtype]}"
        self.imports.add(function)
        return [f"size = {function}({self.names[value]})", f"{top} = size if size > {top} else {top}"]

    def small(self, tops: Mapping[float, str]) -> str:
        """Condition that the calls of a loop may be the shorter versions."""
        bits = {top: np.asarray(bound, self.trace.program.dtype).view(self.integer) for bound, top in tops.items()}
        return " and ".join(f"{top} <= {NUMPY[self.integer]}({largest})" for top, largest in bits.items())

    def loads(self, read: set[int], rows: dict[int, int], before: int, position: dict[int, int]) -> list[str]:
        """Statements that fetch what a loop reads from the scratch array."""
        lines, layout = [], self.layout
        for index in sorted(read):
            node = self.nodes[index]
            if node.op == "input" and node.payload.startswith("state "):
                row = self.trace.program.state.index(node.payload[6:])
                lines.append(f"s{row} = s[j + {row} * B]")
            elif node.op == "input" and node.payload.startswith("arrival "):
                i = self.trace.program.inputs.index(node.payload[8:])
                lines.append(f"a{i} = arrivals_{i}[j]")
            elif node.op == "input" and node.payload == "lane":
                lines.append("lane = block + j")
            elif node.op == "input" and node.payload == LAST_EVENT:
                lines.append("e = last[j]")
            elif index in layout.lanes:
                lines.append(f"{self.names[index]} = p[j + {layout.lanes.index(index)} * B]")
            elif index in layout.lanes64:
                value = f"q[j + {layout.lanes64.index(index)} * B]"
                lines.append(f"{self.names[index]} = {NUMPY[node.dtype]}({value})")
            elif index in layout.choices:
                lines.append(f"{self.names[index]} = {NUMPY[node.dtype]}(words32[j + row{index}])")
            elif index in layout.words:
                lines.append(f"{self.names[index]} = np.int64(words32[j + {layout.words.index(index)} * B])")
            elif position.get(index, before) < before:
                lines.append(f"{self.names[index]} = w[j + {rows[index]} * B]")
        return lines

    def stores(self, outputs: tuple[int, ...]) -> list[str]:
        n_state, lines = self.layout.n_state, []
        for row, index in enumerate(outputs):
            if row < n_state and self.name(index) != f"s{row}":
                lines.append(f"s[j + {row} * B] = {self.name(index)}")
            elif row >= n_state:
                lines.append(f"w[j + {row - n_state} * B] = {self.name(index)}")
        event = self.name(self.trace.event)
        # most blocks are quiet in most steps: one flag of the whole block spares the look at each lane
        return [*lines, f"spiked[j] = {event}", f"fired |= {NUMPY[self.integer]}({event})"]

    def watch_rows(self, count: int) -> list[str]:
        """Statements that keep the largest magnitude of a sum of rows: not finite where one of them is not."""
        total = " + ".join(f"s[j + {row} * B]" for row in range(count))
        size = f"size = magnitude_{SHORT[self.trace.program.dtype]}({total})"
        return [size, "top = size if size > top else top"] if count else []

    def module(self) -> str:
        self.inputs()
        step, loops = self.statements()
        layout, program = self.layout, self.trace.program
        fetch = []
        for i, row in enumerate(layout.input_rows):
            address = f"word[{INPUTS + i}] + (k * word[{WORDS.index('stride')}] + block) * {layout.itemsize}"
            fetch += fetched(i, address, row, program.dtype)
        check = self.watch_rows(layout.n_state)
        constants = [f"{name} = {expression}" for expression, name in self.constants.items()]
        flushes = program.flush and program.dtype == "float32"  # in float64 it takes a second of silence to get there
        rows = ", ".join((*program.state, *program.observables)) or "none"
        support = [
            "from neurosim.backends.kernel_support import sample",
            f"from neurosim.backends.pointers import {'flush_subnormals, pointer, restore' if flushes else 'pointer'}",
        ]
        if self.instructions:
            support.append(f"from neurosim.backends.intrinsics import {', '.join(sorted(self.instructions))}")
        self.imports.add(f"magnitude_{SHORT[program.dtype]}")  # of the check for what is not finite
        support.append(f"from neurosim.backends.math_functions import {', '.join(sorted(self.imports))}")
        return TEMPLATE.format(
            columns=f"Rows: {rows}; then {len(layout.lanes)} per-lane parameters.",
            imports="\n" + "\n".join(support) + "\n",
            dtype=program.dtype,
            n_words=INPUTS + len(program.inputs),
            n_scalars=max(len(layout.scalars), 1),
            n_scalars64=max(len(layout.scalars64), 1),
            n_integers=max(len(layout.integers), 1),
            rows=max(layout.rows, 1),
            block=layout.block,
            vector=VECTOR,
            vector_1=VECTOR - 1,
            n_state=layout.n_state,
            n_lanes=len(layout.lanes),
            n_lanes64=len(layout.lanes64),
            itemsize=layout.itemsize,
            words=WORDS.index("words"),
            words_of=WORDS.index("words_of"),
            last=WORDS.index("last"),
            n_last=layout.n_last,
            mark=indent(["last[j] = step"] if layout.n_last else [], 28),
            n_words32=len(layout.words),
            integer=self.integer,
            constants=indent(constants + self.unpack(), 4),
            step=indent([*fetch, *step], 12),
            loops="\n".join(indent(lines, 12) for lines in loops),
            begin=indent(["before = flush_subnormals()"] if flushes else [], 4),
            end=indent(["restore(before)"] if flushes else [], 4),
            check=indent(["for j in range(m):", *nest(check)] if check else [], 8),
            short=SHORT[program.dtype],
        )
