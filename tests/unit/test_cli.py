"""The command line: what it prints where, and its exit status."""

import json
import math
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import neurosim
from neurosim import Constant, Network, Population, Record, UsageError, scenario, simulate
from neurosim.cli import main, models_command, run_command
from neurosim.models import LIF
from neurosim.running import run_scenario
from neurosim.scenario import Check, Outcome, get_scenario

ROOT = Path(neurosim.__file__).parents[1]
TOP = ["scenario", "slide", "backend", "engine", "precision", "seed", "scale", "options", "seconds"]
TOP += ["provenance", "metrics", "checks", "figures"]
OF_A_CHECK = {"name", "value", "expected", "tolerance", "kind", "unit", "source", "ok"}


def fake(run=None, checks=None, doc="Spikes of three neurons.\n\nThe rest of the text."):
    """A scenario module as another package might bring it."""

    def default(*, backend="auto", scale=1.0, seed=3, precision="float64", fuse="off"):
        from matplotlib.figure import Figure

        net = Network((Population("p", LIF(), 3, stimuli=(Constant(3.0),)),))
        options = {"backend": "numpy" if backend == "auto" else backend, "fuse": fuse, "precision": precision}
        result = simulate(net, duration=50.0 * scale, dt=0.1, record=Record("p", "spikes"), seed=seed, **options)
        figure = Figure()
        figure.subplots().plot(*result.spikes["p"], ".")
        return Outcome({"raster": figure}, {"spikes": len(result.spikes["p"].t), "ratio": 0.5}, result.provenance)

    module = ModuleType("fake")
    module.__doc__ = doc
    module.SOURCE, module.SECONDS = "slide 99 · Nobody 1900", 1
    module.CHECKS = checks or (Check("spikes", 21.0, 0.0, "Nobody 1900"), Check("ratio", 0.4, 0.0, "", kind="at least"))
    module.run = run or default
    return module


@pytest.fixture
def scenarios(monkeypatch):
    """Pretend that other packages bring these scenarios."""

    def bring(**modules):
        class Entry:
            def __init__(self, name, module):
                self.name, self._module = name, module

            def load(self):
                return self._module

        entries = [Entry(name, module) for name, module in modules.items()]
        monkeypatch.setattr(scenario, "entry_points", lambda group: entries)
        scenario._loaders.cache_clear()

    yield bring
    monkeypatch.undo()
    scenario._loaders.cache_clear()


