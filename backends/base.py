"""The backend: an array namespace and the few services that the Array API lacks.

If ``xp`` has it, ``Backend`` must not.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from neurosim.backends.errors import SlowPathWarning, UsageError
from neurosim.backends.program import Probe, Program

if TYPE_CHECKING:
    from neurosim.backends.tracing import Trace  # which is built on this module

Fuse = Literal["auto", "require", "off"]


@dataclass(frozen=True)
class Window:
    """What a kernel hands out after some steps, on the host.

    Attributes
    ----------
    steps, lanes : ndarray of int64, int32
        The events, ordered by step, then by lane.
    samples : list of ndarray
        Per probe: shape (samples, lanes of the probe).
    """

    steps: np.ndarray
    lanes: np.ndarray
    samples: list[np.ndarray]


class NonFiniteState(ArithmeticError):
    """A carried value became NaN or infinite."""

    def __init__(self, name: str, lane: int, step: int, value: float) -> None:
        super().__init__(f"{name}[{lane}] = {value} after step {step}")
        self.name, self.lane, self.step, self.value = name, lane, step, value


class Kernel(ABC):
    """A program that was made ready to run, with the buffers that it owns."""

    engine: str  # "eager", "numba", …
    program: Program
    source: str  # generated text; for the eager kernel the name of the array library
    threads: int = 1

    @abstractmethod
    def probe(self, probes: Sequence[Probe]) -> None:
        """Sample these from now on, in place of those before."""

    @abstractmethod
    def advance(self, first_step: int, n_steps: int, arrivals: Sequence[Any] = ()) -> Window:
        """Run ``n_steps`` steps.

        Raises
        ------
        NonFiniteState
            When a carried value is no longer finite.
        """

    @abstractmethod
    def read(self, name: str) -> np.ndarray:
        """A copy of a carried array, on the host."""

    @abstractmethod
    def write(self, name: str, values: np.ndarray) -> None:
        """Replace a carried array."""


class Backend(ABC):
    """Services of one array library on one device.

    Attributes
    ----------
    name : str
        As written in ``backend=``.
    xp : namespace
        Array API namespace.
    device : object
        Where arrays are made.
    """

    name: str
    xp: Any
    device: Any = None

    @abstractmethod
    def to_numpy(self, x: Any) -> np.ndarray:
        """The only way to the host."""

    @abstractmethod
    def memory(self) -> tuple[int, int]:
        """Free and total bytes of the device."""

    def asarray(self, x: Any, dtype: str) -> Any:
        """Array of this library on this device."""
        x = np.asarray(x, dtype=dtype)
        return self.xp.asarray(x, dtype=getattr(self.xp, dtype), device=self.device)

    def synchronize(self) -> None:  # noqa: B027 - on the host there is nothing to wait for
        """Wait until the device has done all that was asked of it."""

    def scatter_add(self, x: Any, index: np.ndarray, values: np.ndarray) -> Any:
        """``x`` with ``values`` added at ``index``, one after the other; ``x`` may be written.

        Parameters
        ----------
        x : array, shape (n,)
            Of this library.
        index, values : ndarray, shape (m,)
            On the host; an index may come several times.
        """
        sums = np.array(self.to_numpy(x))  # the Array API has no such function
        np.add.at(sums, index, values)
        return self.asarray(sums, str(sums.dtype))

    def compact(self, mask: Any) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the true elements of a 2-d mask, row by row, on the host.

        Made on the host because the length of the answer depends on the data, which the Array API leaves optional.
        """
        rows, columns = np.nonzero(self.to_numpy(mask))
        return rows.astype(np.int64), columns.astype(np.int32)

    def fusible(self) -> str | None:
        """None where this backend can run fused kernels, else the reason why not."""
        return f"no kernels are generated for {self.name} arrays"

    def compile_fused(self, trace: Trace, n: int, values: Mapping[str, Any], state: Mapping[str, Any]) -> Kernel:
        """One kernel made from the trace of a program."""
        raise UsageError(f"backend {self.name!r} has no fused engine: {self.fusible()}; write fuse='off'")

    def compile(
        self,
        program: Program,
        n: int,
        values: Mapping[str, Any],
        state: Mapping[str, Any],
        probes: Sequence[Probe] = (),
        *,
        fuse: Fuse = "auto",
        trace: Trace | None = None,
    ) -> Kernel:
        """Make a program ready to run over ``n`` lanes.

        Parameters
        ----------
        program : Program
            The step.
        n : int
            Number of lanes.
        values : mapping
            A scalar or an (n,) array for each slot.
        state : mapping
            A scalar or an (n,) array for each carried name.
        probes : sequence of Probe
            What to sample.
        fuse : {"auto", "require", "off"}
            Fused where possible with a :class:`SlowPathWarning` where not; fused or an error; op by op.
        trace : Trace, optional
            Of this program or one of the same formula, where it has been made: see
            :class:`~neurosim.backends.shared_traces.SharedTraces`.
        """
        from neurosim.backends.eager import EagerKernel  # which is made of this class

        kernel: Kernel
        traced = self.traced(program, fuse) if trace is None else trace
        if traced is not None:
            kernel = self.compile_fused(traced, n, values, state)
        else:
            kernel = EagerKernel(self, program, n, values, state)
        kernel.probe(probes)
        return kernel

    def traced(self, program: Program, fuse: Fuse = "auto") -> Trace | None:
        """The trace that :meth:`compile` makes one kernel of, or None where the program runs op by op.

        Raises
        ------
        UsageError
            When the program must be fused and cannot be, or is no pure formula.
        """
        from neurosim.backends.tracing import NotTraceable, trace  # which is built on this module

        if fuse == "off":
            return None
        reason = self.fusible()
        if reason is None:
            try:
                return trace(program)
            except NotTraceable as error:
                reason = str(error)
        if fuse == "require":
            raise UsageError(f"fuse='require', but {program.name} cannot be fused on backend {self.name!r}: {reason}")
        message = f"{program.name} runs op by op on backend {self.name!r}: {reason}; write fuse='off' to accept this"
        warnings.warn(SlowPathWarning(message), stacklevel=2)
        return None
