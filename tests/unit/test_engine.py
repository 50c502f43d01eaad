"""The window loop: splitting, seeds, failures, memory, and what compiles."""

import ast
import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest

from neurosim import (
    Constant,
    Network,
    NeuronModel,
    OrnsteinUhlenbeck,
    Population,
    Record,
    Simulation,
    SimulationError,
    WhiteNoise,
    param,
    simulate,
)
from neurosim import engine as engine_module
from neurosim.backends import SlowPathWarning, get, kernel_cache, numba_engine
from neurosim.models import LIF, HodgkinHuxley

FUSE = pytest.mark.parametrize("fuse", ["require", "off"])
DT = 0.1


def noisy(name="noisy", n=20, **options):
    options = {"stimuli": (OrnsteinUhlenbeck(1.0, 5.0, mean=2.0),), "t_ref": 2.0} | options
    return Population(name, LIF(r_m=np.linspace(8.0, 12.0, n)), n, **options)


def spikes(result, population="noisy"):
    return list(zip(*map(np.ndarray.tolist, result.spikes[population]), strict=True))


RECORDS = (Record("noisy", "spikes"), Record("noisy", "v", every=7), Record("noisy", "i_syn", every=3, neurons=[0, 5]))


# -- splitting


@FUSE
def test_two_runs_are_one(assert_same_bits, fuse):
    """With noise, a stimulus that remembers, a refractory period, and samples that straddle the cut."""

    def run(*durations):
        simulation = Simulation(Network((noisy(),)), dt=DT, backend="numpy", fuse=fuse, seed=3)
        return [simulation.run(duration, record=RECORDS) for duration in durations], simulation

    (whole,), one = run(100.0)
    parts, two = run(60.0, 40.0)
    assert len(spikes(whole)) > 50
    assert spikes(parts[0]) + spikes(parts[1]) == spikes(whole)
    for name, values in whole.traces["noisy"].items():
        assert_same_bits(np.concatenate([p.traces["noisy"][name] for p in parts]), values, name)
        times = np.concatenate([p.times("noisy", name) for p in parts])
        np.testing.assert_allclose(times, whole.times("noisy", name))
    assert one.t == two.t == pytest.approx(100.0)
    assert_same_bits(one.state("noisy")["v"], two.state("noisy")["v"])


@FUSE
def test_a_population_keeps_its_noise_when_others_are_added(fuse):
    alone = simulate(Network((noisy(),)), duration=50.0, dt=DT, record=RECORDS, backend="numpy", fuse=fuse)
    other = noisy("other", n=3, stimuli=(WhiteNoise(3.0, mean=2.0),))
    records = (*RECORDS, Record("other", "spikes"))
    both = simulate(Network((other, noisy())), duration=50.0, dt=DT, record=records, backend="numpy", fuse=fuse)
    assert spikes(alone) == spikes(both)
    assert len(spikes(both, "other")) > 0


def test_equal_populations_of_other_names_have_other_noise():
    net = Network((noisy("noisy"), noisy("other")))
    records = (Record("noisy", "spikes"), Record("other", "spikes"))
    result = simulate(net, duration=50.0, dt=DT, record=records, backend="numpy", fuse="off")
    assert spikes(result) != spikes(result, "other")


@FUSE
def test_seeds(fuse):
    def run(seed):
        return spikes(
            simulate(
                Network((noisy(),)), duration=50.0, dt=DT, record=RECORDS[0], backend="numpy", fuse=fuse, seed=seed
            )
        )

    assert run(1) == run(np.int64(1))
    seeds = [0, 1, 2**32, 2**32 + 1, 2**64 - 1]
    assert len({tuple(run(seed)) for seed in seeds}) == len(seeds)


def test_a_run_leaves_its_declarations_alone():
    population = noisy(init={"v": np.full(20, -60.0)})
    before = population.init["v"].copy()
    simulation = Simulation(Network((population,)), dt=DT, backend="numpy", fuse="off")
    np.testing.assert_array_equal(simulation.state("noisy")["v"], before)
    simulation.run(5.0)
    np.testing.assert_array_equal(population.init["v"], before)
    state = simulation.state("noisy")
    state["v"][:] = 0.0
    assert np.all(simulation.state("noisy")["v"] != 0.0), "a copy"


def test_initial_values_per_neuron():
    population = noisy(n=3, init={"v": [-60.0, -55.0, -70.0]}, stimuli=())
    result = simulate(
        Network((population,)), duration=DT, dt=DT, record=Record("noisy", "v"), backend="numpy", fuse="off"
    )
    np.testing.assert_array_equal(result.traces["noisy"]["v"], [[-60.0, -55.0, -70.0]])


