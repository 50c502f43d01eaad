"""Projections: what they refuse, how they are named, how delays are rounded."""

import numpy as np
import pytest
from test_row_builder import DT, network, the_synapses

from neurosim import Network, Population, connect
from neurosim.distributions import Exponential, Normal, Uniform
from neurosim.layout import layout
from neurosim.models import LIF
from neurosim.plasticity import STDP
from neurosim.projection import Projection, check_all, names
from neurosim.receptors import ExponentialConductance
from neurosim.wiring import RoundedDelayWarning, connections, synapse_estimate, wire

SOME = connect.fixed_probability(0.5)
ONE = connect.one_to_one()
SIZES = {"exc": 4, "inh": 4}


def wired(*projections, sizes=SIZES):
    net = network(sizes, *projections)
    return wire(net, layout(net, 1), DT, 1, "float64")


def test_a_projection_is_named_by_its_ends():
    assert Projection("exc", "inh", SOME, 1.0, 1.0).name == "exc->inh:excitatory"
    assert Projection("exc", "inh", SOME, 1.0, 1.0, receptor="nmda").name == "exc->inh:nmda"
    assert repr(Projection("exc", "inh", SOME, np.ones(10_000), 1.0)) == (
        "Projection('exc->inh:excitatory', FixedProbability(p=0.5))"
    )


def test_names_are_made_different(refuses):
    one, other = Projection("exc", "inh", SOME, 1.0, 1.0), Projection("exc", "exc", SOME, 1.0, 1.0)
    assert names((one, other, one, one)) == [
        "exc->inh:excitatory",
        "exc->exc:excitatory",
        "exc->inh:excitatory#2",
        "exc->inh:excitatory#3",
    ]
    named = Projection("exc", "inh", SOME, 1.0, 1.0, name="mine")
    assert names((named, one)) == ["mine", "exc->inh:excitatory"]
    with refuses("two projections", "'mine'"):
        names((named, one, named))


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"source": Population("cells", LIF(), 1)}, ["source", "source='cells'"]),
        ({"target": 3}, ["target = 3", "name"]),
        ({"receptor": None}, ["receptor = None"]),
        ({"name": ""}, ["name = ''"]),
        ({"connect": connect.one_to_one}, ["exc->inh:excitatory", "connect.one_to_one(…)"]),
        ({"connect": 0.1}, ["connect = 0.1", "connect.fixed_probability"]),
        ({"weight": None}, ["exc->inh:excitatory", "no weight", "weight=…"]),
        ({"delay": None}, ["no delay", "delay=…"]),
        ({"weight": "strong"}, ["weight = 'strong'", "distribution"]),
        ({"weight": Normal}, ["weight is the class Normal", "Normal(…)"]),
        ({"weight": np.nan}, ["weight = nan", "finite"]),
        ({"weight": [1.0, np.inf]}, ["weight[1] = inf", "finite"]),
        ({"delay": [[1.0]]}, ["delay has shape (1, 1)"]),
        ({"stored": 1}, ["stored = 1", "True or False"]),
        ({"stored": False, "connect": connect.fixed_in_degree(3)}, ["fixed_in_degree", "stored=True"]),
        ({"stored": False, "plasticity": STDP(20.0, 20.0, 0.01, 0.01, 1.0)}, ["plastic", "stored=True"]),
        ({"stored": False, "weight": [1.0] * 4, "connect": ONE}, ["array of weights", "stored=True"]),
        ({"stored": False, "delay": [1.0] * 4, "connect": ONE}, ["array of delays", "stored=True"]),
    ],
)
def test_unusable_projections(options, parts, refuses):
    given = {"source": "exc", "target": "inh", "connect": SOME, "weight": 1.0, "delay": 1.0}
    with refuses(*parts):
        Projection(**(given | options))


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"source": "exx"}, ["exx->inh", "population 'exx'", "did you mean 'exc'?"]),
        ({"target": "inhh"}, ["exc->inhh", "population 'inhh'", "did you mean 'inh'?"]),
        ({"receptor": "excitatry"}, ["receptor 'excitatry'", "did you mean 'excitatory'?"]),
        ({"weight": [1.0, 2.0]}, ["weight is an array", "fixed_probability", "distribution"]),
        ({"weight": [1.0, 2.0], "connect": ONE}, ["weight has 2 values for 4 synapses", "(4,)"]),
        ({"delay": [1.0, 2.0], "connect": connect.all_to_all()}, ["delay has 2 values for 16 synapses"]),
        ({"delay": 0.05}, ["exc->inh:excitatory", "delay = 0.05 ms", "below dt = 0.1 ms"]),
        ({"delay": 0.0}, ["delay = 0 ms", "smaller dt"]),
        ({"delay": [1.0, 0.01, 1.0, 1.0], "connect": ONE}, ["delay[1] = 0.01 ms"]),
        ({"delay": 1e12}, ["delay = 1e+12 ms", "2³¹"]),
        ({"delay": Uniform(0.0, 1e6)}, ["exc->inh:excitatory", "delay: Uniform(", "different delays"]),
        ({"delay": Normal(-5.0, 0.1, high=-4.0)}, ["delay: Normal(", "no delay of at least one step"]),
        ({"connect": connect.one_to_one(), "target": "more"}, ["one_to_one", "4", "5"]),
    ],
)
def test_projections_that_do_not_fit(options, parts, refuses):
    given = {"source": "exc", "target": "inh", "connect": SOME, "weight": 1.0, "delay": 1.0}
    with refuses(*parts):
        wired(Projection(**(given | options)), sizes=SIZES | {"more": 5})


