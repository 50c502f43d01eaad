"""Rules of plasticity: each against its closed formula, on spikes that are given; what is refused."""

import numpy as np
import pytest
from plastic import DT, PAIR, RULES, TRIPLET, network

from neurosim import Network, Population, Projection, Record, Simulation, SpikeSource, connect
from neurosim.backends import plasticity_kernels
from neurosim.distributions import Normal
from neurosim.models import LIF
from neurosim.plasticity import PLASTICITY, STDP, TripletSTDP, TsodyksMarkram, register
from neurosim.receptors import Delta, ExponentialConductance, ExponentialCurrent

BOTH = pytest.mark.parametrize("fuse", ["off", "require"])

# -- one synapse, whose spikes are given


def one_synapse(rule, pre, post, *, delay=0.3, weight=0.1, fuse="require", duration=None, every=1):
    """A run of a synapse: its target spikes a step after a strong teacher's spike arrives, so at the times ``post``."""
    # weights of at most 1e-9 mV: the synapse has no say in when its target spikes
    receptors = {"teacher": Delta(), "plastic": Delta()}
    net = Network(
        (
            Population("pre", SpikeSource(pre), 1),
            Population("teacher", SpikeSource(np.asarray(post) - 2 * DT), 1),
            Population("post", LIF(v_thresh=-50.0, v_reset=-70.0, v_rest=-70.0), 1, receptors=receptors),
        ),
        (
            Projection("teacher", "post", connect.one_to_one(), 100.0, DT, "teacher"),
            Projection("pre", "post", connect.one_to_one(), weight, delay, "plastic", plasticity=rule, name="syn"),
        ),
    )
    simulation = Simulation(net, dt=DT, backend="numpy", fuse=fuse)
    longest = max([*pre, *post]) + 5.0 if duration is None else duration
    result = simulation.run(longest, record=[Record("post", "spikes"), Record("syn", "weight", every=every)])
    np.testing.assert_allclose(result.spikes["post"].t, post, rtol=0, atol=1e-9)
    [last] = simulation.weights("syn").weight
    return result.traces["syn"]["weight"][:, 0], last


def sum_of_pairs(rule, pre, post, delay):
    """Change of a weight of a pair rule, far from its bounds: every pair by itself."""
    arrivals, post = np.asarray(pre) + delay, np.asarray(post)
    lags = post[None, :] - arrivals[:, None]
    up = rule.a_plus * np.exp(-lags / rule.tau_plus) * (lags > -1e-9)  # at the same time the arrival is first
    down = rule.a_minus * np.exp(lags / rule.tau_minus) * (lags < -1e-9)
    if rule.pairing == "nearest":
        for j in range(len(post)):
            before = np.flatnonzero(lags[:, j] > -1e-9)
            up[before[:-1], j] = 0.0
        for i in range(len(arrivals)):
            before = np.flatnonzero(lags[i] < -1e-9)
            down[i, before[:-1]] = 0.0
    return (up.sum() - down.sum()) * (rule.w_max - rule.w_min)


def sum_of_triplets(rule, pre, post, delay):
    """The same of the triplet rule, by its sums over earlier spikes."""
    arrivals, post = np.asarray(pre) + delay, np.asarray(post)

    def trace(spikes, now, tau, *, itself):
        ago = now - spikes[spikes <= now + 1e-9] if itself else now - spikes[spikes < now - 1e-9]
        ago = ago[-1:] if rule.pairing == "nearest" else ago
        return np.exp(-ago / tau).sum()

    change = 0.0
    for now in post:
        r1, o2 = trace(arrivals, now, rule.tau_plus, itself=True), trace(post, now, rule.tau_y, itself=False)
        change += r1 * (rule.a2_plus + rule.a3_plus * o2)
    for now in arrivals:
        o1, r2 = trace(post, now, rule.tau_minus, itself=False), trace(arrivals, now, rule.tau_x, itself=False)
        change -= o1 * (rule.a2_minus + rule.a3_minus * r2)
    return change * (rule.w_max - rule.w_min)


def formula(rule):
    return sum_of_triplets if isinstance(rule, TripletSTDP) else sum_of_pairs


