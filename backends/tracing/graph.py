"""The graph as a namespace, and its values as arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neurosim.backends.errors import UsageError
from neurosim.backends.tracing.functions import (
    ARITHMETIC,
    BITWISE,
    COMPARISONS,
    DTYPES,
    FLOATS,
    FUNCTIONS,
    INTEGERS,
    NotTraceable,
    refuse,
)

_KINDS = {
    "real": (*INTEGERS, *FLOATS),
    "float": FLOATS,
    "integer": INTEGERS,
    "bool": ("bool",),
    "integer or bool": ("bool", *INTEGERS),
}
Number = bool | int | float


class Node(NamedTuple):
    """An operation on earlier nodes; ``payload`` is the name of an input, the value of a constant, or None."""

    op: str  # a name of FUNCTIONS, "where", "astype", "input" or "constant"
    dtype: str
    args: tuple[int, ...] = ()
    payload: Any = None


if TYPE_CHECKING:

    class _Operators:
        """What the loop below this class adds, for type checkers."""

        def _binary(self, other: Any) -> Value: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _binary
        __and__ = __rand__ = __or__ = __ror__ = __xor__ = __lshift__ = __rshift__ = _binary
        __lt__ = __le__ = __gt__ = __ge__ = _binary

        def __neg__(self) -> Value: ...
else:
    _Operators = object


class Value(_Operators):
    """A node of a graph with the operators of an array."""

    __slots__ = ("graph", "index")
    __array_priority__ = 1000.0
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, graph: Graph, index: int) -> None:
        self.graph, self.index = graph, index

    @property
    def dtype(self) -> str:
        """Name of the type, for example ``"float64"``."""
        return self.graph.nodes[self.index].dtype

    def __repr__(self) -> str:
        return f"<traced {self.dtype} value: {self.graph.nodes[self.index].op}>"

    def __bool__(self) -> bool:
        raise UsageError(
            "a traced value has no truth value: replace `if x > 0:`, `and`, `or`, `not` "
            "by xp.where(x > 0, a, b), `&`, `|`, `~`"
        )

    def __float__(self) -> float:
        raise UsageError("a traced value is no Python number: replace math.exp(x), float(x) by xp.exp(x), x")

    __int__ = __index__ = __float__

    def __setitem__(self, key: Any, value: Any) -> None:
        raise UsageError("a formula must not write into its arguments: replace `x[mask] = a` by xp.where(mask, a, x)")

    def __getitem__(self, key: Any) -> Any:
        raise UsageError("a formula sees one neuron at a time: replace `x[mask]` by xp.where(mask, x, other)")

    def __iter__(self) -> Any:
        raise UsageError("a formula sees one neuron at a time and cannot loop over an array")

    def __pow__(self, other: Any) -> Any:
        raise UsageError(
            "powers are written as products, so that array library and kernel do the same: x*x*x instead of x**3"
        )

    __rpow__ = __pow__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for x in inputs:
            if isinstance(x, np.generic | np.ndarray):
                raise _numpy_value(x)
        name = {"power": "pow", "absolute": "abs"}.get(ufunc.__name__, ufunc.__name__)
        raise UsageError(f"np.{ufunc.__name__} was called in a formula: write xp.{name}, the namespace it is given")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise UsageError("a traced value is no NumPy array: use the functions of xp, the namespace it is given")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UsageError(f"x.{name} is no part of the Array API's elementwise functions: write xp.{name}(x)")


def _numpy_value(x: Any) -> UsageError:
    """The error for a number or array of NumPy's, which has a type of its own and would decide that of the result."""
    if np.ndim(x) == 0:
        return UsageError(f"a formula got NumPy's {type(x).__name__} {x}: write float(…) around it")
    return UsageError(f"a formula got a NumPy array of shape {np.shape(x)}: make it a `param` of the model")


def _operator(function: str, swapped: bool = False) -> Callable[[Value, Any], Any]:
    def method(self: Value, other: Any) -> Any:
        if not isinstance(other, Value | Number):
            return NotImplemented
        a, b = (other, self) if swapped else (self, other)
        if self.dtype == "bool" and function.startswith("bitwise"):
            return self.graph.apply("logical" + function.removeprefix("bitwise"), a, b)
        return self.graph.apply(function, a, b)

    return method


def _in_place(self: Value, other: Any) -> Any:
    raise UsageError("a formula must not write into its arguments: replace `x += a` by `x = x + a`")


for _symbol, _function in (ARITHMETIC | BITWISE).items():
    setattr(Value, f"__{_symbol}__", _operator(_function))
    setattr(Value, f"__r{_symbol}__", _operator(_function, swapped=True))
    setattr(Value, f"__i{_symbol}__", _in_place)
for _symbol, _function in COMPARISONS.items():
    setattr(Value, f"__{_symbol}__", _operator(_function))
setattr(Value, "__neg__", lambda self: self.graph.apply("negative", self))  # noqa: B010
setattr(Value, "__pos__", lambda self: self)  # noqa: B010
setattr(Value, "__abs__", lambda self: self.graph.apply("abs", self))  # noqa: B010
setattr(Value, "__invert__", lambda self: self.graph.apply("logical_not", self))  # noqa: B010


