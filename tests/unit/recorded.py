"""Networks whose records are compared, bit for bit."""

from __future__ import annotations

import numpy as np

from neurosim import Constant, Network, OrnsteinUhlenbeck, Population, Record, Result, Simulation
from neurosim.models import LIF, HodgkinHuxley

DT = 0.025
RECORD = (
    Record("exc", "spikes"),
    Record("exc", "v", every=4, neurons=[0, 3, 7]),
    Record("inh", "spikes", neurons=[1, 2]),
    Record("inh", "v", neurons=slice(0, 0)),
    Record("inh", "m", every=7),
    Record("exc", "i_syn", every=3),
)


def network() -> Network:
    noise = OrnsteinUhlenbeck(sigma=1.0, tau=5.0, mean=2.0)
    return Network(
        (
            Population("exc", LIF(), 9, (noise,), t_ref=2.0),
            Population("inh", HodgkinHuxley(), 4, (Constant([0.0, 8.0, 12.0, 20.0]),)),
        )
    )


def simulation(**options) -> Simulation:
    return Simulation(network(), dt=DT, **{"fuse": "off", "method": "euler", "seed": 3, **options})


def assert_same(a: Result, b: Result, *, first: int | None = None) -> None:
    """Bit for bit; with ``first``, up to so many steps of ``b``."""
    assert list(a.spikes) == list(b.spikes)
    assert list(a.traces) == list(b.traces)
    for name in a.spikes:
        until = slice(None) if first is None else b.spikes[name].t <= (first + 0.5) * b.dt
        np.testing.assert_array_equal(a.spikes[name].t, b.spikes[name].t[until])
        np.testing.assert_array_equal(a.spikes[name].i, b.spikes[name].i[until])
        assert (a.spikes[name].t.dtype, a.spikes[name].i.dtype) == (np.float64, np.int32)
    for name, variables in a.traces.items():
        assert list(variables) == list(b.traces[name])
        for variable, values in variables.items():
            other = b.traces[name][variable]
            assert values.dtype == other.dtype
            assert values.shape[1] == other.shape[1]
            assert len(values) == len(a.times(name, variable))
            if first is None:
                assert values.shape == other.shape
            np.testing.assert_array_equal(values, other[: len(values)])
            np.testing.assert_array_equal(a.times(name, variable), b.times(name, variable)[: len(values)])
            assert a.unit(name, variable) == b.unit(name, variable)


BIG = (
    Record("cells", "v", neurons=slice(0, 40)),
    Record("others", "spikes"),
    Record("others", "v", every=5),
    Record("cells", "spikes"),
)


def big() -> Simulation:
    """Much to write in little time."""
    drive = (Constant(np.linspace(1.0, 4.0, 100)),)
    populations = (Population("cells", LIF(), 100, drive), Population("others", LIF(), 100, drive))
    return Simulation(Network(populations), dt=0.1)
