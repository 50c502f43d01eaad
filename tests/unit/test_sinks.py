"""Records in memory and in files, also of runs that were cut short."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosim import (
    Constant,
    Network,
    OrnsteinUhlenbeck,
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
from neurosim.models import LIF, HodgkinHuxley
from neurosim.record import Channel
from neurosim.sinks import Header, MemorySink, Records, hdf5, reader
from neurosim.sinks.hdf5 import HDF5Sink

DT = 0.025
RECORD = (
    Record("exc", "spikes"),
    Record("exc", "v", every=4, neurons=[0, 3, 7]),
    Record("inh", "spikes", neurons=[1, 2]),
    Record("inh", "v", neurons=slice(0, 0)),
    Record("inh", "m", every=7),
    Record("exc", "i_syn", every=3),
)


def network() -> Network:
    noise = OrnsteinUhlenbeck(sigma=1.0, tau=5.0, mean=2.0)
    return Network(
        (
            Population("exc", LIF(), 9, (noise,), t_ref=2.0),
            Population("inh", HodgkinHuxley(), 4, (Constant([0.0, 8.0, 12.0, 20.0]),)),
        )
    )


def simulation(**options) -> Simulation:
    return Simulation(network(), dt=DT, **{"fuse": "off", "method": "euler", "seed": 3, **options})


def assert_same(a: Result, b: Result, *, first: int | None = None) -> None:
    """Bit for bit; with ``first``, up to so many steps of ``b``."""
    assert list(a.spikes) == list(b.spikes)
    assert list(a.traces) == list(b.traces)
    for name in a.spikes:
        until = slice(None) if first is None else b.spikes[name].t <= (first + 0.5) * b.dt
        np.testing.assert_array_equal(a.spikes[name].t, b.spikes[name].t[until])
        np.testing.assert_array_equal(a.spikes[name].i, b.spikes[name].i[until])
        assert (a.spikes[name].t.dtype, a.spikes[name].i.dtype) == (np.float64, np.int32)
    for name, variables in a.traces.items():
        assert list(variables) == list(b.traces[name])
        for variable, values in variables.items():
            other = b.traces[name][variable]
            assert values.dtype == other.dtype
            assert values.shape[1] == other.shape[1]
            assert len(values) == len(a.times(name, variable))
            if first is None:
                assert values.shape == other.shape
            np.testing.assert_array_equal(values, other[: len(values)])
            np.testing.assert_array_equal(a.times(name, variable), b.times(name, variable)[: len(values)])
            assert a.unit(name, variable) == b.unit(name, variable)


class TestFileEqualsMemory:
    @pytest.mark.parametrize("precision", ["float64", "float32"])
    def test_several_runs_of_several_populations(self, tmp_path, precision):
        in_memory, in_file = simulation(precision=precision), simulation(precision=precision)
        for k, duration in enumerate((0.0, 10.0, 13.325, 0.025)):
            expected = in_memory.run(duration, record=RECORD)
            path = tmp_path / f"{k}.h5"
            written = in_file.run(duration, record=RECORD, sink=path)
            assert_same(written, expected)
            loaded = Result.load(path)
            assert_same(loaded, expected)
            assert loaded.provenance == written.provenance
            assert (loaded.n_steps, loaded.partial) == (expected.n_steps, False)
            for name in loaded.spikes:
                np.testing.assert_array_equal(loaded.counts(name), expected.counts(name))
                if duration:
                    np.testing.assert_array_equal(loaded.rates(name), expected.rates(name))
        assert len(expected.spikes["exc"].t) + len(written.spikes["inh"].t) < 9  # one step: almost nothing
        assert in_file.t == pytest.approx(23.35)

    def test_the_fused_engine_too(self, tmp_path):
        assert_same(big().run(500.0, record=BIG, sink=tmp_path / "run.h5"), big().run(500.0, record=BIG))

    def test_nothing_recorded(self, tmp_path):
        simulation().run(1.0, sink=tmp_path / "run.h5")
        loaded = Result.load(tmp_path / "run.h5")
        assert (list(loaded.spikes), list(loaded.traces), loaded.n_steps) == ([], [], 40)

    def test_the_layout_is_what_the_documentation_says(self, tmp_path):
        path = tmp_path / "run.h5"
        before = simulation()
        before.run(10.0)
        result = before.run(20.0, record=RECORD, sink=str(path))
        with h5py.File(path, "r") as file:
            assert dict(file.attrs) | {"id": ""} == {
                "format": "neurosim records",
                "version": 1,
                "id": "",
                "dt": DT,
                "time_unit": "ms",
                "precision": "float64",
                "first_step": 400,
                "steps": 800,
                "complete": 1,
            }
            assert file["exc"].attrs["n"] == 9
            step, neuron = file["exc/spikes/step"], file["exc/spikes/neuron"]
            assert (step.dtype, neuron.dtype) == (np.int64, np.int32)
            assert step.chunks[0] * 8 >= 1 << 16
            np.testing.assert_array_equal(
                (step[:] + 1) * file["exc/spikes"].attrs["dt"], result.spikes["exc"].t
            )
            np.testing.assert_array_equal(file["inh/spikes.neurons"][:], [1, 2])
            v = file["exc/v"]
            assert v.shape == (200, 3)
            np.testing.assert_array_equal(file["exc/v.neurons"][:], [0, 3, 7])
            rows = v.attrs["first_step"] + np.arange(len(v)) * v.attrs["every"]
            np.testing.assert_array_equal(rows * v.attrs["dt"], result.times("exc", "v"))
            assert v.attrs["unit"] == "mV"
            table = file["committed-lengths"]
            assert list(table.attrs["columns"]) == [
                *("exc/spikes/step", "exc/spikes/neuron", "exc/v"),
                *("inh/spikes/step", "inh/spikes/neuron", "inh/v", "inh/m", "exc/i_syn", "step"),
            ]
            assert list(table[-1]) == [len(file[name]) for name in table.attrs["columns"][:-1]] + [1200]
            assert json.loads(file["provenance-json"][1]) == result.provenance

    def test_a_neurons_trace_is_not_spread_over_the_whole_file(self):
        for width, itemsize in ((0, 8), (1, 8), (10, 4), (1000, 8), (100_000, 8), (10_000_000, 4)):
            rows, columns = hdf5._chunk(width, itemsize)
            assert 1 <= columns <= max(width, 1)
            assert rows * columns * itemsize <= 1 << 20
            assert rows * columns >= min(width, 1) * 8192
            assert rows * max(width, 1) * itemsize <= max(1 << 24, width * itemsize)


class TestLaziness:
    def test_only_what_is_asked_for_is_loaded(self):
        class Counting(Records):
            asked: list[str] = []  # noqa: RUF012

            def collect(self, channel: Channel):
                self.asked.append(channel.name)
                return np.zeros(2, np.int64), np.zeros(2, np.int32)

        channels = [Channel("a", name, 1, np.arange(3), True) for name in ("spikes", "v", "m")]
        header = Header(0.1, 0, 10, "float64", {"a": 3}, {}, channels, {})
        result = Result(header, Counting(), 10, {})
        assert repr(result) == "<Result of 1 ms: a/spikes (3 neurons), a/v (3 neurons), a/m (3 neurons)>"
        assert "a" in result.spikes
        assert "v" in result.traces["a"]
        assert "w" not in result.traces["a"]
        assert len(result.t) == 10
        assert Counting.asked == []
        result.rates("a")
        result.rates("a")
        assert Counting.asked == ["a/spikes"]

    def test_what_was_not_recorded_is_named(self):
        result = simulation().run(1.0, record=RECORD)
        for ask in (
            lambda: result.traces["exc"]["m"],
            lambda: result.times("exc", "m"),
            lambda: result.traces["nobody"],
            lambda: result.spikes["nobody"],
        ):
            with pytest.raises(UsageError, match="was not recorded"):
                ask()

    def test_a_sink_that_is_used_again_leaves_the_first_result_alone(self):
        sink, sim = MemorySink(), simulation()
        first = sim.run(10.0, record=RECORD, sink=sink)
        sim.run(5.0, record=RECORD, sink=sink)
        assert_same(first, simulation().run(10.0, record=RECORD))

    def test_a_result_can_be_pickled(self, tmp_path):
        for sink in (None, tmp_path / "run.h5"):
            result = simulation().run(10.0, record=RECORD, sink=sink)
            assert_same(pickle.loads(pickle.dumps(result)), result)

    def test_records_do_not_pile_up_in_memory(self, tmp_path):
        channel = Channel("a", "v", 1, np.arange(1000), True)
        sink, window = HDF5Sink(tmp_path / "run.h5"), np.ones((200, 1000))
        sink.begin(Header(0.1, 0, 10_000, "float64", {"a": 1000}, {"a/v": "mV"}, [channel], {}))
        tracemalloc.start()
        for k in range(50):
            sink.samples(channel, window + k)
            sink.flush(200 * (k + 1))
        sink.end({})
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        written = sink.records().collect(channel)
        assert written.nbytes == 80_000_000
        np.testing.assert_array_equal(written[::200, 0], np.arange(50) + 1.0)
        assert peak < 40_000_000

    def test_another_runs_file_of_the_same_name_is_not_taken_for_it(self, tmp_path):
        path = tmp_path / "run.h5"
        first = simulation().run(5.0, record=RECORD, sink=path)
        path.unlink()
        with pytest.raises(UsageError, match="there is no file"):
            first.spikes["exc"]
        simulation(seed=4).run(5.0, record=RECORD, sink=path)
        with pytest.raises(UsageError, match="another run's records"):
            first.spikes["exc"]


class TestSplitIndependence:
    @settings(max_examples=12, deadline=None)
    @given(
        parts=st.lists(st.integers(0, 60), min_size=1, max_size=4),
        windows=st.lists(st.integers(1, 40), min_size=1, max_size=5),
        every=st.integers(1, 13),
        neurons=st.lists(st.integers(0, 8), unique=True).map(sorted),
        to_file=st.booleans(),
    )
    def test_runs_in_a_row_equal_one_run(self, parts, windows, every, neurons, to_file):
        record = (
            Record("exc", "v", every=every, neurons=neurons),
            Record("exc", "spikes", neurons=neurons),
            Record("inh", "spikes"),
        )
        total = simulation().run(sum(parts) * DT, record=record)
        lengths = iter(windows * sum(parts))
        sim, results = simulation(), []
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.object(engine_module, "FIRST_WINDOW", windows[0]))
            stack.enter_context(mock.patch.object(engine_module, "_next_window", lambda *_: next(lengths)))
            stack.enter_context(mock.patch.object(hdf5, "_SECONDS", 0.0))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for k, n in enumerate(parts):
                sink = folder / f"{k}.h5" if to_file else None
                results.append(sim.run(n * DT, record=record, sink=sink))
            for name in total.spikes:
                t = np.concatenate([r.spikes[name].t for r in results])
                i = np.concatenate([r.spikes[name].i for r in results])
                np.testing.assert_array_equal(t, total.spikes[name].t)
                np.testing.assert_array_equal(i, total.spikes[name].i)
            v = np.concatenate([r.traces["exc"]["v"] for r in results])
            np.testing.assert_array_equal(v, total.traces["exc"]["v"])
            np.testing.assert_array_equal(np.concatenate([r.t for r in results]), total.t)


class TestRefusals:
    def refused(self, sink, match: str, **options) -> None:
        sim = simulation()
        with pytest.raises(UsageError, match=match) as caught:
            sim.run(1.0, record=RECORD, sink=sink, **options)
        assert "\n" not in str(caught.value)
        assert sim.t == 0.0

    def test_an_existing_file_is_not_overwritten(self, tmp_path):
        path = tmp_path / "run.h5"
        sim = simulation()
        sim.run(1.0, record=RECORD, sink=path)
        content = path.read_bytes()
        with pytest.raises(UsageError, match=r"run\.h5 exists and is not overwritten: .* sink='run-2\.h5'"):
            sim.run(1.0, record=RECORD, sink=path)
        assert path.read_bytes() == content
        assert sim.t == 1.0

    def test_places_where_no_file_can_be(self, tmp_path):
        (tmp_path / "file").write_text("")
        self.refused(tmp_path / "none" / "run.h5", r"cannot write .*none does not exist: make it first")
        self.refused(tmp_path / "file" / "run.h5", r"cannot write .*file is no folder")
        self.refused(tmp_path, r"is a folder: write the path of a file, as '.*run\.h5'")
        self.refused(tmp_path / ("x" * 300), r"cannot write .*File name too long")
        self.refused(3, "sink = 3: give a path of an HDF5 file")
        assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]

    def test_a_folder_without_permission(self, tmp_path):
        tmp_path.chmod(0o500)
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write anywhere")
        self.refused(tmp_path / "run.h5", "cannot write .*Permission denied")
        tmp_path.chmod(0o700)

    def test_too_little_room_for_the_traces(self, tmp_path):
        full = mock.Mock(return_value=mock.Mock(free=100))
        with mock.patch("shutil.disk_usage", full):
            self.refused(tmp_path / "run.h5", r"the traces of this run take 1\.\d+ kB, .* has 100 B free")
        assert list(tmp_path.iterdir()) == []

    def test_an_error_before_the_run_leaves_no_file(self, tmp_path):
        self.refused(tmp_path / "run.h5", "progress = 3", progress=3)
        with mock.patch.object(HDF5Sink, "_commit", side_effect=OSError("no\nroom")):
            self.refused(tmp_path / "run.h5", r"cannot write .*run\.h5: no$")
        with (
            mock.patch.object(HDF5Sink, "_commit", side_effect=KeyboardInterrupt),
            pytest.raises(KeyboardInterrupt),
        ):
            simulation().run(1.0, record=RECORD, sink=tmp_path / "run.h5")
        assert list(tmp_path.iterdir()) == []

    def test_files_that_cannot_be_loaded(self, tmp_path):
        def refused(path, match):
            with pytest.raises(UsageError, match=match) as caught:
                Result.load(path)
            assert "\n" not in str(caught.value)

        refused(tmp_path / "none.h5", "there is no file .*none.h5")
        refused(tmp_path, "is a folder")
        refused(tmp_path / ("x" * 300), "cannot be read")
        (tmp_path / "text.h5").write_text("t i\n")
        refused(tmp_path / "text.h5", "cannot be read as HDF5")
        h5py.File(tmp_path / "other.h5", "w").close()
        refused(tmp_path / "other.h5", "has no records of neurosim")
        good = tmp_path / "good.h5"
        simulation().run(5.0, record=RECORD, sink=good)
        (tmp_path / "half.h5").write_bytes(good.read_bytes()[:3000])
        refused(tmp_path / "half.h5", "cannot be read as HDF5, it is of another format or damaged")
        with h5py.File(good, "r+") as file:
            file.attrs["version"] = 2
        refused(good, "has version 2 of the format, not 1")


class TestCutShort:
    def test_a_state_that_is_not_finite(self, tmp_path):
        net = Network(
            (
                Population("calm", LIF(), 3, (Constant(2.0),)),
                Population("wild", LIF(), 2, (Step([0.0, -1e308], start=30.0),)),
            )
        )
        record = (Record("calm", "v"), Record("calm", "spikes"), Record("wild", "v"))
        results = []
        for sink in (None, tmp_path / "run.h5"):
            sim = Simulation(net, dt=0.1, fuse="off")
            with (
                mock.patch.object(engine_module, "_next_window", lambda *_: 64),
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
                raise RuntimeError(
                    "(file write failed: errno = 28, error message = 'No space left on device', x"
                )
            flush(dataset)

        sim = simulation()
        with (
            mock.patch.object(hdf5, "_SECONDS", 0.0),
            mock.patch.object(h5py.Dataset, "flush", failing),
            pytest.raises(
                RecordingError, match=r"run\.h5: No space left on device; the file has .* kB and is good"
            ),
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

    def test_a_flush_follows_within_a_second(self, tmp_path):
        sink, gaps = HDF5Sink(tmp_path / "run.h5"), []
        begin = time.monotonic()

        def look(done, total):
            if not gaps or gaps[-1][1] != sink.safe_step:
                gaps.append((time.monotonic() - begin, sink.safe_step))
            if time.monotonic() - begin > 1.5:
                raise StopIteration

        with pytest.raises(StopIteration):
            simulation().run(1e6, sink=sink, progress=look)
        assert len(gaps) >= 3
        assert np.diff([t for t, _ in gaps]).max() < 1.0


# Runs in processes of their own: killed, interrupted, on a full disk.

CHILD = """
import os, signal, subprocess, sys, resource
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_sinks import *
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
BIG = (
    Record("cells", "v", neurons=slice(0, 40)),
    Record("others", "spikes"),
    Record("others", "v", every=5),
    Record("cells", "spikes"),
)


def big() -> Simulation:
    """Much to write in little time."""
    drive = (Constant(np.linspace(1.0, 4.0, 100)),)
    populations = (Population("cells", LIF(), 100, drive), Population("others", LIF(), 100, drive))
    return Simulation(Network(populations), dt=0.1)


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

    def test_a_full_disk(self, tmp_path):
        mounted = ("unshare", "--map-root-user", "--mount", "sh", "-c")
        mount = f"mount -t tmpfs -o size=20m tmpfs {tmp_path}"
        try:
            tried = subprocess.run([*mounted, mount], capture_output=True, timeout=60)
        except FileNotFoundError:
            pytest.skip("there is no unshare to mount a small disk with")
        if tried.returncode:
            pytest.skip("a small disk may not be mounted here")
        # The script lies below the mount: hand it over before it is hidden.
        child = start(tmp_path, FULL_SOON + UNTIL_FULL, prefix=(*mounted, KEEP.format(mount=mount), "sh"))
        self.check_full_disk(child, "No space left on device")


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
