"""What the contenders of the network benchmarks share: a network as a file, and spikes as a file.

neurosim builds a network and writes it with all its synapses one by one (see ``_networks.py``); its peers read
that file, so that all simulate the very same network from the same state. Spikes come back as steps and neurons,
with the step at whose end the threshold was found to be crossed, counted from 1.

Nothing but NumPy is imported here: a peer may live in an environment of its own.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from _serve import Prepared

CONDUCTANCE, CURRENT = "conductance", "current"


@dataclass(frozen=True)
class NetworkFile:
    """Integrate-and-fire neurons with two kinds of exponential synapses.

    Attributes
    ----------
    numbers : dict
        ``kind`` of synapses, ``dt``, ``tau_m``, ``t_ref``, ``tau_exc``, ``tau_inh`` (ms), ``r_m`` (MΩ), ``v_rest``,
        ``v_thresh``, ``v_reset``, ``e_exc``, ``e_inh`` (mV), ``poisson_weight``.
    populations : dict
        Name → number of its first neuron and number of its neurons.
    excitatory : dict
        Name → whether its synapses are.
    constant, poisson : dict
        Name → constant current in nA, rate of Poisson input in Hz.
    v, exc, inh : ndarray of float64, shape (neurons,)
        At t = 0: potential in mV, synaptic conductance in µS or current in nA.
    source, target : ndarray of int32, shape (synapses,)
        By source.
    weight : ndarray of float64, shape (synapses,) or (2,)
        In µS or nA (below zero where a current inhibits); of excitatory and inhibitory synapses where all are alike.
    delay : ndarray of int32, shape (synapses,) or (1,)
        In steps.
    """

    numbers: dict[str, Any]
    populations: dict[str, tuple[int, int]]
    excitatory: dict[str, bool]
    constant: dict[str, float]
    poisson: dict[str, float]
    v: np.ndarray
    exc: np.ndarray
    inh: np.ndarray
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray

    _ARRAYS = ("v", "exc", "inh", "source", "target", "weight", "delay")
    _TABLES = ("numbers", "populations", "excitatory", "constant", "poisson")

    @property
    def n(self) -> int:
        """Number of neurons."""
        return len(self.v)

    @property
    def one_weight(self) -> bool:
        """Whether all excitatory synapses are alike, and all inhibitory ones."""
        return len(self.weight) == 2 and len(self.source) != 2

    def out_degree(self) -> np.ndarray:
        """Synapses of each neuron."""
        return np.bincount(self.source, minlength=self.n)

    def is_excitatory(self) -> np.ndarray:
        """Of each neuron."""
        return self.per_neuron(self.excitatory).astype(bool)

    def per_neuron(self, values: dict[str, Any]) -> np.ndarray:
        """A value of each population as one of each neuron."""
        sizes = [n for _, n in self.populations.values()]
        return np.repeat([values[name] for name in self.populations], sizes)

    def save(self, path: Path | str) -> None:
        """Write it."""
        tables = {name: getattr(self, name) for name in self._TABLES}
        np.savez(path, tables=json.dumps(tables), **{name: getattr(self, name) for name in self._ARRAYS})

    @classmethod
    def load(cls, path: Path | str) -> "NetworkFile":
        """Read what :meth:`save` wrote."""
        with np.load(path) as file:
            return cls(**json.loads(str(file["tables"])), **{name: file[name] for name in cls._ARRAYS})


def parser(description: str) -> argparse.ArgumentParser:
    """Command line of all contenders."""
    made = argparse.ArgumentParser(description=description.partition("\n")[0])
    made.add_argument("--network", type=Path, required=True, help="file of the network")
    made.set_defaults(n=None)  # neurons: known when the network is
    made.add_argument("--steps", type=int, default=10_000)
    made.add_argument("--precision", choices=("float32", "float64"), default="float64")
    made.add_argument("--threads", type=int, default=1)
    made.add_argument("--repeat", type=int, default=1, help="runs to time")
    made.add_argument("--serve", action="store_true", help="stay alive and take 'run' lines on stdin")
    made.add_argument("--spikes", type=Path, help="write the spikes of the latest run here")
    return made


def under(python: str | None) -> None:
    """Go on as another interpreter, if one is given and this is not it."""
    if python and Path(python).absolute() != Path(sys.executable).absolute():
        os.execv(python, [python, *sys.argv])


def prepared(
    simulate: Callable[[], tuple[float, np.ndarray, np.ndarray]], path: Path | None, details: dict[str, Any]
) -> "Prepared":
    """A contender from a function that gives seconds, steps and neurons of the spikes."""
    from _serve import Prepared  # not above: the benchmarks import this module as one of a package

    def run() -> tuple[float, int]:
        seconds, steps, neurons = simulate()
        if path is not None:
            np.savez(path, steps=np.asarray(steps, np.int64), neurons=np.asarray(neurons, np.int64))
        return seconds, len(steps)

    return Prepared(run, details)
