# mypy: ignore-errors
"""Error and gradient of a stack of dense layers on a tile of samples, in buffers that the caller owns.

A tile holds features as rows and samples side by side, so that LLVM vectorises over samples whatever the widths of the
layers are; a tile that is not full is padded to whole vectors with copies of its last sample, of weight 0. Formulas of
activations and losses are kernels that the tracer made of the records' own, called by address.

``layers`` has a row for each layer, with the columns below; ``work`` holds the regions of a tile, whose places are
counted in rows. ``places`` are the regions that belong to no layer.
"""

import numpy as np
from numba import njit

from neurosim.backends.pointers import call_kernel
from neurosim.backends.vector_blocks import (
    BYTES,
    NEW,
    PLUS,
    ROWS,
    TIMES,
    WIDTH,
    block_of_products,
    block_of_sums,
    narrow_block,
    turned_block,
    wide_block,
)

# Columns of the table of layers. SUMS and OUTPUTS are regions: of the weighted sums, later the gradient for them, and
# of the outputs; of a layer whose outputs are the sums they are one. WIDE: where the gradient of its weights is
# gathered, with rows of whole vectors, if it is turned over.
N_IN, N_OUT, WEIGHT, BIAS, KIND, FORWARD, PULLBACK, SUMS, OUTPUTS, WIDE = range(10)
COLUMNS = 10
NOT_TURNED, WHOLE = -1, -2  # in place of WIDE; rows of the weights themselves are whole vectors
# Kinds: outputs are the sums; a factor of the gradient is known from the forward pass; a formula takes it back.
IDENTITY, GATED, TAKEN_BACK = range(3)
# Columns of the places: inputs, targets, weights and losses of samples, two regions for gradients, one for a
# gradient with samples as rows, the address of the loss, samples of a tile, rows in all.
INPUTS, TARGETS, SHARES, LOSSES, GRADIENT, SECOND, TURNED, LOSS, TILE, HEIGHT = range(10)
PLACES = 10
OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}


@njit(**OPTIONS)
def padded(n, lanes):
    """Whole vectors."""
    return (n + lanes - 1) // lanes * lanes


@njit(**OPTIONS)
def multiply(c, c0, a, a0, row_step, k_step, b, b0, initial, initial0, step0, mode, rows, depth, ld, lanes):
    """C = A B + initial, (rows, ld) = (rows, depth) (depth, ld); ``mode``: what C held goes in."""
    v = 0
    while v + WIDTH * lanes <= ld:
        for r in range(0, rows, ROWS):
            wide_block(
                c, a, b, initial, c0 + v, ld, r, rows, a0, row_step, k_step, b0 + v, ld, depth, initial0, step0, mode
            )
        v += WIDTH * lanes
    while v < ld:
        for r in range(0, rows, ROWS):
            narrow_block(
                c, a, b, initial, c0 + v, ld, r, rows, a0, row_step, k_step, b0 + v, ld, depth, initial0, step0, mode
            )
        v += lanes


@njit(**OPTIONS)
def add_products(grad, g0, work, x0, n_x, y0, n_y, ld, vectors, few):
    """Add X Yᵀ, (n_x, n_y), to the gradient of weights: sums over the lanes of vectors."""
    for i in range(0, n_x, ROWS):
        for j in range(0, n_y, ROWS):
            block_of_products(few, work, work, x0, ld, i, n_x, y0, ld, j, n_y, vectors)
            for k in range(i, min(i + ROWS, n_x)):
                for m in range(j, min(j + ROWS, n_y)):
                    grad[g0 + k * n_y + m] += few[(k - i) * ROWS + m - j]


@njit(**OPTIONS)
def add_turned(wide, g0, work, x0, n_x, y0, n_y, turned, ld, zeros, lanes):
    """Add X Yᵀ to rows of whole vectors: Y is turned over first, which pays where X has many rows."""
    row = padded(n_y, lanes)
    for begin in range(0, ld, lanes):
        for j in range(0, n_y, lanes):
            turned_block(work, work, turned + begin * row + j, row, y0 + begin, ld, j, n_y)
    multiply(wide, g0, work, x0, ld, 1, work, turned, zeros, 0, 0, PLUS, n_x, ld, row, lanes)


@njit(**OPTIONS)
def gather_wide(layers, wide, grad, g0, lanes):
    """Add the gradients that were gathered in rows of whole vectors, and clear those for the next time."""
    for layer in layers:
        if layer[WIDE] >= 0:
            n_in, n_out = layer[N_IN], layer[N_OUT]
            row = padded(n_out, lanes)
            for i in range(n_in):
                a, b = g0 + layer[WEIGHT] + i * n_out, layer[WIDE] + i * row
                slopes, gathered = grad[a : a + n_out], wide[b : b + row]
                for j in range(n_out):
                    slopes[j] += gathered[j]
                for j in range(row):
                    gathered[j] = 0.0


@njit(**OPTIONS)
def add_sums(out, o0, work, x0, n_x, ld, vectors, few):
    """Add the sums of rows."""
    for i in range(0, n_x, ROWS):
        block_of_sums(few, work, x0, ld, i, n_x, vectors)
        for k in range(i, min(i + ROWS, n_x)):
            out[o0 + k] += few[k - i]


