# mypy: ignore-errors
"""JᵀJ of a stack of dense layers, summed over samples without J.

A weight of layer a from input i to unit o changes output k of a sample by xᵢ δₒᵏ, where δᵏ is what the unit vector k is
taken back to. So for layers a and b ::

    JᵀJ[(i, o), (i', o')] = Σ over samples of xᵢ x'ᵢ' · Mₒₒ',    Mₒₒ' = share · Σₖ δₒᵏ δ'ₒ'ᵏ

and the sum over outputs is done once for all pairs of inputs: as many products as outputs fewer than of J, and no place
for it. Samples come in tiles as in :mod:`neurosim.learn.compiled.passes`.
"""

import numpy as np
from numba import njit

from neurosim.backends.pointers import call_kernel
from neurosim.backends.vector_blocks import BYTES, NEW, PLUS, TIMES
from neurosim.learn.compiled.passes import (
    BIAS,
    GATED,
    INPUTS,
    KIND,
    N_IN,
    N_OUT,
    OPTIONS,
    OUTPUTS,
    PULLBACK,
    SHARES,
    SUMS,
    TAKEN_BACK,
    TILE,
    WEIGHT,
    copy,
    forward,
    multiply,
    padded,
    take_tile,
)


@njit(**OPTIONS)
def units_taken_back(layers, places, w, w0, work, deltas, zeros, ld, lanes):
    """δ of all layers, for each output: rows of ``deltas``, layer after layer, in them output after output."""
    tile, n_outputs = places[TILE], layers[-1, N_OUT]
    height = 0
    for layer in layers:
        height += layer[N_OUT] * n_outputs
    first = height * ld  # room for gradients of outputs behind the rows
    for k in range(n_outputs):
        end = height
        for number in range(len(layers) - 1, -1, -1):
            layer = layers[number]
            n, kind = layer[N_OUT], layer[KIND]
            end -= n * n_outputs
            d0, s0 = (end + k * n) * ld, layer[SUMS] * tile
            target = first if kind == TAKEN_BACK else d0
            if number == len(layers) - 1:
                deltas[target : target + n * ld] = 0.0
                if kind == GATED:
                    copy(deltas, target + k * ld, work, s0 + k * ld, ld)
                else:
                    deltas[target + k * ld : target + (k + 1) * ld] = 1.0
            else:
                above = layers[number + 1]
                if kind == GATED:
                    copy(deltas, target, work, s0, n * ld)
                a0 = (end + n * n_outputs + k * above[N_OUT]) * ld
                weight, mode = w0 + above[WEIGHT], TIMES if kind == GATED else NEW
                m = above[N_OUT]
                multiply(deltas, target, w, weight, m, 1, deltas, a0, zeros, 0, 0, mode, n, m, ld, lanes)
            if kind == TAKEN_BACK:
                size, out = work.itemsize, deltas.ctypes.data
                s, y = work.ctypes.data + s0 * size, work.ctypes.data + layer[OUTPUTS] * tile * size
                call_kernel(layer[PULLBACK], s, y, out + target * size, out + d0 * size, 0, n, ld)


@njit(**OPTIONS)
def pairs_of_units(deltas, a0, n_a, b0, n_b, n_outputs, share, s0, pairs, ld, row):
    """M of all samples, as rows of pairs."""
    a, b = deltas[a0 : a0 + n_outputs * n_a * ld], deltas[b0 : b0 + n_outputs * n_b * ld]
    shares, turned = share[s0 : s0 + ld], np.empty(n_b, deltas.dtype)
    pairs[: ld * row] = 0.0
    for t in range(ld):
        for k in range(n_outputs):
            for j in range(n_b):
                turned[j] = b[(k * n_b + j) * ld + t]
            for i in range(n_a):
                factor = shares[t] * a[(k * n_a + i) * ld + t]
                out = pairs[t * row + i * n_b : t * row + (i + 1) * n_b]
                for j in range(n_b):
                    out[j] += factor * turned[j]


