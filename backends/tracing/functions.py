"""The functions that a formula may use: one table for the tracer, the printers, the tests and the docs.

Each is a function of the Array API standard, elementwise, with the standard's meaning. To allow another: add it
here and to the tables of the printers; the tests walk this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from neurosim.backends.errors import UsageError

FLOATS = ("float32", "float64")
INTEGERS = ("int32", "int64")
DTYPES = ("bool", *INTEGERS, *FLOATS)


class NotTraceable(UsageError):
    """The formula uses a function that no kernel knows; op by op it may still run."""


@dataclass(frozen=True)
class Function:
    """Signature of an allowed function.

    ``accepts``: the kinds of operands; ``returns``: ``"same"`` as the operands or ``"bool"``.
    """

    arity: int
    accepts: Literal["real", "float", "integer", "bool", "integer or bool"]
    returns: Literal["same", "bool"] = "same"
    commutes: bool = False


_REAL2, _FLOAT1 = Function(2, "real"), Function(1, "float")
_COMPARE, _EQUAL = Function(2, "real", "bool"), Function(2, "real", "bool", commutes=True)
_BITS = Function(2, "integer or bool", commutes=True)
_LOGIC = Function(2, "bool", commutes=True)

FUNCTIONS: dict[str, Function] = {
    "add": Function(2, "real", commutes=True),
    "subtract": _REAL2,
    "multiply": Function(2, "real", commutes=True),
    "divide": Function(2, "float"),
    "negative": Function(1, "real"),
    "abs": Function(1, "real"),
    "sign": _FLOAT1,
    "minimum": _REAL2,
    "maximum": _REAL2,
    "floor": _FLOAT1,
    "sqrt": _FLOAT1,
    "exp": _FLOAT1,
    "expm1": _FLOAT1,
    "log": _FLOAT1,
    "log1p": _FLOAT1,
    "tanh": _FLOAT1,
    "sin": _FLOAT1,
    "cos": _FLOAT1,
    "less": _COMPARE,
    "less_equal": _COMPARE,
    "greater": _COMPARE,
    "greater_equal": _COMPARE,
    "equal": _EQUAL,
    "not_equal": _EQUAL,
    "isfinite": Function(1, "float", "bool"),
    "logical_and": _LOGIC,
    "logical_or": _LOGIC,
    "logical_not": Function(1, "bool"),
    "bitwise_and": _BITS,
    "bitwise_or": _BITS,
    "bitwise_xor": _BITS,
    "bitwise_left_shift": Function(2, "integer"),
    "bitwise_right_shift": Function(2, "integer"),
}
# Python's operators for arrays that are no library's: method without its underscores → function. Those of the first
# two tables have a reflected method too.
ARITHMETIC = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide"}
BITWISE = {
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}
COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
# What only kernels have: trace passes put it in place of formulas.
KERNEL_FUNCTIONS: dict[str, Function] = {
    "exprel": _FLOAT1,  # expm1(x) / x, 1 at 0
    "wide_exprel": _FLOAT1,  # the same by a longer polynomial
    "fma": Function(3, "float"),  # a·b + c, rounded once
}
SPECIAL = ("where", "astype")  # operands of different types; written out in Graph

INSTEAD = {
    "pow": "write powers as products: x*x*x",
    "square": "write x*x",
    "reciprocal": "write 1.0 / x",
    "clip": "write xp.minimum(xp.maximum(x, low), high)",
    "sigmoid": "write 1.0 / (1.0 + xp.exp(-x))",
    "zeros_like": "write 0.0 * x, or the number itself",
    "ones_like": "write the number itself",
    "full_like": "write the number itself",
    "asarray": "write the number itself; numbers and arrays combine",
    "any": "replace the branch by xp.where(condition, a, b)",
    "all": "replace the branch by xp.where(condition, a, b)",
}
_REDUCTIONS = (
    "sum",
    "mean",
    "max",
    "min",
    "prod",
    "std",
    "var",
    "argmax",
    "argmin",
    "matmul",
    "cumulative_sum",
)
INSTEAD |= dict.fromkeys(_REDUCTIONS, "a formula sees one neuron at a time and cannot reduce over them")


def refuse(name: str) -> NotTraceable:
    """The error for a function that is not in the table."""
    instead = INSTEAD.get(name, f"allowed are {', '.join((*FUNCTIONS, *SPECIAL))}")
    return NotTraceable(f"xp.{name} cannot be traced into a kernel: {instead}")
