"""Short runs of one population, called "cells"."""

from neurosim import Constant, Network, Population, Record, simulate


def population(model, n=1, current=None, **options):
    stimuli = options.pop("stimuli", () if current is None else (Constant(current),))
    return Population("cells", model, n, stimuli=stimuli, **options)


def run(cells, duration, dt, variables=("spikes",), **options):
    record = [Record("cells", name) for name in variables]
    return simulate(Network((cells,)), duration=duration, dt=dt, record=record, **options)


def spike_times(result, neuron=0):
    spikes = result.spikes["cells"]
    return spikes.t[spikes.i == neuron]
