"""Every mistake of a user is answered by one line that names the object, the value and what to write instead.

Mistakes in declarations are tested beside what declares: populations, records, stimuli, parameters, backends.
"""

import math
import re
from typing import NamedTuple

import numpy as np
import pytest

import neurosim.models
from neurosim import (
    Constant,
    Network,
    NeuronModel,
    Population,
    Reference,
    Simulation,
    SimulationError,
    UsageError,
    param,
    register,
    simulate,
)
from neurosim.backends.errors import nearest
from neurosim.integrators import INTEGRATORS
from neurosim.models import LIF, HodgkinHuxley, get_model
from neurosim.scenario import check_scale, get_scenario

NET = Network((Population("p", LIF(), 3, stimuli=(Constant(2.0),)),))


def run(net=NET, **options):
    return simulate(net, **{"dt": 0.1, "duration": 1.0, "backend": "numpy", "fuse": "off"} | options)


# -- options of a simulation


@pytest.mark.parametrize("dt", [0, -0.1, np.nan, np.inf, "0.1", None, True, 1j, [0.1]])
def test_steps(refuses, dt):
    with refuses(f"dt = {dt!r} ms: must be a finite number above 0, for example dt=0.1"):
        run(dt=dt)


def test_a_step_that_is_too_large(refuses):
    with refuses("dt = 0.5 ms is too large for population 'axon': HodgkinHuxley is stable up to 0.1 ms", "write dt="):
        run(Network((Population("axon", HodgkinHuxley(), 1),)), dt=0.5)
    with refuses("LIF is stable up to 4 ms with these parameters; write dt=2 or less"):
        run(Network((Population("p", LIF(tau_m=[9.0, 4.0]), 2),)), dt=5.0)


@pytest.mark.parametrize("duration", [-1, np.nan, np.inf, "10", None, True, 1j, [1.0]])
def test_durations(refuses, duration):
    with refuses(f"duration = {duration!r} ms: must be a finite number, at least 0"):
        run(duration=duration)


@pytest.mark.parametrize(
    ("duration", "dt"),
    [(0.05, 0.1), (1.23, 0.1), (100.003, 0.01), (123456.78, 0.1), (1234567.7, 0.3), (1e9 + 0.1, 0.25)],
)
def test_durations_that_are_no_whole_number_of_steps(refuses, duration, dt):
    """What the message says to write is accepted."""
    from neurosim.checks import whole_steps

    with refuses(f"duration = {duration!r} ms is no whole number of steps of {dt:g} ms: write duration=") as caught:
        run(duration=duration, dt=dt)
    advised = float(re.search(r"write duration=(\S+)$", str(caught.value)).group(1))
    assert whole_steps(advised, dt) >= 1
    assert abs(advised - duration) <= dt


def test_more_steps_than_are_counted(refuses):
    with refuses("this run would end at step 4000000000, and steps are counted up to 2147483647: run at most"):
        run(duration=4e9, dt=1.0)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("backend", "numpi", "unknown backend 'numpi': did you mean 'numpy'? known: "),
        ("precision", "float46", "unknown precision 'float46': did you mean 'float64'? known: float32, float64"),
        ("precision", None, "unknown precision None: known: float32, float64"),
        ("method", "exponential_eulr", "unknown method 'exponential_eulr': did you mean 'exponential_euler'?"),
        ("method", ["rk4"], "unknown method ['rk4']: "),
        ("fuse", "required", "unknown fuse 'required': did you mean 'require'? known: auto, off, require"),
        ("fuse", True, "unknown fuse True: "),
        ("seed", -1, "seed = -1: must be a whole number from 0 to 2**64 - 1"),
        ("seed", 2**64, "must be a whole number from 0 to 2**64 - 1"),
        ("seed", 1.5, "seed = 1.5: must be a whole number"),
        ("seed", None, "seed = None: must be a whole number"),
        ("progress", "bar", "progress = 'bar': write None, True, False or a function of (done, total)"),
        ("sink", 3, "sink = 3: give a path of an HDF5 file, a Sink, or nothing"),
    ],
)
def test_options(refuses, option, value, message):
    with refuses(message):
        run(**{option: value})


def test_options_that_do_not_exist(refuses):
    with refuses("simulate has no option 'sed': did you mean 'seed'? known: backend, fuse, method, precision, "):
        run(sed=3)


@pytest.mark.parametrize("net", [LIF(), None, Population("p", LIF(), 1), Network])
def test_networks(refuses, net):
    with refuses("Simulation takes a Network, got ", "write Simulation(Network((…,)), …)"):
        run(net)


def test_a_refractory_period_shorter_than_a_step(refuses):
    net = Network((Population("p", LIF(), 1, t_ref=0.04),))
    with refuses("population 'p': t_ref = 0.04 ms is less than half a step of 0.1 ms: write t_ref=0 or t_ref=0.1"):
        run(net)


def test_a_method_for_linear_models(refuses):
    with refuses("method='exact' needs a linear model, and dv/dt of HodgkinHuxley is not linear", "write method='"):
        run(Network((Population("axon", HodgkinHuxley(), 1),)), method="exact")


