"""Checkpoints: a resumed run is the straight one, bit for bit, on any engine; what is no checkpoint is refused."""

import doctest
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import plastic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import DT, everything, flat, networks

from neurosim import (
    Constant,
    Network,
    OrnsteinUhlenbeck,
    PoissonInput,
    Population,
    Projection,
    Record,
    Result,
    Simulation,
    SimulationError,
    SpikeSource,
    Step,
    UsageError,
    WhiteNoise,
    connect,
    engine,
)
from neurosim.backends import threads
from neurosim.distributions import Normal, Uniform
from neurosim.models import LIF, HodgkinHuxley, Izhikevich, PoissonSource
from neurosim.receptors import Delta, ExponentialCurrent

ENGINES = [("off", 1), ("require", 1), ("require", 2)]  # fuse, threads


def left(simulation, results):
    """All that runs and a simulation leave behind, by name."""
    net = simulation.net
    learn = {f"{name} weights": simulation.weights(name).weight for name in simulation.plastic}
    return flat(results, {p.name: simulation.state(p.name) for p in net.populations}) | learn


class Engine:
    """Simulations of one network on one engine."""

    def __init__(self, build, fuse="auto", owners=1, backend="numpy", **options):
        self.build, self.options = build, options
        self.where, self.owners = {"fuse": fuse, "backend": backend}, owners

    def _with(self, make):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(threads, "threads_for", lambda neurons: self.owners)
            simulation = make(self.build())
            assert simulation.kernels  # made with so many threads
        if self.where["fuse"] == "require" and simulation._loop is not None:
            assert simulation._loop.threads == self.owners
        simulation.plastic = [
            q.name for q in simulation.net.projections if q.plasticity is not None and q.plasticity.learns
        ]
        return simulation

    def new(self):
        return self._with(lambda net: Simulation(net, dt=DT, **self.where, **self.options))

    def load(self, path):
        return self._with(lambda net: Simulation.load(path, net, **self.where))


def check(tmp_path, first, second, durations, records=everything):
    """A straight run of the second engine, against one that the first began."""
    a, b = durations
    straight = second.new()
    expected = left(straight, [straight.run(d, record=records(straight.net)) for d in durations])
    begun, path = first.new(), tmp_path / "checkpoint.h5"
    if a:
        before = begun.run(a, record=records(begun.net))
    begun.save(path)
    if not a:  # nothing has run when it is written
        before = begun.run(0.0, record=records(begun.net))
    resumed = second.load(path)
    assert resumed.t == begun.t
    assert (resumed.dt, resumed.seed, resumed.method) == (straight.dt, straight.seed, straight.method)
    assert resumed.precision == straight.precision
    found = left(resumed, [before, resumed.run(b, record=records(resumed.net))])
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name].dtype == values.dtype, name
        np.testing.assert_array_equal(found[name], values, name)
    return found


@settings(max_examples=10, deadline=None)
@given(
    net=networks(),
    engines=st.tuples(st.sampled_from(ENGINES), st.sampled_from(ENGINES)),
    durations=st.sampled_from([(0.0, 12.0), (0.1, 11.9), (7.3, 4.7), (11.0, 3.0)]),
    seed=st.integers(0, 2**64 - 1),
)
def test_a_resumed_run_is_the_straight_one(tmp_path_factory, net, engines, durations, seed):
    first, second = (Engine(lambda: net, *engine, method="euler", seed=seed) for engine in engines)
    check(tmp_path_factory.mktemp("checkpoint"), first, second, durations)


def of_plastic(net):
    return [Record("a", "spikes"), Record("b", "spikes"), Record("b", "v", every=7)]