@FUSE
def test_refractory_period(fuse):
    """The potential stands still for t_ref, and the period grows by it."""
    drive = (Constant(3.0),)
    records = (Record("p", "spikes"), Record("p", "v"))
    periods = []
    for t_ref in (0.0, 4.0):
        population = Population("p", LIF(), 1, stimuli=drive, t_ref=t_ref)
        result = simulate(Network((population,)), duration=60.0, dt=DT, record=records, backend="numpy", fuse=fuse)
        periods.append(np.diff(result.spikes["p"].t)[0])
    assert periods[1] - periods[0] == pytest.approx(4.0)
    begin = round(result.spikes["p"].t[0] / DT)
    v = result.traces["p"]["v"][:, 0]
    np.testing.assert_array_equal(v[begin : begin + 41], -65.0)
    assert v[begin + 41] > -65.0


def test_a_window_is_never_longer_than_memory_allows(monkeypatch):
    steps = []
    net = Network((Population("p", LIF(), 10),))
    simulation = Simulation(net, dt=DT, backend="numpy", fuse="off")
    monkeypatch.setattr(engine_module, "WINDOW_BYTES", 1000)
    simulation.run(10.0, progress=lambda done, total: steps.append(done), record=Record("p", "v"))
    assert max(np.diff([0, *steps])) == 1000 // (10 * 8 + 10)
    assert steps[-1] == 100


# -- failures


class Runaway(NeuronModel):
    """v grows beyond all bounds at a rate of its own per neuron; u follows v."""

    class State(NamedTuple):
        u: object
        v: object

    rate: float = param(1.0, "1/ms", "growth")

    def init(self, xp):
        return self.State(0.0, 1.0)

    def derivatives(self, xp, s, i_syn):
        return self.State(s.v, self.rate * s.v * s.v)

    def threshold(self, xp, s):
        return s.v > 1e300


def runaway(rates):
    return Population("bad", Runaway(rate=rates), len(rates))


RATES = {
    "one neuron": np.array([0.0, 0.0, 2.0, 0.0]),
    "the earliest, in a later block": np.where(np.arange(4000) == 5, 1.0, np.where(np.arange(4000) == 3500, 2.0, 0.0)),
    "the lowest of many": np.where(np.arange(4000) >= 1700, 2.0, 0.0),
}


def failure(rates, fuse, *, records=(), before=(), **options):
    net = Network((*before, runaway(rates)))
    with pytest.raises(SimulationError) as caught:
        simulate(net, duration=20.0, dt=DT, method="euler", backend="numpy", fuse=fuse, record=records, **options)
    return caught.value


@pytest.mark.parametrize("case", RATES)
def test_what_is_not_finite_is_named_alike_by_every_engine(case, monkeypatch):
    eager = failure(RATES[case], "off")
    neuron = {"one neuron": 2, "the earliest, in a later block": 3500, "the lowest of many": 1700}[case]
    text = str(eager)
    assert "\n" not in text
    assert text.startswith(f"population 'bad': v of neuron {neuron} became inf at t = ")
    assert "(Runaway, dt = 0.1 ms, method 'euler')" in text
    assert text.endswith("check its parameters and input, or take a smaller dt")
    assert str(failure(RATES[case], "require")) == text
    monkeypatch.setattr(numba_engine, "_WORTH_A_THREAD", 1e-12)
    monkeypatch.setattr(numba_engine.numba, "get_num_threads", lambda: 3)
    assert str(failure(RATES[case], "require")) == text


@FUSE
@pytest.mark.parametrize("window", [1, 2, 64])
def test_the_time_of_the_failure_is_that_of_the_formula(monkeypatch, fuse, window):
    """Whatever the window in which it happens."""
    monkeypatch.setattr(engine_module, "FIRST_WINDOW", window)
    monkeypatch.setattr(engine_module, "LONGEST_WINDOW", window)
    v, step = 1.0, 0
    with np.errstate(over="ignore"):
        while np.isfinite(v):
            v, step = v + DT * 2.0 * np.float64(v) * v, step + 1
    assert f"became inf at t = {step * DT:g} ms" in str(failure(np.array([2.0, 0.0]), fuse))


