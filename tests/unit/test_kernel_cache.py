"""The cache of generated kernels on disk."""

import os
import subprocess
import sys
import textwrap
import threading

import pytest

from neurosim.backends import SlowPathWarning, kernel_cache

SOURCE = "def kernel():\n    return {value}\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NEUROSIM_CACHE_DIR", str(folder))
    monkeypatch.delenv("NEUROSIM_CACHE_MB", raising=False)
    kernel_cache._load.cache_clear()
    kernel_cache._temporary.cache_clear()
    yield folder
    kernel_cache._load.cache_clear()
    kernel_cache._temporary.cache_clear()


def sources(folder):
    return sorted(path.name for path in folder.glob("*.py"))


def test_a_kernel_is_written_once(cache):
    source = SOURCE.format(value=1)
    module = kernel_cache.load(source, "one", "")
    assert module.kernel() == 1
    assert kernel_cache.load(source, "one", "") is module
    assert len(sources(cache)) == 1
    assert next(cache.glob("*.py")).read_text() == source
    assert not list(cache.glob("*.tmp")) + list(cache.glob(".*"))


def test_its_name_is_what_it_depends_on(cache):
    kernel_cache.load(SOURCE.format(value=1), "k", "Numba 1")
    kernel_cache.load(SOURCE.format(value=2), "k", "Numba 1")
    kernel_cache.load(SOURCE.format(value=1), "k", "Numba 2")
    assert len(sources(cache)) == 3


def test_another_process_keeps_the_file(cache):
    """Numba compares its time stamp: it must never change."""
    kernel_cache.load(SOURCE.format(value=1), "k", "")
    path = next(cache.glob("*.py"))
    os.utime(path, ns=(1_000_000_000, 1_000_000_000))
    kernel_cache._load.cache_clear()  # as a new process has it
    kernel_cache.load(SOURCE.format(value=1), "k", "")
    assert path.stat().st_mtime_ns == 1_000_000_000


def test_many_writers_at_once(cache):
    failures = []

    def write():
        try:
            assert kernel_cache._write_once(cache, SOURCE.format(value=3), "same").read_text() == SOURCE.format(value=3)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert os.listdir(cache) == ["same.py"]


def test_a_file_system_without_links(cache, monkeypatch):
    def refuse(*paths):
        raise OSError("no links here")

    monkeypatch.setattr(kernel_cache.os, "link", refuse)
    assert kernel_cache.load(SOURCE.format(value=4), "k", "").kernel() == 4
    assert len(os.listdir(cache)) >= 1
    assert not list(cache.glob(".*"))


def test_a_folder_that_cannot_be_written(cache, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NEUROSIM_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.warns(SlowPathWarning, match=r"cannot be written .*; set NEUROSIM_CACHE_DIR to a folder"):
        module = kernel_cache.load(SOURCE.format(value=5), "k", "")
    assert module.kernel() == 5


def test_kernels_used_longest_ago_are_deleted(cache, monkeypatch):
    big = SOURCE + "#" * 1000 + "\n"
    for age, value in enumerate((1, 2, 3)):
        kernel_cache.load(big.format(value=value), f"k{value}", "")
        for path in cache.glob(f"k{value}_*"):
            os.utime(path, (age, age))
    monkeypatch.setenv("NEUROSIM_CACHE_MB", "0.0025")
    kernel_cache.load(big.format(value=4), "k4", "")
    assert [name.partition("_")[0] for name in sources(cache)] == ["k3", "k4"]
    monkeypatch.setenv("NEUROSIM_CACHE_MB", "0")
    kernel_cache.load(big.format(value=5), "k5", "")
    assert [name.partition("_")[0] for name in sources(cache)] == ["k5"], "the one in use stays"


def test_size(cache):
    assert kernel_cache.size() == (0, 0)
    for value in (1, 2):
        kernel_cache.load(SOURCE.format(value=value), "k", "")
    count, size = kernel_cache.size()
    assert count == 2
    assert size >= 2 * len(SOURCE.format(value=1))


@pytest.mark.parametrize("text", ["many", "-1", "nan"])
def test_a_limit_that_is_none(monkeypatch, refuses, text):
    monkeypatch.setenv("NEUROSIM_CACHE_MB", text)
    with refuses(f"NEUROSIM_CACHE_MB={text!r} is no size", "write megabytes, for example NEUROSIM_CACHE_MB=256"):
        kernel_cache.limit_bytes()


def test_the_default_is_the_platforms_folder(monkeypatch):
    monkeypatch.delenv("NEUROSIM_CACHE_DIR")
    monkeypatch.delenv("NEUROSIM_CACHE_MB", raising=False)
    assert kernel_cache.directory().name == "neurosim"
    assert kernel_cache.limit_bytes() == 256_000_000


def test_the_next_process_finds_it_compiled(cache):
    """The second process loads the machine code, so Numba compiles nothing."""
    program = textwrap.dedent("""
        from neurosim import Network, Population, simulate
        from neurosim.models import LIF
        from neurosim.backends import kernel_cache
        import numba.core.dispatcher, sys
        simulate(Network((Population("p", LIF(), 2),)), duration=1, dt=0.1, backend="numpy", fuse="require")
        (kernel,) = (m.kernel for n, m in sys.modules.items() if n.startswith("neurosim_kernels."))
        print(kernel.cache_hits)
    """)
    outputs = []
    for _ in range(2):
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        outputs.append(run.stdout.split())
    assert outputs == [["0"], ["1"]]
