"""Nernst and Goldman-Hodgkin-Katz potentials, and the search for thresholds."""

import math

import array_api_strict
import numpy as np
import pytest

from neurosim.scenarios import membrane_potential as membrane
from neurosim.scenarios._thresholds import smallest


def test_thermal_voltage_is_rt_over_f():
    assert membrane.thermal_voltage(20.0) == pytest.approx(25.26, abs=0.01)
    assert membrane.thermal_voltage(-273.15) == 0.0


def test_nernst_is_58_mv_per_decade_with_the_sign_of_the_ion():
    for valence, expected in ((1, 58.17), (-1, -58.17), (2, 29.08)):
        found = membrane.nernst(np, np.asarray(10.0), np.asarray(100.0), valence)
        assert found == pytest.approx(expected, abs=0.01)


def test_equal_concentrations_have_no_potential():
    assert membrane.nernst(np, np.asarray(7.0), np.asarray(7.0), 1) == 0.0


def test_ghk_reaches_nernst_where_one_ion_alone_passes():
    potassium = membrane.ghk(np, np.asarray(0.0), np.asarray(10.0), chloride_ratio=0.0)
    assert potassium == pytest.approx(membrane.nernst(np, np.asarray(345.0), np.asarray(10.0), 1), abs=1e-12)
    sodium = membrane.ghk(np, np.asarray(1e9), np.asarray(10.0))
    assert sodium == pytest.approx(membrane.nernst(np, np.asarray(72.0), np.asarray(455.0), 1), abs=1e-5)
    chloride = membrane.ghk(np, np.asarray(0.0), np.asarray(10.0), chloride_ratio=1e9)
    assert chloride == pytest.approx(membrane.nernst(np, np.asarray(61.0), np.asarray(540.0), -1), abs=1e-5)


def test_constant_field_currents_cancel_at_the_ghk_potential():
    v = float(membrane.ghk(np, np.asarray(0.04), np.asarray(10.0)))

    def current(permeability, inside, outside, valence):
        u = valence * v / membrane.thermal_voltage(20.0)
        return permeability * valence * u * (inside - outside * math.exp(-u)) / (1.0 - math.exp(-u))

    parts = [
        current(1.0, *membrane.POTASSIUM, 1),
        current(0.04, *membrane.SODIUM, 1),
        current(membrane.CHLORIDE_RATIO, *membrane.CHLORIDE, -1),
    ]
    assert abs(sum(parts)) < 1e-10 * max(map(abs, parts))


def test_ghk_broadcasts_on_any_array_library():
    ratios, potassium = np.geomspace(1e-3, 1e3, 7)[:, None], np.geomspace(1.0, 345.0, 5)[None, :]
    expected = membrane.ghk(np, ratios, potassium)
    strict = membrane.ghk(array_api_strict, *(array_api_strict.asarray(x) for x in (ratios, potassium)))
    assert expected.shape == (7, 5)
    np.testing.assert_allclose(np.from_dlpack(strict), expected, rtol=1e-14)


def test_smallest_finds_each_threshold_and_says_where_there_is_none():
    true = np.array([2.0, 7.3, 1e9])
    asked = []

    def fires(x):
        asked.append(x.shape)
        return x >= true[:, None]

    found = smallest(fires, [1.0, 1.0, 1.0], [10.0, 10.0, 10.0], count=20, rounds=3)
    assert asked == [(3, 20)] * 3
    np.testing.assert_allclose(found[:2], true[:2], rtol=4e-4)
    assert np.all(found[:2] >= true[:2])
    assert np.isnan(found[2])


def test_smallest_is_the_lower_end_where_all_fire():
    found = smallest(lambda x: x > 0.0, [3.0], [9.0], count=5, rounds=2)
    np.testing.assert_allclose(found, [3.0])