def test_too_many_different_delays(refuses):
    n = 10_001
    with refuses("a->a", "10001 different delays", "at most 10000"):
        wired(Projection("a", "a", ONE, 1.0, np.arange(1, n + 1) * DT), sizes={"a": n})


def test_a_list_of_projections_is_checked(refuses):
    populations = network(SIZES).populations
    one = Projection("exc", "inh", SOME, 1.0, 1.0)
    assert check_all([one], populations) == (one,)
    with refuses("sequence", "projections=(Projection(…),)"):
        check_all(one, populations)
    for wrong in ("exc", 3):
        with refuses("projections", repr(wrong)):
            check_all(wrong, populations)
    with refuses("3 is no Projection"):
        check_all([one, 3], populations)
    with refuses("exc->inh:nmda", "no receptor 'nmda'", "receptors="):
        bare = [Population("exc", LIF(), 1), Population("inh", LIF(), 1)]
        check_all([Projection("exc", "inh", SOME, 1.0, 1.0, receptor="nmda")], bare)


# -- signs


def conductances(projection):
    receptors = {"excitatory": ExponentialConductance(e_rev=0.0)}
    net = Network((Population("exc", LIF(), 4, receptors=receptors),), (projection,))
    return wire(net, layout(net, 1), DT, 1, "float64")


@pytest.mark.parametrize(
    ("weight", "connector", "parts"),
    [
        (-0.5, SOME, ["weight = -0.5"]),
        ([0.0, 0.1, -0.2, -0.3], ONE, ["weight[2] = -0.2"]),
        (Normal(1.0, 0.1), SOME, ["weight = Normal(", "low=0.0"]),
        (Uniform(-0.1, 1.0), SOME, ["weight = Uniform("]),
        (None, connect.from_matrix(np.diag([0.1, -0.2, 0.1, 0.1])), ["weight[1] = -0.2"]),
    ],
)
def test_a_conductance_is_not_negative(weight, connector, parts, refuses):
    projection = Projection("exc", "exc", connector, weight, 1.0)
    with refuses("exc->exc:excitatory", "ExponentialConductance", "at least 0", *parts):
        conductances(projection)