@settings(max_examples=14, deadline=None)
@given(
    rule=st.sampled_from(sorted(plastic.RULES)),
    engines=st.tuples(st.sampled_from(ENGINES), st.sampled_from(ENGINES)),
    durations=st.sampled_from([(0.0, 20.0), (0.1, 29.9), (13.7, 16.3), (33.3, 6.7)]),
    longest=st.sampled_from([DT, 2.0, 12.0]),
    n=st.sampled_from([(1, 1), (3, 7), (20, 250)]),
    precision=st.sampled_from(["float64", "float32"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_plastic_synapses_too(tmp_path_factory, rule, engines, durations, longest, n, precision, seed):
    def build():
        return plastic.network(plastic.RULES[rule], seed, longest=longest, n=n)

    first, second = (Engine(build, *engine, precision=precision, seed=seed) for engine in engines)
    check(tmp_path_factory.mktemp("checkpoint"), first, second, durations, of_plastic)


@pytest.mark.parametrize("rule", plastic.RULES.values(), ids=plastic.RULES)
def test_every_rule_changes_engine_and_threads(tmp_path, rule):
    """Long delays: most of the source's spikes are in flight when the file is written."""

    def build():
        return plastic.network(rule, 8, longest=12.0)

    engines = [Engine(build, *engine, seed=8) for engine in ENGINES]
    for first, second in ((0, 2), (2, 0), (1, 2)):
        found = check(tmp_path, engines[first], engines[second], (13.7, 16.3), of_plastic)
    assert len(found["a spikes t"]) > 50
    simulation = engines[0].load(tmp_path / "checkpoint.h5")
    if rule.learns:
        fresh = engines[0].new()
        assert (simulation.weights("learns").weight != fresh.weights("learns").weight).mean() > 0.2


def noisy():
    """Everything that draws: noise, Poisson input, random spikes, synapses; and what remembers besides potentials."""
    receptors = {"excitatory": ExponentialCurrent(3.0), "jump": Delta()}
    noise = (OrnsteinUhlenbeck(0.5, 5.0, mean=1.6), WhiteNoise(0.3), PoissonInput(3000.0, 0.05))
    cells = Population("cells", LIF(), 60, noise, t_ref=1.5, receptors=receptors)
    axons = Population("axons", HodgkinHuxley(), 15, (Constant(np.linspace(0.0, 15.0, 15)),), receptors=receptors)
    given = Population("given", SpikeSource(np.arange(1.0, 60.0, 0.7)), 2)
    random = Population("random", PoissonSource(rate=80.0), 40)
    weight, delay = Normal(0.4, 0.1, low=0.0), Uniform(DT, 3.0)
    some = connect.fixed_probability(0.2)
    return Network(
        (cells, axons, given, random),
        (
            Projection("cells", "cells", some, weight, delay),
            Projection("random", "cells", some, 0.6, 1.0, "jump"),
            Projection("given", "axons", connect.all_to_all(), 0.2, 7.7),
            Projection("cells", "axons", some, weight, delay, "jump"),
        ),
    )


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_noise_and_all_that_remembers(tmp_path, precision):
    for first, second in ((("require", 1), ("require", 2)), (("off", 1), ("off", 1))):
        engines = [Engine(noisy, *of, precision=precision, seed=2**64 - 1) for of in (first, second)]
        found = check(tmp_path, *engines, (17.3, 12.7))
    assert len(found["cells spikes t"]) > 100


def test_populations_that_nothing_joins(tmp_path):
    def build():
        return Network(noisy().populations[:1])

    for durations in ((17.3, 12.7), (0.0, 5.0)):
        check(tmp_path, Engine(build, "off"), Engine(build, "off"), durations)
        check(tmp_path, Engine(build, "require"), Engine(build, "require"), durations)


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
def test_another_array_library_goes_on(tmp_path, library):
    """With operations that every library rounds alike, so that bits can be asked for."""
    pytest.importorskip(library)

    def build():
        receptors = {"jump": Delta()}
        cells = Population("cells", Izhikevich(), 30, (Constant(np.linspace(5, 15, 30)),), receptors=receptors)
        given = Population("given", SpikeSource(np.arange(1.0, 40.0, 0.5)), 1)
        everyone = connect.all_to_all()
        return Network(
            (cells, given),
            (
                Projection("given", "cells", everyone, 0.5, 3.0, "jump", plastic.RULES["additive"]),
                Projection("cells", "cells", everyone, 0.02, 1.3, "jump"),
            ),
        )

    others, numpy = Engine(build, "off", backend=library, method="euler"), Engine(build, "require", method="euler")
    for first, second in ((others, numpy), (numpy, others), (others, others)):
        check(tmp_path, first, second, (17.3, 12.7))


def test_synapses_may_be_stored_or_not(tmp_path):
    def build(stored):
        net = noisy()
        return lambda: Network(net.populations, tuple(replace(q, stored=stored) for q in net.projections))

    for first, second in ((False, False), (True, False), (False, True)):
        check(tmp_path, Engine(build(first), "require", 1), Engine(build(second), "require", 2), (17.3, 12.7))
    check(tmp_path, Engine(build(False), "off"), Engine(build(True), "off"), (17.3, 12.7))


def test_many_checkpoints_on_the_way(tmp_path):
    """Written by the progress of one run, and each read; what writes is not disturbed."""
    net, path, times = noisy(), tmp_path / "c.h5", []
    record = everything(net)
    straight = Simulation(net, dt=DT, seed=3)
    expected = straight.run(60.0, record=record)

    def keep(done, total):
        simulation.save(tmp_path / f"{done}.h5")
        times.append(done)

    simulation = Simulation(net, dt=DT, seed=3)
    written = simulation.run(60.0, record=record, progress=keep)
    for name, values in flat([expected], {}).items():
        np.testing.assert_array_equal(flat([written], {})[name], values, name)
    assert len(times) > 2
    for done in times[:-1]:
        resumed = Simulation.load(tmp_path / f"{done}.h5", net)
        resumed.run(60.0 - resumed.t)
        resumed.save(path)
        for name in ("cells", "axons"):
            for variable, values in straight.state(name).items():
                np.testing.assert_array_equal(Simulation.load(path, net).state(name)[variable], values)


def test_what_is_recorded_may_change(tmp_path):
    """A kernel that gives out the current is another kernel, which takes over what was loaded."""
    net, path = noisy(), tmp_path / "c.h5"
    straight = Simulation(net, dt=DT, backend="numpy")
    straight.run(10.0)
    straight.save(path)
    expected = straight.run(10.0, record=Record("cells", "i_syn"))
    found = Simulation.load(path, net, backend="numpy").run(10.0, record=Record("cells", "i_syn"))
    np.testing.assert_array_equal(found.traces["cells"]["i_syn"], expected.traces["cells"]["i_syn"])
    assert found.times("cells", "i_syn")[0] == pytest.approx(10.0)


def test_the_example_runs():
    assert doctest.testmod(engine) == (0, 8)


# -- what is refused


def joined(**changes):
    """A network of every kind of declaration, some of it changed."""
    of = {
        "model": LIF(tau_m=10.0, r_m=np.linspace(9.0, 11.0, 8)),
        "n": 8,
        "stimuli": (Constant(np.linspace(1.0, 2.0, 8)), PoissonInput(100.0, 0.1)),
        "t_ref": 1.0,
        "init": {"v": np.linspace(-70.0, -60.0, 8)},
        "receptors": {"excitatory": ExponentialCurrent(3.0), "jump": Delta()},
        "names": ("a", "b"),
        "spikes": [1.0, 2.8],  # the last is in flight at 3 ms
        "connect": connect.fixed_probability(0.5),
        "listed": connect.from_arrays([0, 1], [1, 2]),
        "weight": Normal(0.4, 0.1, low=0.0, high=0.9),
        "weights": [0.1, 0.2],
        "delay": 1.0,
        "rule": plastic.PAIR,
        "receptor": "excitatory",
        "more": (),
    } | changes
    a = Population(
        of["names"][0], of["model"], of["n"], of["stimuli"], of["t_ref"], init=of["init"], receptors=of["receptors"]
    )
    b = Population(of["names"][1], SpikeSource(of["spikes"]), 8)
    return Network(
        (a, b, *of["more"]),
        (
            Projection(
                a.name, a.name, of["connect"], of["weight"], of["delay"], of["receptor"], of["rule"], name="one"
            ),
            Projection(b.name, a.name, of["listed"], of["weights"], 0.5, name="two"),
        ),
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "checkpoint.h5"
    simulation = Simulation(joined(), dt=DT, fuse="off", backend="numpy")
    simulation.run(3.0)
    simulation.save(path)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": LIF(tau_m=12.0, r_m=np.linspace(9.0, 11.0, 8))}, "model.tau_m of population 'a' is 12.0, .* 10.0"),
        ({"model": LIF(r_m=np.linspace(9.0, 11.5, 8))}, "model.r_m of population 'a' is <8 values, sha256"),
        ({"model": LIF(r_m=10.0)}, "model.r_m of population 'a' is 10.0, in the checkpoint <8 values"),
        ({"model": Izhikevich()}, "model of population 'a' is Izhikevich, in the checkpoint LIF"),
        ({"stimuli": (Constant(1.0), PoissonInput(100.0, 0.1))}, r"stimuli\[0\].amplitude of population 'a' is 1.0"),
        ({"stimuli": (Constant(np.linspace(1.0, 2.0, 8)),)}, r"stimuli\[1\] of population 'a' is not there"),
        ({"stimuli": (Step(1.0), PoissonInput(100.0, 0.1))}, r"stimuli\[0\] of population 'a' is Step"),
        ({"t_ref": 1.1}, "t_ref of population 'a' is 1.1, in the checkpoint 1.0"),
        ({"init": {"v": -70.0}}, r"init\['v'\] of population 'a' is -70.0"),
        ({"init": {}}, r"init\['v'\] of population 'a' is not there"),
        (
            {"receptors": {"excitatory": ExponentialCurrent(4.0), "jump": Delta()}},
            r"receptors\['excitatory'\].tau of population 'a' is 4.0, in the checkpoint 3.0",
        ),
        ({"receptors": {"jump": Delta(), "excitatory": ExponentialCurrent(3.0)}}, "receptors of population 'a' is"),
        ({"names": ("b", "a")}, r"populations of the network is \['b', 'a'\], in the checkpoint \['a', 'b'\]"),
        ({"more": (Population("c", LIF(), 1),)}, r"populations of the network is \['a', 'b', 'c'\]"),
        ({"spikes": [1.0, 2.1]}, "model.t of population 'b' is <2 values"),
        ({"connect": connect.fixed_probability(0.6)}, "connect.p of projection 'one' is 0.6, in the checkpoint 0.5"),
        ({"connect": connect.all_to_all()}, "connect of projection 'one' is AllToAll, in the checkpoint Fixed"),
        ({"listed": connect.from_arrays([0, 1], [1, 3])}, "connect.target of projection 'two' is <2 values"),
        ({"weights": [0.1, 0.3]}, "weight of projection 'two' is <2 values"),
        ({"weight": 0.4}, "weight of projection 'one' is 0.4, in the checkpoint Normal"),
        ({"weight": Normal(0.4, 0.2, low=0.0, high=0.9)}, "weight.* of projection 'one' is 0.2, in the checkpoint 0.1"),
        ({"delay": 1.1}, "delay of projection 'one' is 1.1, in the checkpoint 1.0"),
        ({"rule": None}, "plasticity of projection 'one' is None, in the checkpoint STDP"),
        ({"rule": plastic.RULES["nearest"]}, "plasticity.pairing of projection 'one' is 'nearest'"),
        ({"receptor": "jump"}, "receptor of projection 'one' is 'jump', in the checkpoint 'excitatory'"),
    ],
)
def test_another_network_is_refused_in_one_line(saved, changes, message):
    with pytest.raises(UsageError, match=f"is a checkpoint of another network: {message}") as caught:
        Simulation.load(saved, joined(**changes))
    assert "\n" not in str(caught.value)
    assert "load it with the network that was saved" in str(caught.value)


def test_the_same_network_declared_again_is_known(saved):
    assert Simulation.load(saved, joined(), fuse="off").t == pytest.approx(3.0)


def test_listed_synapses_are_what_they_list(tmp_path):
    """Where they were read from does not matter."""
    matrix = np.triu(np.full((8, 8), 0.25))
    source, target = np.nonzero(matrix)
    for k, weight in enumerate((0.25, 0.25, 0.5)):
        np.savez(tmp_path / f"{k}.npz", source=source, target=target, weight=np.full(len(source), weight))

    def net(connector):
        cells = Population("cells", LIF(), 8, receptors={"excitatory": Delta()})
        return Network((cells,), (Projection("cells", "cells", connector, delay=1.0),))

    Simulation(net(connect.from_file(tmp_path / "0.npz")), dt=DT, fuse="off").save(tmp_path / "c.h5")
    Simulation.load(tmp_path / "c.h5", net(connect.from_file(tmp_path / "1.npz")), fuse="off")
    with pytest.raises(UsageError, match=r"connect\.weight of projection .* is <36 values"):
        Simulation.load(tmp_path / "c.h5", net(connect.from_file(tmp_path / "2.npz")), fuse="off")
    Simulation(net(connect.from_matrix(matrix)), dt=DT, fuse="off").save(tmp_path / "m.h5")
    Simulation.load(tmp_path / "m.h5", net(connect.from_matrix(matrix.tolist())), fuse="off")
    with pytest.raises(UsageError, match=r"connect\.weight of projection"):
        Simulation.load(tmp_path / "m.h5", net(connect.from_matrix(2 * matrix)), fuse="off")


def spoiled(change):
    """Of a file that is opened to be changed."""

    def spoil(path):
        with h5py.File(path, "r+") as file:
            change(file)

    return spoil


def shorter(name):
    def change(file):
        values = file[name][:]
        del file[name]
        file[name] = values[:-1]

    return change


def move(name, by):
    def change(file):
        file[name][...] = file[name][:] + by

    return change


def remove(name):
    def change(file):
        del file[name]

    return change


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "there is no file"),
        (lambda path: (path.unlink(), path.mkdir()), "is a folder"),
        (lambda path: path.write_bytes(b"not HDF5"), "of another format or damaged"),
        (lambda path: path.write_bytes(b""), "of another format or damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5000]), "of another format or damaged"),
        (spoiled(lambda file: file.attrs.pop("format")), "is no checkpoint of neurosim: it was written by something"),
        (spoiled(lambda file: file.attrs.modify("version", 7)), "has version 7 of the format, not 1: use the neurosim"),
        (spoiled(lambda file: file.attrs.pop("step")), "damaged"),
        (spoiled(remove("populations")), "damaged"),
        (spoiled(remove("in-flight")), "damaged"),
        (spoiled(lambda file: file["network-json"].write_direct(np.zeros_like(file["network-json"][:]))), "damaged"),
        (spoiled(remove("populations/a/v")), "does not fit its network in 'a/v'"),
        (spoiled(shorter("populations/a/v")), "does not fit its network in 'a/v'"),
        (spoiled(shorter("plastic/0/weight")), "does not fit its network in 'one/weight'"),
        (spoiled(shorter("plastic/0/post")), "does not fit its network in 'one/post'"),
        (spoiled(move("in-flight/neuron", 100)), "does not fit its network in 'in-flight'"),
        (spoiled(move("in-flight/step", 100)), "does not fit its network in 'in-flight'"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused_in_one_line(tmp_path, saved, spoil, message):
    path = tmp_path / "checkpoint.h5"
    path.write_bytes(saved.read_bytes())
    spoil(path)
    with pytest.raises(UsageError, match=message) as caught:
        Simulation.load(path, joined(), fuse="off")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_records_are_no_checkpoint_and_are_not_overwritten(tmp_path):
    simulation, path = Simulation(joined(), dt=DT, fuse="off"), tmp_path / "run.h5"
    simulation.run(1.0, record=Record("a", "v"), sink=path)
    with pytest.raises(UsageError, match=r"is no checkpoint of neurosim: Result\.load reads it"):
        Simulation.load(path, joined())
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"run\.h5 is no checkpoint .* not overwritten: .* as 'run-checkpoint\.h5'"):
        simulation.save(path)
    assert path.read_bytes() == before
    assert Result.load(path).n_steps == 10


def test_other_arguments_that_cannot_be(tmp_path, saved):
    simulation = Simulation(joined(), dt=DT, fuse="off")
    with pytest.raises(UsageError, match="takes the network that was simulated, got Population"):
        Simulation.load(saved, joined().populations[0])
    with pytest.raises(UsageError, match="unknown fuse 'of'"):
        Simulation.load(saved, joined(), fuse="of")
    for wrong in (None, 3):
        with pytest.raises(UsageError, match=r"give the path of a file, as 'checkpoint\.h5'"):
            Simulation.load(wrong, joined())
        with pytest.raises(UsageError, match=r"give the path of a file, as 'checkpoint\.h5'"):
            simulation.save(wrong)
    with pytest.raises(UsageError, match="is a folder: write the path of a file"):
        simulation.save(tmp_path)
    with pytest.raises(UsageError, match="does not exist: make it first"):
        simulation.save(tmp_path / "nowhere" / "c.h5")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is no folder"):
        simulation.save(tmp_path / "file" / "c.h5")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_what_was_cut_off_is_not_saved(tmp_path):
    wild = Population("wild", LIF(), 2, (Step([0.0, -1e308], start=3.0),))
    simulation = Simulation(Network((wild,)), dt=DT, fuse="off")
    with pytest.raises(SimulationError):
        simulation.run(10.0)
    with pytest.raises(UsageError, match="cut off in the midst of a window and cannot be saved"):
        simulation.save(tmp_path / "c.h5")
    assert not list(tmp_path.iterdir())


# -- whole or not at all


def test_a_link_keeps_leading_to_its_file(tmp_path):
    (tmp_path / "disk").mkdir()
    real, link = tmp_path / "disk" / "c.h5", tmp_path / "c.h5"
    simulation = Simulation(joined(), dt=DT, fuse="off")
    simulation.save(real)
    link.symlink_to(real)
    simulation.run(1.0)
    simulation.save(link)
    assert link.is_symlink()
    assert Simulation.load(real, joined(), fuse="off").t == pytest.approx(1.0)
    assert [p.name for p in real.parent.iterdir()] == ["c.h5"]


CHILD = """
import sys
sys.path.insert(0, {tests!r})
from test_checkpoint import *
path = Path(sys.argv[1])
simulation = Simulation(joined(), dt=DT, fuse="off", backend="numpy")
"""
FULL = """
import resource
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
simulation.save(path)
before, whole = path.read_bytes(), path.stat().st_size
simulation.run(3.0)
for size in (0, 10, 100, 3000, whole // 2, whole - 1):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        simulation.save(path)
    except UsageError as error:
        print(error)
    assert path.read_bytes() == before and len(list(path.parent.glob("*.h5*"))) == 1
    assert not list(path.parent.glob(".*"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
simulation.save(path)
print(Simulation.load(path, joined(), fuse="off").t)
"""
ENDLESS = """
while True:
    simulation.save(path)
    print(simulation.t, flush=True)
    simulation.run(1.0)
"""


def child(folder, body):
    script = folder / "child.py"
    script.write_text(CHILD.format(tests=str(Path(__file__).parent)) + body)
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(script), str(folder / "c.h5")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits and signals")
class TestProcesses:
    def test_a_full_disk_keeps_the_checkpoint_before(self, tmp_path):
        out, err = (process := child(tmp_path, FULL)).communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        *refused, t = out.splitlines()
        reason = "File too large; the checkpoint before is kept: make room, or write another path"
        assert refused == [f"cannot write {tmp_path / 'c.h5'}: {reason}"] * 6
        assert float(t) == pytest.approx(3.0)

    def test_a_kill_at_any_moment_leaves_a_whole_checkpoint(self, tmp_path):
        rng = np.random.default_rng()
        for _ in range(3):
            process = child(tmp_path, ENDLESS)
            said = process.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.3))
            process.send_signal(signal.SIGKILL)
            out, err = process.communicate(timeout=60)
            assert err == ""
            last = float([said, *out.splitlines()][-1])
            t = Simulation.load(tmp_path / "c.h5", joined(), fuse="off").t
            assert last - 1e-9 <= t <= last + 1.0 + 1e-9
