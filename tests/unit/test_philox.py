"""Philox4x32-10: the published words on every array library and in kernels, and numbers that look random."""

import math

import numpy as np
import pytest
from scipy import stats

from neurosim.backends import Outputs, Probe, Program, Slot, get
from neurosim.backends.philox import Random, philox4x32, seed_words

# Random123's known answers (kat_vectors of its distribution): counter, key, words.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
COUNTERS, KEYS, WORDS = (np.array(column, np.int64).T for column in zip(*KNOWN, strict=True))


def test_known_answers(backend):
    counter = tuple(backend.asarray(word, "int64") for word in COUNTERS)
    key = tuple(backend.asarray(word, "int64") for word in KEYS)
    words = philox4x32(counter, key)
    np.testing.assert_array_equal([backend.to_numpy(word) for word in words], WORDS)


def drawing_program(dtype):
    """Words, uniform and normal numbers of each lane as observables; float64 holds a word exactly."""

    def function(xp, state, params, clock):
        random = Random(params["low"], params["high"], params["stream"], clock.step, clock.lane, dtype)
        numbers = {"uniform": random.uniform(xp), "normal": random.normal(xp)}
        if dtype == "float64":
            numbers |= {f"w{k}": xp.astype(word, xp.float64) for k, word in enumerate(random.words())}
        return Outputs({"v": state["v"]}, clock.lane < 0, numbers)

    names = ("uniform", "normal", *(f"w{k}" for k in range(4)))
    observables = names if dtype == "float64" else names[:2]
    slots = tuple(Slot(name, "int64") for name in ("low", "high", "stream"))
    return Program("numbers", dtype, ("v",), slots, function, observables)


def draw(backend, dtype, *, n, steps, first_step=0, seed=0, stream=0, fuse="off"):
    """Observable → array of shape (steps, n)."""
    program = drawing_program(dtype)
    low, high = seed_words(seed)
    values = {"low": low, "high": high, "stream": stream}
    probes = [Probe(name, 1, np.arange(n)) for name in program.observables]
    kernel = get(backend).compile(program, n, values, {"v": 0.0}, probes, fuse=fuse)
    return dict(zip(program.observables, kernel.advance(first_step, steps).samples, strict=True))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_kernel_draws_the_same_numbers(dtype):
    where = {"n": 1000, "steps": 3, "first_step": 2**33 + 5, "seed": 2**63 + 12345, "stream": 0xDEADBEEF}
    eager, fused = (draw("numpy", dtype, **where, fuse=fuse) for fuse in ("off", "require"))
    for name, values in eager.items():
        if name == "normal":  # logarithm and cosine are our own, to 2 ulp each
            np.testing.assert_allclose(fused[name], values, rtol=8 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps)
        else:
            np.testing.assert_array_equal(fused[name], values, name)


def test_every_library_draws_the_same_numbers(other_backend):
    expected = draw("numpy", "float64", n=100, steps=2, seed=3)
    for name, values in draw(other_backend, "float64", n=100, steps=2, seed=3).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-13, atol=1e-13)


def test_words_are_those_of_counter_and_key():
    lane, step, stream, seed = 7, 2**32 + 3, 11, 5 * 2**32 + 13
    words = draw("numpy", "float64", n=8, steps=1, first_step=step, seed=seed, stream=stream)
    counter = [np.array([word], np.int64) for word in (lane, 3, 1, stream)]
    expected = philox4x32(tuple(counter), (np.array([13]), np.array([5])))
    assert [words[f"w{k}"][0, lane] for k in range(4)] == [word[0] for word in expected]


def test_seeds_have_64_bits():
    assert seed_words(2**64 - 1) == (0xFFFFFFFF, 0xFFFFFFFF)
    assert seed_words(3 * 2**32 + 4) == (4, 3)
    low, high = (draw("numpy", "float64", n=1, steps=1, seed=seed)["w0"] for seed in (1, 2**32))
    assert low != high


@pytest.mark.parametrize(("dtype", "bits"), [("float64", 52), ("float32", 23)])
def test_uniform_numbers_lie_inside_the_open_interval(dtype, bits):
    """Also at the smallest and largest words: ½ of the grid away from 0 and 1."""

    class Extreme(Random):
        def words(self):
            return (np.array([0, 0xFFFFFFFF]),) * 4

    extreme = Extreme(0, 0, 0, 0, 0, dtype)
    smallest, largest = extreme.uniform(get("numpy").xp)
    assert smallest == 2.0 ** -(bits + 1)
    assert largest == 1 - 2.0 ** -(bits + 1)
    assert smallest.dtype == dtype
    assert np.isfinite(extreme.normal(get("numpy").xp)).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_distributions(dtype):
    numbers = draw("numpy", dtype, n=20_000, steps=10, seed=42)
    assert stats.kstest(numbers["uniform"].ravel(), "uniform").pvalue > 1e-3
    assert stats.kstest(numbers["normal"].ravel(), "norm").pvalue > 1e-3
    assert numbers["normal"].dtype == dtype


def correlation(a, b):
    """In standard deviations of the estimate."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) * math.sqrt(a.size)


def test_neighbours_are_independent():
    here = draw("numpy", "float64", n=20_000, steps=5, seed=1)
    others = {
        "another stream": draw("numpy", "float64", n=20_000, steps=5, seed=1, stream=1),
        "another seed": draw("numpy", "float64", n=20_000, steps=5, seed=2),
        "high word of the seed": draw("numpy", "float64", n=20_000, steps=5, seed=1 + 2**32),
    }
    for name in ("uniform", "normal"):
        values = here[name]
        assert abs(correlation(values[:, 1:], values[:, :-1])) < 4, "lanes"
        assert abs(correlation(values[1:], values[:-1])) < 4, "steps"
        for what, other in others.items():
            assert abs(correlation(values, other[name])) < 4, what
    assert abs(correlation(here["uniform"], here["normal"] ** 2)) > 4, "of one block, as documented"


@pytest.mark.slow
def test_moments_of_many_numbers():
    normal = draw("numpy", "float64", n=1_000_000, steps=20, seed=7, fuse="require")["normal"]
    n = normal.size
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(normal**power) - moment) < 4 * math.sqrt(variance / n)
    assert np.abs(normal).max() > 5