@FUSE
def test_what_was_computed_before_is_kept(fuse):
    """All populations up to the same time, from the last whole window."""
    steady = Population("steady", LIF(), 2, stimuli=(Constant(10.0),))
    late = Population("bad", Runaway(rate=[0.07]), 1)
    records = [Record("steady", "v"), Record("bad", "v"), Record("steady", "spikes")]
    with pytest.raises(SimulationError) as caught:
        simulate(
            Network((steady, late)), duration=40.0, dt=DT, method="euler", backend="numpy", fuse=fuse, record=records
        )
    result = caught.value.result
    assert result.partial
    assert result.provenance["partial"] == "a state variable became non-finite"
    assert 0 < result.n_steps < 400
    assert result.traces["steady"]["v"].shape == (result.n_steps, 2)
    assert result.traces["bad"]["v"].shape == (result.n_steps, 1)
    assert np.isfinite(result.traces["bad"]["v"]).all()
    assert result.spikes["steady"].t.max() <= result.duration


def test_a_simulation_that_failed_does_not_go_on(refuses):
    simulation = Simulation(Network((runaway([2.0]),)), dt=DT, method="euler", backend="numpy", fuse="off")
    with pytest.raises(SimulationError):
        simulation.run(20.0)
    with refuses("cannot go on: make a new one"):
        simulation.run(20.0)


# -- memory


@pytest.fixture
def little_memory(monkeypatch):
    """A machine on which only this many bytes are free."""

    def free(size):
        monkeypatch.setattr(type(get("numpy")), "memory", lambda self: (size, 2 * size))

    return free


def test_a_network_that_does_not_fit_is_refused_before_anything_is_allocated(little_memory, refuses):
    little_memory(10**6)
    net = Network((Population("p", HodgkinHuxley(), 10**12),))
    with refuses(
        "this network on backend 'numpy' needs 32 TB (state 32 TB, ",
        "of 1 MB free: use fewer neurons, precision='float32'",
    ):
        Simulation(net, dt=0.01, backend="numpy")


def test_records_that_do_not_fit_are_refused_before_the_run(little_memory, refuses):
    simulation = Simulation(Network((Population("p", LIF(), 1000),)), dt=DT, backend="numpy", fuse="off")
    little_memory(10**7)
    with refuses(
        "this run needs ", "records 80 MB", "of 10 MB free: use fewer neurons, precision='float32' or fewer records"
    ):
        simulation.run(1000.0, record=Record("p", "v"))
    simulation.run(1.0, record=Record("p", "v"))
    simulation.run(1000.0, record=Record("p", "v", every=1000))


def measured(net, **options):
    """Peak of what NumPy allocates for a simulation that runs twice."""
    Simulation(net, dt=0.01, backend="numpy", **options).run(0.01)  # whatever is made once
    tracemalloc.start()
    try:
        simulation = Simulation(net, dt=0.01, backend="numpy", **options)
        for _ in range(2):
            simulation.run(0.64)
        return tracemalloc.get_traced_memory()[1], simulation.memory_estimate.total
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(
    "population",
    [
        Population("p", LIF(), 2_000_000),
        Population("p", LIF(), 1_000_000, t_ref=1.0),
        Population("p", LIF(r_m=np.linspace(9.0, 11.0, 1_000_000)), 1_000_000),
    ],
    ids=["LIF", "refractory", "per neuron"],
)
def test_the_estimate_is_what_a_kernel_takes(population, precision):
    taken, estimated = measured(Network((population,)), precision=precision, fuse="require")
    assert taken == pytest.approx(estimated, rel=0.1)


def test_the_estimate_bounds_what_arrays_take():
    taken, estimated = measured(Network((Population("p", LIF(), 200_000, t_ref=1.0),)), fuse="off")
    assert 0.3 * estimated < taken < estimated


# -- what compiles


def compilations(monkeypatch):
    """Sources that are loaded from now on."""
    loaded = []
    original = kernel_cache.load
    monkeypatch.setattr(
        numba_engine.kernel_cache, "load", lambda *arguments: loaded.append(original(*arguments)) or loaded[-1]
    )
    return loaded


def test_parameters_never_recompile(monkeypatch):
    loaded = compilations(monkeypatch)

    def run(**parameters):
        stimuli = (OrnsteinUhlenbeck(parameters.pop("sigma", 1.0), 5.0, mean=2.0),)
        dt, seed = parameters.pop("dt", DT), parameters.pop("seed", 0)
        net = Network(
            (Population(parameters.pop("name", "p"), LIF(**parameters), parameters.pop("n", 7), stimuli=stimuli),)
        )
        simulation = Simulation(net, dt=dt, backend="numpy", fuse="require", seed=seed)
        simulation.run(10 * dt)
        return next(iter(simulation.kernels.values()))

    first = run()
    misses = kernel_cache._load.cache_info().misses
    others = [run(tau_m=17.0), run(v_thresh=-48.25, r_m=3.0), run(sigma=0.1), run(dt=0.05), run(seed=9), run(name="q")]
    assert set(others) == {first}
    assert len({id(module) for module in loaded}) == 1
    assert kernel_cache._load.cache_info().misses == misses
    assert callable(next(iter(loaded)).kernel.ctypes)