class Graph:
    """A hash-consed graph of elementwise operations that passes for an Array-API namespace.

    Attributes
    ----------
    nodes : list of Node
        In an order in which they can be computed.
    """

    float32, float64, int32, int64, bool = "float32", "float64", "int32", "int64", "bool"
    pi, e, inf, nan = math.pi, math.e, math.inf, math.nan

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._index: dict[Any, int] = {}

    def __getattr__(self, name: str) -> Callable[..., Value]:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in FUNCTIONS:
            raise refuse(name)
        return lambda *operands: self.apply(name, *operands)

    # -- making nodes

    def input(self, name: str, dtype: str) -> Value:
        """A leaf."""
        return self._add(Node("input", dtype, (), name))

    def constant(self, value: Number, dtype: str) -> Value:
        """A number with a type."""
        return self._add(Node("constant", dtype, (), np.dtype(dtype).type(value)))

    def _add(self, node: Node) -> Value:
        # -0.0 == 0.0, nan != nan and 1 == 1.0 == True: constants are told apart by their bits.
        key = (*node[:3], node.payload.tobytes()) if node.op == "constant" else node
        index = self._index.get(key)
        if index is None:
            index = self._index[key] = len(self.nodes)
            self.nodes.append(node)
        return Value(self, index)

    def _constant_of(self, value: Value) -> Any:
        node = self.nodes[value.index]
        return node.payload if node.op == "constant" else None

    def _coerce(self, operands: tuple[Value | Number, ...]) -> tuple[str, tuple[Value, ...]]:
        """One type for all operands, by the standard's promotion: numbers take the type of the arrays."""
        dtypes = {x.dtype for x in operands if isinstance(x, Value)}
        if not dtypes:
            raise UsageError(f"no array among the operands {operands}")
        for x in operands:
            if isinstance(x, Value):
                if x.graph is not self:
                    raise UsageError("a value of another trace was used: a model must not keep arrays between calls")
            elif isinstance(x, np.generic | np.ndarray):
                raise _numpy_value(x)
            elif not isinstance(x, Number):
                raise UsageError(f"a formula got {type(x).__name__} {x!r}: make it a `param` of the model or a number")
        kinds = {"float" if d in FLOATS else "integer" if d in INTEGERS else "bool" for d in dtypes}
        if len(kinds) > 1:
            raise UsageError(
                f"{' and '.join(sorted(dtypes))} do not mix in the Array API: write xp.astype(x, dtype), "
                "and xp.where(condition, 1.0, 0.0) for a condition"
            )
        dtype = max(dtypes, key=DTYPES.index)
        numbers = [x for x in operands if not isinstance(x, Value)]
        if kinds == {"integer"} and any(isinstance(x, float) for x in numbers):
            raise UsageError(f"{dtype} and a float do not mix in the Array API: write xp.astype(x, xp.float64)")
        return dtype, tuple(
            self.astype(x, dtype) if isinstance(x, Value) else self.constant(x, dtype) for x in operands
        )

    def apply(self, name: str, *operands: Value | Number) -> Value:
        """The function ``name`` of the table on values and numbers."""
        function = FUNCTIONS[name]
        if len(operands) != function.arity:
            raise UsageError(f"xp.{name} takes {function.arity} operands, got {len(operands)}")
        dtype, args = self._coerce(operands)
        if dtype not in _KINDS[function.accepts]:
            raise UsageError(f"xp.{name} takes {function.accepts} operands, got {dtype}")
        result = "bool" if function.returns == "bool" else dtype
        constants = [self._constant_of(x) for x in args]
        if all(c is not None for c in constants):
            with np.errstate(all="ignore"):
                return self.constant(getattr(np, name)(*constants), result)
        # Only what changes no bit: x·1 and x/1. (x + 0 turns −0 into 0; 0·x is not 0 for NaN.)
        if name in ("multiply", "divide") and constants[1] == 1:
            return args[0]
        if name == "multiply" and constants[0] == 1:
            return args[1]
        indices = tuple(x.index for x in args)
        if function.commutes:
            indices = tuple(sorted(indices))
        return self._add(Node(name, result, indices))

    def kernel_function(self, name: str, *operands: Value) -> Value:
        """A function of :data:`~neurosim.backends.tracing.functions.KERNEL_FUNCTIONS`, for trace passes."""
        return self._add(Node(name, operands[0].dtype, tuple(x.index for x in operands)))

    def where(self, condition: Value, a: Value | Number, b: Value | Number) -> Value:
        """``a`` where the condition holds, else ``b``."""
        if not isinstance(condition, Value):
            raise UsageError("xp.where needs an array as its condition; with a Python bool, write `a if c else b`")
        if condition.dtype != "bool":
            raise UsageError(f"xp.where needs a condition, got {condition.dtype}: write xp.where(x != 0, a, b)")
        if not isinstance(a, Value) and not isinstance(b, Value):
            raise UsageError(
                "xp.where needs an array among its branches: write xp.astype(condition, dtype) or 0.0*x + a"
            )
        _, (a, b) = self._coerce((a, b))
        chosen = self._constant_of(condition)
        if chosen is not None:
            return a if chosen else b
        if a.index == b.index:
            return a
        return self._add(Node("where", a.dtype, (condition.index, a.index, b.index)))

    def astype(self, x: Value, dtype: str) -> Value:
        """``x`` in another type."""
        if dtype not in DTYPES:
            raise NotTraceable(f"no kernel knows the type {dtype!r}: use one of {', '.join(DTYPES)}")
        if x.dtype == dtype:
            return x
        constant = self._constant_of(x)
        if constant is not None:
            return self.constant(constant, dtype)
        node = self.nodes[x.index]
        if node.op == "where":  # rounding commutes with selection; each branch may then be computed once a run
            condition, a, b = (Value(self, i) for i in node.args)
            return self.where(condition, self.astype(a, dtype), self.astype(b, dtype))
        return self._add(Node("astype", dtype, (x.index,)))
