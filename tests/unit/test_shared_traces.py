"""Populations of one kind share a trace; whatever changes a formula, or its bits, keeps them apart."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from neurosim import (
    Constant,
    Network,
    NeuronModel,
    PoissonInput,
    Population,
    Projection,
    Record,
    Simulation,
    SlowPathWarning,
    Step,
    connect,
    engine,
    param,
)
from neurosim.backends import numba_engine, shared_traces
from neurosim.backends.program import Program
from neurosim.models import LIF, Izhikevich
from neurosim.receptors import Delta, ExponentialCurrent

DT = 0.1
RECEPTORS = {"excitatory": ExponentialCurrent(3.0), "jump": Delta()}


class Bent(NeuronModel):
    """A neuron whose formula an option changes."""

    class State(NamedTuple):
        v: Any

    tau: float = param(10.0, "ms", above=0.0)
    squared: Any = False

    def init(self, xp):
        return self.State(-65.0)

    def derivatives(self, xp, s, i_syn):
        drive = i_syn * i_syn if self.squared else i_syn
        return self.State((-65.0 - s.v + 10.0 * drive) / self.tau)

    def threshold(self, xp, s):
        return s.v > -50.0

    def reset(self, xp, s):
        return self.State(-65.0)


DRIVE = (Constant(2.0),)


def cells(name, model=None, n=7, stimuli=DRIVE, **options):
    return Population(name, LIF() if model is None else model, n, stimuli, **{"receptors": RECEPTORS} | options)


@pytest.fixture
def traced(monkeypatch):
    """Names of the programs that were traced, and how many were printed."""
    names, printed = [], []
    prints = numba_engine.print_kernel

    class Counted(shared_traces.SharedTraces):
        def __init__(self, backend):
            super().__init__(backend)
            inner = backend.traced

            class Counting:
                @staticmethod
                def traced(program, fuse):
                    names.append(program.name)
                    return inner(program, fuse)

            self._backend = Counting

    monkeypatch.setattr(engine, "SharedTraces", Counted)
    monkeypatch.setattr(numba_engine, "print_kernel", lambda trace: (printed.append(trace), prints(trace))[1])
    return names, printed


def test_alike_are_traced_and_printed_once_with_the_bits_of_each_alone(traced):
    """Their parameters, sizes, random numbers and states differ."""
    names, printed = traced
    members = [
        cells(
            f"p{k}",
            LIF(tau_m=10.0 + k, v_rest=np.linspace(-66.0, -64.0, 5 + k)),
            5 + k,
            (Constant(2.0 + k), PoissonInput(500.0 + k, 0.1 + k)),
            t_ref=1.0 + k,
            init={"v": -70.0 + k},
        )
        for k in range(6)
    ]
    simulation = Simulation(Network(members), dt=DT, backend="numpy", fuse="require")
    found = simulation.run(40.0, record=[Record(p.name, what) for p in members for what in ("v", "spikes")])
    assert names == ["p0"]
    assert len(printed) == 1
    assert len(set(simulation.kernels.values())) == 1
    for p in members:
        alone = Simulation(Network((p,)), dt=DT, backend="numpy", fuse="off")
        expected = alone.run(40.0, record=[Record(p.name, "v"), Record(p.name, "spikes")])
        np.testing.assert_array_equal(found.traces[p.name]["v"], expected.traces[p.name]["v"])
        np.testing.assert_array_equal(found.spikes[p.name].t, expected.spikes[p.name].t)
        assert len(found.spikes[p.name].t)


@pytest.mark.parametrize(
    "other",
    [
        cells("b", LIF(tau_m=np.linspace(9.0, 11.0, 7))),
        cells("b", Izhikevich()),
        cells("b", t_ref=2.0),
        cells("b", stimuli=(Step(2.0),)),
        cells("b", stimuli=(Constant(2.0), Constant(1.0))),
        cells("b", stimuli=(Constant(np.linspace(1.0, 2.0, 7)),)),
        cells("b", receptors={}),
        cells("b", receptors={"excitatory": ExponentialCurrent(3.0)}),
        cells("b", receptors={"excitatory": Delta(), "jump": ExponentialCurrent(3.0)}),
    ],
    ids=repr,
)
def test_what_changes_a_formula_is_traced_for_itself(traced, other):
    Simulation(Network((cells("a"), other, cells("c"))), dt=DT, backend="numpy")
    assert traced[0] == ["a", "b"]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (cells("a", Bent()), cells("b", Bent(squared=True))),
        (cells("a", Bent(squared=1)), cells("b", Bent(squared=True))),
        *[
            tuple(cells(x, stimuli=(PoissonInput(r, 0.1, receptor),)) for x, r, receptor in pair)
            for pair in (
                (("a", 10.0, "excitatory"), ("b", 10.0, "jump")),
                (("a", 10.0, "jump"), ("b", 50_000.0, "jump")),  # more terms
            )
        ],
    ],
)
def test_options_keep_apart_too(traced, one, two):
    simulation = Simulation(Network((one, two)), dt=DT, backend="numpy", fuse="require")
    assert traced[0] == ["a", "b"]
    assert simulation.kernels


def test_what_reaches_a_population_and_what_is_recorded_keeps_apart(traced):
    members = [cells(name) for name in "abc"]
    joined = Network(members, [Projection("a", "b", connect.all_to_all(), 0.1, 1.0)])
    simulation = Simulation(joined, dt=DT, backend="numpy", fuse="require")
    assert traced[0] == ["a", "b"]
    current = simulation.run(1.0, record=Record("c", "i_syn")).traces["c"]["i_syn"]
    assert traced[0] == ["a", "b", "c"]
    np.testing.assert_array_equal(current, 2.0)


def test_an_option_that_is_no_value_is_traced_for_itself(traced):
    members = [cells(name, Bent(squared=[])) for name in "ab"]
    Simulation(Network(members), dt=DT, backend="numpy", fuse="require")
    assert traced[0] == ["a", "b"]


def test_each_that_cannot_be_fused_says_so():
    class Unfusible(NeuronModel):
        class State(NamedTuple):
            v: Any

        def init(self, xp):
            return self.State(0.0)

        def derivatives(self, xp, s, i_syn):
            return self.State(-xp.cumulative_sum(s.v, axis=0) + i_syn)

        def threshold(self, xp, s):
            return s.v > 1.0

        def reset(self, xp, s):
            return self.State(0.0)

    members = [cells(name, Unfusible(), receptors={}) for name in "ab"]
    with pytest.warns(SlowPathWarning) as told:
        Simulation(Network(members), dt=DT, backend="numpy", method="euler")
    assert [str(w.message)[0] for w in told] == ["a", "b"]


def test_functions_without_a_structure_are_not_shared():
    class Backend:
        traced = staticmethod(lambda program, fuse: object())

    traces = shared_traces.SharedTraces(Backend())
    programs = [Program("x", "float64", (), (), lambda xp, s, p, c: None) for _ in range(2)]
    assert traces.traced(programs[0], "auto") is not traces.traced(programs[1], "auto")
    assert traces.traced(programs[0], "auto") is not traces.traced(programs[0], "auto")
