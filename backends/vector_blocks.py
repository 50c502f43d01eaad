"""Products of small matrices in registers: vectors of a fixed number of numbers, written out for LLVM.

A vector is 16 numbers of float32 or 8 of float64 on every machine, which LLVM makes of the registers that there are;
each product is fused with its sum, and sums over a vector are added in one order. So bits do not depend on the machine,
nor on the size of a block, which does follow the number of registers.

Arrays are flat; places in them and distances of rows are given in numbers. Rows past the last are the last again: a
block that is not full computes some rows twice and stores the same, which is cheaper than a case for every remainder.
"""

from collections.abc import Sequence
from functools import cache

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BYTES = 64  # of a vector
ROWS = 4  # of a block
NEW, TIMES, PLUS = range(3)  # C = what was computed, that times what C held, or that added to it
_WORD = ir.IntType(64)


@cache
def _many_registers() -> bool:
    """Whether there are 32 registers of 64 bytes, and not 16 of 32 or fewer."""
    return bool(llvmlite.binding.get_host_cpu_features().get("avx512f", False))


class _Vectors:
    """What the blocks are made of, for one type of numbers."""

    def __init__(self, context, builder, signature, arguments):
        self.context, self.builder, self.signature, self.arguments = context, builder, signature, arguments
        kind = signature.args[0].dtype
        self.itemsize = kind.bitwidth // 8
        self.lanes = BYTES // self.itemsize
        self.number = ir.FloatType() if self.itemsize == 4 else ir.DoubleType()
        self.vector = ir.VectorType(self.number, self.lanes)
        name = f"llvm.fma.v{self.lanes}f{8 * self.itemsize}"
        function = ir.FunctionType(self.vector, [self.vector] * 3)
        self.fma = cgutils.get_or_insert_function(builder.module, function, name)

    def data(self, i):
        """Pointer to the numbers of argument ``i``."""
        return self.context.make_array(self.signature.args[i])(self.context, self.builder, self.arguments[i]).data

    def at(self, data, *places):
        """Pointer to the number at the sum of some places."""
        place = places[0]
        for more in places[1:]:
            place = self.builder.add(place, more)
        return self.builder.gep(data, [place])

    def load(self, address):
        value = self.builder.load(self.builder.bitcast(address, self.vector.as_pointer()))
        value.align = self.itemsize
        return value

    def store(self, value, address):
        stored = self.builder.store(value, self.builder.bitcast(address, value.type.as_pointer()))
        stored.align = self.itemsize

    def spread(self, number):
        """A number in all lanes."""
        first = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), number, ir.IntType(32)(0))
        return self.shuffled(first, first, [0] * self.lanes)

    def shuffled(self, a, b, lanes):
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), [ir.IntType(32)(i) for i in lanes])
        return self.builder.shuffle_vector(a, b, mask)

    def variables(self, values):
        """Places of accumulators, which LLVM turns into registers."""
        places = [cgutils.alloca_once(self.builder, self.vector) for _ in values]
        for place, value in zip(places, values, strict=True):
            self.builder.store(value, place)
        return places

    def zero(self):
        return ir.Constant(self.vector, [self.number(0.0)] * self.lanes)

    def clamped(self, first, i, count):
        """Number of row ``first`` + i, or of the last."""
        row, last = self.builder.add(first, _WORD(i)), self.builder.sub(count, _WORD(1))
        return self.builder.select(self.builder.icmp_signed("<", row, last), row, last)

    def sums(self, vectors: Sequence):
        """Sums over the lanes of up to ``lanes`` vectors, a power of two, as one shorter vector: halves are added."""
        width, vectors = self.lanes, list(vectors)
        segment = width  # lanes that hold parts of one sum
        while segment > 1:
            half = segment // 2
            low = [k for begin in range(0, width, segment) for k in range(begin, begin + half)]
            high = [k + half for k in low]
            if len(vectors) > 1:
                low, high = low + [k + width for k in low], high + [k + width for k in high]
                pairs = list(zip(vectors[::2], vectors[1::2], strict=True))
            else:
                pairs, width = [(vectors[0], vectors[0])], width // 2
            vectors = [self.builder.fadd(self.shuffled(a, b, low), self.shuffled(a, b, high)) for a, b in pairs]
            segment = half
        return vectors[0]


