"""Records in memory and in files."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import tempfile
import tracemalloc
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import BIG, DT, RECORD, assert_same, big, simulation

from neurosim import Record, Result, UsageError
from neurosim import engine as engine_module
from neurosim.record import Channel
from neurosim.sinks import Header, MemorySink, Records, hdf5, layout
from neurosim.sinks.hdf5 import HDF5Sink


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
            np.testing.assert_array_equal((step[:] + 1) * file["exc/spikes"].attrs["dt"], result.spikes["exc"].t)
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
            rows, columns = layout.chunk_of_samples(width, itemsize)
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
            stack.enter_context(mock.patch.object(engine_module, "next_window", side_effect=lengths))
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
