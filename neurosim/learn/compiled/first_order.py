"""First-order learning in compiled windows of iterations; what is recorded is what the reference records."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from neurosim.backends.philox import seed_words
from neurosim.interrupt import InterruptFlag
from neurosim.learn import draws
from neurosim.learn.compiled.evaluate import scratch, share_out
from neurosim.learn.compiled.kernels import FIRST, UpdateKernel, address, update_kernel
from neurosim.learn.compiled.loop import VALUE, learn
from neurosim.learn.compiled.orders import fill_order
from neurosim.learn.compiled.plan import Data, Plan, make_data, make_plan
from neurosim.learn.history import History
from neurosim.learn.members import as_columns
from neurosim.learn.network_objective import NetworkObjective
from neurosim.learn.optimizer import FirstOrder
from neurosim.learn.recorder import Recorder
from neurosim.learn.status import Status
from neurosim.learn.strategies import Batches
from neurosim.learn.training import Callback, Limits, Snapshot, ask
from neurosim.progress import Progress, next_window

_SECONDS_PER_REPORT = 0.1
_NUMBERS = 1 << 22  # of the curves, and of the orders, of one window
_FIRST_WINDOW = 16  # iterations


class CompiledTraining:
    """A network, a loss and a first-order optimizer as kernels.

    Parameters
    ----------
    objective : NetworkObjective
        Of all samples, on NumPy.
    optimizer : FirstOrder
        With its parameters as they were given: floats, or arrays (networks,).

    Raises
    ------
    NotCompiled
        When a part of it has no kernel.
    """

    def __init__(self, objective: NetworkObjective, optimizer: FirstOrder) -> None:
        self.objective, self.optimizer = objective, optimizer
        self.plan: Plan = make_plan(objective.network, objective.loss, objective.precision)
        self.update: UpdateKernel = update_kernel(optimizer, objective.precision)
        self._address = address(self.update.source, "update")

    def train(
        self,
        batches: Batches,
        w0: np.ndarray,
        limits: Limits,
        callbacks: Sequence[Callback],
        progress: Any,
        **facts: Any,
    ) -> History:
        """As :func:`neurosim.learn.training.train`."""
        run = _Run(self, batches, w0, limits)
        label = f"{type(self.optimizer).__name__}, {len(w0)} network{'s' if len(w0) > 1 else ''}"
        begin = reported = time.perf_counter()
        with InterruptFlag() as interrupt, Progress(progress, limits.iterations, label) as bar:
            at, window = 0, 1  # the first weights are looked at alone: the optimizer's memory begins with their error
            while len(run.alive):
                end = min(at + run.longest(window), limits.iterations + 1)
                started = time.perf_counter()
                run.learn(at, end)
                now = time.perf_counter()
                run.judge(callbacks, interrupt, end, now - begin)
                run.record(at, end, started - begin, now - begin)
                window = 1 if callbacks else _FIRST_WINDOW if at == 0 else next_window(window, now - started)
                at = end
                if now - reported > _SECONDS_PER_REPORT:
                    bar.update(at - 1)
                    reported = now
            bar.update(min(at - 1, run.last))
        return run.recorder.history(updates_per_epoch=batches.per_epoch, **facts)


class _Run:
    """The buffers of one training."""

    def __init__(self, made: CompiledTraining, batches: Batches, w0: np.ndarray, limits: Limits) -> None:
        plan, dtype, n = made.plan, made.plan.dtype, len(w0)
        self.made, self.batches, self.limits, self.plan = made, batches, limits, plan
        self.data: Data = make_data(made.objective, plan, tiles=batches.per_epoch == 1)
        self.weights = np.zeros((n, plan.stride), dtype)
        self.weights[:, : plan.size] = w0
        self.before, self.grads = self.weights.copy(), np.zeros_like(self.weights)
        self.memory = np.zeros((n, len(made.update.rows), plan.stride), dtype)
        self.numbers = np.zeros((n, FIRST + len(made.update.columns) + len(made.update.parameters)))
        self.numbers[:, 1] = np.nan  # there is no rate before the first update
        self.seen = np.zeros(n)
        self.status, self.stopped = np.zeros(n, np.int64), np.full(n, -1)
        self.alive: np.ndarray = np.arange(n)
        self.recorder = Recorder(self.weights[:, : plan.size], limits.every)
        self.last = 0
        self._orders: dict[int, np.ndarray] = {}

    def start(self) -> None:
        """The optimizer's memory, once the error at the first weights is known, and its parameters."""
        update, precision = self.made.update, self.plan.dtype
        backend = self.made.objective.backend
        columns = as_columns(backend, self.made.optimizer, precision)
        value = self.numbers[:, VALUE : VALUE + 1].astype(precision)
        memory = columns.start(backend.xp, self.weights[:, : self.plan.size], value)
        for k, name in enumerate(update.rows):
            self.memory[:, k, : self.plan.size] = getattr(memory, name)
        values = self.made.optimizer.values()
        given = [getattr(memory, name) for name in update.columns] + [values[name] for name in update.parameters]
        for k, number in enumerate(given):
            self.numbers[:, FIRST + k] = np.reshape(number, -1)

    def longest(self, window: int) -> int:
        """So many iterations, or as many as have place."""
        per_epoch = self.batches.per_epoch
        epochs = max(1, _NUMBERS // self.batches.n_samples)
        return max(1, min(window, _NUMBERS // (4 * len(self.alive)), epochs * per_epoch if per_epoch > 1 else window))

    def orders(self, begin: int, end: int) -> np.ndarray:
        """Orders of the samples in the epochs of some iterations, (epochs, samples)."""
        batches = self.batches
        if batches.per_epoch == 1:
            return np.zeros((0, 0), np.int64)
        epochs = range(begin // batches.per_epoch, (end - 1) // batches.per_epoch + 1)
        self._orders = {epoch: self._orders[epoch] if epoch in self._orders else self._order(epoch) for epoch in epochs}
        return np.stack(list(self._orders.values()))

    def _order(self, epoch: int) -> np.ndarray:
        order = np.arange(self.batches.n_samples)
        if self.batches.shuffled:
            fill_order(order, *seed_words(self.batches.seed), draws.THIRD_WORD + draws.PURPOSES.index("order"), epoch)
        return order

    def learn(self, begin: int, end: int) -> None:
        """Iterations ``begin`` to ``end`` of all that still learn."""
        plan, batches = self.plan, self.batches
        if begin == 1:
            self.start()
        self.curves = np.full((end - begin, 4, len(self.alive)), np.nan)
        orders = self.orders(begin, end)
        state = (self.weights.reshape(-1), self.before.reshape(-1), self.grads.reshape(-1), self.memory)

        def run(first: int, last: int) -> None:
            learn(
                (plan.layers, plan.places, plan.size, plan.stride),
                self.data.arrays(),
                (*state, self.numbers, self.seen),
                scratch(plan),
                self.made._address,
                (batches.batch, batches.per_epoch, batches.n_samples, orders),
                (self.limits.stop_error, self.limits.min_grad),
                self.alive,
                first,
                last,
                begin,
                end,
                self.curves,
                self.status,
                self.stopped,
            )

        work = 3.0 * plan.size * batches.batch * (end - begin) * len(self.alive)
        share_out(len(self.alive), work, run)

    def judge(self, callbacks: Sequence[Callback], interrupt: InterruptFlag, end: int, seconds: float) -> None:
        """Who stops after the last iteration, for what the compiled loop does not know of."""
        alive, iteration = self.alive, end - 1
        status = self.status[alive]
        if callbacks:
            epoch = iteration // self.batches.per_epoch
            w = self.weights[alive, : self.plan.size]
            error, grad_norm = self.curves[-1, 0], self.curves[-1, 1]
            backend = self.made.objective.backend
            broken = status == Status.NON_FINITE
            status[broken] = Status.RUNNING  # the reference finds them after the callbacks
            ask(callbacks, Snapshot(iteration, epoch, alive, w, error, grad_norm, seconds, backend), status)
            status[broken] = Status.NON_FINITE
        running = status == Status.RUNNING
        if interrupt.requested:
            status[running] = Status.STOPPED
        elif iteration == self.limits.iterations:
            status[running] = Status.ITERATIONS
        self.stopped[alive[(status != Status.RUNNING) & (self.stopped[alive] < 0)]] = iteration
        self.status[alive] = status

    def record(self, begin: int, end: int, started: float, finished: float) -> None:
        """Rows of the history, and the weights of those that have ended."""
        alive = self.alive
        status, stopped = self.status[alive], self.stopped[alive]
        ended = status != Status.RUNNING
        ends = np.unique(stopped[ended])
        if ended.all():
            end = int(ends[-1]) + 1
        self.last = end - 1
        iterations = np.arange(begin, end)
        rows = np.flatnonzero((iterations % self.limits.every == 0) | np.isin(iterations, ends))
        broken = np.flatnonzero(status == Status.NON_FINITE)
        self.curves[stopped[broken] - begin, :, broken] = np.nan
        reached = np.where(self.stopped < 0, end - 1, self.stopped)  # the last iteration of each network
        counts = np.minimum(iterations[rows, None], reached) + 1
        seconds = started + (finished - started) * (rows + 1) / len(iterations)
        self.recorder.extend(iterations[rows], seconds, alive, self.curves[rows], counts)
        if ended.any():
            good = status[ended] != Status.NON_FINITE
            members, size = alive[ended], self.plan.size
            w = np.where(good[:, None], self.weights[members, :size], self.before[members, :size])
            last = np.where(good, stopped[ended], np.maximum(stopped[ended] - 1, 0))
            self.recorder.finish(members, w, status[ended], last)
            self.alive = alive[~ended]
