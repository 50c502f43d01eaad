"""Time ensembles: 1 to 1024 networks that learn at once, in neurosim and in its peers.

2-10-5-2 on the lecture's 600 points, all in each update: tanh, softmax, cross-entropy, gradient descent with momentum,
first weights of their own, the same for all contenders. A peer without ensembles trains a few of the networks one after
the other; the time of the rest is reckoned from theirs. What is timed is told in ``mlp_small.py``. A run::

    python benchmarks/ensemble.py --networks 1 16 256 1024
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import harness
from peers import _lessons

JAX, TORCH, VMAP = "JAX vmap, whole loop jitted", "torch eager, one by one", "torch vmap"
CONTENDERS = {
    _lessons.OURS: ("learn_neurosim.py",),
    _lessons.OURS_EAGER: ("learn_neurosim.py", "--fuse", "off"),
    "neurosim CuPy": ("learn_neurosim.py", "--backend", "cupy"),
    JAX: ("learn_jax.py", "--way", "vmap"),
    VMAP: ("learn_torch.py", "--way", "vmap"),
    TORCH: ("learn_torch.py",),
    "scikit-learn, one by one": ("learn_sklearn.py",),
}
ONE_BY_ONE = 4  # networks that are trained by peers without ensembles
BOUNDS = tuple(
    {"contender": name, "where": {"networks": n, "threads": 1}, "bound": bound, "what": f"{n} networks"}
    for name, n, bound in ((TORCH, 256, 20.0), (VMAP, 256, 2.0), (JAX, 1, 1.0), (TORCH, 1, 5.0))
)


def draw(cases: Sequence[dict[str, Any]], path: Path) -> None:
    """Updates of a network per second against the number of networks: a panel per precision and number of threads."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    kinds = sorted({(case["precision"], case["threads"]) for case in cases})
    size = (1.5 + 4.2 * len(kinds), 5.4)
    figure, axes = plt.subplots(1, len(kinds), figsize=size, sharey=True, squeeze=False, layout="constrained")
    lines = {}
    for axis, (precision, threads) in zip(axes.flat, kinds, strict=True):
        panel = [case for case in cases if (case["precision"], case["threads"]) == (precision, threads)]
        for index, name in enumerate(CONTENDERS):
            points = {c["networks"]: c["contenders"][name] for c in panel if name in c["contenders"]}
            if points:
                numbers, found = zip(*sorted(points.items()), strict=True)
                rates = [f["iterations_per_second"] for f in found]
                spread = [
                    [rate["median"] - rate["min"] for rate in rates],
                    [rate["max"] - rate["median"] for rate in rates],
                ]
                style = {"color": f"C{index}", "marker": "o", "markersize": 4, "capsize": 2}
                lines[name] = axis.errorbar(numbers, [rate["median"] for rate in rates], spread, **style)
        axis.set(xscale="log", yscale="log", title=f"{precision}, {threads} thread{'s' * (threads > 1)}")
        axis.set_xticks(sorted({case["networks"] for case in panel}), minor=False)
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
        axis.yaxis.set_major_formatter("{x:,g}")
        axis.grid(which="both", alpha=0.25)
    figure.supxlabel("networks")
    figure.supylabel("updates of a network per second, all networks together")
    figure.legend(lines.values(), lines.keys(), loc="outside upper center", ncols=2, frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> int:
    """Run the benchmark; the exit status is 1 only with ``--strict`` and a target missed."""
    parser = _lessons.parser(__doc__, CONTENDERS, precision=("float32", "float64"))
    parser.add_argument("--networks", type=int, nargs="+", default=[1, 16, 256, 1024])
    parser.add_argument("--iterations", type=int, help="of each network; by default 1000, 100 from 100 networks on")
    parsed = parser.parse_args()
    machine = harness.machine()
    cases: list[dict[str, Any]] = []
    for threads in parsed.threads:
        for precision in parsed.precision:
            for networks in parsed.networks:
                iterations = parsed.iterations or (1000 if networks < 100 else 100)
                case = _lessons.Case("points", networks, iterations, precision, threads, most=min(networks, ONE_BY_ONE))
                cases.append(_lessons.contest(case, CONTENDERS, _lessons.options_of(parsed)))
                _lessons.print_case(cases[-1], f"{networks} network{'s' * (networks > 1)} 2-10-5-2, 600 points")
                # written after each case: a full run takes long and may be interrupted
                targets = _lessons.judge(cases, BOUNDS)
                content = {"cases": cases, "machine": machine, "targets": targets}
                path = harness.write_json("ensemble", content, parsed.out)
    _lessons.print_targets(targets)
    print(path)
    draw(cases, parsed.out / "ensemble.png")
    return int(parsed.strict and any(target["ok"] is False for target in targets))


if __name__ == "__main__":
    sys.exit(main())
