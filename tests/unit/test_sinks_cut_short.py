"""Records of runs that were cut short: by an error, Ctrl-C, a kill, a full disk."""

from __future__ import annotations

import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pytest
from recorded import BIG, DT, RECORD, assert_same, big, simulation

from neurosim import (
    Constant,
    Network,
    Population,
    Record,
    RecordingError,
    Result,
    Simulation,
    SimulationError,
    Step,
    UsageError,
)
from neurosim import engine as engine_module
from neurosim.models import LIF
from neurosim.record import Channel
from neurosim.sinks import Header, hdf5, reader
from neurosim.sinks.hdf5 import HDF5Sink


class TestCutShort:
    def test_a_state_that_is_not_finite(self, tmp_path):
        net = Network(
            (
                Population("calm", LIF(), 3, (Constant(2.0),)),
                Population("wild", LIF(r_m=1e9), 2, (Step([0.0, -1e308], start=30.0),)),
            )
        )
        record = (Record("calm", "v"), Record("calm", "spikes"), Record("wild", "v"))
        results = []
        for sink in (None, tmp_path / "run.h5"):
            sim = Simulation(net, dt=0.1, fuse="off")
            with (
                mock.patch.object(engine_module, "next_window", return_value=64),
                pytest.raises(SimulationError, match=r"v of neuron 1 became .* at t = 30\.1 ms") as caught,
            ):
                sim.run(50.0, record=record, sink=sink)
            results.append(caught.value.result)
            with pytest.raises(UsageError, match="make a new one"):
                sim.run(1.0)
        # Also of the population that came first in the window: all records end at the same time.
        assert results[0].n_steps == len(results[0].traces["calm"]["v"]) == 256
        assert_same(results[1], results[0])
        loaded = Result.load(tmp_path / "run.h5")
        assert_same(loaded, results[0])
        assert loaded.provenance["partial"] == "a state variable became non-finite"
        with h5py.File(tmp_path / "run.h5", "r") as file:
            assert (file.attrs["complete"], file.attrs["steps"]) == (0, 256)

    def test_an_error_in_a_callback(self, tmp_path):
        def fail(done, total):
            if done > 300:
                raise ZeroDivisionError

        sim = simulation()
        with pytest.raises(ZeroDivisionError):
            sim.run(100.0, record=RECORD, sink=tmp_path / "run.h5", progress=fail)
        loaded = Result.load(tmp_path / "run.h5")
        assert loaded.provenance["partial"] == "stopped by ZeroDivisionError"
        assert loaded.n_steps == round(sim.t / DT) > 300
        assert_same(loaded, simulation().run(sim.t, record=RECORD))

    @pytest.mark.parametrize("where", ["_commit", "spikes"])
    def test_an_interrupt_while_records_are_handed_over(self, tmp_path, where):
        """Half a window is left out, and nothing is written twice."""
        original, calls = getattr(HDF5Sink, where), []

        def interrupted(self, *arguments):
            original(self, *arguments)
            calls.append(arguments)
            if len(calls) == 4:
                raise KeyboardInterrupt

        path = tmp_path / "run.h5"
        with (
            mock.patch.object(hdf5, "_SECONDS", 0.0),
            mock.patch.object(HDF5Sink, where, interrupted),
            pytest.raises(KeyboardInterrupt),
        ):
            simulation().run(100.0, record=RECORD, sink=path)
        loaded = Result.load(path)
        assert loaded.provenance["partial"] == "stopped by KeyboardInterrupt"
        assert_same(loaded, simulation().run(loaded.n_steps * DT, record=RECORD))
        with h5py.File(path, "r") as file:
            assert len(file["exc/i_syn"]) == len(loaded.traces["exc"]["i_syn"])

    def test_a_write_that_fails_half_way_is_not_read(self, tmp_path):
        path, flush = tmp_path / "run.h5", h5py.Dataset.flush

        def failing(dataset):
            if dataset.name == "/inh/m" and len(dataset) > 100:
                raise RuntimeError("(file write failed: errno = 28, error message = 'No space left on device', x")
            flush(dataset)

        sim = simulation()
        with (
            mock.patch.object(hdf5, "_SECONDS", 0.0),
            mock.patch.object(h5py.Dataset, "flush", failing),
            pytest.raises(RecordingError, match=r"run\.h5: No space left on device; the file has .* kB and is good"),
        ):
            sim.run(200.0, record=RECORD, sink=path)
        loaded = Result.load(path)
        assert_same(loaded, simulation().run(loaded.n_steps * DT, record=RECORD))
        with h5py.File(path, "r", swmr=True) as file:
            assert len(file["exc/v"]) > len(loaded.traces["exc"]["v"])
        # The state did not suffer.
        straight = simulation()
        straight.run(sim.t)
        assert_same(sim.run(5.0, record=RECORD), straight.run(5.0, record=RECORD))

    def test_it_can_be_read_while_it_is_written(self, tmp_path):
        path, seen = tmp_path / "run.h5", []

        def look(done, total):
            loaded = Result.load(path)
            seen.append((done, loaded.n_steps, loaded.provenance["partial"], loaded))

        with mock.patch.object(hdf5, "_SECONDS", 0.0):
            result = simulation().run(20.0, record=RECORD, sink=path, progress=look)
        for done, n_steps, partial, loaded in seen:
            assert (n_steps, partial) == (done, reader.NOT_CLOSED)
            assert_same(loaded, result, first=n_steps)  # as it was when it was loaded
        assert not Result.load(path).partial

    def test_what_waits_is_written_within_a_second_or_when_it_is_much(self, tmp_path):
        channel = Channel("a", "v", 1, np.arange(1000), True)
        header = Header(0.1, 0, 100, "float64", {"a": 1000}, {"a/v": "mV"}, [channel], {})
        sink, safe = HDF5Sink(tmp_path / "run.h5"), []
        with mock.patch.object(hdf5.time, "monotonic") as clock:
            clock.return_value = 7.0
            sink.begin(header)
            for step, (seconds, rows) in enumerate([(7.1, 1), (7.4, 1), (7.6, 1), (7.7, 1), (7.8, 2000)], 1):
                clock.return_value = seconds
                sink.samples(channel, np.zeros((rows, 1000)))
                sink.flush(step)
                safe.append(sink.safe_step)
            sink.end({})
        assert safe == [0, 0, 3, 3, 5]


