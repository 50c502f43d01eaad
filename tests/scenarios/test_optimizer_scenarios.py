"""``optimizer_points`` and ``optimizer_digits`` with every optimizer of the register, and their option."""

import json

import numpy as np
import pytest

from neurosim.backends import get
from neurosim.cli import main
from neurosim.learn import Adam, FirstOrder, GradientDescent, all_optimizers
from neurosim.learn.data import load
from neurosim.running import checked_options
from neurosim.scenario import get_scenario
from neurosim.scenarios import _optimizers, optimizer_digits, optimizer_points, optimizer_race
from neurosim.scenarios._error_history import halves

SCALE = 0.02
EVERY = pytest.mark.parametrize("name", sorted(all_optimizers()))
PRECISION = pytest.mark.parametrize("precision", ["float64", pytest.param("float32", marks=pytest.mark.slow)])


def assert_checks_hold(scenario, name, precision):
    options = checked_options(scenario, {"optimizer": name, "backend": "numpy", "scale": SCALE, "precision": precision})
    outcome = scenario.run(**options)
    checks = scenario.checks_with(options)
    assert checks
    assert {check.name for check in checks} <= set(outcome.metrics)
    failed = {c.name: outcome.metrics[c.name] for c in checks if not c.holds(outcome.metrics[c.name])}
    assert not failed
    assert all(np.isfinite(value) for value in outcome.metrics.values())
    assert all(stem.startswith(f"{scenario.name}_{name}") for stem in outcome.figures)


@EVERY
@PRECISION
def test_points(name, precision):
    assert_checks_hold(get_scenario("optimizer_points"), name, precision)


@EVERY
@PRECISION
def test_digits(name, precision, refuses, monkeypatch):
    if name == "bfgs":
        monkeypatch.setattr(type(get("numpy")), "memory", lambda self: (8 << 30, 8 << 30))
        with refuses("BFGS's inverse Hessian takes", "of 8 GiB free: use optimizer='lbfgs' or 'cg'"):
            optimizer_digits.run(optimizer=name, backend="numpy", scale=SCALE, precision=precision)
        return
    assert_checks_hold(get_scenario("optimizer_digits"), name, precision)


@EVERY
def test_checks_are_of_the_slide(name):
    """Those that have a slide are compared with it, the others with the least that any slide reached."""
    points = {check.name: check for check in optimizer_points.checks(name)}
    loss = points["test loss, learned on to E < 0.03, median"].expected
    slide = _optimizers.POINTS.get(name)
    assert loss == (slide.test if slide else max(s.test for s in _optimizers.POINTS.values()))
    assert ("iterations to E < 0.05, median / the slide's" in points) == (slide is not None)
    digits = {check.name for check in optimizer_digits.checks(name)}
    assert ("iterations to E < 0.01, median / the slide's" in digits) == (name in _optimizers.DIGITS)
    assert name in _optimizers.IN_SPAN or name in _optimizers.ELEMENTWISE
    assert issubclass(all_optimizers()[name], FirstOrder) or name in _optimizers.IN_SPAN


def test_the_network_of_the_digits_is_the_lectures():
    network = _optimizers.digits_problem("cg").network
    assert network.params.size == 136_660
    assert network.params.initial(0, [0]).shape == (1, 136_660)


def test_an_optimizer_without_settings_runs_with_its_example():
    assert [repr(one) for one in _optimizers.setting("bfgs")] == [repr(all_optimizers()["bfgs"]())] * 3
    assert all(isinstance(one, GradientDescent) for one in _optimizers.setting("gradient_descent"))
    assert repr(_optimizers.setting("adam").points) == repr(Adam(0.1))


@pytest.mark.parametrize(("alias", "name"), [("gd", "gradient_descent"), ("LMA", "lma"), ("CG", "cg")])
def test_aliases(alias, name):
    assert _optimizers.checked_name(alias) == name


@pytest.mark.parametrize("scenario", ["optimizer_points", "optimizer_digits"])
def test_a_wrong_name_is_refused_before_any_work(scenario, refuses):
    with refuses("optimizer = 'adm': did you mean 'adam'? known: "):
        checked_options(get_scenario(scenario), {"optimizer": "adm"})


@pytest.mark.parametrize("written", [("--optimizer", "rprop"), ("--optimizer=rprop",)])
def test_from_the_command_line(written, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["run", "optimizer_digits", *written, "--scale", "0.02", "--backend", "numpy"])
    assert stop.value.code == 0
    report = json.loads((tmp_path / "results" / "optimizer_digits_rprop" / "result.json").read_text())
    assert report["options"] == {"optimizer": "rprop"}
    assert "optimizer_digits_rprop_weights.png" in report["figures"]


# -- their pieces


def test_shares_of_the_span():
    """1 for sums of images and constants, what the noise leaves for others."""
    images = load("digits").x
    rng = np.random.default_rng(0)
    inside = images.T @ rng.standard_normal((10, 3)) + rng.standard_normal(3)
    np.testing.assert_allclose(optimizer_digits.span_shares(inside, images), 1.0)
    noise = rng.standard_normal((900, 200))
    share = optimizer_digits.span_shares(noise, images).mean()
    assert share == pytest.approx(10 / 899, rel=0.1)  # ten directions beside the constant, of 899


@pytest.mark.parametrize(
    ("n", "first", "second"), [(814, (1, 407), (407, 814)), (9, (1, 5), (5, 9)), (1, (1, 1), (1, 1))]
)
def test_halves_are_the_slides(n, first, second):
    a, b = halves(np.zeros(n))
    assert ((a[0], a[-1]), (b[0], b[-1])) == (first, second)


def test_typical_is_a_median_of_those_that_reached():
    iterations, reached = np.array([5, 9, 7, 1, 8]), np.array([True, True, True, False, False])
    assert _optimizers.typical(iterations, reached) == 2
    assert _optimizers.typical(iterations, np.zeros(5, bool)) == 2


def test_test_losses_are_without_the_penalty():
    """Mean of −log of the probability that the network gives to the class."""
    train, test = load("horseshoe").split(0.3)
    problem = _optimizers.points_problem("cg", train)
    w = problem.network.params.initial(3, [0, 1])
    p = problem.network.predict(w, test.x)[:, np.arange(len(test)), test.labels]
    np.testing.assert_allclose(problem.losses(w, test, get("numpy"), "float64"), -np.log(p).mean(axis=1))
    squares = _optimizers.points_problem("lma", train)
    w = squares.network.params.initial(3, [0])
    signs = 2.0 * np.eye(2)[test.labels] - 1.0
    expected = ((squares.network.predict(w, test.x) - signs) ** 2).sum(axis=-1).mean(axis=-1)
    np.testing.assert_allclose(squares.losses(w, test, get("numpy"), "float64"), expected)


def test_the_valley_has_one_end():
    from neurosim.learn import ResidualObjective

    valley = ResidualObjective(optimizer_race.residuals)
    value, grad = valley.value_and_grad(np.array([optimizer_race.END, optimizer_race.START]))
    assert value[0, 0] == 0.0
    assert (grad[0] == 0.0).all()
    x, y = optimizer_race.START
    assert value[1, 0] == pytest.approx(0.5 * (9.0 * (y - x * x) ** 2 + (1.0 - x) ** 2))
