"""Time the cortical microcircuit of Potjans and Diesmann: a tenth of it against peers, all of it alone.

At scale 0.1 (a tenth of the neurons and of the synapses of each) all simulators have the same synapses one by one,
with their weights and delays, exact integration and Poisson input of the same rate, drawn by each for itself. At full
scale neurosim runs alone; what its parts take follows from runs with few synapses and without Poisson input. A run::

    python benchmarks/cortical_microcircuit.py --nest-python /opt/nestvenv/bin/python
"""

import sys
from itertools import product
from typing import Any

import harness
from peers import _contest

BOUNDS = ((_contest.BRIAN2, 3.0), (_contest.NEST, 20.0))
SCALE = 0.1
FULL_BOUNDS = (("RTF", 4.0), ("build_seconds", 20.0), ("peak_bytes", 5e9))
FULL_THREADS = 2  # that the targets are of
SETTLE = 200.0  # ms
FEW = 0.02  # of the synapses


def print_rates(case: dict[str, Any]) -> None:
    """Rates of the populations side by side."""
    found = case["contenders"]
    rows = [
        (population, *(f"{contender['rates'][population]:.2f}" for contender in found.values()))
        for population in next(iter(found.values()))["rates"]
    ]
    harness.print_table("rates, Hz", ("population", *found), rows)


def full(scale: float, precision: str, threads: int, keep: float, drive: str, parsed: Any) -> dict[str, Any]:
    """All of the microcircuit, or that with a part of its synapses, in a process of its own."""
    name = f"microcircuit{drive}:{scale:g}"
    print(f"  {name}, {precision}, {threads} threads, {keep:.0%} of the synapses", file=sys.stderr)
    return harness.run_script(
        _contest.FOLDER / "alone.py",
        *("--name", name, "--warm", f"microcircuit{drive}:{0.02 * scale:g}:{scale:g}", "--keep", str(keep)),
        *("--precision", precision, "--threads", str(threads), "--settle", str(SETTLE)),
        *("--duration", str(parsed.duration), "--rounds", str(parsed.full_rounds)),
        threads=threads,
    )


def full_case(scale: float, precision: str, threads: int, parsed: Any) -> dict[str, Any]:
    """Wall time, build, memory, and what each part takes.

    The seconds of an event are those by which all synapses take longer than a few. A few are kept because currents
    that nothing feeds would decay to subnormal numbers, with which processors are slow.
    """
    whole = full(scale, precision, threads, 1.0, "", parsed)
    few = full(scale, precision, threads, FEW, "", parsed)
    undriven = full(scale, precision, threads, FEW, "-dc", parsed)
    rtf, poisson, constant = (
        harness.summary(found["seconds_per_biological_second"]) for found in (whole, few, undriven)
    )
    events, of_few, of_undriven = (found["events_per_biological_second"] for found in (whole, few, undriven))
    each = (rtf["median"] - poisson["median"]) / (events - of_few)
    neurons = constant["median"] - each * of_undriven
    parts = {
        "neurons": neurons,
        "Poisson input": poisson["median"] - each * of_few - neurons,
        "synapses": each * events,
    }
    return {**whole, "RTF": rtf, "ns_per_synaptic_event": each * 1e9, "parts": parts}


def print_full(case: dict[str, Any]) -> None:
    """Print one precision at full scale."""
    total = case["RTF"]["median"]
    rows = [
        ("wall s per biological s", f"{total:.3g}", f"{case['RTF']['min']:.3g} to {case['RTF']['max']:.3g}"),
        *((f"  of this {name}", f"{s:.3g}", f"{s / total:.0%}") for name, s in case["parts"].items()),
        ("build, s", f"{case['build_seconds']:.3g}", f"{case['build_seconds'] * 1e9 / case['synapses']:.3g} ns each"),
        ("peak memory, GB", f"{case['peak_bytes'] / 1e9:.3g}", ""),
        (
            "10⁹ synaptic events per biological s",
            f"{case['events_per_biological_second'] / 1e9:.3g}",
            f"{case['ns_per_synaptic_event']:.3g} ns each",
        ),
    ]
    print(f"{case['name']}: {case['neurons']:,} neurons, {case['synapses']:,} synapses")
    harness.print_table(f"{case['precision']}, {case['threads']} threads", ("neurosim alone", "", ""), rows)
    rates = ", ".join(f"{name} {rate:.2f}" for name, rate in case["rates"].items())
    print(f"rates, Hz: {rates}")


def judge_full(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The targets at full scale."""
    targets = []
    for case in cases:
        if case["name"] != "microcircuit:1" or case["threads"] != FULL_THREADS:
            continue
        for name, bound in FULL_BOUNDS:
            value = case[name]["median"] if name == "RTF" else case[name]
            what = f"full scale, {case['precision']}, {case['threads']} threads: {name}"
            targets.append({"bound": f"<= {bound:g}", "measured": value, "ok": value <= bound, "what": what})
    return targets


def main() -> int:
    """Run the benchmark; the exit status is 1 only with ``--strict`` and a target missed."""
    parser = _contest.parser(__doc__, duration=1000.0, nest_duration=1000.0)
    parser.add_argument("--scale", type=float, default=SCALE, help="of the network that peers simulate too; 0: none")
    parser.add_argument("--full-scale", type=float, default=1.0, help="of the network that neurosim simulates; 0: none")
    parser.add_argument("--full-threads", type=int, nargs="+", default=[1, FULL_THREADS])
    parser.add_argument("--full-rounds", type=int, default=3)
    parser.add_argument("--precision", nargs="+", choices=("float32", "float64"), default=["float32", "float64"])
    parsed = parser.parse_args()
    content: dict[str, Any] = {"machine": harness.machine(), "cases": [], "full": []}
    if parsed.scale:
        content["cases"] = _contest.contest(
            f"microcircuit:{parsed.scale:g}", parsed.threads, _contest.options_of(parsed)
        )
        for case in content["cases"]:
            _contest.print_case(case)
            print_rates(case)
        content["targets"] = _contest.judge(content["cases"], BOUNDS, [f"microcircuit:{SCALE:g}"])
        harness.write_json("cortical_microcircuit", content, parsed.out)
    if parsed.full_scale:
        for precision, threads in product(parsed.precision, parsed.full_threads):
            content["full"].append(full_case(parsed.full_scale, precision, threads, parsed))
            print_full(content["full"][-1])
    targets = _contest.judge(content["cases"], BOUNDS, [f"microcircuit:{SCALE:g}"]) + judge_full(content["full"])
    content["targets"] = targets
    path = harness.write_json("cortical_microcircuit", content, parsed.out)
    _contest.print_targets(targets)
    print(path)
    return int(parsed.strict and any(target["ok"] is False for target in targets))


if __name__ == "__main__":
    sys.exit(main())
