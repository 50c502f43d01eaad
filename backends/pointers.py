"""Addresses in compiled code: calls through pointers, words shared by threads, prefetching.

The compiled loop holds arrays of different types and kernels of different models in tables of addresses, so that one
loop, compiled once, serves every network.
"""

import platform

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_WORD = ir.IntType(64)


@intrinsic
def pointer(typingctx, address):
    """An address as a pointer, for :func:`numba.carray`."""

    def codegen(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), codegen


@intrinsic
def call_kernel(typingctx, function, block, start, stop, first_step, n_steps, steps, lanes):
    """Call a kernel by its address."""

    def codegen(context, builder, signature, arguments):
        kind = ir.FunctionType(_WORD, [_WORD] * 7)
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])

    return types.int64(*[types.int64] * 8), codegen


@intrinsic
def call_plain(typingctx, function):
    """Call a C function without arguments by its address."""

    def codegen(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), [])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def load_acquire(typingctx, address):
    """A word that another thread writes."""

    def codegen(context, builder, signature, arguments):
        return builder.load_atomic(builder.inttoptr(arguments[0], _WORD.as_pointer()), "acquire", 8)

    return types.int64(types.int64), codegen


@intrinsic
def store_release(typingctx, address, value):
    """Write a word so that all that was written before is seen by who reads it."""

    def codegen(context, builder, signature, arguments):
        target = builder.inttoptr(arguments[0], _WORD.as_pointer())
        builder.store_atomic(arguments[1], target, "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def prefetch(typingctx, address):
    """Have the line at an address brought into the cache."""

    def codegen(context, builder, signature, arguments):
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        target = builder.inttoptr(arguments[0], byte)
        builder.call(function, [target, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


def _x86(builder, on):
    """Set or clear the bits of MXCSR that make subnormal results and operands zero; the state before, or from it."""
    module, word = builder.module, ir.IntType(32)
    place = cgutils.alloca_once(builder, word)
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
    pointer_ = builder.bitcast(place, ir.IntType(8).as_pointer())
    store = cgutils.get_or_insert_function(module, kind, "llvm.x86.sse.stmxcsr")
    load = cgutils.get_or_insert_function(module, kind, "llvm.x86.sse.ldmxcsr")
    if on is None:
        builder.call(store, [pointer_])
        before = builder.load(place)
        builder.store(builder.or_(before, word(0x8040)), place)
        builder.call(load, [pointer_])
        return builder.zext(before, _WORD)
    builder.store(builder.trunc(on, word), place)
    builder.call(load, [pointer_])
    return None


def _arm(builder, on):
    """The same with FPCR."""
    module = builder.module
    get = cgutils.get_or_insert_function(module, ir.FunctionType(_WORD, []), "llvm.aarch64.get.fpcr")
    put = cgutils.get_or_insert_function(module, ir.FunctionType(ir.VoidType(), [_WORD]), "llvm.aarch64.set.fpcr")
    if on is None:
        before = builder.call(get, [])
        builder.call(put, [builder.or_(before, _WORD(1 << 24))])
        return before
    builder.call(put, [on])
    return None


_FLUSHES = {"x86_64": _x86, "amd64": _x86, "aarch64": _arm, "arm64": _arm}.get(platform.machine().lower())


@intrinsic
def flush_subnormals(typingctx):
    """Have this thread take numbers too small for full precision as 0 from now on; what :func:`restore` wants.

    Where nothing arrives conductances decay for ever, and processors take many times as long for such numbers.
    """

    def codegen(context, builder, signature, arguments):
        return _WORD(0) if _FLUSHES is None else _FLUSHES(builder, None)

    return types.int64(), codegen


@intrinsic
def restore(typingctx, before):
    """Back to how this thread computed before."""

    def codegen(context, builder, signature, arguments):
        if _FLUSHES is not None:
            _FLUSHES(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), codegen
