# mypy: ignore-errors
"""Many iterations of first-order learning in one call, network after network.

Semantics are those of :func:`neurosim.learn.training.train`, which is the reference: what is recorded of each
iteration, when a network stops and with which weights.
"""

import math

import numpy as np
from numba import njit

from neurosim.backends.pointers import call_kernel
from neurosim.backends.vector_blocks import squared_distance, squared_length
from neurosim.learn.compiled.passes import OPTIONS, copy, on_all, on_batch
from neurosim.learn.status import Status

# Places of what a network has one of, and the first of the optimizer's own.
VALUE, RATE, FIRST = range(3)
RUNNING, REACHED, CONVERGED, NON_FINITE = (
    int(s) for s in (Status.RUNNING, Status.REACHED, Status.CONVERGED, Status.NON_FINITE)
)


@njit(**OPTIONS)
def learn(
    net,
    data,
    state,
    scratch,
    update,
    batches,
    limits,
    members,
    first,
    last,
    begin,
    end,
    curves,
    status,
    iterations,
):
    """Iterations ``begin`` to ``end`` of networks number ``first`` to ``last`` of those that still learn.

    Parameters
    ----------
    net : tuple
        Table of layers, places, number of parameters, their distance from network to network.
    data : tuple
        Inputs, targets, weights of samples, penalty, strides.
    state : tuple
        Weights, those before, gradients, memory, numbers of each network, error times samples of this epoch.
    scratch : tuple
        Work, a few numbers, zeros, rows of whole vectors.
    update : int
        Address of the optimizer's kernel.
    batches : tuple
        Samples of a batch, batches of an epoch, samples, orders of the epochs from the first of this call.
    limits : tuple
        Error and norm of the gradient to stop at.
    members : ndarray of int64
        Networks that still learn.
    curves : ndarray, shape (iterations, 4, networks)
        To be written: error, norms of gradient and step, rate.
    status, iterations : ndarray of int64
        Why and when each stopped.
    """
    layers, places, size, stride = net
    x, target, share, penalty, strides = data
    weights, before, grads, memory, numbers, seen = state
    few = scratch[1]
    batch, per_epoch, n_samples, orders = batches
    stop_error, min_grad = limits
    n_rows = memory.shape[1]
    itemsize = weights.itemsize
    for number in range(first, last):
        member = members[number]
        w0 = member * stride
        here = weights.ctypes.data + w0 * itemsize
        old = before.ctypes.data + w0 * itemsize
        slope = grads.ctypes.data + w0 * itemsize
        rows = memory.ctypes.data + w0 * n_rows * itemsize
        own = numbers[member]
        for iteration in range(begin, end):
            if iteration:
                copy(before, w0, weights, w0, size)
                call_kernel(update, old, here, slope, rows, own.ctypes.data, size, stride)
            if per_epoch == 1:
                value = on_all(
                    layers, places, strides, weights, w0, size, grads, w0, scratch, member,
                    x, target, share, penalty, True,
                )  # fmt: skip
                samples = 1
            else:
                epoch, part = iteration // per_epoch, iteration % per_epoch
                at = part * batch
                to = min(at + batch, n_samples)
                samples = to - at
                order = orders[epoch - begin // per_epoch]
                value = on_batch(
                    layers, places, strides, weights, w0, size, grads, w0, scratch, member,
                    x, target, share, penalty, order, at, to,
                )  # fmt: skip
            own[VALUE] = value
            squared_length(few, grads, grads, w0, w0, stride)
            length = math.sqrt(np.float64(few[0]))
            squared_distance(few, weights, before, w0, w0, stride)
            step = math.sqrt(np.float64(few[0]))
            row = curves[iteration - begin]
            row[0, number], row[1, number], row[2, number], row[3, number] = value, length, step, own[RATE]
            ends = (iteration + 1) % per_epoch == 0
            seen[member] += value * samples
            found = RUNNING
            if per_epoch == 1:
                if length <= min_grad:
                    found = CONVERGED
                if value < stop_error:
                    found = REACHED
            elif ends and seen[member] / n_samples < stop_error:
                found = REACHED
            if ends:
                seen[member] = 0.0
            if not (math.isfinite(value) and math.isfinite(length) and math.isfinite(step)):
                found = NON_FINITE
            if found != RUNNING:
                status[member], iterations[member] = found, iteration
                break
