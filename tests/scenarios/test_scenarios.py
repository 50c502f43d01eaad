"""Every scenario reaches its published numbers at a small scale, and leaves pictures and a report."""

import json
import math

import pytest
from PIL import Image

from neurosim.running import run_scenario
from neurosim.scenario import get_scenario, names

SCALE = 0.02
IN_SINGLE = names()[::4]  # every fourth in float32, too
TOP = {"scenario", "slide", "backend", "engine", "precision", "seed", "scale", "options", "seconds"}
TOP |= {"provenance", "metrics", "checks", "figures"}
ALL = pytest.mark.parametrize("name", names())


def run(name, folder, **options):
    options = {"backend": "numpy", "scale": SCALE} | options
    return run_scenario(get_scenario(name), options, folder)


def assert_checks_hold(report):
    failed = [check for check in report["checks"] if not check["ok"]]
    assert not failed


def assert_is_a_picture(path):
    with Image.open(path) as picture:
        assert min(picture.size) >= 200
        assert picture.convert("RGB").getcolors(maxcolors=10) is None, "blank"  # none where there are more


@ALL
def test_checks_and_pictures(name, tmp_path):
    report = run(name, tmp_path)
    assert_checks_hold(report)
    pictures = [file for file in report["figures"] if file.endswith(".png")]
    assert pictures
    for file in pictures:
        assert_is_a_picture(tmp_path / file)
    for file in report["figures"]:
        assert (tmp_path / file).stat().st_size > 0
    written = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert written == report
    assert set(written) == TOP
    assert (written["scenario"], written["scale"]) == (name, SCALE)
    assert {check["name"] for check in written["checks"]} <= set(written["metrics"])
    assert all(isinstance(value, float) and math.isfinite(value) for value in written["metrics"].values())


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_SINGLE)
def test_in_single_precision(name, tmp_path):
    report = run(name, tmp_path, precision="float32")
    assert report["precision"] == "float32"
    assert_checks_hold(report)


@ALL
def test_declarations(name):
    """What lists and reports show."""
    scenario = get_scenario(name)
    assert scenario.title
    assert "\n" not in scenario.title
    assert len(scenario.title) <= 100
    assert scenario.description
    assert scenario.source
    assert scenario.seconds > 0
    assert scenario.checks
    assert len({check.name for check in scenario.checks}) == len(scenario.checks)
    for check in scenario.checks:
        assert check.source, check.name
        assert math.isfinite(check.expected)
        assert check.tolerance >= 0
    assert set(scenario.defaults) - set(scenario.own({})) == {"backend", "scale", "seed", "precision", "fuse"}
    assert all(isinstance(default, str) for default in scenario.own({}).values())
    assert scenario.defaults["backend"] == "auto"
    assert scenario.defaults["scale"] == 1.0
