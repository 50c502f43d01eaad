"""Time what a user waits for: the import, and the first and the second run of a scenario.

All are whole processes. The import is what it adds to a Python that does nothing. The cold run finds
an empty folder of compiled kernels, the warm run finds the folder that the cold one has filled.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import harness

BUDGETS = {"import": 0.3, "cold run": 10.0, "warm run": 3.0}
"""Seconds."""


def seconds(*arguments: str, cache: Path | None = None) -> float:
    """Wall time of a Python process with these arguments."""
    environment = {**os.environ, **({"NEUROSIM_CACHE_DIR": str(cache)} if cache else {})}
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    took = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"python {' '.join(arguments)} failed:\n{done.stderr}")
    return took


def measure(scenario: str, rounds: int, folder: Path) -> harness.Samples:
    """Seconds of each of the processes, by round."""
    # the first process after an installation writes the bytecode, which is not what is measured
    seconds("-c", "import neurosim")
    samples = harness.interleave(
        {"bare": lambda: seconds("-c", "pass"), "with import": lambda: seconds("-c", "import neurosim")},
        rounds,
    )
    pairs = zip(samples["with import"], samples["bare"], strict=True)
    measured: harness.Samples = {"import": [a - b for a, b in pairs], "cold run": [], "warm run": []}
    for index in range(rounds):
        cache = folder / f"cache{index}"
        cache.mkdir()
        for name in ("cold run", "warm run"):
            out = folder / f"{name.replace(' ', '-')}-{index}"
            measured[name].append(seconds("-m", "neurosim", "run", scenario, "--out", str(out), cache=cache))
    return measured


def main() -> int:
    """Run the benchmark; the exit status is 1 only with ``--strict`` and a budget exceeded."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenario", default="hh_action_potential")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=harness.RESULTS)
    parser.add_argument("--strict", action="store_true", help="fail if a budget is exceeded")
    options = parser.parse_args()

    machine = harness.machine()
    with tempfile.TemporaryDirectory() as folder:
        samples = measure(options.scenario, options.rounds, Path(folder))
    outcome = {}
    for name, budget in BUDGETS.items():
        found = harness.summary(samples[name])
        outcome[name] = {"budget": budget, "ok": found["median"] <= budget, "seconds": found}
    harness.print_table(
        f"start-up, scenario {options.scenario}: seconds, median of {options.rounds}",
        ("what", "median", "spread", "budget", "verdict"),
        [
            (
                name,
                f"{found['seconds']['median']:.3f}",
                f"{found['seconds']['min']:.3f} to {found['seconds']['max']:.3f}",
                f"{found['budget']:g}",
                "ok" if found["ok"] else "missed",
            )
            for name, found in outcome.items()
        ],
    )
    content = {"machine": machine, "rounds": options.rounds, "scenario": options.scenario, "startup": outcome}
    harness.write_json("startup", content, options.out)
    return int(options.strict and not all(found["ok"] for found in outcome.values()))


if __name__ == "__main__":
    sys.exit(main())
