"""One task of learning, several libraries: start them, time them in rotation, compare what they have learned."""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import harness
import numpy as np
import psutil

from peers._learning import Task

OURS, OURS_EAGER = "neurosim", "neurosim op by op"
FOLDER = Path(__file__).resolve().parent
Contenders = Mapping[str, Sequence[str]]  # name → script and its options
# Relative difference of losses after the same updates: what rounding makes of it in some hundred to thousand of them.
SAME = {"float64": 1e-3, "float32": 2e-2}
LEAST = 1e-9  # losses below are all nothing
FEW = 16  # networks that are told one by one


@dataclass(frozen=True)
class Case:
    """What is learned, by how many, on what.

    Attributes
    ----------
    task : str
        A name of ``_tasks.py``.
    networks : int
        Independent ones, each with first weights of its own.
    iterations : int
        Updates; with ``stop_error`` the most of them.
    precision : str
        ``"float64"`` or ``"float32"``.
    threads : int
        For each contender.
    optimizer : dict or None
        Name and parameters; by default the task's own.
    stop_error : float or None
        Loss to learn to.
    most : int
        Networks that a contender without ensembles trains at most; the rest is reckoned.
    """

    task: str
    networks: int
    iterations: int
    precision: str
    threads: int
    optimizer: dict[str, Any] | None = None
    stop_error: float | None = None
    most: int = 10**6


@dataclass(frozen=True)
class Options:
    """How cases are timed: rounds of the rotation, least seconds of a timing, contenders that take part."""

    rounds: int
    seconds: float
    only: Sequence[str]


def parser(description: str, contenders: Sequence[str], *, precision: Sequence[str]) -> argparse.ArgumentParser:
    """The options that the benchmarks of learning share."""
    made = argparse.ArgumentParser(description=description.partition("\n")[0])
    made.add_argument("--precision", nargs="+", choices=("float32", "float64"), default=list(precision))
    made.add_argument("--threads", type=int, nargs="+", default=[1])
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--seconds", type=float, default=0.5, help="of a timing at least, by repetition")
    made.add_argument("--only", nargs="+", choices=tuple(contenders), default=list(contenders))
    made.add_argument("--out", type=Path, default=harness.RESULTS)
    made.add_argument("--strict", action="store_true", help="fail if a target is missed")
    return made


def options_of(parsed: argparse.Namespace) -> Options:
    """From the command line."""
    return Options(parsed.rounds, parsed.seconds, parsed.only)


