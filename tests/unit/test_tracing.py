"""The tracer: what it keeps of a formula, what it refuses, and that a trace computes what NumPy computes."""

import math
import random

import array_api_compat.numpy as xp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurosim.backends import Clock, Outputs, Probe, Program, Slot, get
from neurosim.backends.printers.numba_printer import print_kernel
from neurosim.backends.printers.numba_tables import CALLS
from neurosim.backends.tracing import FUNCTIONS, Graph, NotAffine, NotTraceable, coefficient, evaluate, parts, trace
from neurosim.backends.tracing.functions import INSTEAD
from neurosim.backends.tracing.program_trace import Level

PRECISIONS = pytest.mark.parametrize("dtype", ["float64", "float32"])
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-310, -1e-40, 1e30, -1e30, np.inf, -np.inf, np.nan]


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def x(graph):
    return graph.input("x", "float64")


@pytest.fixture
def y(graph):
    return graph.input("y", "float64")


@pytest.fixture
def i(graph):
    return graph.input("i", "int64")


# -- nodes


def test_equal_operations_are_one_node(graph, x, y):
    assert (x * y + 1.0).index == (x * y + 1.0).index
    assert graph.exp(x).index == graph.exp(x).index
    assert (x + y).index == (y + x).index, "sums commute"
    assert (x - y).index != (y - x).index
    assert graph.minimum(x, y).index != graph.minimum(y, x).index, "which zero or NaN comes out is not symmetric"


def test_constants_are_told_apart_by_their_bits(graph):
    def index(value, dtype):
        return graph.constant(value, dtype).index

    assert index(0.0, "float64") != index(-0.0, "float64")
    assert index(1, "int64") != index(1.0, "float64") != index(1.0, "float32")
    assert index(True, "bool") != index(1, "int64")
    assert index(math.nan, "float64") == index(math.nan, "float64")


def test_arithmetic_on_constants_is_done_at_once(graph):
    two, three = graph.constant(2.0, "float32"), graph.constant(3.0, "float32")
    folded = graph.nodes[(two / three).index]
    assert folded.op == "constant"
    assert folded.payload == np.float32(2) / np.float32(3)
    assert graph.nodes[graph.exp(two).index].payload == np.exp(np.float32(2))
    assert graph.nodes[(two < three).index].payload == np.True_
    assert graph.nodes[graph.astype(two, "int64").index].payload == 2
    assert np.isinf(graph.nodes[(two / 0.0).index].payload), "as IEEE 754 says, without a warning"


def test_only_what_changes_no_bit_is_simplified(graph, x):
    assert (x * 1.0).index == (1.0 * x).index == (x / 1.0).index == x.index
    assert (x + 0.0).index != x.index, "-0.0 + 0.0 is 0.0"
    assert (x * 0.0).index != graph.constant(0.0, "float64").index, "0 * inf is NaN"
    assert (x - x).index != graph.constant(0.0, "float64").index, "inf - inf is NaN"


def test_where(graph, x, y):
    chosen = graph.where(x > 0.0, x, 1)
    assert chosen.dtype == "float64"
    assert graph.where(x > 0.0, y, y).index == y.index
    yes, no = graph.constant(True, "bool"), graph.constant(False, "bool")
    assert graph.where(yes, x, y).index == x.index
    assert graph.where(no, x, y).index == y.index
    both = graph.where(x > 0.0, graph.input("a", "float32"), y)
    assert both.dtype == "float64", "branches are promoted"


def test_a_cast_goes_into_the_branches(graph, x, y):
    cast = graph.nodes[graph.astype(graph.where(x > 0.0, x, y), "float32").index]
    assert cast.op == "where"
    assert [graph.nodes[branch].op for branch in cast.args[1:]] == ["astype", "astype"]
    assert graph.astype(x, "float64").index == x.index


def test_promotion(graph):
    f32, f64, i32, i64 = (graph.input(d, d) for d in ("float32", "float64", "int32", "int64"))
    assert (f32 + f64).dtype == "float64"
    assert (i32 * i64).dtype == "int64"
    assert (f32 * 2).dtype == (f32 + 0.1).dtype == "float32", "a number takes the type of the array"
    assert (i32 + 1).dtype == "int32"
    assert (f32 < f64).dtype == "bool"
    assert ((f32 > 0.0) & (f64 > 0.0)).dtype == "bool"
    assert (~(f32 > 0.0)).dtype == "bool"


