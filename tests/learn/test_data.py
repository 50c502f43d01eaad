"""Data sets: what they are, and that a seed gives the same bits everywhere.

``python tests/learn/test_data.py`` writes the digests anew, after a change of a set that is meant.
"""

import hashlib
import json
import math
from inspect import signature
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosim.errors import UsageError
from neurosim.learn import MLP, Samples, data, fit
from neurosim.learn.data import all_data_sets, load
from neurosim.learn.data.curves import circle, interpolate
from neurosim.learn.data.data_set import DataSet
from neurosim.learn.data.drawn_digits import COLUMNS, ROWS, VARIANTS
from neurosim.learn.data.horseshoe_and_blob import LINE, MASS, THICKNESS
from neurosim.learn.optimizers import GradientDescent

DIGESTS = Path(__file__).with_name("data_digests.json")
SEEDS = (0, 1, 2**64 - 1)
NAMES = sorted(all_data_sets())
EVERY = pytest.mark.parametrize("name", NAMES)


def made(name, **options):
    if name == "handwritten":
        pytest.importorskip("sklearn", reason="scikit-learn's digits")
    return load(name, **options)


def seeded(name):
    return "seed" in signature(all_data_sets()[name]).parameters


def options(name):
    """A set with all its randomness."""
    known = signature(all_data_sets()[name]).parameters
    return {k: v for k, v in {"sd": 0.1, "variant": "shift_noise_lo"}.items() if k in known}


def digest(name, seed):
    found = made(name, **options(name), **({"seed": seed} if seeded(name) else {}))
    several = found.class_sizes.min() > 1
    parts = (found, *found.split(0.5, seed=seed, member=3)) if several else (found,)
    bits = b"".join(p.x.astype("<f8").tobytes() + p.labels.astype("<i8").tobytes() for p in parts)
    return hashlib.sha256(bits).hexdigest()


# -- of every set


@EVERY
def test_same_bits_everywhere(name):
    """Made on another machine, with other versions of NumPy and matplotlib."""
    assert [digest(name, seed) for seed in SEEDS] == json.loads(DIGESTS.read_text())[name]


@EVERY
def test_what_a_set_is(name):
    found = made(name)
    assert isinstance(found, DataSet)
    assert found.name == name
    assert found.x.shape == (len(found), found.x.shape[1])
    assert found.x.dtype == np.float64
    assert found.labels.dtype == np.int64
    assert np.isfinite(found.x).all()
    assert (found.class_sizes > 0).all()
    assert len(found.class_sizes) == found.n_classes
    assert name in repr(found)
    if found.image:
        assert math.prod(found.image) == found.x.shape[1]
        assert found.x.min() == 0.0
        assert found.x.max() == 1.0
    with pytest.raises(ValueError, match="read-only"):
        found.x[0] = 0.0


@EVERY
def test_by_attribute_and_by_name(name):
    made(name)
    assert getattr(data, name) is all_data_sets()[name]
    assert name in dir(data)