@njit(**OPTIONS)
def forward(layers, places, w, w0, work, few, zeros, ld, lanes):
    """Sums and outputs of all layers; the region of the outputs."""
    tile = places[TILE]
    address = work.ctypes.data
    x0 = places[INPUTS] * tile
    for layer in layers:
        n_in, n_out, s0, y0 = layer[N_IN], layer[N_OUT], layer[SUMS] * tile, layer[OUTPUTS] * tile
        weight = w0 + layer[WEIGHT]
        if layer[BIAS] >= 0:
            multiply(work, s0, w, weight, 1, n_out, work, x0, w, w0 + layer[BIAS], 1, 0, n_out, n_in, ld, lanes)
        else:
            multiply(work, s0, w, weight, 1, n_out, work, x0, zeros, 0, 0, 0, n_out, n_in, ld, lanes)
        if layer[KIND] != IDENTITY:
            s, y = address + s0 * work.itemsize, address + y0 * work.itemsize
            call_kernel(layer[FORWARD], s, y, 0, 0, 0, n_out, ld)
        x0 = y0
    return x0


@njit(**OPTIONS)
def losses_of(layers, places, work, few, ld, lanes):
    """Weighted sum of the losses of the tile; the gradient for the outputs goes into its region."""
    tile, size, address = places[TILE], work.itemsize, work.ctypes.data
    n_out, y0 = layers[-1, N_OUT], layers[-1, OUTPUTS] * tile
    y, target = address + y0 * size, address + places[TARGETS] * tile * size
    share, losses = address + places[SHARES] * tile * size, address + places[LOSSES] * tile * size
    dy = address + places[GRADIENT] * tile * size
    call_kernel(places[LOSS], y, target, share, dy, losses, n_out, ld)
    block_of_sums(few, work, places[LOSSES] * tile, ld, 0, 1, ld // lanes)
    return few[0]


@njit(**OPTIONS)
def before_activation(layer, places, work, dy0, free, ld):
    """From the gradient for a layer's outputs to that for its sums; where that is, if need be a ``free`` place."""
    tile, n = places[TILE], layer[N_OUT] * ld
    if layer[KIND] == IDENTITY:
        return dy0
    s0 = layer[SUMS] * tile
    if layer[KIND] == GATED:
        slope, dy = work[s0 : s0 + n], work[dy0 : dy0 + n]
        for i in range(n):
            slope[i] *= dy[i]
        return s0
    size, address, y0 = work.itemsize, work.ctypes.data, layer[OUTPUTS] * tile
    s, y, dy, ds = address + s0 * size, address + y0 * size, address + dy0 * size, address + free * size
    call_kernel(layer[PULLBACK], s, y, dy, ds, 0, layer[N_OUT], ld)
    return free


@njit(**OPTIONS)
def backward(layers, places, w, w0, grad, g0, work, few, zeros, wide, ld, lanes):
    """Add the gradient of the tile."""
    tile = places[TILE]
    vectors = ld // lanes
    last, first, second = len(layers) - 1, places[GRADIENT] * tile, places[SECOND] * tile
    ds0 = before_activation(layers[last], places, work, first, second, ld)
    for number in range(last, -1, -1):
        layer = layers[number]
        n_in, n_out = layer[N_IN], layer[N_OUT]
        x0 = (layers[number - 1, OUTPUTS] if number else places[INPUTS]) * tile
        turned = places[TURNED] * tile
        if layer[WIDE] == WHOLE:
            add_turned(grad, g0 + layer[WEIGHT], work, x0, n_in, ds0, n_out, turned, ld, zeros, lanes)
        elif layer[WIDE] >= 0:
            add_turned(wide, layer[WIDE], work, x0, n_in, ds0, n_out, turned, ld, zeros, lanes)
        else:
            add_products(grad, g0 + layer[WEIGHT], work, x0, n_in, ds0, n_out, ld, vectors, few)
        if layer[BIAS] >= 0:
            add_sums(grad, g0 + layer[BIAS], work, ds0, n_out, ld, vectors, few)
        if number:
            below = layers[number - 1]
            mode, weight, c0 = TIMES if below[KIND] == GATED else NEW, w0 + layer[WEIGHT], below[SUMS] * tile
            if below[KIND] == TAKEN_BACK:
                c0 = second if ds0 == first else first
            multiply(work, c0, w, weight, n_out, 1, work, ds0, zeros, 0, 0, mode, n_in, n_out, ld, lanes)
            ds0 = c0
            if below[KIND] == TAKEN_BACK:
                ds0 = before_activation(below, places, work, c0, first + second - c0, ld)


@njit(**OPTIONS)
def copy(out, o0, x, x0, n):
    """``n`` numbers; slices, because an index might be negative for Numba."""
    to, source = out[o0 : o0 + n], x[x0 : x0 + n]
    for i in range(n):
        to[i] = source[i]


@njit(**OPTIONS)
def take_tile(places, work, x, x0, n_in, target, t0, n_out, share, s0, ld):
    """A tile that was laid out before into its regions."""
    tile = places[TILE]
    a, b, c = places[INPUTS] * tile, places[TARGETS] * tile, places[SHARES] * tile
    copy(work, a, x, x0, n_in * ld)
    copy(work, b, target, t0, n_out * ld)
    copy(work, c, share, s0, ld)


@njit(**OPTIONS)
def gather_tile(places, work, x, x0, n_in, target, t0, n_out, weight, s0, order, begin, end, ld, factor):
    """Samples ``order[begin:end]`` of arrays with samples as rows into the regions of a tile."""
    tile = places[TILE]
    a, b, c = places[INPUTS] * tile, places[TARGETS] * tile, places[SHARES] * tile
    inputs, targets = work[a : a + n_in * ld].reshape(n_in, ld), work[b : b + n_out * ld].reshape(n_out, ld)
    for t in range(ld):
        sample = order[min(begin + t, end - 1)]
        row = x[x0 + sample * n_in : x0 + (sample + 1) * n_in]
        for i in range(n_in):
            inputs[i, t] = row[i]
        row = target[t0 + sample * n_out : t0 + (sample + 1) * n_out]
        for i in range(n_out):
            targets[i, t] = row[i]
        work[c + t] = weight[s0 + sample] * factor if begin + t < end else 0.0


@njit(**OPTIONS)
def penalty_of(penalty, p0, n, w, w0, grad, g0, slopes):
    """½ Σ penalty w²; its gradient is added, if ``slopes``."""
    total = np.float64(0.0)
    for i in range(n):
        slope = penalty[p0 + i] * w[w0 + i]
        total += np.float64(slope) * np.float64(w[w0 + i])
        if slopes:
            grad[g0 + i] += slope
    return 0.5 * total


@njit(**OPTIONS)
def on_tile(layers, places, w, w0, grad, g0, work, few, zeros, wide, ld, lanes, slopes):
    """Loss on the tile that stands in its regions; its gradient is added, if ``slopes``."""
    forward(layers, places, w, w0, work, few, zeros, ld, lanes)
    total = losses_of(layers, places, work, few, ld, lanes)
    if slopes:
        backward(layers, places, w, w0, grad, g0, work, few, zeros, wide, ld, lanes)
    return np.float64(total)


@njit(**OPTIONS)
def on_all(layers, places, strides, w, w0, size, grad, g0, scratch, member, x, target, share, penalty, slopes):
    """Error on all samples, laid out in tiles, and its gradient, if ``slopes``.

    ``strides``: numbers from one network to the next in x, target, share and penalty; padded samples, samples.
    """
    work, few, zeros, wide = scratch
    lanes = BYTES // work.itemsize
    n_in, n_out, n = layers[0, N_IN], layers[-1, N_OUT], strides[4]
    x0, t0, s0 = strides[0] * member, strides[1] * member, strides[2] * member
    if slopes:
        grad[g0 : g0 + size] = 0.0
    total, begin = np.float64(0.0), 0
    while begin < n:
        ld = min(places[TILE], n - begin)
        take_tile(places, work, x, x0 + begin * n_in, n_in, target, t0 + begin * n_out, n_out, share, s0 + begin, ld)
        total += on_tile(layers, places, w, w0, grad, g0, work, few, zeros, wide, ld, lanes, slopes)
        begin += ld
    if slopes:
        gather_wide(layers, wide, grad, g0, lanes)
    if len(penalty):
        total += penalty_of(penalty, strides[3] * member, size, w, w0, grad, g0, slopes)
    return total


@njit(**OPTIONS)
def on_batch(
    layers, places, strides, w, w0, size, grad, g0, scratch, member, x, target, weight, penalty, order, at, to
):
    """Error on samples ``order[at:to]`` and its gradient; samples are rows of x, target and weight."""
    work, few, zeros, wide = scratch
    lanes = BYTES // work.itemsize
    n_in, n_out = layers[0, N_IN], layers[-1, N_OUT]
    x0, t0, s0 = strides[0] * member, strides[1] * member, strides[2] * member
    grad[g0 : g0 + size] = 0.0
    total, begin, factor = np.float64(0.0), at, work.dtype.type(1.0 / (to - at))
    while begin < to:
        end = min(begin + places[TILE], to)
        ld = padded(end - begin, lanes)
        gather_tile(places, work, x, x0, n_in, target, t0, n_out, weight, s0, order, begin, end, ld, factor)
        total += on_tile(layers, places, w, w0, grad, g0, work, few, zeros, wide, ld, lanes, True)
        begin = end
    gather_wide(layers, wide, grad, g0, lanes)
    if len(penalty):
        total += penalty_of(penalty, strides[3] * member, size, w, w0, grad, g0, True)
    return total


@njit(**OPTIONS)
def on_members(layers, places, data, w, size, grads, values, scratch, members, first, last, slopes):
    """Errors of networks ``first`` to ``last``, and their gradients, if ``slopes``."""
    x, target, share, penalty, strides = data
    for k in range(first, last):
        values[k] = on_all(
            layers, places, strides, w, k * size, size, grads, k * size, scratch, members[k],
            x, target, share, penalty, slopes,
        )  # fmt: skip