# -- refusals: one line that says what to write


def in_place(x):
    x += 1.0


def set_item(x):
    x[x > 0.0] = 1.0


def branch(x):
    return 1.0 if x > 0.0 else 2.0


def attribute(x):
    return x.sum()


def loop(x):
    return [value for value in x]


@pytest.mark.parametrize(
    ("formula", "advice"),
    [
        (branch, "xp.where(x > 0, a, b)"),
        (lambda x: x > 0.0 and x < 1.0, "`&`, `|`, `~`"),
        (lambda x: not x > 0.0, "`&`, `|`, `~`"),
        (float, "replace math.exp(x), float(x) by xp.exp(x), x"),
        (int, "no Python number"),
        (math.exp, "replace math.exp(x), float(x) by xp.exp(x), x"),
        (lambda x: [1, 2][x], "no Python number"),
        (lambda x: x[0], "xp.where(mask, x, other)"),
        (lambda x: x**3, "x*x*x instead of x**3"),
        (lambda x: 2**x, "powers are written as products"),
        (np.exp, "write xp.exp, the namespace"),
        (lambda x: np.power(x, 2), "write xp.pow"),
        (np.asarray, "use the functions of xp"),
        (in_place, "replace `x += a` by `x = x + a`"),
        (set_item, "replace `x[mask] = a` by xp.where(mask, a, x)"),
        (attribute, "write xp.sum(x)"),
        (loop, "cannot loop over an array"),
        (lambda x: x + "1", "unsupported operand"),
        (lambda x: x.graph.add(x, "1"), "make it a `param` of the model or a number"),
        (lambda x: x.graph.add(x, np.ones(3)), "a NumPy array of shape (3,): make it a `param` of the model"),
        (lambda x: np.float64(2.0) * x, "NumPy's float64 2.0: write float(…) around it"),
        (lambda x: x * np.float32(2.0), "NumPy's float32 2.0: write float(…) around it"),
        (lambda x: x.graph.add(1.0, 2.0), "no array among the operands"),
        (lambda x: x.graph.exp(x, x), "xp.exp takes 1 operands, got 2"),
        (lambda x: x + Graph().input("x", "float64"), "must not keep arrays between calls"),
        (lambda x: x & x, "takes integer or bool operands, got float64"),
        (lambda x: ~x, "takes bool operands, got float64"),
        (lambda x: (x > 0.0) + 1.0, "takes real operands, got bool"),
        (lambda x: (x > 0.0) * x, "xp.where(condition, 1.0, 0.0) for a condition"),
        (lambda x: x * x.graph.astype(x, "int64"), "float64 and int64 do not mix"),
        (lambda x: x.graph.astype(x, "int64") + 0.5, "int64 and a float do not mix"),
        (lambda x: x.graph.astype(x, "int64") / 2, "takes float operands, got int64"),
        (lambda x: x.graph.where(x, 1.0, x), "write xp.where(x != 0, a, b)"),
        (lambda x: x.graph.where(True, 1.0, x), "write `a if c else b`"),
        (lambda x: x.graph.where(x > 0.0, 1.0, 0.0), "write xp.astype(condition, dtype)"),
        (lambda x: x.graph.astype(x, "float16"), "use one of bool, int32, int64, float32, float64"),
    ],
)
def test_refusals(x, refuses, formula, advice):
    error = TypeError if advice == "unsupported operand" else ValueError
    with refuses(advice, error=error):
        formula(x)


@pytest.mark.parametrize("name", sorted(INSTEAD))
def test_a_known_function_without_a_kernel_says_what_to_write(graph, name, refuses):
    with refuses(f"xp.{name} cannot be traced into a kernel: {INSTEAD[name]}", error=NotTraceable):
        getattr(graph, name)


def test_an_unknown_function_lists_what_there_is(graph, refuses):
    with refuses("xp.erf cannot be traced", "allowed are", *FUNCTIONS, "where", "astype", error=NotTraceable):
        _ = graph.erf


def test_values_are_not_hashed_and_print_what_they_are(x):
    assert repr(x * x) == "<traced float64 value: multiply>"
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


