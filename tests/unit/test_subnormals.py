"""Numbers too small for full precision slow processors down: kernels of single precision take them as 0."""

import numpy as np

from neurosim import Network, Population, Simulation
from neurosim.models import LIF
from neurosim.receptors import ExponentialConductance


def silent(precision):
    receptors = {"excitatory": ExponentialConductance(tau=1.0)}
    cells = Population("cells", LIF(), 20, receptors=receptors, init={"excitatory_g": 1e-3})
    options = {"dt": 0.1, "precision": precision, "backend": "numpy", "fuse": "require", "method": "exponential_euler"}
    return Simulation(Network((cells,)), **options)


def test_a_conductance_without_input_becomes_nothing():
    simulation = silent("float32")
    simulation.run(75.0)
    assert (simulation.state("cells")["excitatory_g"] > 0).all()
    simulation.run(20.0)  # 1e-3 · exp(−95) would be 5e-45, subnormal
    assert (simulation.state("cells")["excitatory_g"] == 0).all()


def test_in_double_precision_it_is_kept():
    simulation = silent("float64")
    simulation.run(95.0)
    np.testing.assert_allclose(simulation.state("cells")["excitatory_g"], 1e-3 * np.exp(-95.0), rtol=1e-10)


def test_others_compute_as_before():
    silent("float32").run(1.0)
    smallest = np.finfo(np.float32).smallest_subnormal
    assert (np.full(8, smallest) * np.float32(3.0) > 0).all()