@EVERY
def test_every_seed_is_another_set(name):
    if not seeded(name):
        with pytest.raises(UsageError, match="unknown option 'seed'"):
            load(name, seed=1)
        return
    first, again, other = (load(name, **options(name), seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.x, again.x)
    assert (first.x != other.x).any()
    with pytest.raises(UsageError, match="seed"):
        load(name, seed=-1)


@EVERY
def test_a_network_learns_it(name):
    """Samples are as ``fit`` takes them, and the error falls."""
    found = made(name)
    network = MLP((found.x.shape[1], 8, found.n_classes), ("tanh", "softmax"))
    history = fit(network, found.samples(), GradientDescent(0.3), "cross_entropy", iterations=20)
    assert abs(history.error[0, 0] - math.log(found.n_classes)) < 0.5
    assert history.final_error[0] < history.error[0, 0]


@EVERY
def test_splits_keep_the_shares_of_classes(name):
    found = made(name)
    if found.class_sizes.min() < 4:
        found = found.take(np.tile(np.arange(len(found)), 4))
    one, two = found.split(0.3, seed=4)
    np.testing.assert_array_equal(one.class_sizes, [round(0.3 * n) for n in found.class_sizes.tolist()])
    np.testing.assert_array_equal(one.class_sizes + two.class_sizes, found.class_sizes)
    rows = np.concatenate([one.x, two.x])
    np.testing.assert_array_equal(rows[np.lexsort(rows.T)], found.x[np.lexsort(found.x.T)])


@EVERY
def test_unknown_options(name):
    with pytest.raises(UsageError, match=f"data set {name}: unknown option 'colour'"):
        load(name, colour=1)


def test_unknown_set():
    with pytest.raises(UsageError, match=r"unknown data set 'horsesho'.*horseshoe"):
        load("horsesho")
    with pytest.raises(AttributeError, match="no data set 'horsesho'"):
        data.horsesho  # noqa: B018


# -- splits


def test_splits_of_an_ensemble():
    found = data.moons(200)
    parts = found.splits(3, 0.25, seed=2)
    assert {len(p) for p in parts} == {50}
    assert (parts[0].x != parts[1].x).any()
    np.testing.assert_array_equal(parts[2].x, found.split(0.25, seed=2, member=2)[0].x)
    samples = Samples(np.stack([p.x for p in parts]), np.stack([p.samples().target for p in parts]))
    history = fit(MLP((2, 3, 2), ("tanh", "softmax")), samples, "gradient_descent", "cross_entropy", iterations=2)
    assert history.w.shape[0] == 3


def test_split_is_random():
    """Each sample is in the first part about as often as its share says."""
    found = data.moons(40)
    counts = np.zeros(40)
    for member in range(400):
        mask = (found.x[:, None, 0] == found.split(0.3, member=member)[0].x[None, :, 0]).any(axis=1)
        counts += mask
    assert abs(counts / 400 - 0.3).max() < 5 * math.sqrt(0.3 * 0.7 / 400)


@pytest.mark.parametrize("share", [0.0, 1.0, -1, math.nan, "half", True])
def test_shares_that_cannot_be(share):
    with pytest.raises(UsageError, match="horseshoe: share"):
        data.horseshoe().split(share)


def test_a_part_without_samples():
    with pytest.raises(UsageError, match=r"share = 0\.1 leaves a part of 8 samples empty"):
        data.parity(3).split(0.1)


def test_samples_and_signs():
    found = data.xor()
    np.testing.assert_array_equal(found.samples(low=-1.0).target, [[1, -1], [-1, 1], [-1, 1], [1, -1]])
    np.testing.assert_array_equal(found.signs().target, [[-1], [1], [1], [-1]])
    with pytest.raises(UsageError, match="digits has 10 classes"):
        data.digits().signs()


# -- curves


@given(st.floats(-3, 3))
@settings(max_examples=200)
def test_circle(turns):
    cosine, sine = circle(np.array(turns))
    assert abs(cosine - math.cos(2 * math.pi * turns)) < 4e-15
    assert abs(sine - math.sin(2 * math.pi * turns)) < 4e-15


def test_interpolate():
    at, x = np.linspace(0, 3, 50), np.array([0.0, 1.0, 1.5, 3.0])
    y = np.array([1.0, -1.0, 4.0, 0.0])
    np.testing.assert_allclose(interpolate(at, x, y), np.interp(at, x, y), atol=1e-14)


# -- the horseshoe


def test_horseshoe_has_the_sizes_of_the_lecture():
    train, test = data.horseshoe().split(0.3)
    assert (len(train), len(test)) == (600, 1399)
    np.testing.assert_array_equal(train.class_sizes, [300, 300])
    np.testing.assert_array_equal(test.class_sizes, [700, 699])


@pytest.mark.parametrize("seed", range(3))
def test_horseshoe_reaches_from_0_to_1(seed):
    x = data.horseshoe(seed=seed).x
    assert x[:, 1].min() == 0.0
    assert x[:, 1].max() == 1.0
    assert 0.0 < x[:, 0].min() < 0.045
    assert 0.7 < x[:, 0].max() < 0.9


def test_blob_is_the_measured_one():
    found = data.horseshoe(seed=3)
    blob = found.x[found.labels == 1]
    np.testing.assert_allclose(blob.mean(axis=0), (0.295, 0.594), atol=0.01)
    np.testing.assert_allclose(blob.std(axis=0), (0.05, 0.05), atol=0.004)
    assert abs(np.corrcoef(blob.T)[0, 1]) < 0.1


def test_band_follows_its_line_with_its_width():
    """Distance from the published line, before the stretch of y by about 3 %."""
    found = data.horseshoe(n_band=20_000, seed=1)
    band = found.x[found.labels == 0]
    begin, along = LINE[:-1], np.diff(LINE, axis=0)
    share = ((band[:, None] - begin) * along).sum(-1) / (along * along).sum(-1)
    nearest = begin + np.clip(share, 0, 1)[..., None] * along
    distance = np.linalg.norm(band[:, None] - nearest, axis=-1).min(axis=1)
    for x, sd in THICKNESS[:2]:
        near = np.abs(band[:, 0] - x) < 0.015
        assert np.sqrt((distance[near] ** 2).mean()) == pytest.approx(sd, rel=0.5)
    assert (distance < 0.15).all()


def test_band_has_the_measured_density():
    found = data.horseshoe(n_band=40_000, seed=2)
    x = found.x[found.labels == 0, 0]
    counts = np.histogram(x, bins=0.04 + 0.04 * np.arange(len(MASS) + 1))[0]
    # The width of the band carries points over the borders of parts: the shape is left, not every part.
    assert np.corrcoef(counts, MASS)[0, 1] > 0.93
    assert np.abs(np.cumsum(counts / counts.sum()) - np.cumsum(MASS / MASS.sum())).max() < 0.06


def test_no_line_parts_horseshoe_and_blob():
    optimize = pytest.importorskip("scipy.optimize")
    found = data.horseshoe()
    rows = found.signs().target * np.c_[found.x, np.ones(len(found))]
    answer = optimize.linprog(np.zeros(3), A_ub=-rows, b_ub=-np.ones(len(rows)), bounds=(None, None))
    assert answer.status == 2  # infeasible


# -- digits


def test_digits_lie_where_the_lectures_do():
    for image, columns, rows in zip(data.digits().x.reshape(10, 30, 30), COLUMNS, ROWS, strict=True):
        for axis, (first, last) in ((0, columns), (1, rows)):
            ink = np.flatnonzero(image.max(axis=axis) > 0.5)
            assert abs(ink[0] - first) <= 2
            assert abs(ink[-1] - last) <= 2
            assert abs((ink[0] + ink[-1]) - (first + last)) <= 1


def test_digits_are_those_that_matplotlib_draws():
    """Beside FreeType's own pixels of the same size, in the place where they fit best."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font, LoadFlags

    font = FT2Font(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"))
    font.set_size(31, 72)
    for digit, image in enumerate(data.digits().x.reshape(10, 30, 30)):
        font.clear()
        font.set_text(str(digit), 0.0, flags=LoadFlags.NO_HINTING)
        font.draw_glyphs_to_bitmap()
        drawn = np.asarray(font.get_image()) / 255.0
        big = np.pad(drawn, 12)
        best = max(
            np.corrcoef(big[r : r + 30, c : c + 30].ravel(), image.ravel())[0, 1]
            for r in range(big.shape[0] - 30)
            for c in range(big.shape[1] - 30)
        )
        assert best > 0.93, digit


def test_holes_are_holes():
    """Paper within 0, 4, 6, 8 and 9: counted as parts of the paper that the margin does not reach."""
    ndimage = pytest.importorskip("scipy.ndimage")
    holes = [ndimage.label(image < 0.5)[1] - 1 for image in data.digits().x.reshape(10, 30, 30)]
    assert holes == [1, 0, 0, 0, 1, 0, 1, 0, 2, 1]


def test_variants():
    clean = data.digits().x
    assert set(np.unique(clean * 256.0)) <= set(range(257))
    assert {name for name, (shift, noise) in VARIANTS.items() if not shift and not noise} == {"clean"}
    noisy = {name: np.abs(data.digits(name).x - clean).mean() for name in ("noise_lo", "noise_hi")}
    assert 0.02 < noisy["noise_lo"] < 0.5 * noisy["noise_hi"]
    moved = data.digits("shift", copies=50, seed=1)
    assert moved.x.shape == (500, 900)
    np.testing.assert_array_equal(moved.labels[:12], [*range(10), 0, 1])


def test_shifts_are_whole_pixels_of_all_directions():
    moved = data.digits(shift=2, copies=100).x.reshape(100, 10, 30, 30)[:, 1]
    clean = data.digits().x.reshape(10, 30, 30)[1]
    inner = {(p, q): clean[4 - p : 26 - p, 4 - q : 26 - q] for p in range(-2, 3) for q in range(-2, 3)}
    found = [[k for k, piece in inner.items() if (image[4:26, 4:26] == piece).all()] for image in moved]
    assert all(len(places) == 1 for places in found)
    assert {places[0] for places in found} == set(inner)


def test_what_leaves_the_picture_is_lost():
    moved = data.digits(shift=29, copies=20).x.reshape(-1, 30, 30)
    assert moved.sum(axis=(1, 2)).min() < 1.0 < data.digits().x.sum(axis=1).min()


# -- the others


def test_moons_are_half_circles():
    found = data.moons(500, sd=0.0)
    upper, lower = (found.x[found.labels == k] for k in (0, 1))
    np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 1.0, atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(lower - (1.0, 0.5), axis=1), 1.0, atol=1e-14)
    assert upper[:, 1].min() >= 0.0
    assert lower[:, 1].max() <= 0.5


def test_moons_are_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets")
    theirs, labels = datasets.make_moons(4000, noise=0.1, random_state=0)
    ours = data.moons(4000, sd=0.1)
    for k in (0, 1):
        a, b = theirs[labels == k], ours.x[ours.labels == k]
        np.testing.assert_allclose(a.mean(axis=0), b.mean(axis=0), atol=0.06)
        np.testing.assert_allclose(np.cov(a.T), np.cov(b.T), atol=0.05)


@pytest.mark.parametrize("arms", [2, 3, 5])
def test_spirals(arms):
    """On each arm the angle is proportional to the radius; turned by a part of a circle an arm is the next."""
    found = data.spirals(101, arms=arms, turns=1.0, sd=0.0)
    radius = np.linalg.norm(found.x, axis=1)
    angle = np.arctan2(found.x[:, 1], found.x[:, 0]) / (2 * np.pi)
    np.testing.assert_allclose((angle - radius - found.labels / arms + 0.5) % 1.0, 0.5, atol=1e-12)
    assert radius.max() <= 1.0
    assert np.ptp(found.class_sizes) <= 1


def test_noise_has_its_standard_deviation():
    for name, n in (("moons", 5000), ("spirals", 5000)):
        difference = load(name, n=n, sd=0.2).x - load(name, n=n, sd=0.0).x
        assert difference.std() == pytest.approx(0.2, rel=0.03)
        assert abs(difference.mean()) < 0.01
    assert (data.xor(500, sd=0.2).x - data.xor(500).x).std() == pytest.approx(0.2, rel=0.05)


def test_xor():
    found = data.xor(2)
    np.testing.assert_array_equal(found.x[:4], [[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(found.labels, [0, 1, 1, 0] * 2)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_parity_changes_with_any_input(bits):
    found = data.parity(bits)
    assert len({tuple(row) for row in found.x.tolist()}) == 2**bits
    for a, b in combinations(range(2**bits), 2):
        if np.abs(found.x[a] - found.x[b]).sum() == 1:
            assert found.labels[a] != found.labels[b]
    np.testing.assert_array_equal(found.class_sizes, 2 ** (bits - 1))


def test_handwritten_digits_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(UsageError, match=r"pip install 'neurosim\[sklearn\]'"):
        data.handwritten()


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("horseshoe", {"n_band": 1}, "n_band = 1: give a whole number from 2"),
        ("horseshoe", {"n_blob": 2.5}, "n_blob = 2.5"),
        ("moons", {"n": 1}, "n = 1"),
        ("moons", {"sd": -0.1}, "sd = -0.1: give a number at least 0"),
        ("moons", {"sd": "wide"}, "sd = 'wide'"),
        ("spirals", {"arms": 1}, "arms = 1: give a whole number from 2"),
        ("spirals", {"n": 2, "arms": 3}, "n = 2: give a whole number from 3"),
        ("spirals", {"turns": math.inf}, "turns = inf"),
        ("xor", {"copies": 0}, "copies = 0"),
        ("parity", {"bits": 21}, "bits = 21: give a whole number from 1 to 20"),
        ("digits", {"variant": "noisy"}, "unknown variant 'noisy'"),
        ("digits", {"shift": 30}, "shift = 30: give a whole number from 0 to 29"),
        ("digits", {"noise": math.nan}, "noise = nan"),
        ("digits", {"copies": True}, "copies = True"),
    ],
)
def test_bad_options(name, wrong, message):
    with pytest.raises(UsageError) as caught:
        load(name, **wrong)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


if __name__ == "__main__":
    found = {name: [digest(name, seed) for seed in SEEDS] for name in NAMES}
    DIGESTS.write_text(json.dumps(found, indent=2) + "\n")
