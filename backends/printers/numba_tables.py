"""How types and functions of a trace are written for Numba."""

from __future__ import annotations

from neurosim.backends.tracing.functions import FUNCTIONS, KERNEL_FUNCTIONS

SHORT = {"float32": "f32", "float64": "f64"}
NUMPY = {
    "bool": "np.bool_",
    "int32": "np.int32",
    "int64": "np.int64",
    "float32": "np.float32",
    "float64": "np.float64",
}

OPERATORS = {
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
    "fma": "fma_{short}({0}, {1}, {2})",  # an instruction
}
# our own mathematics, math_functions
CALLS = (frozenset(FUNCTIONS) | frozenset(KERNEL_FUNCTIONS)) - frozenset(OPERATORS)
# Functions with a shorter version for small arguments, and the bound: see math_functions.NARROW, whose import would
# cost every process the import of Numba.
NARROW = {
    "float32": {"exp": 80.0, "expm1": 0.34, "exprel": 0.34, "wide_exprel": 0.5},
    "float64": {"exp": 700.0, "expm1": 0.34, "exprel": 0.34, "wide_exprel": 0.5},
}
