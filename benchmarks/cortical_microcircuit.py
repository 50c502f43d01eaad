"""Time the cortical microcircuit of Potjans and Diesmann: a tenth of it against peers, all of it alone.

At scale 0.1 (a tenth of the neurons and of the synapses of each) all simulators have the same synapses one by one,
with their weights and delays, exact integration and Poisson input of the same rate, drawn by each for itself. At full
scale neurosim runs alone; what its parts take is found by leaving them out. A run::

    python benchmarks/cortical_microcircuit.py --nest-python /opt/nestvenv/bin/python
"""

import sys
from typing import Any

import harness
from peers import _contest

BOUNDS = ((_contest.BRIAN2, 3.0), (_contest.NEST, 20.0))
SCALE = 0.1
FULL_BOUNDS = (("RTF", 4.0), ("build_seconds", 20.0), ("peak_bytes", 5e9))
FULL_THREADS = 2
SETTLE = 200.0  # ms


def print_rates(case: dict[str, Any]) -> None:
    """Rates of the populations side by side."""
    found = case["contenders"]
    rows = [
        (population, *(f"{contender['rates'][population]:.2f}" for contender in found.values()))
        for population in next(iter(found.values()))["rates"]
    ]
    harness.print_table("rates, Hz", ("population", *found), rows)


def full(scale: float, precision: str, part: str, drive: str, parsed: Any) -> dict[str, Any]:
    """All of the microcircuit, or a part of what it does, in a process of its own."""
    name = f"microcircuit{drive}:{scale:g}"
    print(f"  {name}, {precision}, {part}", file=sys.stderr)
    return harness.run_script(
        _contest.FOLDER / "alone.py",
        *("--name", name, "--warm", f"microcircuit{drive}:{0.02 * scale:g}:{scale:g}", "--part", part),
        *("--precision", precision, "--threads", str(FULL_THREADS), "--settle", str(SETTLE)),
        *("--duration", str(parsed.duration), "--rounds", str(parsed.full_rounds)),
        threads=FULL_THREADS,
    )


def full_case(scale: float, precision: str, parsed: Any) -> dict[str, Any]:
    """Wall time, build, memory, and what each part takes."""
    whole = full(scale, precision, "all", "", parsed)
    alone = full(scale, precision, "no synapses", "", parsed)
    silent = full(scale, precision, "no synapses", "-dc", parsed)
    rtf, without, neurons = (
        harness.summary(found["seconds_per_biological_second"]) for found in (whole, alone, silent)
    )
    parts = {
        "neurons": neurons["median"],
        "Poisson input": without["median"] - neurons["median"],
        "synapses and spikes": rtf["median"] - without["median"],
    }
    return {**whole, "RTF": rtf, "parts": parts}


def print_full(case: dict[str, Any]) -> None:
    """Print one precision at full scale."""
    total = case["RTF"]["median"]
    rows = [
        ("wall s per biological s", f"{total:.3g}", f"{case['RTF']['min']:.3g} to {case['RTF']['max']:.3g}"),
        *((f"  of this {name}", f"{s:.3g}", f"{s / total:.0%}") for name, s in case["parts"].items()),
        ("build, s", f"{case['build_seconds']:.3g}", f"{case['build_seconds'] * 1e9 / case['synapses']:.3g} ns each"),
        ("peak memory, GB", f"{case['peak_bytes'] / 1e9:.3g}", ""),
        ("synaptic events, 10⁹/s", f"{case['events_per_biological_second'] / 1e9:.3g}", "biological second"),
    ]
    print(f"{case['name']}: {case['neurons']:,} neurons, {case['synapses']:,} synapses")
    harness.print_table(f"{case['precision']}, {case['threads']} threads", ("neurosim alone", "", ""), rows)
    rates = ", ".join(f"{name} {rate:.2f}" for name, rate in case["rates"].items())
    print(f"rates, Hz: {rates}")


def judge_full(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The targets at full scale."""
    targets = []
    for case in cases:
        if case["name"] != "microcircuit:1":
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
        for precision in parsed.precision:
            content["full"].append(full_case(parsed.full_scale, precision, parsed))
            print_full(content["full"][-1])
    targets = _contest.judge(content["cases"], BOUNDS, [f"microcircuit:{SCALE:g}"]) + judge_full(content["full"])
    content["targets"] = targets
    path = harness.write_json("cortical_microcircuit", content, parsed.out)
    _contest.print_targets(targets)
    print(path)
    return int(parsed.strict and any(target["ok"] is False for target in targets))


if __name__ == "__main__":
    sys.exit(main())