SMALL = {
    name: rule.replace(w_max=1e-9, w_min=-1e-9)
    for name, rule in RULES.items()
    if rule.learns and getattr(rule, "dependence", "additive") == "additive"
}


@BOTH
@pytest.mark.parametrize("lag", [-40.0, -3.0, -0.1, 0.0, 0.1, 3.0, 40.0])
@pytest.mark.parametrize("rule", SMALL.values(), ids=SMALL)
def test_a_pair(rule, lag, fuse):
    pre, delay = [50.0], 0.3
    post = [50.0 + delay + lag]
    trace, last = one_synapse(rule, pre, post, delay=delay, weight=2e-10, fuse=fuse)
    expected = formula(rule)(rule, pre, post, delay)
    assert (expected > 0) == (lag >= 0)
    np.testing.assert_allclose(last - 2e-10, expected, rtol=1e-9)
    changed = np.flatnonzero(np.diff(trace))  # the step of the later spike
    assert changed.tolist() == [round(max(50.0 + delay, post[0]) / DT) - 1]


def spike_trains(seed, count=60):
    """Spikes of both, far enough apart for the teacher and its neuron."""
    rng = np.random.default_rng(seed)
    return [DT * (3 + np.cumsum(rng.integers(1, 60, count))) for _ in range(2)]


@BOTH
@pytest.mark.parametrize("delay", [0.1, 7.7])
@pytest.mark.parametrize("rule", SMALL.values(), ids=SMALL)
def test_trains(rule, delay, fuse):
    pre, post = spike_trains(1)
    # weaker, so that the sum over all spikes stays within the bounds
    rule = rule.replace(**{name: value / 300 for name, value in rule.values().items() if name.startswith("a")})
    trace, last = one_synapse(rule, pre, post, delay=delay, weight=2e-10, fuse=fuse, duration=400.0)
    assert np.abs(trace).max() < 1e-9
    np.testing.assert_allclose(last - 2e-10, formula(rule)(rule, pre, post, delay), rtol=1e-9)
    assert abs(last - 2e-10) > 1e-12


@BOTH
def test_triplets_are_more_than_pairs(fuse):
    """Post-pre-post: the second potentiates by what the first has left in o2; without it the pair rule remains."""
    rule = SMALL["triplet"]
    pre, post, delay = [30.0], [20.0, 40.0], 0.1
    _, last = one_synapse(rule, pre, post, delay=delay, weight=0.0, fuse=fuse)
    _, pairs = one_synapse(rule.replace(a3_plus=0.0), pre, post, delay=delay, weight=0.0, fuse=fuse)
    r1, o2 = np.exp(-9.9 / rule.tau_plus), np.exp(-20.0 / rule.tau_y)
    np.testing.assert_allclose(last - pairs, 2e-9 * rule.a3_plus * r1 * o2, rtol=1e-9)


@BOTH
def test_multiplicative_changes_follow_the_way_to_the_bound(fuse):
    rule = STDP(20.0, 20.0, 0.1, 0.2, w_max=1e-9, dependence="multiplicative")
    pre, post = [10.0, 30.0], [15.0]
    trace, last = one_synapse(rule, pre, post, delay=0.1, weight=4e-10, fuse=fuse)
    up = 4e-10 + 0.1 * np.exp(-4.9 / 20.0) * (1e-9 - 4e-10)
    np.testing.assert_allclose(trace[[0, 200]], [4e-10, up], rtol=1e-12)
    np.testing.assert_allclose(last, up - 0.2 * np.exp(-15.1 / 20.0) * up, rtol=1e-12)


@BOTH
def test_weights_stay_within_bounds(fuse):
    rule = STDP(20.0, 20.0, 0.4, 0.9, w_max=1e-9, w_min=2e-10)
    up, _ = one_synapse(rule, [10.0, 20.0, 30.0], [11.0, 21.0, 31.0], weight=9e-10, fuse=fuse)
    assert up.max() == 1e-9
    down, last = one_synapse(rule, [12.0, 22.0], [11.0, 21.0], weight=9e-10, fuse=fuse)
    assert down.min() == last == 2e-10
    assert ((up >= 2e-10) & (up <= 1e-9)).all()


