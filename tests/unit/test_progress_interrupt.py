"""Progress and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from unittest import mock

import pytest

from neurosim import Constant, Network, Population, Record, Simulation, UsageError
from neurosim.interrupt import InterruptFlag
from neurosim.models import LIF
from neurosim.progress import Progress


@pytest.fixture
def simulation():
    return Simulation(Network((Population("cells", LIF(), 2, (Constant(2.0),)),)), dt=0.1, fuse="off")


@pytest.fixture
def ctrl_c():
    """Ctrl-C as in a program of its own, whatever this process inherited."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


class TestProgress:
    def test_it_is_silent_where_there_is_no_terminal(self, simulation, capfd):
        simulation.run(10.0)
        assert capfd.readouterr() == ("", "")

    def test_a_function_hears_of_each_window(self, simulation):
        heard = []
        simulation.run(60.0, progress=lambda done, total: heard.append((done, total)))
        done = [d for d, _ in heard]
        assert done == sorted(set(done))
        assert done[0] >= 1
        assert done[-1] == 600
        assert {total for _, total in heard} == {600}

    def test_a_later_run_counts_from_its_own_beginning(self, simulation):
        heard = []
        simulation.run(30.0)
        simulation.run(5.0, progress=lambda *pair: heard.append(pair))
        assert heard[-1] == (50, 50)

    def test_true_draws_on_standard_error_without_a_terminal(self, simulation, capfd):
        simulation.run(10.0, progress=True)
        out, err = capfd.readouterr()
        assert out == ""
        assert "2 neurons on numpy (eager)" in err
        assert "100%" in err

    def test_false_is_silent_on_a_terminal(self, monkeypatch):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        with Progress(False, 10, "label") as bar:
            assert bar._bar is None

    @pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo-terminals here")
    def test_a_terminal_gets_a_bar(self):
        primary, secondary = os.openpty()
        script = (
            "from neurosim.progress import Progress\n"
            "with Progress(None, 4, 'four steps') as bar:\n"
            "    for done in range(1, 5): bar.update(done)\n"
        )
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
        subprocess.run([sys.executable, "-c", script], stderr=secondary, env=environment, check=True, timeout=60)
        os.close(secondary)
        drawn = os.read(primary, 100_000).decode()
        os.close(primary)
        assert "four steps" in drawn
        assert "100%" in drawn

    def test_there_may_be_no_standard_error(self, monkeypatch):
        monkeypatch.setattr("sys.stderr", None)
        with Progress(None, 10, "label") as bar:
            bar.update(10)

    def test_anything_else_is_refused_before_the_run(self, simulation):
        with pytest.raises(UsageError, match="progress = 3: write None, True, False or a function"):
            simulation.run(10.0, progress=3)
        assert simulation.t == 0.0


class TestInterruptFlag:
    def test_the_first_is_a_wish_the_second_an_order(self, ctrl_c):
        with InterruptFlag() as flag:
            assert not flag.requested
            ctrl_c()
            assert flag.requested
            with pytest.raises(KeyboardInterrupt):
                ctrl_c()

    def test_the_handler_comes_back(self, ctrl_c):
        with InterruptFlag():
            assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        with pytest.raises(ZeroDivisionError), InterruptFlag():
            _ = 1 / 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_where_it_is_ignored_it_stays_ignored(self, ctrl_c):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with InterruptFlag() as flag:
            ctrl_c()
            assert not flag.requested

    def test_another_thread_changes_nothing(self, ctrl_c, simulation):
        seen = []

        def work():
            with InterruptFlag() as flag:
                seen.append((signal.getsignal(signal.SIGINT), flag.requested))
            seen.append(simulation.run(1.0).n_steps)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert seen == [(signal.default_int_handler, False), 10]

    def test_a_run_stops_at_the_end_of_a_window_and_can_go_on(self, ctrl_c, simulation):
        record = Record("cells", "v")
        first = simulation.run(100.0, record=record, progress=lambda done, total: ctrl_c())
        assert 0 < first.n_steps < 1000
        assert first.partial
        assert first.provenance["partial"] == "interrupted"
        assert len(first.traces["cells"]["v"]) == first.n_steps
        rest = simulation.run(100.0 - simulation.t, record=record)
        assert not rest.partial
        assert first.n_steps + rest.n_steps == 1000

    def test_a_wish_in_the_last_window_leaves_the_run_whole(self, ctrl_c, simulation):
        result = simulation.run(5.0, progress=lambda done, total: ctrl_c() if done == total else None)
        assert result.n_steps == 50
        assert not result.partial

    def test_an_order_between_windows_leaves_the_simulation_whole(self, ctrl_c, simulation):
        def twice(done, total):
            ctrl_c()
            ctrl_c()

        with pytest.raises(KeyboardInterrupt):
            simulation.run(100.0, progress=twice)
        done = round(simulation.t / 0.1)
        assert 0 < done < 1000
        straight = Simulation(simulation.net, dt=0.1, fuse="off")
        straight.run(simulation.t)
        assert (simulation.state("cells")["v"] == straight.state("cells")["v"]).all()
        assert (simulation.run(1.0).n_steps, straight.run(1.0).n_steps) == (10, 10)
        assert (simulation.state("cells")["v"] == straight.state("cells")["v"]).all()

    def test_an_order_in_a_window_makes_the_simulation_refuse_to_go_on(self, simulation):
        interrupted = mock.patch("neurosim.backends.eager.EagerKernel.advance", side_effect=KeyboardInterrupt)
        with interrupted, pytest.raises(KeyboardInterrupt):
            simulation.run(100.0)
        with pytest.raises(UsageError, match="cut off in the midst of a window and cannot go on: make a new one"):
            simulation.run(1.0)

    def test_an_order_in_the_compiler_loses_nothing(self, simulation):
        simulation.run(5.0)
        interrupted = mock.patch.object(type(simulation.backend), "compile", side_effect=KeyboardInterrupt)
        with interrupted, pytest.raises(KeyboardInterrupt):
            simulation.run(1.0, record=Record("cells", "i_syn"))  # which takes another kernel
        simulation.run(1.0)
        straight = Simulation(simulation.net, dt=0.1, fuse="off")
        straight.run(6.0)
        assert (simulation.state("cells")["v"] == straight.state("cells")["v"]).all()
