"""The loop: one for every optimizer, objective and ensemble.

A network stops by itself: it is taken out of all arrays, and the others go on without it, so that none is computed in
vain and none hears of the others. One array goes to the host in each iteration; everything else stays where it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from neurosim.backends.base import Backend, Fuse
from neurosim.errors import UsageError, nearest
from neurosim.interrupt import InterruptFlag
from neurosim.learn import engines
from neurosim.learn.history import History
from neurosim.learn.members import as_columns, common_length, dot, lengths, select, select_parameters
from neurosim.learn.objective import Objective
from neurosim.learn.optimizer import Info, Optimizer
from neurosim.learn.optimizers import get_optimizer
from neurosim.learn.recorder import Recorder
from neurosim.learn.status import Status
from neurosim.learn.strategies import Batches, FullBatch
from neurosim.parameters import is_number
from neurosim.progress import Progress

__all__ = ["Callback", "Limits", "Snapshot", "minimize", "train"]

Array = Any
_SECONDS_PER_REPORT = 0.1
_BLOCK = 31 << 20  # bytes; the C library learns nothing from blocks above 32 MiB


class Snapshot(NamedTuple):
    """What a callback sees after each iteration.

    Attributes
    ----------
    iteration, epoch : int
        Updates done, and epochs.
    rows : ndarray of int64
        Networks that still learn, as rows of ``History.w``.
    w : array, shape (len(rows), P)
        Their weights, of the backend.
    error, grad_norm : ndarray, shape (len(rows),)
        On the host.
    seconds : float
        Since the beginning.
    backend : Backend
        That ``w`` is on: ``backend.to_numpy(w)``.
    """

    iteration: int
    epoch: int
    rows: np.ndarray
    w: Array
    error: np.ndarray
    grad_norm: np.ndarray
    seconds: float
    backend: Backend


Callback = Callable[[Snapshot], Any]  # None or False: go on; True: stop all; bools (len(rows),): stop these


class Limits(NamedTuple):
    """When to stop, checked by :func:`checked_limits`."""

    iterations: int
    stop_error: float
    min_grad: float
    every: int


def checked_limits(iterations: Any, stop_error: Any, min_grad: Any, every: Any) -> Limits:
    """Limits that can be.

    Raises
    ------
    UsageError
        When one cannot.
    """
    for what, value, least in (("iterations", iterations, 0), ("every", every, 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise UsageError(f"{what} = {value!r}: give a whole number, at least {least}")
    if stop_error is not None and not is_number(stop_error):
        raise UsageError(f"stop_error = {stop_error!r}: give a number, or None to go on to the last iteration")
    if not is_number(min_grad) or min_grad < 0.0:
        raise UsageError(f"min_grad = {min_grad!r}: give a number of at least 0")
    return Limits(int(iterations), -np.inf if stop_error is None else float(stop_error), float(min_grad), int(every))


def minimize(
    objective: Objective,
    optimizer: str | Optimizer,
    w0: Any,
    *,
    iterations: int = 1000,
    stop_error: float | None = None,
    min_grad: float = 0.0,
    fuse: Fuse = "auto",
    callbacks: Sequence[Callback] = (),
    progress: Any = False,
    every: int = 1,
) -> History:
    """Minimise an objective from given weights.

    Parameters
    ----------
    objective : Objective
        What to lower.
    optimizer : str or Optimizer
        How.
    w0 : array_like, shape (P,) or (E, P)
        First weights of one network or of E.
    iterations : int
        Most updates.
    stop_error : float, optional
        A network stops when its error is below.
    min_grad : float
        A network stops when the norm of its gradient is not above.
    fuse : {"auto", "require", "off"}
        As in :func:`neurosim.learn.fit`, where the objective is a :class:`NetworkObjective`; others run as they are.
    callbacks : sequence of callables
        Each is called with a :class:`Snapshot` after every iteration, and may stop networks.
    progress : None, bool or callable
        As in :func:`neurosim.simulate`.
    every : int
        Iterations from one row of the history to the next; the last of a network is always there.

    Returns
    -------
    History
        Partial after Ctrl-C.

    Raises
    ------
    UsageError
        When an argument cannot be.
    """
    method = get_optimizer(optimizer)
    limits = checked_limits(iterations, stop_error, min_grad, every)
    w = checked_weights("w0", w0)
    n = common_length(lengths(method) | ({"w0": len(w)} if len(w) > 1 else {}), 1)
    w = np.repeat(w, n, axis=0) if len(w) < n else w
    if fuse not in ("auto", "require", "off"):
        raise UsageError(f"unknown fuse {fuse!r}: {nearest(str(fuse), ('auto', 'require', 'off'))}")
    made = engines.chosen(objective, method, n, fuse)
    batches, facts = Batches(made.objective, FullBatch(), 0), {"provenance": {"engine": made.engine}}
    if made.training is not None:
        return made.training.train(batches, w, limits, callbacks, progress, **facts)
    columns = as_columns(objective.backend, method, objective.precision)
    return train(batches, made.objective, columns, w, limits, callbacks, progress, **facts)


def checked_weights(what: str, w: Any) -> np.ndarray:
    """Weights as a float64 array (E, P).

    Raises
    ------
    UsageError
        When they have another shape, or are not finite.
    """
    try:
        w = np.atleast_2d(np.asarray(w, dtype=np.float64))
    except (TypeError, ValueError):
        raise UsageError(f"{what} is {type(w).__name__}, no array of numbers") from None
    if w.ndim != 2 or not w.size:
        raise UsageError(f"{what} has shape {w.shape}: give (P,) or (networks, P)")
    if not np.isfinite(w).all():
        raise UsageError(f"{what}{np.argwhere(~np.isfinite(w))[0].tolist()} is not finite: all weights must be")
    return w


def train(
    batches: Batches,
    objective: Objective,
    optimizer: Optimizer,
    w0: np.ndarray,
    limits: Limits,
    callbacks: Sequence[Callback],
    progress: Any,
    **facts: Any,
) -> History:
    """The loop; arguments are checked, per-network parameters are columns.

    Parameters
    ----------
    batches : Batches
        The objective of each step.
    objective : Objective
        Says where and in which precision.
    optimizer : Optimizer
        How to step.
    w0 : ndarray, shape (E, P)
        First weights.
    limits : Limits
        When to stop.
    callbacks, progress
        As in :func:`minimize`.
    **facts
        Further fields of the History.
    """
    backend, xp = objective.backend, objective.backend.xp
    for extension in optimizer.extensions:
        if not hasattr(xp, extension):
            raise UsageError(
                f"{type(optimizer).__name__} needs xp.{extension}, which {backend.name} does not have here"
            )
    # glibc gives blocks above 128 KiB back to the system at once and faults their pages in again, which halves the
    # speed of NumPy; it keeps blocks up to the size of the largest that was freed.
    np.empty(_BLOCK, np.uint8)
    w = backend.asarray(w0, objective.precision)
    recorder = Recorder(backend.to_numpy(w), limits.every)
    alive: np.ndarray = np.arange(len(w0))
    seen = np.zeros(len(w0))  # error times samples, of this epoch
    label = f"{type(optimizer).__name__}, {len(w0)} network{'s' if len(w0) > 1 else ''}"
    begin = reported = time.perf_counter()
    # What is not finite is found below.
    with np.errstate(all="ignore"), InterruptFlag() as interrupt, Progress(progress, limits.iterations, label) as bar:
        state = optimizer.init(xp, batches[0], w)
        info, before, iteration = Info(np.nan), w, 0
        while True:
            row, evaluations, status = _look(backend, state, w, before, info)
            now = time.perf_counter()
            finite = np.isfinite(row[:3]).all(axis=0)
            seen += row[0] * batches.size(iteration)
            _judge(status, row, limits, batches, iteration, seen)
            if callbacks:
                epoch = iteration // batches.per_epoch
                snapshot = Snapshot(iteration, epoch, alive, w, row[0], row[1], now - begin, backend)
                ask(callbacks, snapshot, status)
            if interrupt.requested:
                status[status == Status.RUNNING] = Status.STOPPED
            if iteration == limits.iterations:
                status[status == Status.RUNNING] = Status.ITERATIONS
            status[~finite] = Status.NON_FINITE
            ended = status != Status.RUNNING
            anyone = bool(ended.any())
            if not finite.all():
                row[:, ~finite] = np.nan
            recorder.add(iteration, now - begin, alive, row, evaluations, anyone)
            if now - reported > _SECONDS_PER_REPORT:
                bar.update(iteration)
                reported = now
            if anyone:
                _finish(backend, recorder, alive, (w, before), finite, status, iteration)
                if ended.all():
                    break
                rows = backend.asarray(np.flatnonzero(~ended), "int64")
                w, state = select(xp, w, rows), select(xp, state, rows)
                optimizer = select_parameters(xp, optimizer, rows)
                batches.select(rows)
                alive, seen = alive[~ended], seen[~ended]
            before, iteration = w, iteration + 1
            w, state, info = optimizer.step(xp, batches[iteration], w, state)
        bar.update(iteration)
    return recorder.history(updates_per_epoch=batches.per_epoch, **facts)


def _look(backend: Backend, state: Any, w: Array, before: Array, info: Info) -> tuple[np.ndarray, Any, np.ndarray]:
    """Error, norms of gradient and update, and rate, (4, E); evaluations; status, (E,): one transfer to the host."""
    xp = backend.xp
    change = w - before
    arrays = [state.value, dot(xp, state.grad, state.grad), dot(xp, change, change)]
    given = [not isinstance(x, int | float) for x in info]
    arrays += [x for x, there in zip(info, given, strict=True) if there]
    host = iter(backend.to_numpy(xp.concat(arrays, axis=1)).T.astype(np.float64))
    row = np.empty((4, w.shape[0]))
    row[0] = next(host)
    row[1], row[2] = np.sqrt(next(host)), np.sqrt(next(host))
    rate, evaluations, status = (next(host) if there else x for x, there in zip(info, given, strict=True))
    row[3] = rate
    whole = evaluations if isinstance(evaluations, int) else evaluations.astype(np.int64)
    return row, whole, np.zeros(w.shape[0], np.int64) + np.asarray(status, np.int64)


def _finish(
    backend: Backend,
    recorder: Recorder,
    alive: np.ndarray,
    weights: tuple[Array, Array],
    finite: np.ndarray,
    status: np.ndarray,
    iteration: int,
) -> None:
    """Keep the last good weights of those that stop: the new ones, or the ones before."""
    ended = np.flatnonzero(status != Status.RUNNING)
    rows = backend.asarray(ended, "int64")
    new, old = (backend.to_numpy(backend.xp.take(w, rows, axis=0)) for w in weights)
    good = finite[ended]
    iterations = np.where(good, iteration, max(iteration - 1, 0))
    recorder.finish(alive[ended], np.where(good[:, None], new, old), status[ended], iterations)


def _judge(
    status: np.ndarray, row: np.ndarray, limits: Limits, batches: Batches, iteration: int, seen: np.ndarray
) -> None:
    """Write into ``status`` who has reached what; an error below the threshold comes before a failed step."""
    if batches.per_epoch == 1:
        status[row[1] <= limits.min_grad] = Status.CONVERGED
        status[row[0] < limits.stop_error] = Status.REACHED
    elif batches.ends_epoch(iteration):
        status[seen / batches.n_samples < limits.stop_error] = Status.REACHED
    if batches.ends_epoch(iteration):
        seen[:] = 0.0


def ask(callbacks: Sequence[Callback], snapshot: Snapshot, status: np.ndarray) -> None:
    """Write into ``status`` whom the callbacks stop.

    Raises
    ------
    UsageError
        When an answer means nothing.
    """
    for callback in callbacks:
        answer = callback(snapshot)
        if answer is None:
            continue
        stop = np.asarray(answer)
        if stop.dtype != bool or stop.shape not in ((), status.shape):
            raise UsageError(
                f"callback {getattr(callback, '__name__', callback)!r} returned {answer!r}: return None, a bool, or a "
                f"bool for each of the {len(status)} networks"
            )
        status[stop & (status == Status.RUNNING)] = Status.STOPPED
