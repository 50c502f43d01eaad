"""One network, several simulators: start them, time them in rotation, compare their spikes."""

import argparse
import importlib.util
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
import numpy as np
import psutil

from peers._spiking import NetworkFile

FUSED, FUSED_32 = "neurosim fused", "neurosim fused, float32"
BRIAN2 = "brian2 C++ standalone"
NEST = "NEST"
PEERS = (BRIAN2, NEST)
CONTENDERS = {
    FUSED: ("spiking_neurosim.py", "float64"),
    FUSED_32: ("spiking_neurosim.py", "float32"),
    BRIAN2: ("spiking_brian2.py", "float64"),
    NEST: ("spiking_nest.py", "float64"),
}
DT = 0.1  # ms
FOLDER = Path(__file__).resolve().parent
LIMIT = 4.0  # standard errors between two rates of the same network
BINS = 10  # of a run: their spread gives the standard error of a rate


@dataclass(frozen=True)
class Options:
    """How a network is timed.

    Attributes
    ----------
    duration, nest_duration : float
        ms of a run. NEST is so much slower that it simulates less; all figures are per biological second.
    rounds : int
        Of the rotation.
    seconds : float
        Of a timing at least: shorter runs are repeated and their mean taken.
    only : sequence of str
        Contenders.
    nest_python : str or None
        Interpreter that has NEST, if it is another one.
    """

    duration: float
    nest_duration: float
    rounds: int
    seconds: float
    only: Sequence[str]
    nest_python: str | None

    def of(self, name: str) -> float:
        """ms of a run of a contender."""
        return min(self.duration, self.nest_duration) if name == NEST else self.duration


def parser(description: str, duration: float, nest_duration: float) -> argparse.ArgumentParser:
    """The options that the benchmarks of networks share."""
    made = argparse.ArgumentParser(description=description.partition("\n")[0])
    made.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--duration", type=float, default=duration, help="ms of a run")
    made.add_argument("--nest-duration", type=float, default=nest_duration, help="ms of a run of NEST")
    made.add_argument("--seconds", type=float, default=0.5, help="of a timing at least, by repetition")
    made.add_argument("--nest-python", default=os.environ.get("NEST_PYTHON"), help="default: $NEST_PYTHON, or this one")
    made.add_argument("--only", nargs="+", choices=tuple(CONTENDERS), default=list(CONTENDERS))
    made.add_argument("--out", type=Path, default=harness.RESULTS)
    made.add_argument("--strict", action="store_true", help="fail if a target is missed")
    return made


def options_of(parsed: argparse.Namespace) -> Options:
    """From the command line."""
    names = ("duration", "nest_duration", "rounds", "seconds", "only", "nest_python")
    return Options(**{name: getattr(parsed, name) for name in names})