def test_a_kernel_holds_no_parameter():
    population = Population("p", LIF(tau_m=17.125, r_m=3.375, v_thresh=-48.0625), 3, stimuli=(Constant(1.84375),))
    source = Simulation(Network((population,)), dt=0.03125, backend="numpy", fuse="require").kernels["p"]
    ast.parse(source)
    for value in ("17.125", "3.375", "48.0625", "1.84375", "0.03125"):
        assert value not in source


def test_populations_of_one_model_share_a_kernel(monkeypatch):
    loaded = compilations(monkeypatch)
    net = Network((Population("exc", LIF(), 3), Population("inh", LIF(tau_m=5.0), 2)))
    assert set(Simulation(net, dt=DT, backend="numpy", fuse="require").kernels) == {"exc", "inh"}
    assert len({id(module) for module in loaded}) == 1


def test_kernels_can_be_read():
    net = Network((noisy(), Population("axon", HodgkinHuxley(), 1)))
    fused = Simulation(net, dt=0.05, backend="numpy", fuse="require").kernels
    assert list(fused) == ["noisy", "axon"]
    assert all("def kernel(" in source for source in fused.values())
    eager = Simulation(net, dt=0.05, backend="numpy", fuse="off").kernels
    assert eager["axon"] == "axon: op by op with array_api_compat.numpy"


class Unfusible(NeuronModel):
    """A model with a function that no kernel knows."""

    class State(NamedTuple):
        v: object

    tau: float = param(10.0, "ms", above=0.0)

    def init(self, xp):
        return self.State(0.0)

    def derivatives(self, xp, s, i_syn):
        return self.State((xp.atan(i_syn) - s.v) / self.tau)

    def threshold(self, xp, s):
        return s.v > 1.0

    def reset(self, xp, s):
        return self.State(0.0)


def run_twice(simulation):
    simulation.run(1.0)
    simulation.run(1.0, record=Record("p", "i_syn"))
    return simulation


def test_a_formula_that_cannot_be_fused(refuses):
    net = Network((Population("p", Unfusible(), 2, stimuli=(Constant(3.0),)),))
    options = {"dt": DT, "backend": "numpy", "method": "euler"}
    with refuses(
        "fuse='require', but p cannot be fused on backend 'numpy': ", "xp.atan cannot be traced into a kernel"
    ):
        Simulation(net, fuse="require", **options)
    with pytest.warns(
        SlowPathWarning, match=r"p runs op by op on backend 'numpy': .*xp\.atan cannot be traced"
    ) as caught:
        simulation = run_twice(Simulation(net, **options))
    assert len(caught) == 1
    expected = (1 - (1 - DT / 10.0) ** 20) * np.arctan(3.0)
    np.testing.assert_allclose(simulation.state("p")["v"], expected)
    with refuses("method='exponential_euler' reads the linear part of Unfusible off a trace", "write method='euler'"):
        Simulation(net, dt=DT, backend="numpy", fuse="off").run(1.0)


def test_numba_that_is_not_installed(monkeypatch, refuses):
    monkeypatch.setattr(type(get("numpy")), "fusible", lambda self: "Numba is not installed: pip install numba")
    net = Network((Population("p", LIF(), 2),))
    with pytest.warns(SlowPathWarning, match="Numba is not installed: pip install numba; write fuse='off'"):
        Simulation(net, dt=DT, backend="numpy")
    with refuses("cannot be fused on backend 'numpy': Numba is not installed"):
        Simulation(net, dt=DT, backend="numpy", fuse="require")


def test_a_kernel_takes_more_steps_than_one_call_of_its_code():
    def kernel():
        population = Population("p", LIF(), 2, stimuli=(Constant([1.6, 3.0]),))
        simulation = Simulation(Network((population,)), dt=DT, backend="numpy", fuse="require")
        assert "p" in simulation.kernels
        return simulation._kernels["p"]

    n = numba_engine.MAX_STEPS + 100
    at_once, in_two = kernel(), kernel()
    all_of_it = at_once.advance(0, n)
    first, second = in_two.advance(0, 1000), in_two.advance(1000, n - 1000)
    assert len(all_of_it.steps) > 100
    np.testing.assert_array_equal(all_of_it.steps, np.concatenate([first.steps, second.steps]))
    np.testing.assert_array_equal(all_of_it.lanes, np.concatenate([first.lanes, second.lanes]))
    np.testing.assert_array_equal(at_once.read("v"), in_two.read("v"))