# -- formulas

ANY_ENGINE = pytest.mark.parametrize(
    "engine",
    [
        {"fuse": "off", "method": "euler"},
        {"fuse": "off"},
        {"fuse": "require"},
        {"fuse": "off", "backend": "array_api_strict", "method": "rk4"},
    ],
    ids=["eager", "eager exponential", "fused", "strict"],
)


class Base(NeuronModel):
    """Whatever the models below do not do wrong."""

    abstract = True

    class State(NamedTuple):
        v: object
        w: object

    tau: float = param(10.0, "ms", above=0.0)

    def init(self, xp):
        return self.State(0.0, 0.0)

    def derivatives(self, xp, s, i_syn):
        return self.State((i_syn - s.v) / self.tau, -s.w)

    def threshold(self, xp, s):
        return s.v > 1.0

    def reset(self, xp, s):
        return self.State(0.0, s.w)


class Mistake(NamedTuple):
    """What is done wrong, in which method, and parts of the answer."""

    method: str
    formula: object
    answer: tuple[str, ...]


def writes_everything(self, xp, s, i_syn):
    s.v[...] = 0.0
    return self.State(-s.v, -s.w)


def writes_where_masked(self, xp, s):
    s.v[s.v > 1.0] = 0.0
    return s


def adds_in_place(self, xp, s, i_syn):
    v = s.v
    v += 1.0
    return self.State(v, -s.w)


MISTAKES = {
    "branches": Mistake(
        "derivatives",
        lambda self, xp, s, i_syn: self.State(-s.v if s.v > 0 else i_syn, -s.w),
        ("a traced value has no truth value: replace `if x > 0:`", "xp.where(x > 0, a, b)"),
    ),
    "branches in its reset": Mistake(
        "reset", lambda self, xp, s: s if s.v > 0 else self.State(0.0, 0.0), ("xp.where(x > 0, a, b)",)
    ),
    "writes": Mistake("derivatives", writes_everything, ("must not write into its arguments", "xp.where(mask, a, x)")),
    "writes in its reset": Mistake("reset", writes_where_masked, ("xp.where(mask, a, x)",)),
    "adds in place": Mistake("derivatives", adds_in_place, ("replace `x += a` by `x = x + a`",)),
    "numpy": Mistake(
        "derivatives", lambda self, xp, s, i_syn: self.State(np.exp(-s.v), -s.w), ("np.exp was called", "write xp.exp")
    ),
    "math": Mistake(
        "derivatives",
        lambda self, xp, s, i_syn: self.State(math.exp(-s.v), -s.w),
        ("replace math.exp(x), float(x) by xp.exp(x), x",),
    ),
    "a NumPy number": Mistake(
        "derivatives",
        lambda self, xp, s, i_syn: self.State(np.sqrt(2.0) * s.v, -s.w),
        ("NumPy's float64 1.41421356", "write float(…) around it"),
    ),
    "a NumPy number behind": Mistake(
        "derivatives",
        lambda self, xp, s, i_syn: self.State(s.v * np.sqrt(2.0), -s.w),
        ("NumPy's float64 1.41421356", "write float(…) around it"),
    ),
    "an array of its own": Mistake(
        "derivatives",
        lambda self, xp, s, i_syn: self.State(s.v * np.ones(3), -s.w),
        ("a NumPy array of shape (3,)", "make it a `param` of the model"),
    ),
    "a power": Mistake(
        "derivatives", lambda self, xp, s, i_syn: self.State(-(s.v**3), -s.w), ("x*x*x instead of x**3",)
    ),
    "a tuple": Mistake(
        "derivatives",
        lambda self, xp, s, i_syn: (-s.v, -s.w),
        ("Wrong.derivatives returned tuple: return self.State(v=…, w=…)",),
    ),
    "a dict": Mistake(
        "derivatives", lambda self, xp, s, i_syn: {"v": -s.v, "w": -s.w}, ("Wrong.derivatives returned dict: return",)
    ),
    "nothing": Mistake(
        "derivatives", lambda self, xp, s, i_syn: None, ("Wrong.derivatives returned NoneType: return",)
    ),
    "a tuple from reset": Mistake("reset", lambda self, xp, s: (0.0, 0.0), ("Wrong.reset returned tuple: return",)),
    "a tuple from init": Mistake("init", lambda self, xp: (0.0, 0.0), ("Wrong.init returned tuple: return",)),
    "a number as threshold": Mistake(
        "threshold",
        lambda self, xp, s: s.v,
        ("Wrong.threshold returned an array of float64: return a condition on arrays, as in s.v > self.v_thresh",),
    ),
    "a bool as threshold": Mistake(
        "threshold", lambda self, xp, s: False, ("Wrong.threshold returned bool: return a condition on arrays",)
    ),
    "another precision": Mistake(
        "derivatives",
        lambda self, xp, s, i_syn: self.State(xp.astype(s.v, xp.int64), -s.w),
        ("do not mix in the Array API",),
    ),
}


