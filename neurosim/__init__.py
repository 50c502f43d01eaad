"""neurosim: neurons on any array library.

One pure formula per model runs op by op on NumPy, CuPy or any array-API library, and is traced into one fused
kernel. Declare populations, simulate, look:

>>> from neurosim import Constant, Network, Population, Record, simulate
>>> from neurosim.models import LIF
>>> neurons = Population("exc", LIF(), 3, stimuli=(Constant([1.0, 2.0, 3.0]),))
>>> result = simulate(Network((neurons,)), duration=100.0, dt=0.1, record=(Record("exc", "spikes"),))
>>> [int(count) for count in result.counts("exc")]
[0, 7, 14]
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from neurosim import connect
from neurosim.engine import Simulation
from neurosim.errors import RecordingError, SimulationError, SlowPathWarning, UsageError
from neurosim.model import NeuronModel, Reference, param, register
from neurosim.network import Network, Population
from neurosim.once import simulate
from neurosim.projection import Projection
from neurosim.record import Record
from neurosim.result import Result, Spikes
from neurosim.spike_source import SpikeSource
from neurosim.stimuli import (
    Constant,
    OrnsteinUhlenbeck,
    PoissonInput,
    PulseTrain,
    Ramp,
    Sine,
    Step,
    Stimulus,
    WhiteNoise,
)

__version__ = "0.1.0"

__all__ = [
    "Constant",
    "Network",
    "NeuronModel",
    "OrnsteinUhlenbeck",
    "PoissonInput",
    "Population",
    "Projection",
    "PulseTrain",
    "Ramp",
    "Record",
    "RecordingError",
    "Reference",
    "Result",
    "Simulation",
    "SimulationError",
    "Sine",
    "SlowPathWarning",
    "SpikeSource",
    "Spikes",
    "Step",
    "Stimulus",
    "UsageError",
    "WhiteNoise",
    "connect",
    "param",
    "register",
    "simulate",
]

if not _TYPE_CHECKING:  # type checkers know the modules; this would make every unknown name known

    def __getattr__(name: str) -> _Any:
        if name == "learn":  # imported where it is asked for: start-up is counted in milliseconds
            import importlib

            return importlib.import_module("neurosim.learn")
        raise AttributeError(f"module 'neurosim' has no attribute {name!r}")
