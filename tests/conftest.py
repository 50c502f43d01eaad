"""What tests share: the backends, a kernel cache of the session, and the form of an error message."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import tempfile

import array_api_strict
import numpy as np
import pytest
from hypothesis import settings

from neurosim import Population
from neurosim.backends import UsageError, registry, threads
from neurosim.models import LIF
from neurosim.stimuli import all_stimuli

settings.register_profile("everyday", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "everyday")

STRICTEST = {"boolean_indexing": False, "data_dependent_shapes": False, "enabled_extensions": ()}
NAMESPACES = [
    pytest.param("array_api_strict", id="strict"),
    pytest.param("strictest", id="strictest"),
    pytest.param("torch", id="torch", marks=pytest.mark.torch),
    pytest.param("cupy", id="cupy", marks=pytest.mark.gpu),
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """``-n auto``: a worker per core that this process may use."""
    return min(threads.available(), 8)


def pytest_configure(config):
    """Workers share the cores, and nothing that they write.

    Numba keeps one index for all signatures of a function: two processes that add to it at once may exchange the
    machine code of two signatures. It asks for its folder when it is imported, which is later than here.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="neurosim-numba-")
        config.add_cleanup(folder.cleanup)
        os.environ["NUMBA_CACHE_DIR"] = folder.name
        share = max(1, threads.available() // config.workerinput["workercount"])
        os.environ["NUMBA_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(share)


@pytest.fixture(scope="session", autouse=True)
def kernel_cache_of_the_session(tmp_path_factory):
    """Kernels are compiled once in a session and leave the user's cache alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROSIM_CACHE_DIR", str(tmp_path_factory.mktemp("kernels")))
        yield


def _backend(name):
    if name == "torch" and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    if name == "cupy" and (reason := registry.available()["cupy"]):
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        if name == "strictest":
            stack.enter_context(array_api_strict.ArrayAPIStrictFlags(**STRICTEST))
            name = "array_api_strict"
        yield registry.get(name)


@pytest.fixture(params=[pytest.param("numpy", id="numpy"), *NAMESPACES])
def backend(request):
    """Each backend in turn."""
    yield from _backend(request.param)


@pytest.fixture(params=NAMESPACES)
def other_backend(request):
    """Each backend in turn that is not NumPy, to be compared with it."""
    yield from _backend(request.param)


@pytest.fixture
def refuses():
    """``with refuses("part", "part"):`` a UsageError of one line that holds these parts."""

    @contextlib.contextmanager
    def expect(*parts, error=UsageError):
        with pytest.raises(error) as caught:
            yield caught
        text = str(caught.value)
        assert "\n" not in text
        for part in parts:
            assert part in text, text

    return expect


@pytest.fixture
def assert_same_bits():
    """Arrays that are equal bit for bit, except that any NaN equals any other."""

    def check(actual, expected, what=""):
        actual, expected = np.asarray(actual), np.asarray(expected)
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), what
        same = (actual == expected) & (np.signbit(actual) == np.signbit(expected))
        if actual.dtype.kind == "f":
            same |= np.isnan(actual) & np.isnan(expected)
        if not same.all():
            place = tuple(np.argwhere(~same)[0])
            pytest.fail(f"{what}{list(map(int, place))}: {actual[place]!r} instead of {expected[place]!r}")

    return check


@pytest.fixture
def assert_same_result(assert_same_bits):
    """Results with the same spikes and traces, bit for bit."""

    def check(actual, expected):
        assert list(actual.spikes) == list(expected.spikes)
        assert list(actual.traces) == list(expected.traces)
        for population, spikes in expected.spikes.items():
            np.testing.assert_array_equal(actual.spikes[population].t, spikes.t)
            np.testing.assert_array_equal(actual.spikes[population].i, spikes.i)
        for population, traces in expected.traces.items():
            for variable, values in traces.items():
                assert_same_bits(actual.traces[population][variable], values, f"{population}.{variable}")

    return check


@pytest.fixture(scope="session")
def neuron_per_stimulus():
    """A population in which neuron k hears the k-th stimulus alone, and the names of the stimuli."""
    stimuli = all_stimuli()
    examples = {
        "Constant": {"amplitude": 1.7},
        "Step": {"amplitude": 2.3, "start": 5.0, "stop": 30.0},
        "PulseTrain": {"amplitude": 3.1, "start": 2.0, "width": 3.0, "period": 7.3, "count": 5.0},
        "Ramp": {"first": -1.1, "last": 3.3, "start": 4.0, "stop": 25.0},
        "Sine": {"amplitude": 2.1, "frequency": 83.0, "phase": 0.3, "offset": 1.9, "start": 1.0, "stop": 38.0},
        "WhiteNoise": {"sigma": 1.3, "mean": 1.6},
        "OrnsteinUhlenbeck": {"sigma": 0.7, "tau": 4.0, "mean": 1.8},
    }
    strengths = {"amplitude", "first", "last", "offset", "sigma", "mean"}
    heard = []
    for k, cls in enumerate(stimuli):
        alone = np.zeros(len(stimuli))
        alone[k] = 1.0
        example = examples[cls.__name__]  # a new stimulus needs one
        heard.append(cls(**{name: value * alone if name in strengths else value for name, value in example.items()}))
    return Population("cells", LIF(), len(stimuli), stimuli=tuple(heard)), [cls.__name__ for cls in stimuli]
