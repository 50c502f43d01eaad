"""Wheel, sdist, editable and uninstalled: ``neurosim.backends`` and ``neurosim.scenarios`` are there in each.

In the checkout both are symbolic links to folders at the top; in what is built they are real files.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import neurosim

ROOT = Path(neurosim.__file__).parents[1]
SHIPPED = [
    f"neurosim/{path.relative_to(ROOT)}" for top in ("backends", "scenarios") for path in (ROOT / top).rglob("*.py")
]
SHIPPED += [str(path.relative_to(ROOT)) for path in (ROOT / "neurosim").glob("**/*.py")] + ["neurosim/py.typed"]

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="neurosim is installed; packaging is tested in its checkout"
)

# What a user does first, in a process that knows nothing of the checkout.
PROBE = """
import sys
from pathlib import Path
import neurosim, neurosim.backends.tracing, neurosim.scenarios
from neurosim import Constant, Network, Population, Record, simulate
from neurosim.models import LIF, all_models
from neurosim.scenario import get_scenario, names
assert "backends" not in sys.modules and "scenarios" not in sys.modules
home = Path(sys.argv[1]).resolve()
for module in (neurosim, neurosim.backends, neurosim.scenarios):
    assert home in Path(module.__file__).resolve().parents, module.__file__
assert neurosim.backends.__name__ == "neurosim.backends"
net = Network((Population("p", LIF(), 2, stimuli=(Constant(3.0),)),))
result = simulate(net, duration=20.0, dt=0.1, record=Record("p", "spikes"), backend="numpy", fuse="off")
print(len(result.spikes["p"].t), len(all_models()), *names())
"""


def run(*command, cwd, **environment):
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=variables | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_works(python, home, cwd, **environment):
    from neurosim.models import all_models
    from neurosim.scenario import names

    output = run(python, "-c", PROBE, home, cwd=cwd, **environment).split()
    assert output == ["4", str(len(all_models())), *names()]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the checkout, links as links, so that building leaves nothing behind."""
    copy = tmp_path_factory.mktemp("packaging") / "checkout"
    skip = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "results", "*.egg-info", "_build", "gallery")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=skip)
    assert (copy / "neurosim" / "backends").is_symlink()
    return copy


@pytest.fixture(scope="module")
def built(checkout):
    """The folder with a wheel, which was built from the sdist, and the sdist."""
    if importlib.util.find_spec("build") is None:
        pytest.skip("the package build is not installed")
    found = importlib.util.find_spec("setuptools") is not None
    isolation = ["--no-isolation"] if found and _setuptools() >= 77 else []
    run(sys.executable, "-m", "build", *isolation, checkout, "--outdir", checkout.parent / "dist", cwd=checkout.parent)
    return checkout.parent / "dist"


def _setuptools():
    from importlib.metadata import version

    return int(version("setuptools").split(".")[0])


@pytest.mark.slow
def test_the_wheel_holds_real_files(checkout, built):
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"neurosim-{neurosim.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        for name in SHIPPED:
            assert entries[name].file_size == (checkout / name).stat().st_size, name
            assert entries[name].external_attr >> 28 != 0o12, f"{name} is a link"
        top = {name.split("/")[0] for name in entries}
    assert top == {"neurosim", f"neurosim-{neurosim.__version__}.dist-info"}, "no folder named backends, tests, …"


@pytest.mark.slow
def test_the_sdist_holds_real_files(checkout, built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = {member.name.partition("/")[2]: member for member in archive.getmembers()}
        assert not any(member.issym() or member.islnk() for member in members.values())
        for name in (*SHIPPED, "pyproject.toml", "README.md", "LICENSE"):
            assert members[name].isfile(), name
            assert members[name].size == (checkout / name).stat().st_size, name


@pytest.mark.slow
def test_the_wheel_works_away_from_the_checkout(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    target = tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", target, wheel, cwd=tmp_path)
    assert not (target / "backends").exists()
    assert_works(sys.executable, target, tmp_path, PYTHONPATH=str(target))
    version = run(sys.executable, "-m", "neurosim", "--version", cwd=tmp_path, PYTHONPATH=str(target))
    assert version == f"neurosim {neurosim.__version__}\n"
    kernel = PROBE.replace('fuse="off"', 'fuse="require"')
    cache = {"NEUROSIM_CACHE_DIR": str(tmp_path / "kernels")}
    assert run(sys.executable, "-c", kernel, target, cwd=tmp_path, PYTHONPATH=str(target), **cache).startswith("4 ")


@pytest.mark.slow
def test_an_editable_install(checkout, tmp_path):
    """In an environment of its own that sees the libraries of this one."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=os.name != "nt")
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(tmp_path / "venv")}))
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    if importlib.util.find_spec("setuptools") is None or _setuptools() < 77:
        pytest.skip("needs setuptools 77 or newer in this environment")
    install = ["-m", "pip", "install", "--no-deps", "--no-build-isolation", "--quiet", "--editable", checkout]
    run(scripts / "python", *install, cwd=tmp_path)
    assert_works(scripts / "python", checkout, tmp_path)
    assert run(scripts / "neurosim", "--version", cwd=tmp_path) == f"neurosim {neurosim.__version__}\n"


def test_uninstalled(tmp_path):
    assert_works(sys.executable, ROOT, tmp_path, PYTHONPATH=str(ROOT))


def test_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == neurosim.__version__
    assert neurosim.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