@ANY_ENGINE
@pytest.mark.parametrize("mistake", MISTAKES)
def test_formulas(refuses, engine, mistake):
    """The same words, whichever engine, method and library."""
    method, formula, answer = MISTAKES[mistake]
    wrong = type("Wrong", (Base,), {method: formula})
    net = Network((Population("cells", wrong(), 3, stimuli=(Constant(0.3),)),))
    place = () if method == "init" else ("population 'cells' (Wrong): ",)
    with refuses(*place, *answer):
        run(net, **engine)


def test_a_formula_must_not_write_into_its_parameters():
    class Wrong(Base):
        def derivatives(self, xp, s, i_syn):
            self.tau = 5.0
            return self.State(-s.v, -s.w)

    with pytest.raises(AttributeError, match="cannot assign to field 'tau'"):
        run(Network((Population("cells", Wrong(), 3),)))


def test_eager_arrays_are_read_only():
    """What escapes the tracer, as in a formula that no kernel could run, meets arrays that cannot be written."""

    class Wrong(Base):
        def derivatives(self, xp, s, i_syn):
            v = xp.atan(s.v)  # ends the trace
            s.v[...] = 0.0
            return self.State(v, -s.w)

    class Parameter(Base):
        def derivatives(self, xp, s, i_syn):
            v = xp.atan(s.v)
            self.tau[...] = 0.0
            return self.State(v, -s.w)

    for wrong in (Wrong(), Parameter(tau=[1.0, 2.0, 3.0])):
        with pytest.raises(UsageError, match=r"cells: the formula writes into its state; replace .* by xp\.where"):
            run(Network((Population("cells", wrong, 3),)), method="euler")


@pytest.mark.parametrize("backend", ["numpy", "array_api_strict", pytest.param("torch", marks=pytest.mark.torch)])
def test_a_branch_that_escapes_the_tracer(backend):
    class Wrong(Base):
        def derivatives(self, xp, s, i_syn):
            v = xp.atan(s.v)  # ends the trace
            return self.State(v if s.v > 0 else -v, -s.w)

    if backend == "torch":
        pytest.importorskip("torch")
    with pytest.raises(UsageError, match=r"cells: the formula branches on an array; replace `if x > 0:` by xp\.where"):
        run(Network((Population("cells", Wrong(), 3),)), method="euler", backend=backend)


def test_errors_of_python_in_a_formula_stay_what_they_are():
    class Wrong(Base):
        def derivatives(self, xp, s, i_syn):
            return self.State(s.voltage, -s.w)

    with pytest.raises(AttributeError, match="voltage"):
        run(Network((Population("cells", Wrong(), 3),)))


# -- models, scenarios, names


def test_unknown_models(refuses):
    with refuses("unknown model 'HodgkinHuxly': did you mean 'HodgkinHuxley'? known: "):
        get_model("HodgkinHuxly")
    with refuses("neurosim.models has no model 'Lif': did you mean 'LIF'? known: ", error=AttributeError):
        _ = neurosim.models.Lif


def test_a_model_that_is_registered_twice(refuses):
    reference = Reference(equations="", threshold="")
    other = type("LIF", (Base,), {})
    with refuses("model 'LIF' is registered already: give the class another name"):
        register(reference=reference)(other)


def test_a_complete_model_is_not_subclassed(refuses):
    with refuses("derives from the complete class LIF: use LIF(…) with other parameters, or write", error=TypeError):
        type("MyLIF", (LIF,), {})


def test_unknown_parameters(refuses):
    with refuses("unexpected keyword argument 'tau'", error=TypeError):
        LIF(tau=3.0)
    with refuses("LIF has no parameter 'tau': did you mean 'tau_m'? known: "):
        LIF().replace(tau=3.0)


def test_unknown_scenarios(refuses):
    with refuses("unknown scenario 'no_such_scenario': ", "known: "):
        get_scenario("no_such_scenario")


@pytest.mark.parametrize("scale", [0, -1.0, np.nan, "1", None, True])
def test_scales(refuses, scale):
    with refuses(f"scale = {scale!r}: must be a finite number above 0; 1 is the published size, 0.01 a quick look"):
        check_scale(scale)


def test_the_nearest_name():
    assert nearest("Fooo", ["foo", "bar"]) == "did you mean 'foo'? known: bar, foo"
    assert nearest("zzz", ["foo"]) == "known: foo"
    assert nearest("foo", []) == "known: none"


def test_errors_are_of_kinds_that_programs_can_catch():
    assert issubclass(UsageError, ValueError)
    assert issubclass(SimulationError, RuntimeError)
    assert set(INTEGRATORS) >= {"euler", "exact", "exponential_euler", "heun", "rk4"}


def test_a_refused_run_leaves_the_simulation_as_it_was():
    simulation = Simulation(NET, dt=0.1, backend="numpy", fuse="off")
    simulation.run(1.0)
    before = simulation.state("p")["v"]
    for wrong in ({"duration": -1.0}, {"duration": 1.0, "record": "v"}, {"duration": 1.0, "progress": 3}):
        with pytest.raises(UsageError):
            simulation.run(**wrong)
    np.testing.assert_array_equal(simulation.state("p")["v"], before)
    assert simulation.run(1.0).n_steps == 10
    assert simulation.t == pytest.approx(2.0)
