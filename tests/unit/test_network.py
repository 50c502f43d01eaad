"""Populations and networks: declarations that are checked when they are made."""

import dataclasses

import numpy as np
import pytest

from neurosim import Constant, Network, NeuronModel, Population
from neurosim.models import LIF, HodgkinHuxley


def population(name="p", model=None, n=3, **options):
    return Population(name, model or LIF(), n, **options)


def test_a_population_is_frozen():
    p = population(stimuli=[Constant(1.0)])
    assert p.stimuli[0].amplitude == 1.0
    assert isinstance(p.stimuli, tuple)
    with pytest.raises(dataclasses.FrozenInstanceError):
        p.n = 4


def test_initial_values_are_copied():
    v = np.array([-60.0, -61.0, -62.0])
    p = population(init={"v": v})
    v[0] = 0.0
    np.testing.assert_array_equal(p.init["v"], [-60.0, -61.0, -62.0])
    with pytest.raises(ValueError, match="read-only"):
        p.init["v"][0] = 1.0


@pytest.mark.parametrize("name", ["", "two words", "1st", "a/b", None, 3])
def test_names_are_identifiers(refuses, name):
    with refuses(f"Population name {name!r} is no identifier: write letters, digits and _, as in 'exc'"):
        population(name)


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "3", None])
def test_numbers_of_neurons(refuses, n):
    with refuses(f"population 'p': n = {n!r}: must be a whole number of neurons, at least 1"):
        population(n=n)


def test_a_numpy_integer_is_a_number_of_neurons():
    assert population(n=np.int32(3)).n == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": LIF}, "population 'p': model is the class LIF: write LIF()"),
        ({"model": "LIF"}, "population 'p': model = 'LIF' is no NeuronModel: write for example LIF()"),
        ({"t_ref": -1.0}, "population 'p': t_ref = -1.0 ms: must be a finite number, at least 0"),
        ({"t_ref": np.nan}, "population 'p': t_ref = nan ms: must be a finite number"),
        ({"t_ref": "2"}, "population 'p': t_ref = '2' ms: must be a finite number"),
        ({"stimuli": Constant(1.0)}, "write stimuli=(Constant(amplitude=1.0),)"),
        ({"stimuli": (2.0,)}, "stimulus 2.0 is no Stimulus: write for example Constant(2.0)"),
        ({"stimuli": (Constant,)}, "is no Stimulus: write for example Constant(1.0)"),
        ({"stimuli": Constant}, "write for example stimuli=(Constant(1.0),)"),
        ({"stimuli": None}, "population 'p': stimuli = None: write for example stimuli=(Constant(1.0),)"),
        ({"stimuli": "noise"}, "population 'p': stimuli = 'noise': write for example stimuli=(Constant(1.0),)"),
        ({"stimuli": (Constant([1.0, 2.0]),)}, "Constant.amplitude has 2 values for 3 neurons: give a float or"),
        ({"model": LIF(tau_m=[1.0, 2.0])}, "population 'p': LIF.tau_m has 2 values for 3 neurons: give a float"),
        ({"init": {"w": 1.0}}, "population 'p': init has 'w': known: v"),
        ({"init": {"v": [1.0, 2.0]}}, "init['v'] has shape (2,): give a float or shape (3,)"),
        ({"init": {"v": np.nan}}, "init['v'] = nan: must be finite"),
        ({"init": {"v": [0.0, np.inf, 0.0]}}, "init['v'] = inf: must be finite"),
        ({"init": {"v": "rest"}}, "init['v'] = 'rest': give a float or one float per neuron"),
        ({"init": -70.0}, "population 'p': init = -70.0: write for example init={'v': -70.0}"),
    ],
)
def test_populations_that_cannot_be(refuses, options, message):
    with refuses(message):
        population(**options)


def test_nearest_state_variable(refuses):
    with refuses("init has 'V': did you mean 'v'? known: h, m, n, v"):
        population(model=HodgkinHuxley(), init={"V": 0.0})


@pytest.mark.parametrize(
    ("populations", "message"),
    [
        ((), "Network has no populations: write Network((Population(…),))"),
        (population("exc"), "Network takes a sequence: write Network((exc,))"),
        ((LIF(),), "Network takes populations, got LIF(): write Population('name', model, n)"),
        (LIF(), "Network takes populations, got LIF(): write Network((Population(…),))"),
        (None, "Network takes populations, got None"),
        ((population("exc"), population("exc")), "two populations are named 'exc': give each its own name"),
    ],
)
def test_networks_that_cannot_be(refuses, populations, message):
    with refuses(message):
        Network(populations)


def test_populations_by_name(refuses):
    net = Network([population("exc"), population("inh")])
    assert net["inh"].name == "inh"
    with refuses("no population 'ihn': did you mean 'inh'? known: exc, inh"):
        net["ihn"]


def test_memory_is_estimated_before_anything_is_allocated(refuses):
    net = Network((population(n=10**9),))
    assert net.memory_estimate("numpy").state == 8 * 10**9
    assert net.memory_estimate("numpy", "float32").state == 4 * 10**9
    with refuses("unknown precision 'float16': did you mean 'float", "known: float32, float64"):
        net.memory_estimate("numpy", "float16")
    with refuses("unknown backend 'nmpy'"):
        net.memory_estimate("nmpy")


def test_a_memory_estimate_reads_well():
    text = str(Network((population(n=10**6),)).memory_estimate("numpy"))
    assert text.startswith("8 MB (state 8 MB, parameters 0 B, working 0 B, records 0 B) of ")


def test_a_model_without_a_threshold_says_so(refuses):
    class Mute(NeuronModel):
        class State(LIF.State):
            pass

        def init(self, xp):
            return self.State(0.0)

        def derivatives(self, xp, s, i_syn):
            return self.State(-s.v)

    with refuses("Mute has neither threshold(xp, s) nor hazard(xp, s, i_syn): write one of them"):
        Mute().threshold(np, Mute().init(np))
    with refuses("Mute has no hazard"):
        Mute().hazard(np, Mute().init(np), 0.0)
    assert not Mute.resets()
    assert not Mute.stochastic()
    assert Mute().max_dt() == np.inf


def test_models_that_lack_a_formula_cannot_be_made():
    class Unfinished(NeuronModel):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Unfinished()
