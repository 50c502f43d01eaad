"""Time a population of Hodgkin-Huxley neurons in neurosim and in its peers.

Every contender runs the same simulation: the squid axon of 1952 with rest at 0 mV, N neurons with
constant currents from 0 to 20 µA/cm², steps of 0.01 ms by exponential Euler, spikes counted. All are
compiled and warmed up first, then timed in rotation. A run:

    python benchmarks/hh_population.py --n 1000 100000 --precision float64 --threads 1
"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import harness

FUSED = "neurosim fused"
EAGER = "neurosim eager"
BRIAN2 = "brian2 C++ standalone"
JAX = "JAX jit"
CONTENDERS: dict[str, tuple[str, ...]] = {
    FUSED: ("hh_neurosim.py", "--engine", "fused"),
    EAGER: ("hh_neurosim.py", "--engine", "eager"),
    "numpy by hand": ("hh_numpy.py",),
    BRIAN2: ("hh_brian2.py",),
    # the same program with its two delicate rates written for speed rather than as brian2 suggests
    f"{BRIAN2}, tuned rates": ("hh_brian2.py", "--rates", "guarded"),
    JAX: ("hh_jax.py",),
}

TARGET_N = 100_000
# contender, precision, threads: how many times as long as the fused engine it should take at least
RATIO_TARGETS = (
    (EAGER, "float64", 1, 7.0),
    (EAGER, "float32", 1, 10.0),
    (BRIAN2, "float64", 1, 8.0),
    (JAX, "float64", 1, 3.0),
    (JAX, "float32", 1, 2.5),
)
# precision, threads: ns per neuron-step that the fused engine may take
BUDGETS = (("float64", 1, 9.0), ("float32", 1, 3.5), ("float64", 2, 4.7), ("float32", 2, 1.8))

# A middling contender's ns per neuron-step. The number of steps follows from it and not from each
# contender's own speed, so that all do the same work; fast ones repeat theirs.
NOMINAL_NS = 25.0
STEPS = range(200, 20_001)
# libm differs between contenders by an ulp, which may move a spike across the end of the run
SPIKE_TOLERANCE = 2


@dataclass(frozen=True)
class Case:
    """One configuration that the contenders are compared in."""

    n: int
    precision: str
    threads: int
    steps: int

    def arguments(self) -> tuple[str, ...]:
        """Command line of a contender, less its threads."""
        return ("--n", str(self.n), "--steps", str(self.steps), "--precision", self.precision)


def steps_for(n: int, seconds: float) -> int:
    """Steps with which a middling contender takes about ``seconds``, within limits."""
    return min(max(round(seconds * 1e9 / (NOMINAL_NS * n)), STEPS[0]), STEPS[-1])


def time_case(case: Case, rounds: int, seconds: float, only: Sequence[str]) -> dict[str, Any]:
    """Start the contenders, time them in rotation and describe the outcome."""
    absent, running = {}, {}
    with ExitStack() as stack:
        for name in only:
            script, *options = CONTENDERS[name]
            print(f"  starting {name}", file=sys.stderr)
            try:
                running[name] = harness.Contender(
                    harness.HERE / "peers" / script,
                    *options,
                    *case.arguments(),
                    threads=case.threads,
                    at_least=seconds,
                )
            except harness.ContenderError as error:
                absent[name] = str(error)
            else:
                stack.callback(running[name].close)
        samples = harness.interleave(running, rounds)
    scale = 1e9 / (case.n * case.steps)
    base = FUSED if FUSED in samples else next(iter(samples), FUSED)
    counts = [contender.spikes for contender in running.values()]
    return {
        **vars(case),
        "absent": absent,
        "base": base,
        "contenders": {
            name: {
                "about": running[name].about,
                "ns_per_neuron_step": harness.summary(value * scale for value in values),
                "ratio_to_base": harness.ratio(samples, name, base),
                "seconds": values,
                "spikes": running[name].spikes,
            }
            for name, values in samples.items()
        },
        "spikes_agree": not counts or max(counts) - min(counts) <= SPIKE_TOLERANCE,
    }


def judge(cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare with the targets those cases that they are about; ``ok`` is None if not measured."""
    found = {(case["precision"], case["threads"]): case for case in cases if case["n"] == TARGET_N}

    def contender(name: str, precision: str, threads: int) -> dict[str, Any] | None:
        case = found.get((precision, threads))
        return case["contenders"].get(name) if case and FUSED in case["contenders"] else None

    targets = []
    for name, precision, threads, bound in RATIO_TARGETS:
        measured = contender(name, precision, threads)
        value = measured and measured["ratio_to_base"]
        ok = None if value is None else value >= bound
        what = f"{name} / fused, {precision}, {threads} thread"
        targets.append({"bound": f">= {bound:g}", "measured": value, "ok": ok, "what": what})
    for precision, threads, bound in BUDGETS:
        measured = contender(FUSED, precision, threads)
        value = measured and measured["ns_per_neuron_step"]["median"]
        ok = None if value is None else value <= bound
        what = f"fused ns per neuron-step, {precision}, {threads} thread{'s' * (threads > 1)}"
        targets.append({"bound": f"<= {bound:g}", "measured": value, "ok": ok, "what": what})
    return targets