@njit(**OPTIONS)
def add_tile(layers, places, work, deltas, pairs, products, sums, zeros, ld, lanes):
    """Add the tile to the sums over samples of all pairs of layers, of inputs, of units."""
    tile, n_outputs = places[TILE], layers[-1, N_OUT]
    a0, s0 = 0, 0
    for a in range(len(layers)):
        n_a, m_a = layers[a, N_OUT], layers[a, N_IN] + (layers[a, BIAS] >= 0)
        x_a = (layers[a - 1, OUTPUTS] if a else places[INPUTS]) * tile
        b0 = a0
        for b in range(a, len(layers)):
            n_b, m_b = layers[b, N_OUT], layers[b, N_IN] + (layers[b, BIAS] >= 0)
            x_b = (layers[b - 1, OUTPUTS] if b else places[INPUTS]) * tile
            row = padded(n_a * n_b, lanes)
            pairs_of_units(deltas, a0, n_a, b0, n_b, n_outputs, work, places[SHARES] * tile, pairs, ld, row)
            for i in range(m_a):
                begin = i if a == b else 0  # the rest is symmetric
                for j in range(begin, m_b):
                    out = products[(j - begin) * ld : (j - begin + 1) * ld]
                    left, right = work[x_a + i * ld : x_a + (i + 1) * ld], work[x_b + j * ld : x_b + (j + 1) * ld]
                    one_a, one_b = i == layers[a, N_IN], j == layers[b, N_IN]  # the input of a bias is 1
                    for t in range(ld):
                        p = out.dtype.type(1.0) if one_a else left[t]
                        q = out.dtype.type(1.0) if one_b else right[t]
                        out[t] = p * q
                rows, c0 = m_b - begin, s0 + (i * m_b + begin) * row
                multiply(sums, c0, products, 0, ld, 1, pairs, 0, zeros, 0, 0, PLUS, rows, ld, row, lanes)
            s0 += m_a * m_b * row
            b0 += n_b * n_outputs * ld
        a0 += n_a * n_outputs * ld


@njit(**OPTIONS)
def place(layers, sums, matrix, m0, size, lanes):
    """The sums to their places in the matrix, and to those opposite."""
    s0 = 0
    for a in range(len(layers)):
        n_a, m_a, w_a = layers[a, N_OUT], layers[a, N_IN] + (layers[a, BIAS] >= 0), layers[a, WEIGHT]
        for b in range(a, len(layers)):
            n_b, m_b, w_b = layers[b, N_OUT], layers[b, N_IN] + (layers[b, BIAS] >= 0), layers[b, WEIGHT]
            row = padded(n_a * n_b, lanes)
            for i in range(m_a):
                for j in range(i if a == b else 0, m_b):
                    # A bias lies behind its weights, as input number n_in would.
                    for p in range(n_a):
                        here = s0 + (i * m_b + j) * row + p * n_b
                        values = sums[here : here + n_b]
                        at = m0 + (w_a + i * n_a + p) * size + w_b + j * n_b
                        out = matrix[at : at + n_b]
                        for q in range(n_b):
                            out[q] = values[q]
                            matrix[m0 + (w_b + j * n_b + q) * size + w_a + i * n_a + p] = values[q]
            s0 += m_a * m_b * row


@njit(**OPTIONS)
def add_curvature(layers, places, data, w, size, matrix, scratch, buffers, members, first, last, factor):
    """JᵀJ of networks ``first`` to ``last``; ``factor``: square of the slope of residuals."""
    x, target, share, penalty, strides = data
    work, few, zeros, _ = scratch
    deltas, pairs, products, sums = buffers
    lanes = BYTES // work.itemsize
    n_in, n_out, n = layers[0, N_IN], layers[-1, N_OUT], strides[4]
    for k in range(first, last):
        member = members[k]
        x0, t0, s0 = strides[0] * member, strides[1] * member, strides[2] * member
        sums[:] = 0.0
        begin = 0
        while begin < n:
            ld = min(places[TILE], n - begin)
            a, b = x0 + begin * n_in, t0 + begin * n_out
            take_tile(places, work, x, a, n_in, target, b, n_out, share, s0 + begin, ld)
            forward(layers, places, w, k * size, work, few, zeros, ld, lanes)
            shares = work[places[SHARES] * places[TILE] : places[SHARES] * places[TILE] + ld]
            for t in range(ld):
                shares[t] *= factor
            units_taken_back(layers, places, w, k * size, work, deltas, zeros, ld, lanes)
            add_tile(layers, places, work, deltas, pairs, products, sums, zeros, ld, lanes)
            begin += ld
        m0 = k * size * size
        place(layers, sums, matrix, m0, size, lanes)
        for i in range(size if len(penalty) else 0):
            matrix[m0 + i * size + i] += penalty[strides[3] * member + i]