@pytest.fixture
def neurosim_command(capsys, tmp_path, monkeypatch):
    """Run the command in an empty folder: status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # a parent that read lines has exported it

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return run


def assert_one_line(err, *parts):
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert err.startswith("neurosim: ")
    assert "Traceback" not in err
    for part in parts:
        assert part in err


# -- help and lists


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help(neurosim_command, arguments):
    status, out, err = neurosim_command(*arguments)
    assert (status, err) == (0, "")
    for command in ("list", "run", "models", "doctor"):
        assert command in out


@pytest.mark.parametrize("command", ["run", "list", "models", "doctor", "bench"])
def test_help_of_commands(neurosim_command, command):
    status, out, _ = neurosim_command(command, "--help")
    assert status == 0
    assert "Usage: " in out


def test_completion(scenarios):
    scenarios(fake=fake())
    assert run_command._complete("fak") == ["fake"]
    assert "LIF" in models_command._complete("l")


def test_version(neurosim_command):
    assert neurosim_command("--version") == (0, f"neurosim {neurosim.__version__}\n", "")


def test_list(neurosim_command, scenarios):
    scenarios(fake=fake())
    status, out, err = neurosim_command("list")
    assert (status, err) == (0, "")
    for name in scenario.names():
        assert name in out
    assert "slide 99 · Nobody 1900" in out
    assert "Spikes of three neurons" in out


def test_models(neurosim_command):
    status, out, _ = neurosim_command("models")
    assert status == 0
    for name in neurosim.models.all_models():
        assert name in out
    status, out, _ = neurosim_command("models", "--show", "LIF")
    assert status == 0
    assert "tau_m" in out
    assert "MΩ" in out


def test_doctor(neurosim_command):
    status, out, _ = neurosim_command("doctor")
    assert status == 0
    for topic in ("Python", "NumPy", "CuPy"):
        assert topic.lower() in out.lower()


# -- running


def test_run(neurosim_command, scenarios, tmp_path):
    scenarios(fake=fake())
    status, out, err = neurosim_command("run", "fake", "--backend", "numpy")
    assert (status, err) == (0, "")
    assert "Spikes of three neurons · backend numpy" in out
    assert "all checks hold · numba" in out
    report = json.loads((tmp_path / "results" / "fake" / "result.json").read_text())
    assert report["metrics"] == {"spikes": 21.0, "ratio": 0.5}
    for file in (*report["figures"], "result.json"):
        assert file in out
        assert (tmp_path / "results" / "fake" / file).stat().st_size > 0


def test_the_schema_of_the_report(neurosim_command, scenarios, tmp_path):
    scenarios(fake=fake())
    arguments = ("--precision", "float32", "--seed", 7, "--scale", 1, "--out", tmp_path / "there", "--fuse", "off")
    status, _, _ = neurosim_command("run", "fake", *arguments)
    report = json.loads((tmp_path / "there" / "result.json").read_text())
    assert status == 0
    assert list(report) == TOP
    assert (report["scenario"], report["slide"]) == ("fake", "slide 99 · Nobody 1900")
    assert (report["backend"], report["engine"], report["precision"]) == ("numpy", "eager", "float32")
    assert (report["seed"], report["scale"]) == (7, 1.0)
    assert report["seconds"] > 0
    assert report["provenance"]["seed"] == 7
    assert report["figures"] == ["raster.png", "raster.svg"]
    for check in report["checks"]:
        assert set(check) == OF_A_CHECK
    first = report["checks"][0]
    assert {name: first[name] for name in ("name", "value", "expected", "tolerance", "source", "ok")} == {
        "name": "spikes",
        "value": 21.0,
        "expected": 21.0,
        "tolerance": 0.0,
        "source": "Nobody 1900",
        "ok": True,
    }


def test_a_check_that_fails(neurosim_command, scenarios):
    checks = (Check("spikes", 1e6, 10.0, "Nobody 1900"), Check("ratio", 0.6, 0.2, "", kind="at most", unit="Hz"))
    scenarios(fake=fake(checks=checks))
    status, out, err = neurosim_command("run", "fake")
    assert (status, err) == (1, "")
    assert "✗ spikes" in " ".join(out.split())
    assert "1 of 2 checks failed" in out
    assert "≤ 0.6 ± 0.2 Hz" in out


def test_a_number_that_is_none(neurosim_command, scenarios, tmp_path):
    """NaN passes no check and is null in the report."""

    def run(*, backend="auto", scale=1.0, seed=0, precision="float64", fuse="auto"):
        return Outcome({}, {"spikes": math.nan})

    scenarios(fake=fake(run, (Check("spikes", 1.0, 1e9, ""),)))
    status, out, _ = neurosim_command("run", "fake")
    report = json.loads((tmp_path / "results" / "fake" / "result.json").read_text())
    assert status == 1
    assert "not a number" in out
    assert report["metrics"] == {"spikes": None}
    assert report["checks"][0]["ok"] is False
    assert report["engine"] == "none"


def test_auto_says_what_it_chose(neurosim_command, scenarios):
    scenarios(fake=fake())
    _, out, _ = neurosim_command("run", "fake")
    assert "backend numpy (no GPU that CuPy can use; see `neurosim doctor`)" in out or "a GPU was found" in out


def test_interrupted(neurosim_command, scenarios):
    def run(*, backend="auto", scale=1.0, seed=0, precision="float64", fuse="auto"):
        raise KeyboardInterrupt

    scenarios(fake=fake(run))
    status, _, err = neurosim_command("run", "fake")
    assert (status, err) == (130, "neurosim: interrupted\n")


# -- mistakes: status 2, one line on standard error, nothing on standard output


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("rum",), ("No such command 'rum'", "neurosim --help")),
        (("--frobnicate",), ("No such option", "--frobnicate")),
        (("run",), ("Missing argument 'name'",)),
        (("run", "fake", "--colour", "red"), ("No such option", "--colour")),
        (("run", "fake", "more"), ("unexpected extra argument", "more")),
        (("run", "fake", "--seed", "one"), ("Invalid value for '--seed'", "valid integer")),
        (("run", "fake", "--scale", "big"), ("Invalid value for '--scale'", "valid number")),
        (("run", "fakes"), ("unknown scenario 'fakes': did you mean 'fake'? known: ",)),
        (("run", "fake", "--backend", "numpi"), ("unknown backend 'numpi': did you mean 'numpy'?",)),
        (("run", "fake", "--scale", "0"), ("scale = 0.0: must be a finite number above 0",)),
        (("run", "fake", "--scale", "nan"), ("scale = nan: must be a finite number above 0",)),
        (("run", "fake", "--seed", "-1"), ("seed = -1: must be a whole number from 0 to 2**64 - 1",)),
        (("run", "fake", "--precision", "float16"), ("unknown precision 'float16': did you mean 'float",)),
        (("run", "fake", "--fuse", "of"), ("unknown fuse 'of': did you mean 'off'? known: auto, off, require",)),
        (("run", "fake", "--out", "file/folder"), ("output folder file/folder cannot be written", "--out DIR")),
        (("run", "fake", "--out", "file"), ("output folder file cannot be written", "--out DIR")),
        (("models", "--show", "Lif"), ("unknown model 'Lif': did you mean 'LIF'? known: ",)),
        (("list", "--frobnicate"), ("No such option", "--frobnicate")),
    ],
    ids=" ".join,
)
def test_mistakes(neurosim_command, scenarios, tmp_path, arguments, parts):
    scenarios(fake=fake())
    (tmp_path / "file").touch()
    status, out, err = neurosim_command(*arguments)
    assert (status, out) == (2, "")
    assert_one_line(err, *parts)


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="the superuser may write anywhere")
def test_a_folder_without_permission(neurosim_command, scenarios, tmp_path):
    scenarios(fake=fake())
    (tmp_path / "closed").mkdir(mode=0o500)
    status, out, err = neurosim_command("run", "fake", "--out", tmp_path / "closed" / "here")
    assert (status, out) == (2, "")
    assert_one_line(err, "cannot be written (Permission denied)", "--out DIR")


def test_cupy_without_a_gpu(neurosim_command, scenarios):
    reason = neurosim.backends.available()["cupy"]
    if reason is None:
        pytest.skip("a GPU was found")
    scenarios(fake=fake())
    status, out, err = neurosim_command("run", "fake", "--backend", "cupy")
    assert (status, out) == (2, "")
    assert_one_line(err, "backend 'cupy' is not available: ", "pip install")


# -- scenarios of other packages


def test_what_a_scenario_lacks(scenarios, refuses):
    module = fake()
    del module.SOURCE
    module.CHECKS = ()
    scenarios(fake=module)
    with refuses("scenario 'fake' lacks SOURCE, CHECKS: see neurosim.scenario"):
        get_scenario("fake")


def test_a_check_without_its_metric(scenarios, tmp_path, refuses):
    scenarios(fake=fake(checks=(Check("rate", 1.0, 0.1, ""),)))
    with refuses("check 'rate' has no metric of its name; there are spikes, ratio"):
        run_scenario(get_scenario("fake"), {}, tmp_path)


def test_a_scenario_is_read(scenarios):
    scenarios(fake=fake())
    read = get_scenario("fake")
    assert (read.title, read.description) == ("Spikes of three neurons", "The rest of the text.")
    assert read.defaults == {"backend": "auto", "scale": 1.0, "seed": 3, "precision": "float64", "fuse": "off"}


@pytest.mark.parametrize(
    ("kind", "value", "holds"),
    [
        ("equal", 1.1, True),
        ("equal", 1.2, False),
        ("at least", 0.9, True),
        ("at least", 0.8, False),
        ("at least", 5.0, True),
        ("at most", 1.1, True),
        ("at most", 1.2, False),
        ("at most", -5.0, True),
        ("equal", math.nan, False),
        ("at least", math.nan, False),
        ("at most", math.nan, False),
    ],
)
def test_checks(kind, value, holds):
    assert Check("x", 1.0, 0.1 + 1e-12, "", kind=kind).holds(value) is holds


def test_large_pictures_are_not_drawn_as_vectors(scenarios, tmp_path, monkeypatch):
    monkeypatch.setattr("neurosim.running._SVG_BYTES", 100)
    scenarios(fake=fake())
    report = run_scenario(get_scenario("fake"), {}, tmp_path)
    assert report["figures"] == ["raster.png"]
    assert not list(tmp_path.glob("*.svg"))


def test_the_same_picture_is_the_same_file(scenarios, tmp_path):
    scenarios(fake=fake())
    for folder in ("a", "b"):
        run_scenario(get_scenario("fake"), {}, tmp_path / folder)
    for file in ("raster.png", "raster.svg"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


# -- processes


def process(*arguments, cwd):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_as_a_module(tmp_path):
    run = process("-m", "neurosim", "--version", cwd=tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"neurosim {neurosim.__version__}\n", "")
    run = process("-m", "neurosim", "run", "no_such", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert_one_line(run.stderr, "unknown scenario 'no_such'")


def test_a_scenario_as_a_script(tmp_path):
    name = next(iter(scenario.names()))
    run = process(str(ROOT / "scenarios" / f"{name}.py"), "--scale", "-1", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert_one_line(run.stderr, "scale = -1.0: must be a finite number above 0")


def test_the_entry_point_is_declared():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'neurosim = "neurosim.cli:main"' in text
    assert callable(main)


def test_main_module(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["neurosim", "--version"])
    with pytest.raises(SystemExit):
        runpy.run_module("neurosim", run_name="__main__")
    assert capsys.readouterr().out == f"neurosim {neurosim.__version__}\n"


def test_usage_errors_of_a_scenario_are_one_line(neurosim_command, scenarios):
    def run(*, backend="auto", scale=1.0, seed=0, precision="float64", fuse="auto"):
        raise UsageError("two\nlines")

    scenarios(fake=fake(run))
    status, _, err = neurosim_command("run", "fake")
    assert status == 2
    assert_one_line(err, "two lines")


# -- options of one scenario alone


def with_an_option():
    """A scenario that asks for a colour."""

    def checks(colour):
        if colour not in ("red", "blue"):
            raise UsageError(f"colour = {colour!r}: write red or blue")
        return (Check(f"spikes in {colour}", 1.0, 0.0, "Nobody 1900"),)

    def run(*, colour="red", backend="auto", scale=1.0, seed=0, precision="float64", fuse="auto"):
        return Outcome({}, {f"spikes in {colour}": 1.0})

    return fake(run, checks)


@pytest.mark.parametrize("written", [("--colour", "blue"), ("--colour=blue",)])
def test_an_option_of_a_scenario(neurosim_command, scenarios, tmp_path, written):
    """It reaches the scenario and its checks, and is told in the report and the folder's name."""
    scenarios(fake=with_an_option())
    status, out, err = neurosim_command("run", "fake", *written, "--scale", 0.5)
    assert (status, err) == (0, "")
    assert "spikes in blue" in out
    report = json.loads((tmp_path / "results" / "fake_blue" / "result.json").read_text())
    assert (report["options"], report["scale"]) == ({"colour": "blue"}, 0.5)


