"""Run a program op by op: the reference for every fast path."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurosim.backends.base import Backend, Kernel, NonFiniteState, Window
from neurosim.backends.errors import UsageError
from neurosim.backends.program import LAST_EVENT, Clock, Outputs, Probe, Program
from neurosim.backends.tracing import NotTraceable, trace


class EagerKernel(Kernel):
    """A program on arrays of one library.

    Carried arrays are never written: a step makes new ones. NumPy's are marked read-only, so that a model that
    writes into its state fails instead of corrupting it.
    """

    engine = "eager"

    def __init__(
        self,
        backend: Backend,
        program: Program,
        n: int,
        values: Mapping[str, Any],
        state: Mapping[str, Any],
    ) -> None:
        self._backend, self.program, self._n = backend, program, n
        self.source = f"{program.name}: op by op with {backend.xp.__name__}"
        with contextlib.suppress(NotTraceable):
            trace(program)  # refuses what a kernel would refuse, such as a branch on an array, with the same words
        xp = backend.xp
        self._lane = xp.arange(n, dtype=xp.int64, device=backend.device)
        self._parameters = {s.name: self._frozen(backend.asarray(values[s.name], s.dtype)) for s in program.slots}
        self._state: dict[str, Any] = {}
        for name in program.carried:
            self.write(name, state[name])
        self.probe(())

    def probe(self, probes: Sequence[Probe]) -> None:
        self._probes = probes
        self._lanes_of = [self._backend.asarray(probe.lanes, "int64") for probe in probes]

    def _frozen(self, x: Any) -> Any:
        if isinstance(x, np.ndarray):
            x = x.view()  # what was given stays writable for its owner
            x.setflags(write=False)
        return x

    def read(self, name: str) -> np.ndarray:
        return np.array(self._backend.to_numpy(self._state[name]))

    def write(self, name: str, values: np.ndarray) -> None:
        dtype = "int32" if name == LAST_EVENT else self.program.dtype
        full = np.array(np.broadcast_to(np.asarray(values, dtype=dtype), (self._n,)))
        self._state[name] = self._frozen(self._backend.asarray(full, dtype))

    def _step(self, state: Mapping[str, Any], step: int, arrived: Sequence[Any]) -> Outputs:
        clock = Clock(step=self._backend.asarray(step, "int64"), lane=self._lane)
        try:
            with np.errstate(all="ignore"):  # what is not finite is found, and named, at the end of the window
                parameters = self._parameters | dict(zip(self.program.inputs, arrived, strict=True))
                return self.program.function(self._backend.xp, state, parameters, clock)
        except (ValueError, TypeError, RuntimeError) as error:
            text = str(error)
            if "read-only" in text:
                raise UsageError(
                    f"{self.program.name}: the formula writes into its state; replace `x[mask] = a` by "
                    "xp.where(mask, a, x), and `x += a` by `x = x + a`"
                ) from error
            if any(part in text for part in ("truth value", "bool is only allowed", "Boolean value of Tensor")):
                raise UsageError(
                    f"{self.program.name}: the formula branches on an array; replace `if x > 0:` by "
                    "xp.where(x > 0, a, b)"
                ) from error
            raise

    def advance(self, first_step: int, n_steps: int, arrivals: Sequence[Any] = ()) -> Window:
        xp, before = self._backend.xp, self._state
        state = before
        masks: list[Any] = []
        samples: list[list[Any]] = [[] for _ in self._probes]
        for step in range(first_step, first_step + n_steps):
            outputs = self._step(state, step, [array[step - first_step, :] for array in arrivals])
            for probe, lanes, taken in zip(self._probes, self._lanes_of, samples, strict=True):
                if step % probe.every == 0:
                    array = state[probe.name] if probe.name in state else outputs.observables[probe.name]
                    taken.append(xp.take(xp.broadcast_to(array, (self._n,)), lanes))
            state = self._after(outputs, state, step)
            masks.append(xp.broadcast_to(outputs.event, (self._n,)))
        self._check(state, before, first_step, n_steps, arrivals)
        self._state = state
        steps, fired = self._backend.compact(xp.stack(masks))
        dtype = self.program.dtype
        return Window(
            steps + first_step,
            fired,
            [
                self._backend.to_numpy(xp.stack(taken)) if taken else np.empty((0, len(probe.lanes)), dtype)
                for probe, taken in zip(self._probes, samples, strict=True)
            ],
        )

    def _after(self, outputs: Outputs, state: Mapping[str, Any], step: int) -> dict[str, Any]:
        after = {name: self._carried(outputs.state[name]) for name in self.program.state}
        if self.program.last_event:
            now = self._backend.asarray(step, "int32")
            after[LAST_EVENT] = self._carried(self._backend.xp.where(outputs.event, now, state[LAST_EVENT]))
        return after

    def _carried(self, x: Any) -> Any:
        xp = self._backend.xp
        if not hasattr(x, "shape") or x.shape != (self._n,):
            x = xp.broadcast_to(self._backend.asarray(x, self.program.dtype) if isinstance(x, float) else x, (self._n,))
        return self._frozen(x)

    def _finite(self, state: Mapping[str, Any]) -> bool:
        xp = self._backend.xp
        return all(bool(xp.all(xp.isfinite(state[name]))) for name in self.program.state)

    def _check(
        self,
        state: Mapping[str, Any],
        before: Mapping[str, Any],
        first_step: int,
        n_steps: int,
        arrivals: Sequence[Any],
    ) -> None:
        """Step through a bad window again to name the first bad value."""
        if self._finite(state):
            return
        state = before
        for step in range(first_step, first_step + n_steps):
            outputs = self._step(state, step, [array[step - first_step, :] for array in arrivals])
            state = self._after(outputs, state, step)
            values = np.stack([self._backend.to_numpy(state[name]) for name in self.program.state], axis=-1)
            bad = np.argwhere(~np.isfinite(values))  # by lane, then in the order of the state
            if bad.size:
                lane, row = bad[0]
                raise NonFiniteState(self.program.state[row], int(lane), step, float(values[lane, row]))
        raise AssertionError("a window that was not finite is finite when run again: the step is not pure")
