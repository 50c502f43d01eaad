"""Backends by name, and what each of them owes."""

import importlib
import sys
from types import ModuleType

import numpy as np
import pytest

from neurosim.backends import Backend, SlowPathWarning, UsageError, available, get, registry
from neurosim.backends.unavailable import Unavailable


@pytest.fixture
def entry_points(monkeypatch):
    """Pretend that other packages declare these backends."""

    def declare(**factories):
        class Entry:
            def __init__(self, name, factory):
                self.name, self._factory = name, factory

            def load(self):
                return self._factory

        entries = [Entry(name, factory) for name, factory in factories.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: entries)
        forget()

    def forget():
        registry.factories.cache_clear()
        registry._create.cache_clear()

    yield declare
    monkeypatch.undo()
    forget()


def test_built_in_backends():
    assert {"numpy", "cupy"} <= set(registry.factories())
    assert available()["numpy"] is None
    assert get("numpy") is get("numpy"), "made once"
    assert get(get("numpy")) is get("numpy")


def test_auto_is_a_gpu_or_numpy():
    assert get("auto").name == ("cupy" if available()["cupy"] is None else "numpy")
    assert get() is get("auto")


def test_describe():
    facts = registry.describe("numpy")
    assert 0 < facts["free"] <= facts["total"]
    assert facts["device"] == "cpu"
    assert facts["fused"] is None


def test_a_backend_from_another_package(entry_points):
    class Mine(type(get("numpy"))):
        name = "mine"

    entry_points(mine=Mine)
    assert get("mine").name == "mine"
    assert available()["mine"] is None


def test_a_backend_of_another_package_that_cannot_be_used(entry_points, refuses):
    def create():
        raise Unavailable("no such device: buy one")

    entry_points(broken=create)
    assert available()["broken"] == "no such device: buy one"
    with refuses("backend 'broken' is not available: no such device: buy one"):
        get("broken")


@pytest.mark.parametrize("name", ["nmpy", "Numpy", "numpi"])
def test_the_nearest_name_is_suggested(refuses, name):
    with refuses(f"unknown backend {name!r}: did you mean 'numpy'? known: ", "array_api_strict, auto, cupy, numpy"):
        get(name)


@pytest.mark.parametrize("name", ["", ".", ".numpy", "a b", "no_such_library", "no.such.library"])
def test_what_cannot_be_a_library(refuses, name):
    with refuses(f"unknown backend {name!r}: ", "known: array_api_strict, auto, cupy, numpy, torch"):
        get(name)


@pytest.mark.parametrize("value", [None, 3, np, Backend])
def test_what_is_no_name(refuses, value):
    with refuses("is no name: write backend='numpy'"):
        get(value)


def test_a_library_without_the_array_api(refuses):
    with refuses("backend 'json' does not implement the Array API (no asarray, ", "write backend='numpy'"):
        get("json")


def test_a_library_that_is_not_installed(monkeypatch, refuses):
    """Its name is right: the advice is to install it."""
    monkeypatch.setitem(sys.modules, "torch", None)
    registry._create.cache_clear()
    with refuses("backend 'torch' is not available: ", "pip install torch"):
        get("torch")
    registry._create.cache_clear()


def test_a_library_whose_own_import_fails(monkeypatch):
    """Not a wrong name: the library's own error is shown."""

    def broken(name, package=None):
        raise ModuleNotFoundError("No module named 'its_dependency'", name="its_dependency")

    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="its_dependency"):
        get("some_library")


def test_cupy_says_what_to_install(monkeypatch, refuses):
    from neurosim.backends import cupy_backend

    registry._create.cache_clear()
    monkeypatch.setattr(cupy_backend.importlib.util, "find_spec", lambda name: None)
    with refuses("backend 'cupy' is not available: CuPy is not installed: pip install 'neurosim[cuda13]'"):
        get("cupy")
    registry._create.cache_clear()


