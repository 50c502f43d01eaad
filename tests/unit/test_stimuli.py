"""Stimuli against their formulas, at the middle of each step."""

from typing import NamedTuple

import numpy as np
import pytest

from neurosim import (
    Constant,
    Network,
    OrnsteinUhlenbeck,
    Population,
    PulseTrain,
    Ramp,
    Record,
    Sine,
    Step,
    Stimulus,
    WhiteNoise,
    param,
    simulate,
)
from neurosim.models import LIF
from neurosim.stimuli import all_stimuli

DT = 0.1
DETERMINISTIC = {
    Constant: (Constant(1.5), lambda t: np.full_like(t, 1.5)),
    Step: (Step(2.0, 3.0, 7.0), lambda t: 2.0 * ((t >= 3.0) & (t < 7.0))),
    PulseTrain: (
        PulseTrain(0.5, start=1.0, width=0.5, period=2.0, count=3),
        lambda t: 0.5 * (((t > 1.0) & (t < 1.5)) | ((t > 3.0) & (t < 3.5)) | ((t > 5.0) & (t < 5.5))),
    ),
    Ramp: (Ramp(-1.0, 3.0, 2.0, 6.0), lambda t: np.interp(t, [2.0, 6.0], [-1.0, 3.0])),
    Sine: (
        Sine(2.0, frequency=250.0, phase=0.5, offset=1.0, start=1.0, stop=9.0),
        lambda t: (1.0 + 2.0 * np.sin(2 * np.pi * 0.25 * (t - 1.0) + 0.5)) * ((t > 1.0) & (t < 9.0)),
    ),
}
STOCHASTIC = {WhiteNoise, OrnsteinUhlenbeck}


def current(*stimuli, n=1, duration=10.0, dt=DT, **options):
    """Total current, shape (steps, n)."""
    cells = Population("cells", LIF(), n, stimuli=stimuli)
    options = {"fuse": "off", "backend": "numpy"} | options
    result = simulate(Network((cells,)), duration=duration, dt=dt, record=Record("cells", "i_syn"), **options)
    return result.traces["cells"]["i_syn"]


def test_every_stimulus_is_tested_here():
    assert set(all_stimuli()) == set(DETERMINISTIC) | STOCHASTIC


