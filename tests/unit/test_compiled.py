"""Numba's cache on disk, when processes fill it at the same time and when what a function calls has changed."""

import importlib
import os
import subprocess
import sys

import pytest

from neurosim.backends import compiled
from neurosim.backends.compiled import OneFileEach

FUNCTION = """
from neurosim.backends.compiled import njit
from callee import added

@njit(cache=True)
def twice(x):
    return added(x, x)
"""
CALLEE = """
from neurosim.backends.compiled import njit

@njit(cache=True)
def added(x, y):
    return x + y
"""
# Each child compiles another signature, at the same moment; then a new process must find all, and the right ones.
TRIAL = """
import multiprocessing, os, sys
sys.path.insert(0, sys.argv[1])
import numba
import own

KINDS = [numba.int32, numba.int64, numba.float32, numba.float64]

def child(barrier, kind):
    barrier.wait()
    own.twice.compile((kind,))
    os._exit(0)

barrier = multiprocessing.get_context("fork").Barrier(len(KINDS))
children = [multiprocessing.get_context("fork").Process(target=child, args=(barrier, kind)) for kind in KINDS]
for process in children:
    process.start()
for process in children:
    process.join()
for kind in KINDS:
    own.twice.compile((kind,))
print(sum(own.twice.stats.cache_hits.values()), *(s.args[0] for s in own.twice.nopython_signatures))
print(own.twice(3), own.twice(1.5))
"""


@pytest.fixture
def folder(tmp_path):
    """A package of its own beside neurosim: what a function leads to is looked for in its package."""
    package = tmp_path / "own_kernels"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "callee.py").write_text(CALLEE)
    (package / "function.py").write_text(FUNCTION.replace("from callee", "from own_kernels.callee"))
    (tmp_path / "own.py").write_text("from own_kernels.function import twice\n")
    return tmp_path


def process(code, *arguments):
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="processes are not forked there")
def test_cold_processes_that_compile_other_signatures_lose_and_mix_nothing(folder):
    for _ in range(6):  # Numba alone fails in a third of the trials
        for file in folder.glob("own_kernels/__pycache__/*.nb?"):
            file.unlink()
        assert process(TRIAL, folder) == ["4 int32 int64 float32 float64", "6 3.0"]


USE = """
import sys
sys.path.insert(0, sys.argv[1])
import own
print(own.twice(3), sum(own.twice.stats.cache_hits.values()), sum(own.twice.stats.cache_misses.values()))
"""


def test_a_callee_that_has_changed_is_compiled_into_its_caller(folder):
    """Numba alone would go on with 6: the caller's own file is the same."""
    assert process(USE, folder) == ["6 0 1"]
    assert process(USE, folder) == ["6 1 0"]
    (folder / "own_kernels" / "callee.py").write_text(CALLEE.replace("x + y", "x * y * 2"))
    assert process(USE, folder) == ["18 0 1"]
    assert process(USE, folder) == ["18 1 0"]
    assert len(list(folder.glob("own_kernels/__pycache__/function.twice*.nbc"))) == 1  # that of before is gone


@pytest.mark.parametrize("damage", [b"", b"no pickle", None], ids=["empty", "other", "of another signature"])
def test_a_file_that_is_not_what_it_is_named_is_compiled_anew(folder, damage):
    process(USE, folder)
    (file,) = folder.glob("own_kernels/__pycache__/function.twice*.nbc")
    if damage is None:
        process(USE.replace("twice(3)", "twice(1.5)"), folder)
        (other,) = {*folder.glob("own_kernels/__pycache__/function.twice*.nbc")} - {file}
        damage = other.read_bytes()
    file.write_bytes(damage)
    assert process(USE, folder) == ["6 0 1"]
    assert process(USE, folder) == ["6 1 0"]


def test_entries_are_files_that_can_be_forgotten(tmp_path):
    one, other = (OneFileEach(os.fspath(tmp_path), "m.f-1.py311", (1.0, 2), "neurosim.backends.compiled") for _ in "ab")
    one.save(("x",), 1)
    other.save(("y",), 2)  # by an index that was read before, Numba would now have lost x, or have 2 under x
    assert (one.load(("x",)), one.load(("y",)), other.load(("x",)), other.load(("z",))) == (1, 2, 1, None)
    one.flush()
    assert not list(tmp_path.iterdir())
    assert other.load(("y",)) is None


def test_a_newer_source_takes_the_place_of_the_older(tmp_path):
    older, newer = (
        OneFileEach(os.fspath(tmp_path), "m.f-1.py311", (stamp, 2), "neurosim.backends.compiled") for stamp in (1, 2)
    )
    older.save("key", 1)
    assert newer.load("key") is None
    newer.save("key", 2)
    assert (older.load("key"), newer.load("key")) == (None, 2)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("module", ["delivery", "drawn_kernels", "plasticity_kernels", "row_kernels", "row_csr"])
def test_what_is_compiled_for_several_signatures_is_kept_so(module):
    found = importlib.import_module(f"neurosim.backends.{module}")
    dispatchers = [f for f in vars(found).values() if getattr(getattr(f, "_cache", None), "_cache_file", None)]
    assert dispatchers
    assert all(isinstance(f._cache._cache_file, OneFileEach) for f in dispatchers if f.__module__ == found.__name__)


def test_a_module_leads_to_what_it_calls():
    importlib.import_module("neurosim.backends.delivery")
    found = compiled._modules("neurosim.backends.delivery")
    # not imported by delivery, but by what it calls
    assert {f"neurosim.backends.{name}" for name in ("delivery", "plasticity_kernels", "plasticity_rules")} <= {*found}
    assert "neurosim.engine" not in found