def contest(network: str, threads: Sequence[int], options: Options) -> list[dict[str, Any]]:
    """Time a network on each number of threads, and describe the outcomes."""
    load = psutil.getloadavg()[0]
    if load > 0.5:
        print(f"  load {load:.1f}: others use this machine, times on several threads mean little", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.npz"
        harness.run_script(FOLDER / "_networks.py", network, str(path))
        net = NetworkFile.load(path)
        return [_on(network, net, path, count, options) for count in threads]


def _on(network: str, net: NetworkFile, path: Path, threads: int, options: Options) -> dict[str, Any]:
    absent, running = {}, {}
    spikes = {name: path.with_name(f"spikes{number}.npz") for number, name in enumerate(CONTENDERS)}
    with ExitStack() as stack:
        for name in options.only:
            script, precision = CONTENDERS[name]
            print(f"  {network}, {threads} threads: starting {name}", file=sys.stderr)
            arguments = ["--network", str(path), "--spikes", str(spikes[name]), "--precision", precision]
            arguments += ["--steps", str(round(options.of(name) / DT))]
            if script == "spiking_neurosim.py":
                arguments += ["--name", network]
            if name == NEST and options.nest_python:
                arguments += ["--python", options.nest_python]
            try:
                running[name] = harness.Contender(
                    FOLDER / script, *arguments, threads=threads, at_least=options.seconds
                )
            except harness.ContenderError as error:
                absent[name] = str(error)
            else:
                stack.callback(running[name].close)
        seconds = harness.interleave(running, options.rounds)
    if importlib.util.find_spec("pygenn") is None:
        absent["PyGeNN"] = "not installed"
    else:
        absent["PyGeNN"] = "no contender has been written for it"
    samples = {name: [s / (options.of(name) * 1e-3) for s in values] for name, values in seconds.items()}
    found = {}
    for name in samples:
        with np.load(spikes[name]) as file:
            found[name] = (file["steps"], file["neurons"])
    base = FUSED if FUSED in samples else next(iter(samples), FUSED)
    peers = [name for name in PEERS if name in samples]
    best = min(peers, key=lambda name: harness.ratio(samples, name, base)) if peers else None
    degree = net.out_degree()
    contenders = {}
    for name, values in samples.items():
        steps, neurons = found[name]
        biological = options.of(name) * 1e-3
        events = float(degree[neurons].sum()) / biological
        per_neuron_step = 1e9 / (net.n * 1e3 / DT)
        contenders[name] = {
            "about": running[name].about,
            "biological_seconds": biological,
            "events_per_biological_second": events,
            "ns_per_neuron_step": harness.summary(v * per_neuron_step for v in values),
            "ns_per_synaptic_event": harness.summary(v * 1e9 / max(1.0, events) for v in values),
            "rates": _rates(net, steps, neurons, options.of(name)),
            "ratio_to_base": harness.ratio(samples, name, base),
            "samples": values,
            "seconds_per_biological_second": harness.summary(values),
            "spikes": len(steps),
        }
    return {
        "absent": absent,
        "agreement": {
            name: agreement(
                net,
                found[base],
                found[name],
                min(options.of(base), options.of(name)),
                # neurosim has the same Poisson spikes in any precision
                same_input=not any(net.poisson.values()) or name in (FUSED, FUSED_32),
            )
            for name in found
            if name != base
        },
        "base": base,
        "best_peer": best,
        "contenders": contenders,
        "network": network,
        "neurons": net.n,
        "synapses": len(net.source),
        "threads": threads,
    }


def _rates(net: NetworkFile, steps: np.ndarray, neurons: np.ndarray, duration: float) -> dict[str, float]:
    """Hz of each population, after the first fifth of the run."""
    begin = _settled(duration)
    late = neurons[steps * DT > begin]
    count = np.bincount(late, minlength=net.n)
    seconds = (duration - begin) * 1e-3
    return {name: float(count[k : k + n].sum() / n / seconds) for name, (k, n) in net.populations.items()}


def _settled(duration: float) -> float:
    return 0.2 * duration


Spikes = tuple[np.ndarray, np.ndarray]


def agreement(net: NetworkFile, ours: Spikes, theirs: Spikes, duration: float, same_input: bool) -> dict[str, Any]:
    """How near two simulators are in the time that both have simulated.

    ``identical_ms`` is the time up to which they have the same spikes, all of them, if input is the same. Afterwards
    chaos parts them, and ``standard_errors`` compares the rate of each population, whose error follows from its spread
    over the run.
    """
    last = round(duration / DT)
    codes = [np.sort(s[s <= last] * net.n + i[s <= last]) for s, i in (ours, theirs)]
    different = np.setxor1d(*codes)
    until = int(different[0]) // net.n - 1 if len(different) else last
    begin = _settled(duration)
    edges = np.linspace(begin, duration, BINS + 1)
    errors = {}
    for name, (k, n) in net.populations.items():
        counts = [np.histogram(s[(i >= k) & (i < k + n)] * DT, edges)[0] for s, i in (ours, theirs)]
        error = np.sqrt(sum(np.var(c, ddof=1) / BINS for c in counts))
        errors[name] = float((counts[1].mean() - counts[0].mean()) / error) if error else 0.0
    return {
        "compared_ms": duration,
        "identical_ms": until * DT if same_input else None,
        "identical_spikes": int(np.count_nonzero(codes[0] // net.n <= until)) if same_input else None,
        "ok": all(abs(z) < LIMIT for z in errors.values()),
        "spikes": [len(code) for code in codes],
        "standard_errors": errors,
    }


def judge(
    cases: Sequence[dict[str, Any]], bounds: Sequence[tuple[str, float]], networks: Sequence[str]
) -> list[dict[str, Any]]:
    """Ratios to neurosim in float64 on as many threads; ``ok`` is None where not measured.

    A peer that is faster on fewer threads is taken at that: nobody has to use threads that do not help.
    """
    found = {(case["network"], case["threads"]): case for case in cases if case["base"] == FUSED}
    targets = []
    for network in networks:
        for threads in sorted({case["threads"] for case in cases}):
            for name, bound in bounds:
                value = _ratio(found, network, threads, name)
                what = f"{network}: {name} / neurosim, float64, {threads} thread{'s' * (threads > 1)}"
                ok = None if value is None else value >= bound
                targets.append({"bound": f">= {bound:g}", "measured": value, "ok": ok, "what": what})
    return targets


def _ratio(cases: dict[tuple[str, int], dict[str, Any]], network: str, threads: int, name: str) -> float | None:
    case = cases.get((network, threads))
    if case is None or name not in case["contenders"]:
        return None
    ours = case["contenders"][FUSED]["seconds_per_biological_second"]["median"]
    fewer = [
        other["contenders"][name]["seconds_per_biological_second"]["median"] / ours
        for (of, count), other in cases.items()
        if of == network and count < threads and name in other["contenders"]
    ]
    return min(case["contenders"][name]["ratio_to_base"], *fewer, np.inf)


def print_case(case: dict[str, Any]) -> None:
    """Print one network on one number of threads."""
    rows = []
    for name, found in case["contenders"].items():
        wall, about = found["seconds_per_biological_second"], found["about"]
        rows.append(
            (
                name,
                f"{wall['median']:.3g}",
                f"{wall['min']:.3g} to {wall['max']:.3g}",
                f"{found['ns_per_neuron_step']['median']:.3g}",
                f"{found['ns_per_synaptic_event']['median']:.3g}",
                f"{found['ratio_to_base']:.2f}",
                f"{found['spikes'] / case['neurons'] / found['biological_seconds']:.2f}",
                f"{about['setup_seconds']:.1f}",
                f"{about['build_seconds']:.2f}",
            )
        )
    threads = f"{case['threads']} thread{'s' * (case['threads'] > 1)}"
    title = f"{case['network']}: {case['neurons']:,} neurons, {case['synapses']:,} synapses, {threads}"
    columns = (
        "contender",
        "wall s per bio s",
        "spread",
        "ns/neuron-step",
        "ns/event",
        "ratio",
        "Hz",
        "ready s",
        "build s",
    )
    harness.print_table(title, columns, rows)
    for name, near in case["agreement"].items():
        worst = max(near["standard_errors"].values(), key=abs)
        ours, theirs = near["spikes"]
        same = "other Poisson spikes" if near["identical_ms"] is None else f"same for {near['identical_ms']:.1f} ms"
        print(
            f"{name} against {case['base']}: {theirs} and {ours} spikes in {near['compared_ms']:g} ms, {same}; "
            f"rates within {worst:+.1f} standard errors"
        )
    for name, reason in case["absent"].items():
        print(f"absent: {name} ({reason})")


def print_targets(targets: Sequence[dict[str, Any]]) -> None:
    """Print what was aimed at and what was reached."""
    verdict = {True: "ok", False: "missed", None: "not measured"}
    rows = [
        (t["what"], t["bound"], None if t["measured"] is None else f"{t['measured']:.3g}", verdict[t["ok"]])
        for t in targets
    ]
    harness.print_table("targets", ("target", "bound", "measured", "verdict"), rows)
