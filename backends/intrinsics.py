"""Single-instruction operations that Numba does not offer and that LLVM vectorises."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _bitcast(source, target, llvm_target):
    def typing(typingctx, value):
        if value != source:
            return None

        def codegen(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], llvm_target)

        return target(source), codegen

    return typing


def _fused_multiply_add(kind):
    def typing(typingctx, first, second, third):
        if (first, second, third) != (kind, kind, kind):
            return None

        def codegen(context, builder, signature, arguments):
            return builder.fma(*arguments)

        return kind(kind, kind, kind), codegen

    return typing


def _named(name, summary, typing):
    typing.__name__ = typing.__qualname__ = name
    typing.__doc__ = summary
    return intrinsic(typing)


bitcast_f64_i64 = _named(
    "bitcast_f64_i64", "Bits of a float64.", _bitcast(types.float64, types.int64, ir.IntType(64))
)
bitcast_i64_f64 = _named(
    "bitcast_i64_f64", "The float64 with these bits.", _bitcast(types.int64, types.float64, ir.DoubleType())
)
bitcast_f32_i32 = _named(
    "bitcast_f32_i32", "Bits of a float32.", _bitcast(types.float32, types.int32, ir.IntType(32))
)
bitcast_i32_f32 = _named(
    "bitcast_i32_f32", "The float32 with these bits.", _bitcast(types.int32, types.float32, ir.FloatType())
)
# Explicit fusion: the compiler may not contract other products and sums, so every CPU gives the same bits.
fma_f64 = _named("fma_f64", "``first * second + third`` rounded once.", _fused_multiply_add(types.float64))
fma_f32 = _named("fma_f32", "``first * second + third`` rounded once.", _fused_multiply_add(types.float32))
