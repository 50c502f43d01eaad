"""The networks of the benchmarks, as neurosim declares them, and as files for its peers.

``python _networks.py coba:4000 FILE.npz`` writes one.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from _spiking import CONDUCTANCE, CURRENT, NetworkFile

from neurosim import Constant, Network, PoissonInput, Population, Projection, Simulation, connect
from neurosim.models import LIF
from neurosim.receptors import ExponentialConductance, ExponentialCurrent
from neurosim.scenarios import _brette, _microcircuit
from neurosim.scenarios.coba import BENCHMARK as COBA

DT = 0.1  # ms
SEED = 1


def coba(n: int) -> Network:
    """Benchmark 1 of Brette et al. 2007 with ``n`` neurons and 80 synapses of each, delays of one step."""
    return _brette.network(COBA, SEED, n)


def microcircuit(scale: float, in_degree: float | None = None, drive: str = "poisson") -> Network:
    """The cortical microcircuit with this part of its neurons, and of the synapses of each if not told otherwise."""
    return _microcircuit.network(scale, in_degree=in_degree, drive=drive, dt=DT, seed=SEED)


TAU_SYN, POISSON_RATE = 0.5, 10_000.0  # ms, Hz
RELATIVE_DRIVE = 0.42  # mean of the input in units of what reaches the threshold
SD_OF_INPUT = 5.0  # mV of the potential that the Poisson input would give without a threshold


def balanced(n: int, k: int) -> Network:
    """``n`` neurons with ``k`` synapses each whose excitation and inhibition cancel: one rate at any size.

    A fifth of the neurons inhibits, four times as strongly as the others excite; weights go with 1/√k. So the
    recurrent input has the mean 0 and a small variance whatever n and k are, and Poisson input sets the rate.
    """
    tau_m, r_m, reach = 10.0, 40.0, 15.0  # ms, MΩ, mV from rest to threshold
    model = LIF(tau_m=tau_m, r_m=r_m, v_rest=-65.0, v_thresh=-65.0 + reach, v_reset=-65.0)
    receptors = {"excitatory": ExponentialCurrent(TAU_SYN), "inhibitory": ExponentialCurrent(TAU_SYN)}
    # one spike of weight w moves the potential by about r_m·w·tau_syn/tau_m at most
    of_one = r_m * TAU_SYN / tau_m
    external = SD_OF_INPUT / of_one / np.sqrt(POISSON_RATE * 1e-3 * tau_m / 2.0)
    mean = RELATIVE_DRIVE * reach / r_m - external * POISSON_RATE * 1e-3 * TAU_SYN
    weight = 1.0 / of_one / np.sqrt(k)
    n_inh = max(1, n // 5)
    generator = np.random.default_rng(SEED)
    populations = [
        Population(
            name,
            model,
            size,
            stimuli=(Constant(mean), PoissonInput(POISSON_RATE, external)),
            t_ref=2.0,
            receptors=receptors,
            init={"v": generator.uniform(-65.0, -50.0, size)},
        )
        for name, size in (("exc", n - n_inh), ("inh", n_inh))
    ]
    rule = connect.fixed_probability(min(1.0, k / n))
    kinds = (("exc", weight, "excitatory"), ("inh", -4.0 * weight, "inhibitory"))
    projections = [
        Projection(source, target, rule, w, 1.5, receptor) for source, w, receptor in kinds for target in ("exc", "inh")
    ]
    return Network(populations, projections)


def named(name: str) -> Network:
    """A network by kind and numbers, as ``coba:4000``, ``microcircuit:0.1`` or ``balanced:10000:100``.

    ``microcircuit:0.1:1`` has all synapses of each neuron, and ``microcircuit-dc:1`` a constant current for a drive.
    """
    kind, *numbers = name.split(":")
    if kind.startswith("microcircuit"):
        return microcircuit(*map(float, numbers), drive="dc" if kind.endswith("-dc") else "poisson")
    return {"coba": coba, "balanced": balanced}[kind](*map(int, numbers))


def method(name: str) -> str:
    """The integrator for it: all peers have the same class of method."""
    return COBA.method if name.startswith("coba") else "exact"


def export(name: str, path: Path) -> NetworkFile:
    """Write a network with the synapses that neurosim draws for it; the seed is that of the runs."""
    net = named(name)
    simulation = Simulation(net, dt=DT, backend="numpy", method=method(name), seed=SEED)
    first, populations = 0, {}
    for p in net.populations:
        populations[p.name] = (first, int(p.n))
        first += int(p.n)
    sources, targets, weights, delays = [], [], [], []
    for projection in net.projections:
        found = simulation.weights(str(projection.name))
        sources.append((found.source + populations[projection.source][0]).astype(np.int32))
        targets.append((found.target + populations[projection.target][0]).astype(np.int32))
        weights.append(np.asarray(found.weight, np.float64))
        delays.append(np.rint(found.delay / DT).astype(np.int32))
    source, target, delay = map(np.concatenate, (sources, targets, delays))
    order = np.argsort(source, kind="stable")
    constant = all(isinstance(projection.weight, float) for projection in net.projections)
    per_kind = {projection.receptor: projection.weight for projection in net.projections}
    weight = np.array([*per_kind.values()]) if constant else np.concatenate(weights)[order]
    written = NetworkFile(
        numbers=_numbers(net),
        populations=populations,
        excitatory={projection.source: projection.receptor == "excitatory" for projection in net.projections},
        constant={p.name: _sum(p, Constant, "amplitude") for p in net.populations},
        poisson={p.name: _sum(p, PoissonInput, "rate") for p in net.populations},
        v=_start(net, "v"),
        exc=_start(net, f"excitatory_{_variable(net)}"),
        inh=_start(net, f"inhibitory_{_variable(net)}"),
        source=source[order],
        target=target[order],
        weight=weight,
        delay=delay[:1] if np.ptp(delay) == 0 else delay[order],
    )
    written.save(path)
    return written


def _numbers(net: Network) -> dict[str, Any]:
    p = net.populations[0]
    exc, inh = p.receptors["excitatory"], p.receptors["inhibitory"]
    conductance = isinstance(exc, ExponentialConductance)
    inputs = [s.weight for q in net.populations for s in q.stimuli if isinstance(s, PoissonInput)]
    return {
        "kind": CONDUCTANCE if conductance else CURRENT,
        "dt": DT,
        **{name: float(value) for name, value in p.model.values().items()},
        "t_ref": p.t_ref,
        "tau_exc": float(exc.tau),
        "tau_inh": float(inh.tau),
        "e_exc": float(exc.e_rev) if conductance else 0.0,
        "e_inh": float(inh.e_rev) if conductance else 0.0,
        "poisson_weight": float(inputs[0]) if inputs else 0.0,
    }


def _variable(net: Network) -> str:
    return "g" if isinstance(net.populations[0].receptors["excitatory"], ExponentialConductance) else "i"


def _sum(population: Population, kind: type, parameter: str) -> float:
    return float(sum(getattr(s, parameter) for s in population.stimuli if isinstance(s, kind)))


def _start(net: Network, variable: str) -> np.ndarray:
    return np.concatenate([np.broadcast_to(p.init.get(variable, 0.0), (int(p.n),)) for p in net.populations])


def main() -> None:
    """Write a network; print its size."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("name")
    arguments.add_argument("path", type=Path)
    options = arguments.parse_args()
    written = export(options.name, options.path)
    print(json.dumps({"neurons": written.n, "synapses": len(written.source)}))


if __name__ == "__main__":
    main()
