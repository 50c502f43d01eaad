"""Kernels make one call of the random generator serve four steps, and nobody sees it."""

import numpy as np
import pytest

from neurosim import Network, PoissonInput, Population, Record, Simulation, WhiteNoise
from neurosim.backends.philox import Random
from neurosim.backends.tracing import trace
from neurosim.backends.tracing.rarely import choices, every_fourth_step
from neurosim.integrators import get_integrator
from neurosim.models import LIF
from neurosim.receptors import ExponentialCurrent
from neurosim.step import assemble


def cells(*stimuli, n=300):
    return Population("cells", LIF(v_thresh=-64.0), n, receptors={"excitatory": ExponentialCurrent()}, stimuli=stimuli)


def traced(population):
    return trace(assemble(population, dt=0.1, integrator=get_integrator("exact"), seed=5, precision="float64").program)


def simulation(fuse, *stimuli, n=300):
    network = Network((cells(*stimuli, n=n),))
    return Simulation(network, dt=0.1, method="exact", seed=5, backend="numpy", fuse=fuse)


def run(sim, *durations):
    """Spikes and the trace of v, of runs one after the other."""
    parts = [sim.run(d, record=(Record("cells", "spikes"), Record("cells", "v"))) for d in durations]
    return (
        np.concatenate([part.spikes["cells"].i for part in parts]),
        np.concatenate([part.traces["cells"]["v"] for part in parts]),
    )


def test_four_steps_share_a_call():
    lanes = np.arange(50)
    for step in range(12, 21):
        at = {s: Random(*(np.int64(x) for x in (3, 4, 5)), np.int64(s), lanes, "float64") for s in (step, step // 4)}
        np.testing.assert_array_equal(at[step].word(np), at[step // 4].words()[step % 4])


def test_what_is_kept():
    found = traced(cells(PoissonInput(9000.0, 0.01)))
    words, operations = every_fourth_step(found)
    assert len(words) == 4
    multiplications = [i for i in operations if found.graph.nodes[i].op == "multiply"]
    assert len(multiplications) == 18  # of ten rounds with two each; two depend on the step alone
    outputs = {*found.state, found.event}
    assert not outputs & set(words)
    assert len(choices(found, words)) >= 3


def test_two_inputs_keep_eight():
    assert len(every_fourth_step(traced(cells(PoissonInput(9000.0, 0.01), PoissonInput(500.0, -0.02))))[0]) == 8


@pytest.mark.parametrize("stimuli", [(), (WhiteNoise(0.5),)])
def test_numbers_that_change_in_each_step_are_not_kept(stimuli):
    assert every_fourth_step(traced(cells(*stimuli))) == ([], [])


@pytest.mark.parametrize("cuts", [(5.3, 4.7), (0.1, 0.1, 0.1, 9.7), (3.2, 0.3, 6.5)])
def test_cuts_within_four_steps_change_nothing(assert_same_bits, cuts):
    stimuli = PoissonInput(9000.0, 0.01), WhiteNoise(0.1)
    spikes, v = run(simulation("require", *stimuli), 10.0)
    again, v_again = run(simulation("require", *stimuli), *cuts)
    assert len(spikes) > 20
    np.testing.assert_array_equal(again, spikes)
    assert_same_bits(v_again, v)


def test_eager_numbers_are_the_same(assert_same_bits):
    stimulus = PoissonInput(np.linspace(1.0, 40_000.0, 300), 0.002)
    fused, eager = (run(simulation(fuse, stimulus), 10.0) for fuse in ("require", "off"))
    np.testing.assert_array_equal(fused[0], eager[0])
    assert_same_bits(fused[1], eager[1])