def print_case(case: dict[str, Any]) -> None:
    """Print one configuration."""
    rows: list[tuple[object, ...]] = []
    for name, found in case["contenders"].items():
        ns = found["ns_per_neuron_step"]
        spread = f"{ns['min']:.2f} to {ns['max']:.2f}"
        rows.append((name, f"{ns['median']:.2f}", spread, f"{found['ratio_to_base']:.2f}", found["spikes"]))
    threads = f"{case['threads']} thread{'s' * (case['threads'] > 1)}"
    title = f"N = {case['n']}, {case['steps']} steps, {case['precision']}, {threads}"
    harness.print_table(
        title, ("contender", "ns per neuron-step", "spread", f"ratio to {case['base']}", "spikes"), rows
    )
    for name, reason in case["absent"].items():
        print(f"absent: {name} ({reason})")
    if not case["spikes_agree"]:
        print(f"spike counts differ by more than {SPIKE_TOLERANCE}")


def print_targets(targets: Sequence[dict[str, Any]]) -> None:
    """Print what was aimed at and what was reached."""
    verdict = {True: "ok", False: "missed", None: "not measured"}
    rows = []
    for target in targets:
        measured = None if target["measured"] is None else f"{target['measured']:.2f}"
        rows.append((target["what"], target["bound"], measured, verdict[target["ok"]]))
    harness.print_table(f"targets at N = {TARGET_N}", ("target", "bound", "measured", "verdict"), rows)


def draw(cases: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw ns per neuron-step against N: a panel per precision and number of threads."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = sorted({case["threads"] for case in cases})
    columns = sorted({case["precision"] for case in cases})
    size = (1.5 + 4.2 * len(columns), 1.8 + 3.2 * len(rows))
    figure, axes = plt.subplots(
        len(rows), len(columns), figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    lines = {}
    for axis, (threads, precision) in zip(axes.flat, product(rows, columns), strict=True):
        panel = [c for c in cases if (c["threads"], c["precision"]) == (threads, precision)]
        for index, name in enumerate(CONTENDERS):
            points = {c["n"]: c["contenders"][name]["ns_per_neuron_step"] for c in panel if name in c["contenders"]}
            if points:
                sizes, times = zip(*sorted(points.items()), strict=True)
                middle = [ns["median"] for ns in times]
                spread = [
                    [ns["median"] - ns["min"] for ns in times],
                    [ns["max"] - ns["median"] for ns in times],
                ]
                style = {"color": f"C{index}", "marker": "o", "markersize": 4, "capsize": 2}
                lines[name] = axis.errorbar(sizes, middle, spread, **style)
        axis.set(xscale="log", yscale="log", title=f"{precision}, {threads} thread{'s' * (threads > 1)}")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(matplotlib.ticker.LogFormatter(minor_thresholds=(2, 1)))
        axis.grid(which="both", alpha=0.25)
    figure.supxlabel("neurons N")
    figure.supylabel("time per neuron and step (ns)")
    figure.legend(lines.values(), lines.keys(), loc="outside upper center", ncols=1 + len(columns), frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def earlier_cases(path: Path, machine: dict[str, Any]) -> list[dict[str, Any]]:
    """Cases of an earlier run on the same machine with the same versions: the grid may be measured in parts."""
    if not path.exists():
        return []
    content = json.loads(path.read_text(encoding="utf-8"))
    passing = {"load_average_1min"}
    now, then = (
        {k: v for k, v in facts.items() if k not in passing}
        for facts in (harness.significant(machine), content["machine"])
    )
    return list(content["cases"]) if now == then else []


def merged(kept: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """All cases by size, precision and threads; a new one replaces the kept one."""

    def key(case: dict[str, Any]) -> tuple[int, str, int]:
        return case["threads"], case["precision"], case["n"]

    by_key = {key(case): case for case in (*kept, *new)}
    return [by_key[k] for k in sorted(by_key)]


def main() -> int:
    """Run the benchmark; the exit status is 1 only with ``--strict`` and a target missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--precision", nargs="+", choices=("float32", "float64"), default=["float32", "float64"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds-per-run", type=float, default=1.0, help="about; more if N is large")
    parser.add_argument("--only", nargs="+", choices=tuple(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--out", type=Path, default=harness.RESULTS)
    parser.add_argument("--strict", action="store_true", help="fail if a target is missed")
    options = parser.parse_args()

    machine = harness.machine()
    kept = earlier_cases(options.out / "hh_population.json", machine)
    cases: list[dict[str, Any]] = []
    for threads in options.threads:
        for precision in options.precision:
            for n in options.n:
                case = Case(n, precision, threads, steps_for(n, options.seconds_per_run))
                print(case, file=sys.stderr)
                cases.append(time_case(case, options.rounds, options.seconds_per_run, options.only))
                print_case(cases[-1])
                # written after each case: a full run takes half an hour and may be interrupted
                measured = merged(kept, cases)
                targets = judge(measured)
                content = {"cases": measured, "machine": machine, "targets": targets}
                harness.write_json("hh_population", content, options.out)
    print_targets(targets)
    draw(measured, options.out / "hh_population.png")
    return int(options.strict and any(target["ok"] is False for target in targets))


if __name__ == "__main__":
    sys.exit(main())
