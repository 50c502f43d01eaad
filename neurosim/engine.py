"""The window loop: every engine runs it, only the bodies differ.

A window is a stretch of steps in which no population hears of another. In it each population advances
alone, in one call of its kernel; then the records of all go to the sink. Uncoupled populations may have
windows of any length, so the length follows the clock: about ten windows a second, for progress, Ctrl-C and
flushing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from neurosim import checkpoint
from neurosim.backends import Backend, Kernel, NonFiniteState, Probe, Window, get
from neurosim.backends.base import Fuse
from neurosim.backends.loop import BadState, PythonLoop
from neurosim.backends.shared_traces import SharedTraces
from neurosim.backends.spike_list import SpikeList
from neurosim.checks import check_dt, check_end, check_options, whole_steps
from neurosim.errors import RecordingError, SimulationError, UsageError
from neurosim.integrators import get_integrator
from neurosim.interrupt import InterruptFlag
from neurosim.memory import FIRST_WINDOW, WINDOW_BYTES, MemoryEstimate, check_fits, estimate, trace_bytes
from neurosim.network import Network, Population
from neurosim.online import Statistics
from neurosim.progress import LONGEST_WINDOW, Progress, next_window
from neurosim.provenance import provenance
from neurosim.record import SPIKES, STATISTICS, Channel, channels
from neurosim.result import Result
from neurosim.saying import explained, label, units
from neurosim.sinks import Header, MemorySink, Sink, hand_over, open_sink
from neurosim.spike_source import SpikeSource
from neurosim.step import CURRENT, Assembly, assemble
from neurosim.synapses import Connections, Synapses, steps_to_sample
from neurosim.wiring import named

if TYPE_CHECKING:
    from pathlib import Path

    from neurosim.backends.numba_loop import NumbaLoop

Precision = Literal["float64", "float32"]
EVENTS = (SPIKES, *STATISTICS)  # records that are made of spikes


class Simulation:
    """A network that is being simulated; owns its state.

    Parameters
    ----------
    net : Network
        What is simulated.
    dt : float
        Step, ms.
    backend : str or Backend
        ``"auto"``, ``"numpy"``, ``"cupy"``, or the name of any array-API library.
    precision : {"float64", "float32"}
        Of the state. Time is exact in both.
    method : str
        Integrator: ``"exponential_euler"``, ``"euler"``, ``"heun"``, ``"rk4"``, ``"exact"``.
    fuse : {"auto", "require", "off"}
        One kernel per population where the backend can (a warning says where not), an error where not, or op
        by op.
    seed : int
        Of all random numbers; 0 … 2⁶⁴ − 1.

    Raises
    ------
    UsageError
        For an option that cannot be; the message says what to write instead.
    """

    def __init__(
        self,
        net: Network,
        *,
        dt: float,
        backend: str | Backend = "auto",
        precision: Precision = "float64",
        method: str = "exponential_euler",
        fuse: Fuse = "auto",
        seed: int = 0,
    ) -> None:
        if not isinstance(net, Network):
            raise UsageError(
                f"Simulation takes a Network, got {type(net).__name__}: write Simulation(Network((…,)), …)"
            )
        check_options(precision=precision, fuse=fuse, seed=seed)
        check_dt(dt, net)
        self.net, self.dt, self.precision = net, float(dt), precision
        self.method, self.fuse, self.seed = method, fuse, int(seed)
        self.backend = get(backend)
        self._integrator = get_integrator(method)
        self._step = 0
        self._in_step = True  # whether all populations stand at the same time
        self.memory_estimate: MemoryEstimate = estimate(
            net, self.backend, precision, fused=None if fuse != "off" else False, dt=self.dt
        )
        check_fits(self.memory_estimate, f"this network on backend {self.backend.name!r}")
        # Compiled when first needed: what is recorded decides what they compute.
        self._kernels: dict[str, Kernel] = {}
        self._between: dict[str, dict[str, Any]] = {}  # state of populations whose next kernel is being compiled
        self._lists = {p.name: self._listed(p) for p in net.populations if isinstance(p.model, SpikeSource)}
        reached = {(q.target, q.receptor) for q in net.projections}
        self.reached = {
            p.name: tuple(name for name in p.receptors if (p.name, name) in reached) for p in net.populations
        }
        self._traces = SharedTraces(self.backend)
        self.fused = {
            p.name: self._traces.traced(self._assemble(p).program, fuse) is not None
            for p in net.populations
            if p.name not in self._lists
        }
        self._loop: PythonLoop | NumbaLoop | None = None
        self._synapses: Synapses | None = None

    # -- what there is

    @property
    def t(self) -> float:
        """Simulated time so far, ms."""
        return self._step * self.dt

    @property
    def kernels(self) -> dict[str, str]:
        """Generated source of each population's kernel."""
        self._prepare([])
        return {name: kernel.source for name, kernel in self._kernels.items()}

    def state(self, population: str) -> dict[str, np.ndarray]:
        """Copies of the state variables of a population, each of shape (n,)."""
        names = self.net[population].neuron.State._fields
        self._prepare([])
        return {name: self._kernels[population].read(name) for name in names}

    def weights(self, projection: str) -> Connections:
        """The synapses of a projection, by its name as in ``"exc->inh:excitatory"``, with their weights now."""
        named(self.net, projection)  # or an error, before the synapses are made
        self._prepare([])
        assert self._synapses is not None
        return self._synapses.connections(projection)

    # -- checkpoints

    def save(self, path: str | Path) -> None:
        """Write a checkpoint, from which :meth:`load` goes on: a resumed run equals a straight one, bit for bit.

        It may be taken at any time between runs, and while one runs by its ``progress(steps_done, steps_in_all)``. A
        checkpoint that is there is replaced when the new one is whole. Records are not in it.

        Parameters
        ----------
        path : str or Path
            An HDF5 file.

        Raises
        ------
        UsageError
            When it cannot be written, or something else is there.

        Examples
        --------
        >>> import tempfile
        >>> from neurosim import Constant, Network, Population, Simulation
        >>> from neurosim.models import LIF
        >>> net = Network((Population("exc", LIF(), 3, stimuli=(Constant(2.0),)),))
        >>> simulation = Simulation(net, dt=0.1, seed=4)
        >>> _ = simulation.run(20.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     simulation.save(f"{folder}/checkpoint.h5")
        ...     again = Simulation.load(f"{folder}/checkpoint.h5", net)
        >>> again.t, again.seed
        (20.0, 4)
        """
        checkpoint.save(self, path)

    @classmethod
    def load(cls, path: str | Path, net: Network, *, backend: str | Backend = "auto", fuse: Fuse = "auto") -> Self:
        """The simulation that a checkpoint holds, as if it had never stopped.

        Parameters
        ----------
        path : str or Path
            Of :meth:`save`. Step, precision, method and seed come from there.
        net : Network
            That was simulated; the file has none of its code, but knows it again. Synapses may be stored or not.
        backend, fuse
            As of :class:`Simulation`; others than before are as good as their bits are the same.

        Raises
        ------
        UsageError
            When there is no such checkpoint, or the network is another; the message says in what.
        """
        return checkpoint.load(cls, path, net, backend, fuse)

    # -- running

    def _synapse_count(self, projection: str) -> int:
        self._prepare([])
        assert self._synapses is not None
        return self._synapses.count(projection)

    def _assemble(self, population: Population, observables: tuple[str, ...] = ()) -> Assembly:
        return assemble(
            population,
            dt=self.dt,
            integrator=self._integrator,
            seed=self.seed,
            precision=self.precision,
            observables=observables,
            receptors=self.reached[population.name],
        )

    def _listed(self, population: Population) -> SpikeList:
        steps, lanes = population.model.steps(population.name, population.n, self.dt)  # type: ignore[attr-defined]
        return SpikeList(population.name, self.precision, int(population.n), steps, lanes)

    def _prepare(self, wanted: list[Channel]) -> None:
        """Have a kernel for each population that samples what is wanted."""
        before = dict(self._kernels)
        self._kernels |= self._lists
        for population in self.net.populations:
            if population.name in self._lists:
                continue
            traced = [c for c in wanted if c.population == population.name and c.variable not in EVENTS]
            observables = tuple(c.variable for c in traced if c.variable == CURRENT)
            kernel = self._kernels.get(population.name)
            if kernel is None or not set(observables) <= set(kernel.program.observables):
                del kernel  # or its arrays stay while the next is made
                self._compile(population, observables)
            self._kernels[population.name].probe([Probe(c.variable, c.every, c.lanes) for c in traced])
        if self.net.projections and any(before.get(name) is not kernel for name, kernel in self._kernels.items()):
            self._join()

    def _join(self) -> None:
        """Make the loop of a connected network, which goes on where the one before it stands."""
        if self._synapses is None:
            self._synapses = Synapses(self, self._kernels)
        before = self._loop
        self._loop = self._synapses.loop(self._kernels)
        if before is None:
            self._loop.resume(self._step, {})
        else:
            self._loop.resume(self._step, before.past(), before.carried())

    def _compile(self, population: Population, observables: tuple[str, ...]) -> None:
        """A kernel that goes on where the one before it stands."""
        name, assembly = population.name, self._assemble(population, observables)
        if name in self._kernels:
            # Kept until there is a new kernel: whoever interrupts the compiler does not lose it.
            self._between[name] = {variable: self._kernels[name].read(variable) for variable in assembly.state}
            del self._kernels[name]  # its arrays make place for the new ones
        state = self._between.get(name, assembly.state)
        fuse: Fuse = "require" if self.fused[name] else "off"
        program, given = assembly.program, (assembly.values, state)
        trace = self._traces.traced(program, fuse)
        self._kernels[name] = self.backend.compile(program, population.n, *given, fuse=fuse, trace=trace)
        self._between.pop(name, None)

    def run(self, duration: float, *, record: Any = (), sink: Any = None, progress: Any = None) -> Result:
        """Simulate ``duration`` ms more. Several runs in a row equal one long run, bit for bit.

        Parameters
        ----------
        duration : float
            A whole number of steps, in ms.
        record : Record or sequence of Record
            What to keep.
        sink : path or Sink, optional
            An HDF5 file that is written while the simulation runs; without it records stay in memory.
        progress : None, bool or callable
            A bar with the time to finish: on a terminal, always, never; or
            ``progress(steps_done, steps_in_all)``.

        Returns
        -------
        Result
            Marked as partial after Ctrl-C, which stops at the next window.

        Raises
        ------
        UsageError
            For arguments that cannot be.
        SimulationError
            When a state variable is no longer finite; its ``result`` holds what was computed before.
        RecordingError
            When the sink cannot write any more; its ``result`` holds what was written.
        """
        if not self._in_step:
            raise UsageError("this simulation was cut off in the midst of a window and cannot go on: make a new one")
        n_steps = whole_steps(duration, self.dt)
        check_end(self._step, n_steps, self.dt)
        wanted = channels(record, self.net, self._synapse_count)
        target = open_sink(sink)
        if isinstance(target, MemorySink):
            kept = trace_bytes(wanted, n_steps, self.precision)
            e = self.memory_estimate
            check_fits(MemoryEstimate(e.state, e.parameters, e.working, kept, self.backend.memory()[0]), "this run")
        self._prepare(wanted)
        bar = Progress(progress, n_steps, label(self))
        facts = provenance(self)
        sizes = {p.name: int(p.n) for p in self.net.populations} | {c.population: c.n for c in wanted if c.of_synapses}
        header = Header(self.dt, self._step, n_steps, self.precision, sizes, units(self.net, wanted), wanted, facts)
        target.begin(header)
        begin, first = time.perf_counter(), self._step
        reason: str | None = None
        error: SimulationError | None = None
        try:
            with InterruptFlag() as interrupt, bar:
                self._run_windows(first, n_steps, wanted, target, interrupt, bar)
            if self._step < first + n_steps:
                reason = "interrupted"
        except SimulationError as stopped:
            error, reason = stopped, stopped.reason
        except BaseException as stopped:
            reason = f"stopped by {type(stopped).__name__}"
            raise
        finally:
            facts = facts | {
                "steps": self._step - first,
                "seconds": time.perf_counter() - begin,
                "threads": max(x.threads for x in (*self._kernels.values(), *([self._loop] if self._loop else []))),
                "partial": reason,
            }
            try:
                target.end(facts)
            except RecordingError as stopped:
                error = stopped
        if isinstance(error, RecordingError):
            facts |= {"steps": error.step - first, "partial": error.reason}
        result = Result(header, target.records(), facts["steps"], facts)
        if error is not None:
            error.result = result
            raise error
        return result

    def _run_windows(
        self,
        first: int,
        n_steps: int,
        wanted: list[Channel],
        target: Sink,
        interrupt: InterruptFlag,
        bar: Progress,
    ) -> None:
        window, longest = FIRST_WINDOW, self._longest_window(wanted)
        if self._loop is not None:
            self._loop.record([c.population for c in wanted if c.variable in EVENTS])
        statistics = Statistics(wanted, self.dt, first, self.precision)
        while self._step < first + n_steps and not interrupt.requested:
            k = min(window, first + n_steps - self._step, longest, steps_to_sample(wanted, self._step))
            start = time.perf_counter()
            weights = [] if self._synapses is None else self._synapses.samples(wanted, self._step)
            self._in_step = False
            windows = self._advance(k)
            self._step += k
            self._in_step = True
            # Only when all have come through: what is delivered is of the same time for all.
            for name, advanced in windows.items():
                hand_over(target, name, wanted, advanced)
                weights += statistics.take(name, advanced, self._step)
            for channel, values in weights:
                target.samples(channel, values)
            if self._step == first + n_steps or interrupt.requested:
                for channel, values in statistics.finish(self._step):
                    target.samples(channel, values)
            target.flush(self._step)
            bar.update(self._step - first)
            window = next_window(window, time.perf_counter() - start)

    def _advance(self, n_steps: int) -> dict[str, Window]:
        if self._loop is not None:
            try:
                found = self._loop.advance(self._step, n_steps)
            except BadState as bad:
                raise SimulationError(explained(self, bad.member, bad.error)) from None
            return {p.name: window for p, window in zip(self.net.populations, found, strict=True)}
        windows = {}
        for name, kernel in self._kernels.items():
            try:
                windows[name] = kernel.advance(self._step, n_steps)
            except NonFiniteState as error:
                raise SimulationError(explained(self, name, error)) from None
        return windows

    def _longest_window(self, wanted: list[Channel]) -> int:
        """Steps whose masks and samples stay within bounds."""
        itemsize = np.dtype(self.precision).itemsize
        per_step = sum(len(c.lanes) * itemsize / c.every for c in wanted if c.variable != SPIKES)
        if any(kernel.engine == "eager" for kernel in self._kernels.values()):
            per_step += max(p.n for p in self.net.populations)  # a mask of one byte each
        return max(1, min(LONGEST_WINDOW, int(WINDOW_BYTES / max(per_step, 1.0))))