def _product(width):
    """The function for blocks of so many vectors in each row."""

    def block(
        typingctx, c, a, b, initial, c0, ldc, row0, rows, a0, row_step, k_step, b0, ldb, depth, initial0, step0, mode
    ):
        def codegen(context, builder, signature, arguments):
            v = _Vectors(context, builder, signature, arguments)
            c, a, b, initial = (v.data(i) for i in range(4))
            c0, ldc, row0, rows, a0, row_step, k_step, b0, ldb, depth, initial0, step0, mode = arguments[4:]
            numbers = [v.clamped(row0, i, rows) for i in range(ROWS)]
            sums = []
            for r in numbers:
                start = v.spread(builder.load(v.at(initial, initial0, builder.mul(r, step0))))
                sums.append(v.variables([start] * width))
            firsts = [v.at(a, a0, builder.mul(r, row_step)) for r in numbers]
            with cgutils.for_range(builder, depth, intp=_WORD) as loop:
                row, step = v.at(b, b0, builder.mul(loop.index, ldb)), builder.mul(loop.index, k_step)
                vectors = [v.load(builder.gep(row, [_WORD(j * v.lanes)])) for j in range(width)]
                for i in range(ROWS):
                    weight = v.spread(builder.load(builder.gep(firsts[i], [step])))
                    for place, vector in zip(sums[i], vectors, strict=True):
                        builder.store(builder.call(v.fma, [weight, vector, builder.load(place)]), place)
            places = [
                (place, builder.add(builder.add(c0, builder.mul(r, ldc)), _WORD(j * v.lanes)))
                for r, row in zip(numbers, sums, strict=True)
                for j, place in enumerate(row)
            ]
            for known, combine in ((TIMES, builder.fmul), (PLUS, builder.fadd)):
                with builder.if_then(builder.icmp_signed("==", mode, _WORD(known))):
                    for place, here in places:
                        builder.store(combine(builder.load(place), v.load(v.at(c, here))), place)
            for place, here in places:  # when all is read, as rows may be the same
                v.store(builder.load(place), v.at(c, here))
            return context.get_dummy_value()

        return types.void(c, a, b, initial, *[types.int64] * 13), codegen

    name = f"block_{width}"
    block.__name__ = block.__qualname__ = name
    block.__doc__ = f"Four rows of C = A B + initial over {width} vectors; ``mode``: what C holds goes in."
    return intrinsic(block)


WIDTH = 4 if _many_registers() else 1  # vectors in each row of a block
wide_block, narrow_block = _product(WIDTH), _product(1)


@intrinsic
def block_of_products(typingctx, out, x, y, x0, ldx, i0, n_i, y0, ldy, j0, n_j, vectors):
    """Scalar products of four rows of x with four of y, over some vectors, into ``out``, row by row."""

    def codegen(context, builder, signature, arguments):
        v = _Vectors(context, builder, signature, arguments)
        result, a, b = (v.data(i) for i in range(3))
        x0, ldx, i0, n_i, y0, ldy, j0, n_j, vectors = arguments[3:]
        a_rows = [v.at(a, x0, builder.mul(v.clamped(i0, i, n_i), ldx)) for i in range(ROWS)]
        b_rows = [v.at(b, y0, builder.mul(v.clamped(j0, j, n_j), ldy)) for j in range(ROWS)]
        places = v.variables([v.zero()] * (ROWS * ROWS))
        with cgutils.for_range(builder, vectors, intp=_WORD) as loop:
            offset = builder.mul(loop.index, _WORD(v.lanes))
            left = [v.load(builder.gep(row, [offset])) for row in a_rows]
            right = [v.load(builder.gep(row, [offset])) for row in b_rows]
            for i in range(ROWS):
                for j in range(ROWS):
                    place = places[i * ROWS + j]
                    builder.store(builder.call(v.fma, [left[i], right[j], builder.load(place)]), place)
        found = [builder.load(place) for place in places]
        for begin in range(0, len(found), v.lanes):
            v.store(v.sums(found[begin : begin + v.lanes]), v.at(result, _WORD(begin)))
        return context.get_dummy_value()

    words = [types.int64] * 9
    return types.void(out, x, y, *words), codegen