# -- every function of the table


def arguments(function, dtype):
    """Arrays that hold all pairs of special values of a type that the function takes."""
    if function.accepts in ("bool", "integer or bool"):
        values = np.array([False, True])
    elif function.accepts == "integer":
        values = np.array([0, 1, 2, 5, 31], np.int64)
    else:
        with np.errstate(over="ignore"):
            values = np.array(SPECIAL, dtype)
    return [a.ravel() for a in np.meshgrid(*[values] * function.arity)]


@PRECISIONS
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_trace_of_a_function_computes_what_numpy_computes(graph, assert_same_bits, name, dtype):
    operands = arguments(FUNCTIONS[name], dtype)
    inputs = {f"x{k}": a for k, a in enumerate(operands)}
    traced = getattr(graph, name)(*(graph.input(k, str(a.dtype)) for k, a in inputs.items()))
    with np.errstate(all="ignore"):
        (computed,) = evaluate(graph, [traced.index], xp, inputs)
        expected = getattr(xp, name)(*operands)
    assert str(expected.dtype) == traced.dtype
    assert_same_bits(computed, expected, name)


# -- random expressions


class Expressions:
    """Random expressions over x0, x1 (floats) and i0 (int64); ``rng`` is any random.Random.

    An expression is a tuple of a function and expressions, the name of an input, or a number.
    """

    UNARY = ("negative", "abs", "sign", "floor", "sqrt")
    BINARY = ("add", "subtract", "multiply", "divide", "minimum", "maximum")
    COMPARE = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
    LOGIC = ("logical_and", "logical_or", "bitwise_xor")
    INTEGER = ("add", "subtract", "multiply", "bitwise_and", "bitwise_or", "bitwise_xor", "minimum", "maximum")
    SHIFTS = ("bitwise_left_shift", "bitwise_right_shift")

    def __init__(self, rng, *, transcendental=False):
        self.rng = rng
        self.unary = (*self.UNARY, *sorted(CALLS & FUNCTIONS.keys())) if transcendental else self.UNARY

    def number(self):
        return self.rng.choice([0.0, -0.0, 1.0, -1.0, 2, 0.1, -3.7, 1e-3, 70.0])

    def real(self, depth):
        if depth == 0 or self.rng.random() < 0.1:
            return self.rng.choice(["x0", "x1"])
        kind = self.rng.random()
        if kind < 0.55:
            operands = [self.real(depth - 1), self.number() if self.rng.random() < 0.3 else self.real(depth - 1)]
            self.rng.shuffle(operands)
            return (self.rng.choice(self.BINARY), *operands)
        if kind < 0.75:
            return (self.rng.choice(self.unary), self.real(depth - 1))
        if kind < 0.9:
            return ("where", self.truth(depth - 1), self.real(depth - 1), self.real(depth - 1))
        return ("real", self.rng.choice([self.truth, self.integer])(depth - 1))

    def truth(self, depth):
        kind = self.rng.random()
        if depth == 0 or kind < 0.6:
            of = self.rng.choice([self.real, self.integer])
            return (self.rng.choice(self.COMPARE), of(max(depth - 1, 0)), of(max(depth - 1, 0)))
        if kind < 0.7:
            return ("isfinite", self.real(depth - 1))
        if kind < 0.8:
            return ("logical_not", self.truth(depth - 1))
        return (self.rng.choice(self.LOGIC), self.truth(depth - 1), self.truth(depth - 1))

    def integer(self, depth):
        kind = self.rng.random()
        if depth == 0 or kind < 0.2:
            return "i0"
        if kind < 0.3:
            return (self.rng.choice(self.SHIFTS), self.integer(depth - 1), self.rng.randrange(31))
        if kind < 0.4:
            return ("whole", self.real(depth - 1))
        if kind < 0.5:
            return ("narrow", self.integer(depth - 1))
        return (self.rng.choice(self.INTEGER), self.integer(depth - 1), self.integer(depth - 1))