@BOTH
def test_a_spike_arrives_with_the_weight_from_before_its_own_change(fuse):
    """The target spikes, the source's spike arrives later: the jump of v is the weight of before, then it falls."""
    resting = LIF(v_rest=-70.0, v_thresh=-50.0, v_reset=-70.0)  # nothing but the synapses moves it
    receptors = {"teacher": Delta(), "plastic": Delta()}
    rule = STDP(20.0, 20.0, 0.1, 0.2, w_max=1.0)
    net = Network(
        (
            Population("pre", SpikeSource([10.0]), 1),
            Population("teacher", SpikeSource([4.8]), 1),
            Population("post", resting, 1, receptors=receptors),
        ),
        (
            Projection("teacher", "post", connect.one_to_one(), 100.0, DT, "teacher"),
            Projection("pre", "post", connect.one_to_one(), 0.5, 1.0, "plastic", plasticity=rule, name="syn"),
        ),
    )
    simulation = Simulation(net, dt=DT, backend="numpy", fuse=fuse)
    v = simulation.run(15.0, record=[Record("post", "v")]).traces["post"]["v"][:, 0]
    assert v[109] == -70.0
    assert v[110] == -69.5
    np.testing.assert_allclose(simulation.weights("syn").weight, 0.5 - 0.2 * np.exp(-6.0 / 20.0), rtol=1e-12)


@BOTH
@pytest.mark.parametrize(("tau_rec", "tau_facil"), [(30.0, 0.0), (0.0, 40.0), (30.0, 40.0)])
def test_short_term_plasticity_releases_what_the_formula_says(fuse, tau_rec, tau_facil):
    rule = TsodyksMarkram(U=0.4, tau_rec=tau_rec, tau_facil=tau_facil)
    pre = [5.0, 9.0, 10.0, 10.1, 60.0]
    net = Network(
        (
            Population("pre", SpikeSource(pre), 1),
            Population("post", LIF(tau_m=1e13, v_thresh=1e3, v_rest=-70.0), 1, receptors={"plastic": Delta()}),
        ),
        (Projection("pre", "post", connect.one_to_one(), 2.0, 0.5, "plastic", plasticity=rule, name="syn"),),
    )
    simulation = Simulation(net, dt=DT, backend="numpy", fuse=fuse)
    v = simulation.run(70.0, record=[Record("post", "v")]).traces["post"]["v"][:, 0]
    jumps = np.diff(v)
    x, u, expected = 1.0, 0.0, []
    for k, now in enumerate(pre):
        ago = now - pre[k - 1] if k else np.inf
        u *= np.exp(-ago / tau_facil) if tau_facil else 0.0
        u += 0.4 * (1.0 - u)
        x = 1.0 - (1.0 - x) * np.exp(-ago / tau_rec) if tau_rec else 1.0
        expected.append(2.0 * u * x)
        x -= u * x
    arrivals = np.flatnonzero(jumps > 1e-6)
    assert arrivals.tolist() == [round(t / DT) - 1 + 5 for t in pre]
    np.testing.assert_allclose(jumps[arrivals], expected, rtol=1e-10)
    assert expected[0] == 0.8
    assert simulation.weights("syn").weight == 2.0


@BOTH
def test_many_spikes_of_the_target_between_two_of_the_source(fuse):
    """More than a target keeps: its synapses take them in before they are lost."""
    rule = SMALL["triplet"].replace(a2_plus=1e-4, a3_plus=1e-5)
    pre, post = [10.0, 10.5, 200.0], np.arange(11.0, 190.0, 0.5)
    assert len(post) > 10 * plasticity_kernels.RING
    _, last = one_synapse(rule, pre, post, delay=0.9, weight=5e-10, fuse=fuse, every=3000)
    np.testing.assert_allclose(last - 5e-10, sum_of_triplets(rule, pre, post, 0.9), rtol=1e-9)


