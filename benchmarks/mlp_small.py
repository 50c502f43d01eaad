"""Time the training of small networks, all samples in each update, in neurosim and in its peers.

2-10-5-2 on the lecture's 600 points, and 2-16-16-3 on 1000 points of three spirals: tanh, softmax, cross-entropy,
gradient descent with momentum, the same first weights for all. neurosim is timed as a whole call of ``fit``, its
History with every iteration included; of its peers the loop alone is timed, and they record nothing. Compiling comes
before. All must end with the same loss. A run::

    python benchmarks/mlp_small.py --threads 1
"""

import sys

import harness
from peers import _lessons

JAX, JAX_STEP, TORCH, SKLEARN = "JAX, whole loop jitted", "JAX, one step jitted", "torch eager", "scikit-learn"
CONTENDERS = {
    _lessons.OURS: ("learn_neurosim.py",),
    _lessons.OURS_EAGER: ("learn_neurosim.py", "--fuse", "off"),
    "neurosim CuPy": ("learn_neurosim.py", "--backend", "cupy"),
    JAX: ("learn_jax.py",),
    JAX_STEP: ("learn_jax.py", "--way", "step"),
    TORCH: ("learn_torch.py",),
    SKLEARN: ("learn_sklearn.py",),
}
TASKS = {"points": "2-10-5-2, 600 points", "spirals": "2-16-16-3, 1000 points"}
BOUNDS = tuple(
    {"contender": name, "where": {"task": task, "threads": 1}, "bound": bound, "what": TASKS[task]}
    for task in TASKS
    for name, bound in ((JAX, 1.0), (TORCH, 5.0))
)


def main() -> int:
    """Run the benchmark; the exit status is 1 only with ``--strict`` and a target missed."""
    parser = _lessons.parser(__doc__, CONTENDERS, precision=("float32", "float64"))
    parser.add_argument("--task", nargs="+", choices=tuple(TASKS), default=list(TASKS))
    parser.add_argument("--iterations", type=int, default=1000)
    parsed = parser.parse_args()
    cases, panels = [], {}
    for task in parsed.task:
        for threads in parsed.threads:
            for precision in parsed.precision:
                case = _lessons.Case(task, 1, parsed.iterations, precision, threads)
                cases.append(_lessons.contest(case, CONTENDERS, _lessons.options_of(parsed)))
                panels[f"{TASKS[task]}, {precision}, {threads} thread{'s' * (threads > 1)}"] = cases[-1]
                _lessons.print_case(cases[-1], TASKS[task])
    targets = _lessons.judge(cases, BOUNDS)
    _lessons.print_targets(targets)
    content = {"cases": cases, "machine": harness.machine(), "targets": targets}
    print(harness.write_json("mlp_small", content, parsed.out))
    _lessons.draw_bars(panels, tuple(CONTENDERS), parsed.out / "mlp_small.png", "Small networks, full batch")
    return int(parsed.strict and any(target["ok"] is False for target in targets))


if __name__ == "__main__":
    sys.exit(main())