@pytest.mark.parametrize("cls", DETERMINISTIC, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_formulas(cls, precision):
    stimulus, formula = DETERMINISTIC[cls]
    values = current(stimulus, precision=precision)
    middle = (np.arange(100) + 0.5) * DT
    assert values.dtype == precision
    np.testing.assert_allclose(values[:, 0], formula(middle), rtol=4 * np.finfo(precision).eps, atol=1e-6)


def test_no_stimulus_is_no_current():
    np.testing.assert_array_equal(current(), np.zeros((100, 1)))


def test_currents_add_up():
    both = current(Constant(1.0), Ramp(0.0, 2.0, 0.0, 10.0))
    np.testing.assert_array_equal(both, 1.0 + current(Ramp(0.0, 2.0, 0.0, 10.0)))


def test_one_value_per_neuron():
    values = current(Step([1.0, 2.0], start=[1.0, 5.0]), n=2)
    np.testing.assert_array_equal(values[[0, 20, 60]], [[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]])


@pytest.mark.parametrize("dt", [0.1, 0.01])
def test_an_edge_falls_on_the_nearest_step(dt):
    on = np.flatnonzero(current(Step(1.0, 3.0, 7.0), dt=dt)[:, 0])
    np.testing.assert_allclose([on[0] * dt, (on[-1] + 1) * dt], [3.0, 7.0], atol=1e-9)


def test_a_pulse_has_its_charge_late_in_a_float32_run():
    """Time is float64 whatever the precision: pulses do not drift."""
    train = PulseTrain(1.0, start=0.0, width=1.0, period=10.0)
    values = current(train, duration=100_000.0, precision="float32", fuse="require")
    np.testing.assert_array_equal(values[-100:, 0], values[:100, 0])
    assert values.sum() * DT == pytest.approx(10_000.0)


def test_white_noise_has_the_same_strength_for_any_step():
    """∫I dt over a fixed time has the variance sigma²·T, however fine the steps."""
    for dt in (0.5, 0.1):
        charge = current(WhiteNoise(2.0, mean=0.3), n=4000, duration=5.0, dt=dt).sum(axis=0) * dt
        assert charge.mean() == pytest.approx(0.3 * 5.0, abs=4 * 2.0 * np.sqrt(5.0 / 4000))
        assert charge.var() == pytest.approx(4.0 * 5.0, rel=4 * np.sqrt(2 / 4000))


def test_ornstein_uhlenbeck_has_its_variance_and_correlation_time():
    values = current(OrnsteinUhlenbeck(1.5, 4.0, mean=2.0), n=4000, duration=40.0, dt=0.5)
    np.testing.assert_array_equal(values[0], 2.0)
    late = values[40:] - 2.0
    assert late[-1].mean() == pytest.approx(0.0, abs=4 * 1.5 / np.sqrt(4000))
    assert late[-1].var() == pytest.approx(1.5**2, rel=4 * np.sqrt(2 / 4000))
    lag = int(4.0 / 0.5)
    correlation = (late[0] * late[lag]).mean() / 1.5**2
    assert correlation == pytest.approx(np.exp(-1.0), abs=4 / np.sqrt(4000))


def test_two_noises_of_a_neuron_are_independent():
    one, two = WhiteNoise(1.0), WhiteNoise(1.0)
    first, both = current(one, n=20_000, duration=0.1), current(one, two, n=20_000, duration=0.1)
    assert abs(np.corrcoef(first[0], both[0] - first[0])[0, 1]) < 4 / np.sqrt(20_000)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ramp(0.0, 1.0, 5.0, 5.0), "Ramp: stop = 5 ms must be after start = 5 ms"),
        (lambda: Ramp(0.0, 1.0, 1.0, [5.0, 0.5]), "Ramp: stop = 0.5 ms must be after start = 1 ms"),
        (lambda: Ramp(0.0, 1.0, [1.0, 2.0], [5.0] * 3), "Ramp: 2 values of start, 3 of stop: give one per neuron"),
        (lambda: PulseTrain(1.0, 0.0, -1.0, 2.0), "PulseTrain.width = -1 ms: must be finite and above 0"),
        (lambda: PulseTrain(1.0, 0.0, 1.0, 0.0), "PulseTrain.period = 0 ms: must be finite and above 0"),
        (lambda: WhiteNoise(-1.0), "WhiteNoise.sigma = -1 nA·√ms: must be finite and at least 0"),
        (lambda: OrnsteinUhlenbeck(1.0, 0.0), "OrnsteinUhlenbeck.tau = 0 ms: must be finite and above 0"),
        (lambda: Sine(1.0, -5.0), "Sine.frequency = -5 Hz: must be finite and at least 0"),
        (lambda: Constant(np.nan), "Constant.amplitude = nan nA: must be finite"),
    ],
)
def test_stimuli_that_cannot_be(refuses, make, message):
    with refuses(message):
        make()


class Saw(Stimulus):
    """A user's own: a current that a counter drives, and formulas that return plain numbers."""

    class State(NamedTuple):
        ticks: object

    step: float = param(unit="nA")

    def init(self, xp):
        return self.State(0.0)

    def current(self, xp, s, now):
        return self.step * s.ticks

    def advance(self, xp, s, now):
        return self.State(xp.where(s.ticks >= 3.0, 0.0, s.ticks + 1.0))


class Fixed(Stimulus):
    """A user's own that returns a number."""

    step: float = param(unit="nA")

    def current(self, xp, s, now):
        return 2.5


@pytest.mark.parametrize("fuse", ["off", "require"])
def test_a_users_own_stimulus(fuse):
    values = current(Saw(0.5), Fixed(1.0), duration=1.0, fuse=fuse)
    np.testing.assert_array_equal(values[:, 0] - 2.5, [0.0, 0.5, 1.0, 1.5, 0.0, 0.5, 1.0, 1.5, 0.0, 0.5])


def test_a_stimulus_must_return_its_state(refuses):
    class Wrong(Stimulus):
        class State(NamedTuple):
            x: object

        a: float = param(1.0)

        def init(self, xp):
            return self.State(0.0)

        def current(self, xp, s, now):
            return s.x

        def advance(self, xp, s, now):
            return s.x + 1.0

    with refuses("population 'cells' (LIF): Wrong.advance returned ", "return self.State(x=…)"):
        current(Wrong())