def contest(case: Case, contenders: Contenders, options: Options) -> dict[str, Any]:
    """Time a case, and describe the outcome."""
    load = psutil.getloadavg()[0]
    if load > 0.5:
        print(f"  load {load:.1f}: others use this machine, times mean little", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "task.npz"
        arguments = ["--networks", str(case.networks), "--iterations", str(case.iterations)]
        if case.optimizer:
            arguments += ["--optimizer", json.dumps(case.optimizer)]
        if case.stop_error is not None:
            arguments += ["--stop-error", str(case.stop_error)]
        harness.run_script(FOLDER / "_tasks.py", case.task, str(path), *arguments)
        task = Task.load(path)
        absent, running = {}, {}
        weights = {name: path.with_name(f"weights{k}.npy") for k, name in enumerate(contenders)}
        for name in options.only:
            if name not in contenders:
                continue
            script, *more = contenders[name]
            print(f"  {case.task}, {case.networks} networks: starting {name}", file=sys.stderr)
            try:
                running[name] = harness.Contender(
                    FOLDER / script,
                    *("--task", str(path), "--weights", str(weights[name]), "--precision", case.precision),
                    *("--most", str(case.most), *more),
                    threads=case.threads,
                    at_least=options.seconds,
                )
            except harness.ContenderError as error:
                absent[name] = str(error)
            else:
                stack.callback(running[name].close)
        each: dict[str, list[list[float]]] = {name: [] for name in running}
        samples = harness.interleave(
            {name: _noted(contender, each[name]) for name, contender in running.items()}, options.rounds
        )
        losses = {name: [task.loss(w) for w in np.load(weights[name])] for name in samples}
    told = agreement(case, losses)
    if case.stop_error is not None:
        samples = to_the_loss(samples, each, told)
    else:
        parts = {name: case.networks / contender.answer["networks"] for name, contender in running.items()}
        samples = {name: [seconds * parts[name] for seconds in values] for name, values in samples.items()}
    base = base_of(samples)
    contenders_found = {}
    for name, values in samples.items():
        trained, iterations = len(losses[name]), running[name].answer["iterations"]
        counted = told[name].get("counted", range(trained))
        updates = sum(iterations[k] for k in counted) * (case.networks / trained if case.stop_error is None else 1.0)
        contenders_found[name] = {
            "about": running[name].about,
            "iterations": iterations if trained <= FEW else {"median": median(iterations)},
            "iterations_per_second": harness.summary(updates / s for s in values),
            "losses": losses[name] if trained <= FEW else harness.summary(losses[name]),
            "networks_trained": trained,
            "ratio_to_base": harness.ratio(samples, name, base),
            "samples": values,
            "seconds": harness.summary(values),
            **told[name],
        }
    return {
        **asdict(case),
        "absent": absent,
        "base": base,
        "batch": task.facts["batch"],
        "contenders": contenders_found,
        "first_loss": task.loss(task.w0[0]),
        "n_samples": len(task.x),
        "optimizer": task.facts["optimizer"],
        "sizes": task.facts["sizes"],
    }


def base_of(names: Iterable[str]) -> str:
    """neurosim, or the first where it takes no part."""
    names = list(names)
    return OURS if OURS in names else next(iter(names), OURS)


def _noted(contender: harness.Contender, each: list[list[float]]) -> Callable[[], float]:
    """The contender, which leaves behind the seconds of each network where it knows them."""

    def run() -> float:
        seconds = contender()
        each.append(contender.answer.get("each", []))
        return seconds

    return run


def agreement(case: Case, losses: Mapping[str, Sequence[float]]) -> dict[str, dict[str, Any]]:
    """For each contender, whether it has learned as much as the base.

    With an error to stop at, that counts which every contender has reached that has reached any: another line search
    may end in a worse minimum of its own. Else the losses after the same updates must be the same.
    """
    if not losses:
        return {}
    if case.stop_error is None:
        of_base = losses[base_of(losses)]
        off = {
            name: max(abs(a - b) / max(abs(b), LEAST) for a, b in zip(values, of_base, strict=False))
            for name, values in losses.items()
        }
        return {name: {"equal": bool(d <= SAME[case.precision]), "largest_difference": d} for name, d in off.items()}
    # what single precision has found just below may be just above in double
    bound = case.stop_error * (1.0 + SAME[case.precision])
    reached = {name: {k for k, loss in enumerate(values) if loss < bound} for name, values in losses.items()}
    some = [found for found in reached.values() if found]
    common = set.intersection(*some) if some else set()
    return {
        name: {
            "counted": sorted(common if found and common else range(len(losses[name]))),
            "equal": bool(found and common),
            "reached": len(found),
        }
        for name, found in reached.items()
    }


def to_the_loss(
    samples: harness.Samples, each: Mapping[str, list[list[float]]], told: Mapping[str, dict[str, Any]]
) -> harness.Samples:
    """Seconds of the networks that count, of each round."""
    return {
        name: [sum(seconds[k] for k in told[name]["counted"]) if seconds else total for seconds, total in rounds]
        for name, rounds in ((name, list(zip(each[name], values, strict=True))) for name, values in samples.items())
    }


def judge(cases: Sequence[dict[str, Any]], bounds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare with targets: ``contender`` takes at least ``bound`` times as long as neurosim ``where`` so and so.

    ``ok`` is None where it was not measured, or where not as much was learned.
    """
    targets = []
    for target in bounds:
        name, where = target["contender"], target["where"]
        for case in cases:
            if case["base"] != OURS or any(case[k] != v for k, v in where.items()):
                continue
            measured = case["contenders"].get(name)
            value = measured and measured["ratio_to_base"]
            fair = measured and all(case["contenders"][n]["equal"] for n in (name, OURS))
            threads = f"{case['threads']} thread{'s' * (case['threads'] > 1)}"
            what = f"{target.get('what', case['task'])}: {name} / neurosim, {case['precision']}, {threads}"
            ok = value >= target["bound"] if fair else None
            targets.append({"bound": f">= {target['bound']:g}", "measured": value, "ok": ok, "what": what})
    return targets


def print_case(case: dict[str, Any], title: str) -> None:
    """Print one case."""
    rows: list[tuple[object, ...]] = []
    for name, found in case["contenders"].items():
        rate, seconds, losses = found["iterations_per_second"], found["seconds"], found["losses"]
        middle = losses["median"] if isinstance(losses, dict) else median(losses)
        trained = found["networks_trained"]
        told = (
            f"{found['reached']} of {trained} reached" if "reached" in found else "same" if found["equal"] else "other"
        )
        updates = found["iterations"]
        rows.append(
            (
                name,
                f"{rate['median']:,.0f}",
                f"{rate['min']:,.0f} to {rate['max']:,.0f}",
                f"{seconds['median']:.3g}",
                f"{found['ratio_to_base']:.2f}",
                f"{updates['median'] if isinstance(updates, dict) else median(updates):g}",
                f"{middle:.4g}",
                told,
            )
        )
    threads = f"{case['threads']} thread{'s' * (case['threads'] > 1)}"
    columns = ("contender", "iterations/s", "spread", "seconds", f"ratio to {case['base']}", "iterations", "loss", "")
    harness.print_table(f"{title}, {case['precision']}, {threads}", columns, rows)
    for name, found in case["contenders"].items():
        if other := found["about"].get("other_path"):
            print(f"another path: {name} ({other})")
        if found["networks_trained"] < case["networks"]:
            print(f"reckoned from {found['networks_trained']} networks: {name}")
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


def draw_bars(panels: Mapping[str, dict[str, Any]], order: Sequence[str], path: Path, title: str) -> None:
    """Iterations per second as bars with their spread: a panel for each case."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = [name for name in order if any(name in case["contenders"] for case in panels.values())]
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    size = (2.0 + 4.6 * columns, 1.2 + rows * (0.7 + 0.32 * len(names)))
    figure, axes = plt.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    rates = [f["iterations_per_second"]["median"] for case in panels.values() for f in case["contenders"].values()]
    for axis, (label, case) in zip(axes.flat, panels.items(), strict=False):
        for place, name in enumerate(names):
            found = case["contenders"].get(name)
            if found is None:
                continue
            rate = found["iterations_per_second"]
            spread = [[rate["median"] - rate["min"]], [rate["max"] - rate["median"]]]
            color = "C0" if name.startswith("neurosim") else "0.6"
            hatch = None if found["equal"] else "//"
            style = {"color": color, "hatch": hatch, "edgecolor": "white", "height": 0.7}
            axis.barh(place, rate["median"], xerr=spread, ecolor="0.2", capsize=2, **style)
            axis.text(rate["max"] * 1.1, place, f"{rate['median']:,.0f}", va="center", fontsize=8)
        axis.set(xscale="log", title=label)
        axis.grid(axis="x", which="major", alpha=0.3)
        axis.set_axisbelow(True)
        low, high = min(rates, default=1.0), max(rates, default=1.0)
        axis.set_xlim(10.0 ** math.floor(math.log10(low / 1.5)), high * 4)  # room for the numbers
        axis.xaxis.set_major_formatter("{x:,g}")
        axis.xaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_visible(False)
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].invert_yaxis()
    unequal = any(not f["equal"] for case in panels.values() for f in case["contenders"].values())
    figure.supxlabel("iterations per second" + ("; hatched: another final loss" if unequal else ""))
    figure.suptitle(title)
    figure.savefig(path, dpi=150)
    plt.close(figure)