@intrinsic
def block_of_sums(typingctx, out, x, x0, ldx, i0, n_i, vectors):
    """Sums of four rows of x over some vectors, into ``out``."""

    def codegen(context, builder, signature, arguments):
        v = _Vectors(context, builder, signature, arguments)
        result, a = v.data(0), v.data(1)
        x0, ldx, i0, n_i, vectors = arguments[2:]
        rows = [v.at(a, x0, builder.mul(v.clamped(i0, i, n_i), ldx)) for i in range(ROWS)]
        places = v.variables([v.zero()] * ROWS)
        with cgutils.for_range(builder, vectors, intp=_WORD) as loop:
            offset = builder.mul(loop.index, _WORD(v.lanes))
            for row, place in zip(rows, places, strict=True):
                builder.store(builder.fadd(builder.load(place), v.load(builder.gep(row, [offset]))), place)
        v.store(v.sums([builder.load(place) for place in places]), v.at(result, _WORD(0)))
        return context.get_dummy_value()

    return types.void(out, x, *[types.int64] * 5), codegen


@intrinsic
def turned_block(typingctx, out, x, out0, row, x0, ldx, i0, n_i):
    """As many rows of x as a vector has lanes, a vector of each, as rows of ``out``; 0 past the last row of x."""

    def codegen(context, builder, signature, arguments):
        v = _Vectors(context, builder, signature, arguments)
        result, a = v.data(0), v.data(1)
        out0, row, x0, ldx, i0, n_i = arguments[2:]
        rows = []
        for i in range(v.lanes):
            value = v.load(v.at(a, x0, builder.mul(v.clamped(i0, i, n_i), ldx)))
            there = builder.icmp_signed("<", builder.add(i0, _WORD(i)), n_i)
            rows.append(builder.select(there, value, v.zero()))
        distance = 1
        while distance < v.lanes:  # exchange the halves of pairs of rows, then the quarters, …
            for i in range(v.lanes):
                if not i & distance:
                    a, b = rows[i], rows[i + distance]
                    low = [k - distance + v.lanes if k & distance else k for k in range(v.lanes)]
                    high = [k + v.lanes if k & distance else k + distance for k in range(v.lanes)]
                    rows[i], rows[i + distance] = v.shuffled(a, b, low), v.shuffled(a, b, high)
            distance *= 2
        for i, value in enumerate(rows):
            v.store(value, v.at(result, out0, builder.mul(_WORD(i), row)))
        return context.get_dummy_value()

    return types.void(out, x, *[types.int64] * 6), codegen


def _squares(differences):
    """The function for the sum of squares, of x or of x − y."""

    def squares(typingctx, out, x, y, x0, y0, n):
        def codegen(context, builder, signature, arguments):
            v = _Vectors(context, builder, signature, arguments)
            result, a, b = (v.data(i) for i in range(3))
            x0, y0, n = arguments[3:]
            places = v.variables([v.zero()] * ROWS)
            with cgutils.for_range(builder, builder.sdiv(n, _WORD(ROWS * v.lanes)), intp=_WORD) as loop:
                offset = builder.mul(loop.index, _WORD(ROWS * v.lanes))
                for i, place in enumerate(places):
                    here = builder.add(offset, _WORD(i * v.lanes))
                    value = v.load(v.at(a, x0, here))
                    if differences:
                        value = builder.fsub(value, v.load(v.at(b, y0, here)))
                    builder.store(builder.call(v.fma, [value, value, builder.load(place)]), place)
            a, b, c, d = (builder.load(place) for place in places)
            v.store(v.sums([builder.fadd(builder.fadd(a, b), builder.fadd(c, d))]), v.at(result, _WORD(0)))
            return context.get_dummy_value()

        return types.void(out, x, y, *[types.int64] * 3), codegen

    name = "squared_distance" if differences else "squared_length"
    squares.__name__ = squares.__qualname__ = name
    squares.__doc__ = "Sum of squares of n numbers, a multiple of four vectors, into ``out``."
    return intrinsic(squares)


squared_distance, squared_length = _squares(True), _squares(False)
