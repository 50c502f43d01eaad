"""Distributions of weights and delays against SciPy's."""

import math

import numpy as np
import pytest
from scipy import stats
from test_row_builder import network, the_synapses

from neurosim import connect
from neurosim.backends.row_recipe import delay_words
from neurosim.backends.row_values import normal_quantile
from neurosim.distributions import Exponential, LogNormal, Normal, Uniform, all_distributions
from neurosim.projection import Projection

INF = math.inf
LAWS = [
    (Normal(2.0, 0.5), stats.norm(2.0, 0.5)),
    (LogNormal(0.5, 0.7), stats.lognorm(0.7, scale=math.exp(0.5))),
    (Uniform(1.5, 4.0), stats.uniform(1.5, 2.5)),
    (Exponential(1.7), stats.expon(scale=1.7)),
]
BOUNDS = [(-INF, INF), (1.0, INF), (1.7, 2.4), (-INF, 2.2), (3.5, 3.9)]


def drawn(weight=1.0, delay=1.0, n=300, seed=1):
    net = network({"a": n}, Projection("a", "a", connect.all_to_all(), weight, delay))
    return the_synapses(net, seed=seed)


def bounded(distribution, low, high, outside):
    if isinstance(distribution, Uniform):
        return distribution.replace(outside=outside)
    return distribution.replace(low=max(low, distribution.low), high=high, outside=outside)


def test_every_distribution_is_tested():
    assert [type(distribution) for distribution, _ in LAWS] == all_distributions()


@pytest.mark.parametrize(("low", "high"), BOUNDS)
@pytest.mark.parametrize(("distribution", "law"), LAWS, ids=lambda x: type(x).__name__)
def test_truncated_weights(distribution, law, low, high):
    cut = bounded(distribution, low, high, "redraw")
    least, most = cut.bounds()
    values = drawn(cut)[2].astype(float)
    assert values.min() >= least
    assert values.max() <= most
    below, above = law.cdf(least), law.cdf(most)
    result = stats.kstest(values, lambda x: (law.cdf(x) - below) / (above - below))
    assert result.pvalue > 1e-3
    assert len(np.unique(values)) > 0.9 * len(values), "float32 resolves them"


@pytest.mark.parametrize(("low", "high"), BOUNDS[1:4])
@pytest.mark.parametrize(
    ("distribution", "law"), [x for x in LAWS if not isinstance(x[0], Uniform)], ids=lambda x: type(x).__name__
)
def test_clipped_weights(distribution, law, low, high):
    cut = bounded(distribution, low, high, "clip")
    least, most = cut.bounds()
    values = drawn(cut)[2].astype(float)
    for bound, mass in ((least, law.cdf(least)), (most, law.sf(most))):
        if math.isfinite(bound):
            at_bound = np.isclose(values, bound, rtol=1e-6).sum()
            assert abs(at_bound - mass * len(values)) <= 4 * math.sqrt(mass * len(values) + 1e-12)
    inside = values[~(np.isclose(values, least, rtol=1e-6) | np.isclose(values, most, rtol=1e-6))]
    inner = law.cdf(least), law.cdf(most)
    assert stats.kstest(inside, lambda x: (law.cdf(x) - inner[0]) / (inner[1] - inner[0])).pvalue > 1e-3


def test_far_tails():
    """Where the probability is small, in either tail."""
    for distribution, law in (
        (Normal(0.0, 1.0, low=6.0), stats.truncnorm(6.0, INF)),
        (Normal(0.0, 1.0, high=-9.0), stats.truncnorm(-INF, -9.0)),
        (Normal(0.0, 1.0, low=9.0, high=9.5), stats.truncnorm(9.0, 9.5)),
        (Exponential(0.01, low=5.0), stats.expon(5.0, 0.01)),
    ):
        values = drawn(distribution)[2]
        assert stats.kstest(values, law.cdf).pvalue > 1e-3


def test_bounds_hold_in_float32():
    """0.1 is no float32 number: neither neighbour outside of the bounds is ever drawn."""
    values = drawn(Normal(0.1, 5.0, low=0.1, high=0.7, outside="clip"))[2].astype(np.float64)
    assert values.min() >= 0.1
    assert values.max() <= 0.7


def test_moments_and_independence():
    source, target, weights, steps = drawn(Normal(3.0, 2.0), Uniform(0.5, 2.5), n=700)
    n = len(weights)
    assert weights.mean() == pytest.approx(3.0, abs=4 * 2.0 / math.sqrt(n))
    assert weights.std() == pytest.approx(2.0, abs=4 * 2.0 / math.sqrt(2 * n))
    for other in (steps, np.roll(weights, 1), np.roll(weights, 700), source, target):
        assert abs(np.corrcoef(weights, other)[0, 1]) * math.sqrt(n) < 4
    assert abs(np.corrcoef(steps, np.roll(steps, 700))[0, 1]) * math.sqrt(n) < 4


