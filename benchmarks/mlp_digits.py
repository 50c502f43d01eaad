"""Time the training of a network on scikit-learn's 8 × 8 digits in batches of 64, in neurosim and in its peers.

64-64-10, tanh, softmax, cross-entropy, gradient descent with momentum on 1792 of the digits, which are 28 batches; the
same first weights and the same order of samples for all but scikit-learn, which has an order of its own. What is timed
is told in ``mlp_small.py``. A run::

    python benchmarks/mlp_digits.py --threads 1
"""

import sys

import harness
from mlp_small import CONTENDERS, JAX, TORCH
from peers import _lessons

BATCHES = 28  # of an epoch
WHAT = "64-64-10, 1792 digits, batches of 64"
BOUNDS = tuple(
    {"contender": name, "where": {"task": "digits", "threads": 1}, "bound": bound, "what": "64-64-10"}
    for name, bound in ((JAX, 1.0), (TORCH, 5.0))
)


def main() -> int:
    """Run the benchmark; the exit status is 1 only with ``--strict`` and a target missed."""
    parser = _lessons.parser(__doc__, CONTENDERS, precision=("float32", "float64"))
    parser.add_argument("--epochs", type=int, default=50)
    parsed = parser.parse_args()
    cases, panels = [], {}
    for threads in parsed.threads:
        for precision in parsed.precision:
            case = _lessons.Case("digits", 1, parsed.epochs * BATCHES, precision, threads)
            cases.append(_lessons.contest(case, CONTENDERS, _lessons.options_of(parsed)))
            panels[f"{precision}, {threads} thread{'s' * (threads > 1)}"] = cases[-1]
            _lessons.print_case(cases[-1], WHAT)
    targets = _lessons.judge(cases, BOUNDS)
    _lessons.print_targets(targets)
    content = {"cases": cases, "machine": harness.machine(), "targets": targets}
    print(harness.write_json("mlp_digits", content, parsed.out))
    _lessons.draw_bars(panels, tuple(CONTENDERS), parsed.out / "mlp_digits.png", WHAT)
    return int(parsed.strict and any(target["ok"] is False for target in targets))


if __name__ == "__main__":
    sys.exit(main())
