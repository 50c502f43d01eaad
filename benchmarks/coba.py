"""Time COBA, benchmark 1 of Brette et al. 2007, in neurosim and in its peers.

Conductance-based integrate-and-fire neurons, 80 synapses of each, dt and delays 0.1 ms, one second. neurosim draws the
synapses, and all get the same ones, the same parameters and the same state at the beginning; neurosim and brian2
integrate by exponential Euler, NEST's neuron by Runge and Kutta. All record every spike. Only the steps are timed;
compiling and building are told apart. A run::

    python benchmarks/coba.py --nest-python /opt/nestvenv/bin/python

makes NEST of another environment take part (``python -m venv DIR; DIR/bin/pip install nest-simulator``).
"""

import sys

import harness
from peers import _contest

BOUNDS = ((_contest.BRIAN2, 5.0),)
SIZES = (4_000, 40_000)


def main() -> int:
    """Run the benchmark; the exit status is 1 only with ``--strict`` and a target missed."""
    parser = _contest.parser(__doc__, duration=1000.0, nest_duration=200.0)
    parser.add_argument("--n", type=int, nargs="+", default=list(SIZES))
    parsed = parser.parse_args()
    options = _contest.options_of(parsed)
    machine = harness.machine()
    cases = []
    for n in parsed.n:
        for case in _contest.contest(f"coba:{n}", parsed.threads, options):
            cases.append(case)
            _contest.print_case(case)
        # written after each size: a full run takes a quarter of an hour and may be interrupted
        targets = _contest.judge(cases, BOUNDS, [f"coba:{n}" for n in SIZES])
        path = harness.write_json("coba", {"cases": cases, "machine": machine, "targets": targets}, parsed.out)
    _contest.print_targets(targets)
    print(path)
    return int(parsed.strict and any(target["ok"] is False for target in targets))


if __name__ == "__main__":
    sys.exit(main())