def build(xp, tree, inputs, dtype):
    """An expression in a namespace."""
    if isinstance(tree, str):
        return inputs[tree]
    if not isinstance(tree, tuple):
        return tree
    name, *operands = tree
    operands = [build(xp, operand, inputs, dtype) for operand in operands]
    if name == "real":
        return xp.astype(operands[0], getattr(xp, dtype))
    if name == "whole":  # a cast of what does not fit an integer is not defined
        (value,) = operands
        bounded = xp.where(xp.isfinite(value), xp.minimum(xp.maximum(value, -1e3), 1e3), 0.0)
        return xp.astype(xp.floor(bounded), xp.int64)
    if name == "narrow":
        return xp.astype(operands[0] & 0x7FFFFFF, xp.int32)
    return getattr(xp, name)(*operands)


def special_inputs(dtype, n=300):
    rng = np.random.default_rng(5)
    with np.errstate(over="ignore"):
        special = np.array(SPECIAL, dtype)
    x0 = np.concatenate([np.repeat(special, special.size), rng.normal(0, 20, n).astype(dtype)])
    x1 = np.concatenate([np.tile(special, special.size), rng.normal(0, 2, n).astype(dtype)])
    return {"x0": x0, "x1": x1, "i0": rng.integers(-(2**62), 2**62, x0.size)}


@PRECISIONS
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rng=st.randoms(use_true_random=False))
def test_a_trace_computes_what_the_formula_computes(assert_same_bits, dtype, rng):
    tree = Expressions(rng, transcendental=True).real(5)
    inputs = special_inputs(dtype)
    graph = Graph()
    symbols = {name: graph.input(name, str(a.dtype)) for name, a in inputs.items()}
    traced = build(graph, tree, symbols, dtype)
    with np.errstate(all="ignore"):
        expected = build(xp, tree, inputs, dtype)
        (computed,) = evaluate(graph, [traced.index], xp, inputs)
    assert_same_bits(computed, expected, str(tree))


def compiled(trees, inputs, dtype):
    """Values of many expressions by one kernel."""
    names = tuple(f"e{k}" for k in range(len(trees)))

    def function(xp, state, params, clock):
        symbols = {name: params[name] for name in ("x0", "x1")} | {"i0": clock.lane * 0x1234567 + clock.step}
        # A state that varies keeps the arithmetic in the kernel: of parameters alone it would be done by NumPy.
        zero = xp.where(state["s"] == 0.0, 0.0, state["s"])
        symbols |= {name: xp.where(zero == 0.0, symbols[name], zero) for name in ("x0", "x1")}
        observables = {name: build(xp, tree, symbols, dtype) for name, tree in zip(names, trees, strict=True)}
        return Outputs({"s": state["s"]}, state["s"] > 0.0, observables)

    slots = (Slot("x0", dtype, per_lane=True), Slot("x1", dtype, per_lane=True))
    program = Program("expressions", dtype, ("s",), slots, function, names)
    n = inputs["x0"].size
    probes = [Probe(name, 1, np.arange(n)) for name in names]
    arrays = {name: inputs[name] for name in ("x0", "x1")}
    results = []
    for fuse in ("require", "off"):
        kernel = get("numpy").compile(program, n, arrays, {"s": 0.0}, probes, fuse=fuse)
        results.append([samples[0] for samples in kernel.advance(3, 1).samples])
    return results


@PRECISIONS
def test_a_kernel_has_the_bits_of_numpy(assert_same_bits, dtype):
    rng = random.Random(1)
    trees = [Expressions(rng).real(5) for _ in range(24)]
    inputs = special_inputs(dtype)
    for tree, fused, eager in zip(trees, *compiled(trees, inputs, dtype), strict=True):
        assert_same_bits(fused, eager, str(tree))