def test_normal_quantile():
    p = np.concatenate([np.logspace(-300, -1, 400), np.linspace(0.01, 0.99, 199), 1 - np.logspace(-15, -1, 50)])
    np.testing.assert_allclose([normal_quantile(x) for x in p], stats.norm.ppf(p), rtol=3e-15, atol=1e-16)


@pytest.mark.parametrize("outside", ["redraw", "clip"])
@pytest.mark.parametrize(("low", "high"), [(-INF, INF), (0.1, INF), (0.53, 2.25), (2.0, 2.5)])
@pytest.mark.parametrize(("distribution", "law"), LAWS, ids=lambda x: type(x).__name__)
def test_delays(distribution, law, low, high, outside):
    """Against values drawn by SciPy, cut, rounded, and cut again at one step."""
    dt = 0.5
    cut = bounded(distribution, low, high, outside)
    least, most = cut.bounds()
    values = law.rvs(2_000_000, random_state=11)
    if outside == "clip":
        steps = np.maximum(np.floor(np.clip(values, least, most) / dt + 0.5), 1)
    else:
        steps = np.floor(values[(values >= least) & (values <= most)] / dt + 0.5)
        steps = steps[steps >= 1]
    whole, mass = cut.delay_steps(dt)
    assert whole.min() >= 1
    expected = mass / mass.sum()
    seen = np.array([(steps == step).mean() for step in whole])
    np.testing.assert_allclose(seen, expected, atol=4 * 0.5 / math.sqrt(len(steps)))
    assert np.isin(steps, whole).all()


def test_delays_are_drawn_from_their_probabilities():
    delay = Normal(1.5, 0.75, low=0.1)
    steps = drawn(delay=delay, n=500)[3]
    whole, mass = delay.delay_steps(0.1)
    expected = mass / mass.sum() * len(steps)
    seen = np.array([(steps == step).sum() for step in whole])
    common = expected > 10
    rest = [seen[~common].sum()], [expected[~common].sum()]
    assert stats.chisquare(np.append(seen[common], rest[0]), np.append(expected[common], rest[1])).pvalue > 1e-3


def test_the_table_of_delays_finds_what_a_search_finds():
    rng = np.random.default_rng(4)
    for n in (1, 2, 3, 60, 5000):
        probabilities = rng.exponential(size=n) ** 8
        table, possible = delay_words(probabilities)
        ends, guide = table[: possible.sum()], table[possible.sum() :]
        assert (np.diff(ends.astype(np.int64)) > 0).all()
        assert ends[-1] == 2**32 - 1
        words = np.concatenate([rng.integers(0, 2**32, 1000, np.uint32), ends, [0, 2**32 - 1]]).astype(np.uint32)
        expected = np.searchsorted(ends, words)
        begin = guide[words >> 20]
        assert (begin <= expected).all(), "the guide never begins behind"
        assert (expected - begin).max() <= n
        exact = np.cumsum(probabilities) / probabilities.sum()
        shares = np.diff(ends.astype(np.float64) + 1, prepend=0) / 2**32
        np.testing.assert_allclose(np.cumsum(shares), exact[possible], atol=2.0**-31)


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: Normal(1.0, 0.0), ["Normal.sd = 0", "above 0"]),
        (lambda: Normal(np.nan, 1.0), ["Normal.mean = nan", "finite"]),
        (lambda: Normal([1.0, 2.0], 1.0), ["Normal.mean has shape (2,)"]),
        (lambda: Normal(1.0, 1.0, low=2.0, high=1.0), ["low = 2", "high = 1"]),
        (lambda: Normal(1.0, 1.0, low="0"), ["Normal.low = '0'"]),
        (lambda: Normal(1.0, 1.0, high=np.nan), ["Normal.high = nan"]),
        (lambda: Normal(1.0, 1.0, outside="reflect"), ["outside = 'reflect'", "'redraw' or 'clip'"]),
        (lambda: Normal(0.0, 1.0, low=60.0), ["Normal(", "no probability", "clip"]),
        (lambda: Exponential(1.0, high=-1.0, low=-2.0), ["no probability"]),
        (lambda: LogNormal(0.0, -1.0), ["LogNormal.sigma = -1"]),
        (lambda: Uniform(1.0, 1.0), ["low = 1", "high = 1"]),
        (lambda: Uniform(0.0, INF), ["Uniform.high = inf"]),
        (lambda: Normal(1.0, 1.0).delay_steps(1e-6), ["different delays", "at most 10000", "low and high"]),
        (lambda: Normal(-1.0, 0.1, high=-0.5).delay_steps(0.1), ["no delay of at least one step"]),
    ],
)
def test_unusable_distributions(make, parts, refuses):
    with refuses(*parts):
        make()