# Runs in processes of their own: killed, interrupted, on a full disk.

CHILD = """
import os, resource, signal, subprocess, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from recorded import *
from neurosim import RecordingError, UsageError
from neurosim.sinks import hdf5
from neurosim.sinks.hdf5 import HDF5Sink
path, sink = Path(sys.argv[1]), HDF5Sink(sys.argv[1])
"""


def start(folder: Path, body: str, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen:
    script = folder / "child.py"
    script.write_text(CHILD.format(tests=str(Path(__file__).parent)) + body)
    return subprocess.Popen(
        [*prefix, sys.executable, "-W", "error", str(script), str(folder / "run.h5"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


REPORTING = """
signal.signal(signal.SIGINT, signal.default_int_handler)
hdf5._SECONDS = float(sys.argv[2])
report = lambda done, total: print(sink.safe_step, flush=True)
result = big().run(1e6, record=BIG, sink=sink, progress=report)
print(result.provenance["partial"], result.n_steps)
"""


@pytest.fixture(scope="module")
def whole():
    """The records of an undisturbed run that is long enough; made longer when it is not."""
    sim, parts = big(), []

    def compare(result: Result) -> None:
        while round(sim.t / sim.dt) < result.n_steps:
            parts.append(sim.run(5000.0, record=BIG))
        for name in ("cells", "others"):
            t, i = (np.concatenate([getattr(p.spikes[name], part) for p in parts]) for part in "ti")
            until = t <= (result.n_steps + 0.5) * sim.dt
            np.testing.assert_array_equal(result.spikes[name].t, t[until])
            np.testing.assert_array_equal(result.spikes[name].i, i[until])
            v = np.concatenate([p.traces[name]["v"] for p in parts])
            np.testing.assert_array_equal(result.traces[name]["v"], v[: len(result.times(name, "v"))])
            assert len(result.traces[name]["v"]) == -(-result.n_steps // {"cells": 1, "others": 5}[name])

    return compare


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
class TestProcesses:
    @pytest.mark.parametrize("attempt", range(3))
    def test_a_kill_loses_nothing_that_was_flushed(self, tmp_path, whole, attempt):
        child = start(tmp_path, REPORTING, "0.0" if attempt % 2 else "0.05")
        reported = [0]
        while not reported[-1]:
            reported.append(int(child.stdout.readline()))
        time.sleep(random.uniform(0.02, 0.2))
        running = Result.load(tmp_path / "run.h5")
        child.send_signal(signal.SIGKILL)
        out, err = child.communicate(timeout=60)
        reported += [int(line) for line in out.splitlines()]
        assert err == ""
        assert child.returncode == -signal.SIGKILL
        loaded = Result.load(tmp_path / "run.h5")
        assert loaded.n_steps >= reported[-1] > 0
        assert loaded.provenance["partial"] == running.provenance["partial"] == reader.NOT_CLOSED
        assert loaded.provenance["steps"] == loaded.n_steps >= running.n_steps
        whole(loaded)
        whole(running)

    def test_ctrl_c_closes_the_file_at_the_end_of_a_window(self, tmp_path, whole):
        child = start(tmp_path, REPORTING, "0.5")
        child.stdout.readline()
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        assert (child.returncode, err) == (0, "")
        loaded = Result.load(tmp_path / "run.h5")
        assert out.splitlines()[-1] == f"interrupted {loaded.n_steps}"
        assert loaded.provenance["partial"] == "interrupted"
        whole(loaded)
        with h5py.File(tmp_path / "run.h5", "r") as file:
            assert (file.attrs["complete"], file.attrs["steps"]) == (0, loaded.n_steps)
            assert len(file["cells/v"]) == loaded.n_steps

    def check_full_disk(self, child: subprocess.Popen, reason: str) -> None:
        out, err = child.communicate(timeout=60)
        assert (child.returncode, err) == (0, "")
        message, same, n_steps, loaded, partial = out.splitlines()
        assert f"run.h5: {reason}; the file has" in message
        assert f"good up to t = {int(n_steps) * 0.1:g} ms: make room" in message
        assert same == "bit for bit"
        assert loaded == n_steps
        assert int(n_steps) > 0
        assert partial == "records could not be written"

    def test_a_limit_on_the_size_of_files(self, tmp_path):
        limit = (
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))\n"
        )
        self.check_full_disk(start(tmp_path, limit + UNTIL_FULL), "File too large")

    def test_no_room_to_begin(self, tmp_path):
        child = start(tmp_path, NO_ROOM)
        out, err = child.communicate(timeout=60)
        assert (child.returncode, err) == (0, "")
        assert out.splitlines() == [f"cannot write {tmp_path / 'run.h5'}: File too large"] * 5

    def test_a_full_disk(self, tmp_path):
        mounted = ("unshare", "--map-root-user", "--mount", "sh", "-c")
        mount = f"mount -t tmpfs -o size=20m tmpfs {shlex.quote(str(tmp_path))}"
        try:
            tried = subprocess.run([*mounted, mount], capture_output=True, timeout=60)
        except FileNotFoundError:
            pytest.skip("there is no unshare to mount a small disk with")
        if tried.returncode:
            pytest.skip("a small disk may not be mounted here")
        # The script lies below the mount: hand it over before it is hidden.
        child = start(tmp_path, FULL_SOON + UNTIL_FULL, prefix=(*mounted, KEEP.format(mount=mount), "sh"))
        self.check_full_disk(child, "No space left on device")


NO_ROOM = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sim = simulation()
for size in (0, 100, 3000, 12_000, 16_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        sim.run(1.0, record=RECORD, sink=sink)
    except UsageError as error:
        print(error)
    assert sim.t == 0.0 and not path.exists()
"""
KEEP = 'script=$(cat "$4"); {mount} && printf "%s" "$script" > "$4" && exec "$@"'
FULL_SOON = """
def fill(done, total):
    if not (other := path.with_name("other")).exists():
        other.write_bytes(bytes(hdf5.shutil.disk_usage(path.parent).free - 3_000_000))
"""
UNTIL_FULL = """
hdf5._SECONDS = 0.0
try:
    big().run(3000.0, record=BIG, sink=sink, progress=globals().get("fill"))
except RecordingError as error:
    print(error)
    result = error.result
    expected = big().run(result.n_steps * 0.1, record=BIG)
    assert_same(result, expected)
    assert sink.safe_step == result.n_steps
    print("bit for bit", result.n_steps, sep="\\n")
    load = "import sys; from neurosim import Result; print(Result.load(sys.argv[1]).n_steps, flush=True)"
    sys.stdout.flush()
    subprocess.run([sys.executable, "-c", load, str(path)], check=True)
    print(result.provenance["partial"])
"""