@PRECISIONS
def test_every_function_in_a_kernel(assert_same_bits, dtype):
    """Special values of each function, bit for bit; of the transcendental ones to 4 ulp."""
    trees = [(name, *("x0", "x1")[: f.arity]) for name, f in FUNCTIONS.items() if f.accepts in ("real", "float")]
    trees = [("real", t) if FUNCTIONS[t[0]].returns == "bool" else t for t in trees]
    a, b = ("less", "x0", 0.3), ("less", "x1", "x0")
    trees += [("real", (name, a, b)[: 1 + f.arity]) for name, f in FUNCTIONS.items() if "bool" in f.accepts]
    trees += [
        ("real", (name, "i0", ("whole", "x1"))) for name, f in FUNCTIONS.items() if f.accepts == "integer or bool"
    ]
    trees += [
        ("real", (name, "i0", ("bitwise_and", ("whole", "x1"), 31)))
        for name, f in FUNCTIONS.items()
        if f.accepts == "integer"
    ]
    narrow = ("narrow", "i0")
    trees += [("real", (name, narrow, narrow)) for name in ("add", "subtract", "multiply", "minimum")]
    trees += [("real", (name, narrow, 9)) for name in ("bitwise_left_shift", "bitwise_right_shift", "bitwise_xor")]
    trees += [("real", (name, narrow)) for name in ("negative", "abs")]
    covered = {t[1][0] if t[0] == "real" else t[0] for t in trees}
    assert covered == set(FUNCTIONS), "every function of the table"
    for tree, fused, eager in zip(trees, *compiled(trees, special_inputs(dtype), dtype), strict=True):
        if tree[0] in CALLS:
            finite = np.isfinite(eager) & ((tree[0] not in ("sin", "cos")) | (np.abs(eager) <= 1))
            if tree[0] in ("sin", "cos"):  # NaN beyond the largest angle, which is documented
                finite &= ~np.isnan(fused)
            np.testing.assert_array_max_ulp(fused[finite], eager[finite], 4, dtype=dtype)
            if tree[0] not in ("sin", "cos"):
                np.testing.assert_array_equal(fused[~finite], eager[~finite], str(tree))
        else:
            assert_same_bits(fused, eager, str(tree))


# -- the linear part


@given(rng=st.randoms(use_true_random=False))
def test_coefficient_of_a_random_affine_expression(rng):
    def constant_part(depth):
        """Whatever does not hold x0."""
        tree = Expressions(rng).real(depth)
        return replaced(tree)

    def replaced(tree):
        if tree == "x0":
            return "x1"
        return tuple(map(replaced, tree)) if isinstance(tree, tuple) else tree

    def affine(depth):
        if depth == 0:
            return rng.choice(["x0", "x0", "x1"])
        kind = rng.random()
        if kind < 0.4:
            return (rng.choice(["add", "subtract"]), affine(depth - 1), affine(depth - 1))
        if kind < 0.7:
            operands = [affine(depth - 1), rng.choice(["x1", 0.5, -2.0])]
            rng.shuffle(operands)
            return ("multiply", *operands)
        if kind < 0.8:
            return ("divide", affine(depth - 1), rng.choice(["x1", 4.0]))
        if kind < 0.9:
            return ("where", ("less", constant_part(1), "x1"), affine(depth - 1), affine(depth - 1))
        return ("negative", affine(depth - 1))

    tree = affine(4)
    graph = Graph()
    x1 = np.linspace(0.5, 2.0, 7)
    i0 = np.arange(7)
    inputs = {name: graph.input(name, dtype) for name, dtype in (("x0", "float64"), ("x1", "float64"), ("i0", "int64"))}
    y = build(graph, tree, inputs, "float64")
    a, b = parts(graph, y, inputs["x0"])
    assert (a is None) == (coefficient(graph, y, inputs["x0"]) is None)
    with np.errstate(all="ignore"):
        at = [
            np.broadcast_to(build(xp, tree, {"x0": np.full(7, value), "x1": x1, "i0": i0}, "float64"), (7,))
            for value in (0.0, 1.0)
        ]
        without = {"x0": np.full(7, np.nan), "x1": x1, "i0": i0}
        scale = 1e-12 * (np.abs(at[0]) + np.abs(at[1]))
        rest = 0.0 if b is None else evaluate(graph, [b.index], xp, without)[0]
        assert np.all(np.abs(rest - at[0]) <= scale + 1e-12)
        if a is None:
            np.testing.assert_array_equal(at[1], at[0])
            return
        (value,) = evaluate(graph, [a.index], xp, without)
    assert np.all(np.abs(value - (at[1] - at[0])) <= scale + 1e-12)


@pytest.mark.parametrize(
    "formula",
    [
        lambda g, x, y: x * x,
        lambda g, x, y: y / x,
        lambda g, x, y: g.exp(x) * y,
        lambda g, x, y: g.abs(x) + y,
        lambda g, x, y: g.where(x > y, x, y),
        lambda g, x, y: (x + y) * (x - y),
        lambda g, x, y: g.astype(x, "float32"),
    ],
)
def test_what_is_not_linear_is_not_affine(graph, x, y, formula):
    with pytest.raises(NotAffine, match="not linear"):
        coefficient(graph, formula(graph, x, y), x)


