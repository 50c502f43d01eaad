"""What the smaller commands print, and the plots of a result."""

import numpy as np
import pytest

from neurosim import Constant, Network, Population, Record, simulate
from neurosim.cli import main
from neurosim.models import LIF, all_models
from neurosim.plotting import raster, traces


def status(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return stopped.value.code


def test_models_lists_every_model(capsys):
    assert status("models") == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in all_models())


def test_models_shows_parameters_with_units(capsys):
    assert status("models", "--show", "LIF") == 0
    printed = capsys.readouterr().out
    assert "tau_m" in printed
    assert "MΩ" in printed


def test_bench_lists_and_measures(capsys):
    assert status("bench") == 0
    assert "hh" in capsys.readouterr().out
    assert status("bench", "hh", "--n", "1000", "--seconds", "0.2") == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 3  # a head and two precisions
    assert float(printed.split()[-1]) > 1.0  # fused is faster


def test_bench_measures_a_network(capsys):
    assert status("bench", "coba", "--n", "4000", "--seconds", "0.5") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["neurons", "precision", "threads"]
    assert [row.split()[1] for row in rows] == ["float64", "float32"]
    for row in rows:
        rate, fused, eager, ratio = map(float, row.split()[3:])
        assert 5.0 < rate < 60.0  # it keeps itself active; the first steps have more spikes
        assert ratio > 1.0
        assert eager > fused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("hhh",), "did you mean 'hh'"),
        (("hh", "--n", "0"), "n = 0"),
        (("coba", "--n", "9"), "n = 9: must be a whole number of neurons, at least 10"),
    ],
)
def test_bench_refuses_in_one_line(capsys, arguments, message):
    assert status("bench", *arguments) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1


def test_plots_carry_units():
    cells = Population("cells", LIF(), 3, stimuli=(Constant([1.0, 2.0, 3.0]),))
    record = (Record("cells", "spikes"), Record("cells", "v"))
    result = simulate(Network((cells,)), duration=50.0, dt=0.1, record=record, backend="numpy", fuse="off")
    ax = raster(result, "cells")
    assert ax.get_xlabel() == "time (ms)"
    (dots,) = ax.lines
    np.testing.assert_array_equal(dots.get_xdata(), result.spikes["cells"].t)
    ax = traces(result, "cells", "v")
    assert ax.get_ylabel() == "v (mV)"
    assert len(ax.lines) == 3