@pytest.mark.parametrize("weight", [0.0, 0.5, Normal(1.0, 0.5, low=0.0), Exponential(1.0), Uniform(0.0, 1.0)])
def test_a_conductance_may_be_positive(weight):
    [rows] = conductances(Projection("exc", "exc", SOME, weight, 1.0)).rows
    assert np.min(rows.weights) >= 0


def test_a_current_has_any_sign():
    [rows] = wired(Projection("exc", "inh", SOME, -0.5, 1.0)).rows
    assert rows.weights == -0.5


# -- delays


@pytest.mark.parametrize("steps", [1, 3, 7, 15, 123, 10_000])
def test_whole_steps_are_not_rounded(steps):
    [rows] = wired(Projection("exc", "inh", ONE, 1.0, steps * 0.1)).rows
    assert rows.delays.tolist() == [steps]


def test_a_rounded_delay_is_said_once():
    with pytest.warns(RoundedDelayWarning) as told:
        wiring = wired(Projection("exc", "inh", ONE, 1.0, 1.57))
    assert [str(w.message) for w in told] == [
        "projection 'exc->inh:excitatory': delay = 1.57 ms rounded to whole steps of 0.1 ms: 1.6 ms"
    ]
    assert wiring.rows[0].delays.tolist() == [16]
    with pytest.warns(RoundedDelayWarning) as told:
        wired(Projection("exc", "inh", ONE, 1.0, [1.0, 1.04, 2.03, 3.0]))
    assert [str(w.message) for w in told] == [
        "projection 'exc->inh:excitatory': delay[1] = 1.04 ms and 1 more rounded to whole steps of 0.1 ms: 1 ms"
    ]


def test_the_estimate_repeats_no_warning():
    net = network(SIZES, Projection("exc", "inh", ONE, 1.0, 1.57))
    assert synapse_estimate(net, layout(net, 1), DT) > 0


def test_delays_by_distribution_are_rounded_silently():
    net = network({"a": 50}, Projection("a", "a", connect.all_to_all(), 1.0, Uniform(0.33, 0.58)))
    steps = the_synapses(net)[3]
    assert set(steps) == {3, 4, 5, 6}


# -- reading back


def test_connections_of_an_unknown_projection(refuses):
    net = network(SIZES, Projection("exc", "inh", ONE, 1.0, 1.0))
    where = layout(net, 1)
    with refuses("no projection 'exc'", "exc->inh:excitatory"):
        connections(wire(net, where, DT, 1, "float64"), where, net, DT, "exc")


def test_connections_in_shared_rows_are_told_apart():
    net = network(
        SIZES,
        Projection("exc", "inh", connect.from_arrays([0, 1], [3, 2]), 1.0, 1.0),
        Projection("exc", "exc", connect.from_arrays([1, 3, 0], [0, 2, 1]), 1.0, 2.0),
    )
    for owners in (1, 2, 3):
        where = layout(net, owners)
        wiring = wire(net, where, DT, 1, "float64")
        assert len(wiring.rows) == 1
        source, target, weight, delay = connections(wiring, where, net, DT, "exc->exc:excitatory")
        assert source.tolist() == [0, 1, 3]
        assert target.tolist() == [1, 0, 2]
        assert weight.tolist() == [1.0] * 3
        np.testing.assert_allclose(delay, 2.0)
        source, target, *_ = connections(wiring, where, net, DT, "exc->inh:excitatory")
        assert (source.tolist(), target.tolist()) == ([0, 1], [3, 2])


def test_two_hundred_populations():
    """Connected in a ring and all to one receptor: one row structure per population."""
    sizes = {f"p{k}": 5 for k in range(200)}
    ring = [Projection(f"p{k}", f"p{(k + 1) % 200}", ONE, 1.0, 1.0) for k in range(200)]
    wiring = wired(*ring, sizes=sizes)
    assert len(wiring.rows) == 200
    assert sum(len(rows.targets) for rows in wiring.rows) == 1000