def test_nothing_depends_on_what_is_not_there(graph, x, y):
    assert coefficient(graph, graph.exp(y), x) is None
    assert parts(graph, graph.exp(y), x).rest.index == graph.exp(y).index
    assert parts(graph, x * y, x).rest is None
    assert coefficient(graph, graph.constant(1.0, "float64"), x) is None


# -- programs


def leaky(xp, state, params, clock):
    """A formula with arithmetic of every level."""
    decay = xp.exp(-params["dt"] / params["tau"])
    drive = xp.sin(params["omega"] * xp.astype(clock.step, xp.float64))
    v = decay * state["v"] + xp.astype(drive, xp.float64)
    return Outputs({"v": v}, v > params["threshold"] * 2.0, {"drive": drive + 0.0 * v, "unused": xp.exp(v)})


SLOTS = (
    Slot("dt", "float64"),
    Slot("tau", "float64", per_lane=True),
    Slot("omega", "float64"),
    Slot("threshold", "float64"),
)
LEAKY = Program("leaky", "float64", ("v",), SLOTS, leaky, ("drive",))


def test_levels():
    traced = trace(LEAKY)
    level = {
        node.payload if node.op == "input" else node.op: traced.levels[index]
        for index, node in enumerate(traced.graph.nodes)
    }
    assert level["parameter dt"] is Level.SCALAR
    assert level["parameter tau"] is Level.LANES
    assert level["divide"] is Level.LANES
    assert level["sin"] is Level.STEP, "once a step, not once a lane"
    assert level["state v"] is Level.VARYING
    assert level["greater"] is Level.VARYING


def test_conditions_and_whole_numbers_of_parameters(assert_same_bits):
    """Kernels take floats alone: these are computed where they are needed."""

    def function(xp, state, params, clock):
        whole = xp.astype(xp.floor(params["tau"]), xp.int64) + clock.step * 3
        gated = xp.where(params["tau"] > 2.5, state["v"], 0.5 * params["tau"])
        v = xp.where(params["dt"] > 0.5, gated, gated + xp.astype(whole & clock.lane, xp.float64))
        return Outputs({"v": v}, params["tau"] > 3.5, {})

    program = Program("gated", "float64", ("v",), SLOTS[:2], function)
    traced = trace(program)
    levels = {traced.levels[i] for i, node in enumerate(traced.graph.nodes) if node.dtype in ("bool", "int64")}
    assert not levels & {Level.LANES, Level.SCALAR}
    ends, events = [], []
    for fuse in ("off", "require"):
        kernel = get("numpy").compile(program, 5, {"dt": 0.1, "tau": np.linspace(1.2, 5.2, 5)}, {"v": 3.0}, fuse=fuse)
        events.append(kernel.advance(0, 4).lanes)
        ends.append(kernel.read("v"))
    assert_same_bits(ends[1], ends[0])
    np.testing.assert_array_equal(events[1], events[0])


def test_what_depends_on_parameters_alone_is_not_in_the_kernel():
    traced = trace(LEAKY)
    values = {"dt": 0.1, "tau": np.array([10.0, 20.0]), "omega": 0.2, "threshold": 1.5}
    hoisted = traced.host_values(values)
    assert any(np.array_equal(value, np.exp(-0.1 / values["tau"])) for value in hoisted)
    assert any(np.ndim(value) == 0 and value == 3.0 for value in hoisted), "2 · threshold"
    source, layout = print_kernel(traced)
    assert "exp_f64" not in source
    assert len(layout.lanes) == 1, "the decay, not tau"
    step = next(line for line in source.splitlines() if "sin_f64(" in line)
    assert len(step) - len(step.lstrip()) == 12, "in the loop over steps, outside the loop over lanes"


def test_observables_that_nobody_wants_are_not_computed():
    traced = trace(LEAKY)
    assert "exp" in {node.op for node in traced.graph.nodes}
    assert "exp" not in {traced.graph.nodes[index].op for index in traced.body}


