"""A network in brian2's C++ standalone mode, with its default compiler flags.

One group of neurons. Where all synapses of a kind are alike, weight and delay are constants of one ``Synapses`` object
for each kind, as in brian2's own example of COBA; else one object holds all synapses, each with its weight and its
delay, and both kinds add to one current, as they decay alike: the fastest way of writing it.

A refractory period of R steps holds R - 1 updates in brian2, and R in neurosim and NEST, so it is a step longer here:
then all have the same spikes.

Only the loop over the steps is timed, by the clock of the generated program itself: code generation, compilation,
the start of the program, the making of its synapses and the writing of its results are left out, and told apart.
"""

import argparse
import tempfile
import time

from _serve import Prepared, main
from _spiking import CONDUCTANCE, NetworkFile, parser, prepared

EQUATIONS = {
    "conductance": """
        dv/dt = (v_rest - v + r_m*(g_exc*(e_exc - v) + g_inh*(e_inh - v) + constant))/(tau_m*ms) : 1 (unless refractory)
        dg_exc/dt = -g_exc/(tau_exc*ms) : 1
        dg_inh/dt = -g_inh/(tau_inh*ms) : 1
        constant : 1 (constant)
    """,
    "current": """
        dv/dt = (v_rest - v + r_m*(i_syn + constant))/(tau_m*ms) : 1 (unless refractory)
        di_syn/dt = -i_syn/(tau_exc*ms) : 1
        constant : 1 (constant)
    """,
}


def build(options: argparse.Namespace) -> Prepared:
    """Generate and compile the program in a temporary folder that goes away with the process."""
    import brian2
    import numpy as np

    net = NetworkFile.load(options.network)
    options.n, numbers = net.n, net.numbers
    folder = tempfile.TemporaryDirectory()
    device = brian2.device
    brian2.set_device("cpp_standalone", directory=folder.name, build_on_run=False)
    brian2.prefs.core.default_float_dtype = np.dtype(options.precision).type
    # 0 leaves OpenMP out of the generated code altogether
    brian2.prefs.devices.cpp_standalone.openmp_threads = options.threads if options.threads > 1 else 0
    brian2.defaultclock.dt = numbers["dt"] * brian2.ms
    brian2.seed(1)

    conductance = numbers["kind"] == CONDUCTANCE
    neurons = brian2.NeuronGroup(
        net.n,
        EQUATIONS[numbers["kind"]],
        threshold="v > v_thresh",
        reset="v = v_reset",
        refractory=(numbers["t_ref"] + numbers["dt"]) * brian2.ms,
        method="exponential_euler" if conductance else "exact",
    )
    neurons.v = net.v
    neurons.constant = net.per_neuron(net.constant)
    if conductance:
        neurons.g_exc, neurons.g_inh = net.exc, net.inh
    else:
        neurons.i_syn = net.exc + net.inh

    objects: list[object] = []
    if net.one_weight:
        kinds = net.is_excitatory()[net.source]
        for variable, chosen, weight in zip(("exc", "inh"), (kinds, ~kinds), net.weight.tolist(), strict=True):
            name = f"g_{variable}" if conductance else "i_syn"
            synapses = brian2.Synapses(
                neurons, neurons, on_pre=f"{name} += weight_{variable}", namespace={f"weight_{variable}": weight}
            )
            synapses.connect(i=net.source[chosen], j=net.target[chosen])
            objects.append(synapses)
    else:
        assert not conductance
        synapses = brian2.Synapses(neurons, neurons, "weight : 1 (constant)", on_pre="i_syn += weight")
        synapses.connect(i=net.source, j=net.target)
        synapses.weight = net.weight
        objects.append(synapses)
    dt = numbers["dt"] * brian2.ms
    for synapses in objects:
        synapses.delay = net.delay * dt if len(net.delay) > 1 else float(net.delay[0]) * dt
    if any(net.poisson.values()):
        for name, rate in net.poisson.items():
            first, size = net.populations[name]
            sources, each = _sources(rate)
            part = neurons[first : first + size]
            drive = brian2.PoissonInput(part, "i_syn", sources, each * brian2.Hz, weight=numbers["poisson_weight"])
            objects.append(drive)

    monitor = brian2.SpikeMonitor(neurons)
    network = brian2.Network(neurons, monitor, *objects)
    constants = {k: v for k, v in numbers.items() if isinstance(v, float)}
    network.run(options.steps * brian2.defaultclock.dt, namespace=constants)
    device.build(directory=folder.name, run=False)
    details = {
        "compiler_flags": " ".join(brian2.prefs.codegen.cpp.extra_compile_args_gcc),
        "method": "exponential_euler" if conductance else "exact",
        "openmp_threads": brian2.prefs.devices.cpp_standalone.openmp_threads,
    }

    def simulate() -> tuple[float, np.ndarray, np.ndarray]:
        # the folder is named through the closure, which also keeps it from being removed
        begin = time.perf_counter()
        device.run(directory=folder.name, with_output=False, run_args=[])
        details["build_seconds"] = time.perf_counter() - begin - device._last_run_time
        # brian2 stamps a spike with the beginning of its step
        steps = np.rint(np.asarray(monitor.t_[:]) * 1e3 / numbers["dt"]).astype(np.int64) + 1
        return device._last_run_time, steps, np.asarray(monitor.i[:])

    simulate()
    return prepared(simulate, options.spikes, details)


def _sources(rate: float) -> tuple[int, float]:
    """A number of sources, which has to be whole, and the rate of each in Hz: 8 where it comes out so."""
    sources = max(1, round(rate / 8.0))
    return sources, rate / sources


if __name__ == "__main__":
    main("brian2 C++ standalone", "brian2", build, parser(__doc__).parse_args())