def fake_cupy(count):
    """A module that behaves as CuPy on a machine with ``count`` devices, or with a driver that fails."""

    class CUDARuntimeError(RuntimeError):
        pass

    def device_count():
        if count is None:
            raise CUDARuntimeError("cudaErrorInsufficientDriver")
        return count

    cupy = ModuleType("cupy")
    cupy.__version__ = "14.2.0"
    cupy.cuda = ModuleType("cuda")
    cupy.cuda.runtime = ModuleType("runtime")
    cupy.cuda.runtime.getDeviceCount = device_count
    cupy.cuda.runtime.CUDARuntimeError = CUDARuntimeError
    return cupy


@pytest.mark.parametrize(
    ("count", "wheels", "advice"),
    [
        (None, ["cupy-cuda13x"], "CuPy 14.2.0 finds no CUDA device (cudaErrorInsufficientDriver): install or update"),
        (0, ["cupy-cuda13x"], "CuPy finds no CUDA device: check `nvidia-smi` and CUDA_VISIBLE_DEVICES"),
        (1, ["cupy-cuda12x", "cupy-cuda13x"], "two CuPy wheels are installed (cupy-cuda12x, cupy-cuda13x)"),
    ],
)
def test_cupy_without_a_usable_device(monkeypatch, refuses, count, wheels, advice):
    from neurosim.backends import cupy_backend

    class Distribution:
        def __init__(self, name):
            self.metadata = {"Name": name}

    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(count))
    monkeypatch.setattr(cupy_backend.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(cupy_backend, "distributions", lambda: map(Distribution, wheels))
    registry._create.cache_clear()
    with refuses("backend 'cupy' is not available: ", advice):
        get("cupy")
    registry._create.cache_clear()


# -- what each backend owes


def test_arrays_go_there_and_back(backend):
    for dtype in ("float32", "float64", "int64", "bool"):
        values = np.array([0, 1, 1, 0]).astype(dtype)
        values.setflags(write=False)
        array = backend.asarray(values, dtype)
        assert array.dtype == getattr(backend.xp, dtype)
        back = backend.to_numpy(array)
        assert isinstance(back, np.ndarray)
        assert back.dtype == dtype
        np.testing.assert_array_equal(back, values)
    assert backend.to_numpy(backend.asarray(2.5, "float64")) == 2.5


def test_events_are_ordered_by_row_then_column(backend):
    mask = np.zeros((3, 5), bool)
    mask[[0, 2, 2], [4, 1, 3]] = True
    rows, columns = backend.compact(backend.asarray(mask, "bool"))
    np.testing.assert_array_equal(rows, [0, 2, 2])
    np.testing.assert_array_equal(columns, [4, 1, 3])
    assert (rows.dtype, columns.dtype) == (np.int64, np.int32)


def test_memory_and_synchronisation(backend):
    free, total = backend.memory()
    assert 0 < free <= total
    backend.synchronize()


def test_a_backend_without_a_fused_engine_says_so(other_backend, refuses):
    if other_backend.fusible() is None:
        pytest.skip(f"{other_backend.name} has a fused engine")
    from neurosim.backends import Outputs, Program
    from neurosim.backends.tracing import trace

    program = Program("p", "float64", ("v",), (), lambda xp, s, p, clock: Outputs({"v": s["v"]}, s["v"] > 0.0, {}))
    with refuses("has no fused engine: ", "write fuse='off'"):
        other_backend.compile_fused(trace(program), 1, {}, {"v": 0.0})
    with refuses("fuse='require', but p cannot be fused on backend "):
        other_backend.compile(program, 1, {}, {"v": 0.0}, fuse="require")
    with pytest.warns(SlowPathWarning, match="p runs op by op on backend .* write fuse='off' to accept this"):
        kernel = other_backend.compile(program, 1, {}, {"v": 0.0})
    assert kernel.engine == "eager"


def test_numba_missing(monkeypatch, refuses):
    from neurosim.backends import numpy_backend

    monkeypatch.setattr(numpy_backend.importlib.util, "find_spec", lambda name: None)
    assert get("numpy").fusible() == "Numba is not installed: pip install numba"


def test_a_usage_error_is_a_value_error():
    assert issubclass(UsageError, ValueError)
    assert issubclass(SlowPathWarning, UserWarning)