@pytest.mark.parametrize(
    ("outputs", "advice"),
    [
        (lambda xp, v: Outputs({"v": v > 0.0}, v > 0.0, {}), "v must be float64, the formula gives bool"),
        (lambda xp, v: Outputs({"v": v}, v, {}), "the event must be bool, the formula gives float64"),
        (lambda xp, v: Outputs({"v": xp.astype(v, xp.float32)}, v > 0.0, {}), "v must be float64"),
    ],
)
def test_outputs_have_the_declared_types(refuses, outputs, advice):
    program = Program("typed", "float64", ("v",), (), lambda xp, state, params, clock: outputs(xp, state["v"]))
    with refuses("typed: ", advice):
        trace(program)


def test_a_state_may_become_a_number():
    program = Program(
        "numbers", "float32", ("v",), (), lambda xp, state, params, clock: Outputs({"v": 1.5}, clock.lane >= 2, {})
    )
    for fuse in ("off", "require"):
        kernel = get("numpy").compile(program, 3, {}, {"v": 0.0}, fuse=fuse)
        window = kernel.advance(0, 2)
        np.testing.assert_array_equal(kernel.read("v"), np.float32([1.5, 1.5, 1.5]))
        np.testing.assert_array_equal(window.steps, [0, 1])
        np.testing.assert_array_equal(window.lanes, [2, 2])


@PRECISIONS
def test_constants_that_are_not_finite(assert_same_bits, dtype):
    def function(xp, state, params, clock):
        v = state["v"]
        cast = xp.astype(xp.where(xp.astype(v, xp.bool), 1.0 + 0.0 * v, xp.nan), getattr(xp, dtype))
        values = {
            "a": xp.minimum(v, xp.inf),
            "b": xp.where(v > -xp.inf, v, xp.nan),
            "c": xp.where(v > 1.0, v, -xp.inf),
            "d": cast,
        }
        return Outputs({"v": v}, v == xp.inf, values)

    program = Program("limits", dtype, ("v",), (), function, ("a", "b", "c", "d"))
    rows = []
    for fuse in ("off", "require"):
        kernel = get("numpy").compile(program, 3, {}, {"v": np.array([0.0, 2.0, -3.0])}, fuse=fuse)
        kernel.probe([Probe(name, 1, np.arange(3)) for name in program.observables])
        rows.append(kernel.advance(0, 1).samples)
    for eager, fused in zip(*rows, strict=True):
        assert_same_bits(fused, eager)


def test_whole_numbers_per_lane_are_refused(refuses):
    with refuses("slot 'k'", "write dtype='float64'"):
        Slot("k", "int64", per_lane=True)


def test_types_that_are_not_the_programs_are_kept_in_a_kernel(assert_same_bits):
    """float32 in a float64 program and the other way round round where the formula rounds."""

    def function(xp, state, params, clock):
        rounded = xp.astype(params["a"], xp.float32)  # on the host
        v = xp.astype(rounded * xp.astype(state["v"], xp.float32), xp.float64)
        return Outputs({"v": v}, v > 0.0, {})

    for per_lane in (False, True):
        program = Program("mixed", "float64", ("v",), (Slot("a", "float64", per_lane),), function)
        a = np.array([0.1, 0.3]) if per_lane else 0.1
        ends = []
        for fuse in ("off", "require"):
            kernel = get("numpy").compile(program, 2, {"a": a}, {"v": 1 / 3}, fuse=fuse)
            kernel.advance(0, 1)
            ends.append(kernel.read("v"))
        assert_same_bits(ends[1], ends[0])


def test_the_clock_is_what_it_says():
    def function(xp, state, params, clock):
        return Outputs({"v": xp.astype(clock.step * 10 + clock.lane, xp.float64)}, clock.lane == clock.step, {})

    program = Program("clock", "float64", ("v",), (), function)
    for fuse in ("off", "require"):
        kernel = get("numpy").compile(program, 4, {}, {"v": 0.0}, fuse=fuse)
        window = kernel.advance(1, 3)
        np.testing.assert_array_equal(kernel.read("v"), [30, 31, 32, 33])
        np.testing.assert_array_equal(window.lanes, [1, 2, 3])
        assert Clock._fields == ("step", "lane")
