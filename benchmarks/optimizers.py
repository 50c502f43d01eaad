"""Time the optimizers to one loss, in neurosim and in its peers.

2-10-5-2 on the lecture's 600 points and 2-16-16-3 on 1000 points of three spirals, all in each update, from several
first weights, one network after the other, until each has the lecture's loss of 0.05: cross-entropy, or mean squared
error where Levenberg-Marquardt needs a sum of squares. Optimizers of first order take the same path as torch's; those
of second order have line searches and dampings of their own, so that iterations differ and the time counts. Only first
weights count from which all contenders get there. SciPy gets neurosim's own error and gradient, op by op in NumPy. What
is timed is told in ``mlp_small.py``. A run::

    python benchmarks/optimizers.py --method bfgs lbfgs
"""

import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import harness
from peers import _lessons

TORCH, SCIPY, TORCH_LM = "torch", "SciPy", "torch-levenberg-marquardt"
CONTENDERS = {
    _lessons.OURS: ("learn_neurosim.py", "--alone"),
    _lessons.OURS_EAGER: ("learn_neurosim.py", "--alone", "--fuse", "off"),
    TORCH: ("learn_torch.py",),
    SCIPY: ("learn_scipy.py",),
    TORCH_LM: ("learn_torch.py", "--way", "levenberg_marquardt"),
}
TASKS = {"points": "2-10-5-2, 600 points", "spirals": "2-16-16-3, 1000 points"}
STOP, MOST = 0.05, 5000  # the lecture's loss, and updates in which it must be reached
# parameters, and peers
METHODS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "gradient_descent": ({"learning_rate": 0.2, "momentum": 0.9}, (TORCH,)),
    "nag": ({"learning_rate": 0.1, "momentum": 0.9}, (TORCH,)),
    "adagrad": ({"learning_rate": 0.2}, (TORCH,)),
    "adadelta": ({"epsilon": 1e-3}, (TORCH,)),
    "rmsprop": ({"learning_rate": 0.005}, (TORCH,)),
    "adam": ({"learning_rate": 0.02}, (TORCH,)),
    "adamw": ({"learning_rate": 0.02}, (TORCH,)),
    "rprop": ({"first_step": 0.05}, (TORCH,)),
    "quickprop": ({}, ()),
    "cg": ({}, (SCIPY,)),
    "bfgs": ({}, (SCIPY,)),
    "lbfgs": ({}, (SCIPY, TORCH)),
    "newton": ({}, ()),
    "lma": ({"damping": 1e-2}, (TORCH_LM, SCIPY)),
}
LEFT_OUT = {("newton", "spirals"): "half a second for each Hessian of 371 weights, and no peer"}
BOUNDS = tuple(
    {"contender": peer, "where": {"method": method, "network": task, "threads": 1}, "bound": bound, "what": what}
    for task in TASKS
    for method, peer, bound in (
        ("lma", TORCH_LM, 3.0),
        ("bfgs", SCIPY, 3.0),
        ("lbfgs", SCIPY, 1.0),
        ("rprop", TORCH, 5.0),
    )
    for what in (f"{method}, {TASKS[task]}",)
)


def draw(cases: Mapping[str, dict[str, Any]], path: Path, title: str) -> None:
    """Seconds of each optimizer, its peers beside it."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(8.5, 1.6 + 0.45 * len(cases)), layout="constrained")
    names = list(CONTENDERS)
    for index, name in enumerate(names):
        offset = 0.14 * (index - (len(names) - 1) / 2)
        for filled in (True, False):
            places = {
                place: case["contenders"][name]["seconds"]
                for place, case in enumerate(cases.values())
                if name in case["contenders"] and case["contenders"][name]["equal"] == filled
            }
            middle = [s["median"] for s in places.values()]
            spread = [
                [s["median"] - s["min"] for s in places.values()],
                [s["max"] - s["median"] for s in places.values()],
            ]
            style = {"ls": "none", "marker": "o", "markersize": 6, "capsize": 2, "color": f"C{index}"}
            style |= {"markerfacecolor": f"C{index}" if filled else "white", "label": name if filled else None}
            axis.errorbar(middle, [place + offset for place in places], xerr=spread, **style)
    axis.set_yticks(range(len(cases)), list(cases))
    axis.set(
        xscale="log", xlabel="seconds for the first weights from which all get there; white: never reached", title=title
    )
    axis.invert_yaxis()
    axis.grid(which="both", axis="x", alpha=0.25)
    for place in range(len(cases) - 1):
        axis.axhline(place + 0.5, color="0.85", lw=0.8)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def measure(
    method: str, task: str, threads: int, precision: str, networks: int, options: _lessons.Options
) -> dict[str, Any]:
    """One optimizer and its peers."""
    given, peers = METHODS[method]
    name = f"{task}_squares" if method == "lma" else task
    case = _lessons.Case(name, networks, MOST, precision, threads, {"name": method, **given}, STOP)
    taking_part = {name: CONTENDERS[name] for name in (_lessons.OURS, _lessons.OURS_EAGER, *peers)}
    return {"method": method, "network": task, **_lessons.contest(case, taking_part, options)}


def main() -> int:
    """Run the benchmark; the exit status is 1 only with ``--strict`` and a target missed."""
    parser = _lessons.parser(__doc__, CONTENDERS, precision=("float64",))
    parser.add_argument("--task", nargs="+", choices=tuple(TASKS), default=list(TASKS))
    parser.add_argument("--method", nargs="+", choices=tuple(METHODS), default=list(METHODS))
    parser.add_argument("--networks", type=int, default=4, help="first weights")
    parsed = parser.parse_args()
    machine, options = harness.machine(), _lessons.options_of(parsed)
    cases: list[dict[str, Any]] = []
    for threads, precision, task in product(parsed.threads, parsed.precision, parsed.task):
        panel = {}
        for method in parsed.method:
            if (method, task) in LEFT_OUT:
                print(f"left out: {method} on {TASKS[task]} ({LEFT_OUT[method, task]})")
                continue
            cases.append(measure(method, task, threads, precision, parsed.networks, options))
            panel[method] = cases[-1]
            title = f"{method}, {TASKS[task]}, to a loss of {STOP}, {parsed.networks} first weights"
            _lessons.print_case(cases[-1], title)
            # written after each method: a full run takes long and may be interrupted
            targets = _lessons.judge(cases, BOUNDS)
            content = {"cases": cases, "machine": machine, "targets": targets}
            path = harness.write_json("optimizers", content, parsed.out)
        if not panel:
            continue
        title = f"To a loss of {STOP}: {TASKS[task]}, {precision}, {threads} thread{'s' * (threads > 1)}"
        draw(panel, parsed.out / f"optimizers_{task}_{precision}_{threads}.png", title)
    if not cases:
        return 0
    _lessons.print_targets(targets)
    print(path)
    return int(parsed.strict and any(target["ok"] is False for target in targets))


if __name__ == "__main__":
    sys.exit(main())
