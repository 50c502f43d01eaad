"""A network in NEST: ``iaf_cond_exp`` or ``iaf_psc_exp``, synapses one by one.

``--python`` names the interpreter of another environment that has NEST. ``iaf_cond_exp`` integrates with adaptive
steps of Runge and Kutta, 4th and 5th order, in place of exponential Euler; there is no other such neuron in NEST.
``nest.Simulate`` is timed; making and connecting the network is told apart.
"""

import argparse
import time

from _serve import Prepared, main
from _spiking import CONDUCTANCE, NetworkFile, parser, prepared, under


def build(options: argparse.Namespace) -> Prepared:
    """Make the network anew for every run, as it starts from the same state."""
    import nest
    import numpy as np

    net = NetworkFile.load(options.network)
    options.n, numbers = net.n, net.numbers
    nest.verbosity = nest.VerbosityLevel.ERROR
    conductance = numbers["kind"] == CONDUCTANCE
    scale = 1e3  # nS of µS, pA of nA
    details = {
        "version": nest.__version__,
        "model": "iaf_cond_exp" if conductance else "iaf_psc_exp",
        "method": "adaptive RKF45" if conductance else "exact",
    }
    common = {
        "C_m": 1e3 * numbers["tau_m"] / numbers["r_m"],  # pF
        "E_L": numbers["v_rest"],
        "V_th": numbers["v_thresh"],
        "V_reset": numbers["v_reset"],
        "t_ref": numbers["t_ref"],
        "tau_syn_ex": numbers["tau_exc"],
        "tau_syn_in": numbers["tau_inh"],
    }
    if conductance:
        common |= {"g_L": 1e3 / numbers["r_m"], "E_ex": numbers["e_exc"], "E_in": numbers["e_inh"]}
    else:
        common |= {"tau_m": numbers["tau_m"]}
    excitatory = net.is_excitatory()[net.source]
    weight = np.where(excitatory, *net.weight) if net.one_weight else net.weight
    # of a conductance NEST takes the sign for the kind
    weight = scale * (np.where(excitatory, weight, -weight) if conductance else weight)
    delay = np.broadcast_to(net.delay, net.source.shape) * numbers["dt"]

    def make() -> object:
        nest.ResetKernel()
        nest.set(resolution=numbers["dt"], local_num_threads=options.threads, rng_seed=1)
        cells = nest.Create(details["model"], net.n, params=common)
        cells.V_m = net.v.tolist()
        cells.I_e = (scale * net.per_neuron(net.constant)).tolist()
        if conductance:
            cells.g_ex, cells.g_in = ((scale * of).tolist() for of in (net.exc, net.inh))
        nest.Connect(
            net.source.astype(np.int64) + 1,
            net.target.astype(np.int64) + 1,
            "one_to_one",
            {"synapse_model": "static_synapse", "weight": weight, "delay": delay},
        )
        for name, rate in net.poisson.items():
            if rate:
                first, size = net.populations[name]
                drive = nest.Create("poisson_generator", params={"rate": rate})
                synapse = {"weight": scale * numbers["poisson_weight"], "delay": numbers["dt"]}
                nest.Connect(drive, cells[first : first + size], syn_spec=synapse)
        recorder = nest.Create("spike_recorder")
        nest.Connect(cells, recorder)
        nest.Prepare()
        return recorder

    def simulate(steps: int = options.steps) -> tuple[float, np.ndarray, np.ndarray]:
        begin = time.perf_counter()
        recorder = make()
        details["build_seconds"] = time.perf_counter() - begin
        begin = time.perf_counter()
        nest.Run(steps * numbers["dt"])
        seconds = time.perf_counter() - begin
        nest.Cleanup()
        events = recorder.get("events")
        return seconds, np.rint(events["times"] / numbers["dt"]).astype(np.int64), events["senders"] - 1

    simulate(10)
    return prepared(simulate, options.spikes, details)


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--python", help="interpreter that has NEST")
    parsed = arguments.parse_args()
    under(parsed.python)
    main("NEST", "nest", build, parsed, install="nest-simulator, and name its Python with --nest-python")
