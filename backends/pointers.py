"""Addresses in compiled code: calls through pointers, words shared by threads, prefetching.

The compiled loop holds arrays of different types and kernels of different models in tables of addresses, so that one
loop, compiled once, serves every network.
"""

import platform
from collections.abc import Callable
from typing import Any, NamedTuple

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


class _Register(NamedTuple):
    """The word that says how a thread computes: LLVM to read and to write it, and the bits for subnormal numbers."""

    get: Callable[[Any], Any]
    put: Callable[[Any, Any], None]
    flushing: int


def _get_mxcsr(builder):
    place = cgutils.alloca_once(builder, ir.IntType(32))
    _call_on_place(builder, "llvm.x86.sse.stmxcsr", place)
    return builder.zext(builder.load(place), _WORD)


def _put_mxcsr(builder, word):
    place = cgutils.alloca_once(builder, ir.IntType(32))
    builder.store(builder.trunc(word, ir.IntType(32)), place)
    _call_on_place(builder, "llvm.x86.sse.ldmxcsr", place)


def _call_on_place(builder, name, place):
    byte = ir.IntType(8).as_pointer()
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [byte]), name)
    builder.call(function, [builder.bitcast(place, byte)])


def _get_fpcr(builder):
    kind = ir.FunctionType(_WORD, [])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.aarch64.get.fpcr"), [])


def _put_fpcr(builder, word):
    kind = ir.FunctionType(ir.VoidType(), [_WORD])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.aarch64.set.fpcr"), [word])


# Bits 15 and 6 of MXCSR: results, and operands; bit 24 of FPCR: both.
_X86 = _Register(_get_mxcsr, _put_mxcsr, 1 << 15 | 1 << 6)
_ARM = _Register(_get_fpcr, _put_fpcr, 1 << 24)
_REGISTER = {"x86_64": _X86, "amd64": _X86, "aarch64": _ARM, "arm64": _ARM}.get(platform.machine().lower())


@intrinsic
def flush_subnormals(typingctx):
    """Have this thread take numbers too small for full precision as 0 from now on; what :func:`restore` wants.

    Where nothing arrives conductances decay for ever, and processors take many times as long for such numbers.
    """

    def codegen(context, builder, signature, arguments):
        if _REGISTER is None:
            return _WORD(0)
        before = _REGISTER.get(builder)
        _REGISTER.put(builder, builder.or_(before, _WORD(_REGISTER.flushing)))
        return before

    return types.int64(), codegen


@intrinsic
def restore(typingctx, before):
    """Back to how this thread computed before."""

    def codegen(context, builder, signature, arguments):
        if _REGISTER is not None:
            _REGISTER.put(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), codegen