def test_the_default_of_an_option(neurosim_command, scenarios, tmp_path):
    scenarios(fake=with_an_option())
    status, _, _ = neurosim_command("run", "fake")
    assert status == 0
    report = json.loads((tmp_path / "results" / "fake" / "result.json").read_text())
    assert report["options"] == {"colour": "red"}
    assert [check.name for check in get_scenario("fake").checks] == ["spikes in red"]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--colour", "green"), ("colour = 'green': write red or blue",)),
        (("--colour",), ("Option --colour requires an argument",)),
        (("--color", "red"), ("No such option --color of fake: did you mean 'colour'?",)),
        (("-c", "red"), ("No such option -c",)),
        (("--colour", "red", "blue"), ("unexpected extra argument", "blue")),
    ],
    ids=" ".join,
)
def test_mistakes_with_options_of_a_scenario(neurosim_command, scenarios, arguments, parts):
    scenarios(fake=with_an_option())
    status, out, err = neurosim_command("run", "fake", *arguments)
    assert (status, out) == (2, "")
    assert_one_line(err, *parts)


def test_an_option_before_the_name(neurosim_command, scenarios):
    scenarios(fake=with_an_option())
    status, _, err = neurosim_command("run", "--colour", "red", "fake")
    assert status == 2
    assert_one_line(err, "No such option --colour: options of a scenario follow its name")
