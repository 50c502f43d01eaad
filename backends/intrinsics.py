"""Single-instruction operations that Numba does not offer and that LLVM vectorises."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
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


bitcast_f64_i64 = _named("bitcast_f64_i64", "Bits of a float64.", _bitcast(types.float64, types.int64, ir.IntType(64)))
bitcast_i64_f64 = _named(
    "bitcast_i64_f64", "The float64 with these bits.", _bitcast(types.int64, types.float64, ir.DoubleType())
)
bitcast_f32_i32 = _named("bitcast_f32_i32", "Bits of a float32.", _bitcast(types.float32, types.int32, ir.IntType(32)))
bitcast_i32_f32 = _named(
    "bitcast_i32_f32", "The float32 with these bits.", _bitcast(types.int32, types.float32, ir.FloatType())
)
# Explicit fusion: the compiler may not contract other products and sums, so every CPU gives the same bits.
fma_f64 = _named("fma_f64", "``first * second + third`` rounded once.", _fused_multiply_add(types.float64))
fma_f32 = _named("fma_f32", "``first * second + third`` rounded once.", _fused_multiply_add(types.float32))


def _extremum(name, kind, llvm_kind):
    def typing(typingctx, value, limit):
        if (value, limit) != (kind, kind):
            return None

        def codegen(context, builder, signature, arguments):
            function_type = ir.FunctionType(llvm_kind, (llvm_kind, llvm_kind))
            function = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.{name}.{suffix}")
            return builder.call(function, arguments)

        return kind(kind, kind), codegen

    suffix = "f32" if kind == types.float32 else "f64"
    return typing


# NaN stays NaN. Not a comparison and a choice: of two of these in a row LLVM makes slower code.
minimum_f64 = _named("minimum_f64", "Lesser of two.", _extremum("minimum", types.float64, ir.DoubleType()))
maximum_f64 = _named("maximum_f64", "Greater of two.", _extremum("maximum", types.float64, ir.DoubleType()))
minimum_f32 = _named("minimum_f32", "Lesser of two.", _extremum("minimum", types.float32, ir.FloatType()))
maximum_f32 = _named("maximum_f32", "Greater of two.", _extremum("maximum", types.float32, ir.FloatType()))