# -- what is refused


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: STDP(0.0, 20.0, 0.1, 0.1, 1.0), ["STDP.tau_plus = 0 ms: must be finite and above 0"]),
        (lambda: STDP(20.0, 20.0, 0.1, 0.1, [1.0, 2.0]), ["STDP.w_max has shape (2,): give one float for all"]),
        (lambda: STDP(20.0, 20.0, 0.1, 0.1, 1.0, 1.0), ["STDP: w_max = 1 is not above w_min = 1"]),
        (lambda: PAIR.replace(dependence="aditive"), ["STDP.dependence = 'aditive': did you mean 'additive'?"]),
        (lambda: TRIPLET.replace(pairing="all"), ["TripletSTDP.pairing = 'all'", "all_to_all, nearest"]),
        (lambda: TsodyksMarkram(1.5, 100.0), ["TsodyksMarkram.U = 1.5", "write at most 1"]),
        (lambda: TsodyksMarkram(0.5, -1.0), ["TsodyksMarkram.tau_rec = -1 ms", "at least 0"]),
        (lambda: register(STDP), ["plasticity 'STDP' is registered already"]),
    ],
)
def test_rules_that_cannot_be(refuses, make, parts):
    with refuses(*parts):
        make()


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"plasticity": STDP}, ["plasticity = <class", "no rule of plasticity: write STDP(…)"]),
        ({"plasticity": "stdp"}, ["plasticity = 'stdp' is no rule of plasticity: known: STDP, TripletSTDP, Tsodyks"]),
        ({"plasticity": PAIR, "stored": False}, ["plastic weights must be stored: write stored=True"]),
    ],
)
def test_projections_that_cannot_be(refuses, options, parts):
    with refuses("projection 'a->a:excitatory'", *parts):
        Projection("a", "a", connect.fixed_probability(0.1), 0.5, 1.0, **options)


@pytest.mark.parametrize(
    ("weight", "receptor", "rule", "parts"),
    [
        (2.0, ExponentialCurrent(), PAIR, ["weight = 2: STDP keeps weights within [-1, 1]"]),
        (np.array([0.5, -2.0]), ExponentialCurrent(), PAIR, ["weight[1] = -2: STDP keeps weights"]),
        (Normal(0.0, 1.0), ExponentialCurrent(), TRIPLET, ["can be outside", "write low=-1, high=1"]),
        (0.5, ExponentialConductance(), PAIR, ["STDP.w_min = -1, but the receptor takes weights of at least 0"]),
    ],
)
def test_weights_that_a_rule_cannot_begin_with(refuses, weight, receptor, rule, parts):
    population = Population("a", LIF(), 2, receptors={"excitatory": receptor})
    with refuses("projection 'a->a:excitatory'", *parts):
        Network((population,), (Projection("a", "a", connect.one_to_one(), weight, 1.0, plasticity=rule),))


@pytest.mark.parametrize(
    ("record", "parts"),
    [
        (Record("learns", "v"), ["Record('learns', 'v'): of a projection only 'weight' is recorded"]),
        (Record("learns", "weight", neurons=[1080]), ["synapse 1080 does not exist, the projection has 1080"]),
        (Record("learns", "weight", every=0), ["every = 0: must be a whole number of steps"]),
        (Record("b->b:other", "weight"), ["these weights do not change: read simulation.weights('b->b:other')"]),
        (Record("lerns", "weight"), ["no population 'lerns'"]),
        (Record("a", "weight"), ["LIF has no such variable"]),
    ],
)
def test_records_that_cannot_be(refuses, record, parts):
    with refuses(*parts):
        Simulation(network(PAIR, 2), dt=DT, backend="numpy").run(1.0, record=record)


def test_reading_weights_of_nothing(refuses):
    with refuses("no projection 'lerns': did you mean 'learns'?"):
        Simulation(network(PAIR, 2), dt=DT, backend="numpy").weights("lerns")


def test_a_time_constant_that_no_table_holds(refuses):
    rule = TripletSTDP(20.0, 1e9, 20.0, 20.0, 0.1, 0.1, 0.1, 0.1, w_max=1.0)
    with refuses("projection 'to a'", "TripletSTDP.tau_x = 1e+09 ms is above 16777216 steps of 0.1 ms"):
        Simulation(network(rule, 2), dt=DT, backend="numpy").run(1.0)


@pytest.mark.parametrize("rule", PLASTICITY.values(), ids=PLASTICITY)
def test_every_rule_names_its_source(rule):
    assert "https://doi.org/" in rule.__doc__
    assert {type(rule) for rule in RULES.values()} == set(PLASTICITY.values())
