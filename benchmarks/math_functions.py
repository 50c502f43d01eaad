"""Time the compiled elementary functions against scalar libm in Numba and against NumPy's ufuncs.

All are measured in one process, in turns, on arrays that stay in the cache. The exit status is 1 when a
function that is as slow as a few scalar calls shows that LLVM did not vectorise its loop.
"""

import argparse
import json
import math
import platform
import statistics
import sys
import time
from pathlib import Path

import llvmlite.binding
import numba
import numpy as np

from neurosim.backends.math_functions import FUNCTIONS

MUST_BE_VECTORISED = ("exp", "expm1", "log", "tanh")
LEAST_SPEEDUP = 2.0
INTERVALS = {"log": (1e-3, 1e3), "log1p": (-0.9, 10.0), "sin": (-50.0, 50.0), "cos": (-50.0, 50.0)}
CONTENDERS = ("vectorised", "libm", "numpy")


def compiled_loop(function, dtype):
    """Apply a scalar function to each element of one array and store the results in another."""

    @numba.njit(f"void({dtype}[::1], {dtype}[::1])", error_model="numpy")
    def loop(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    return loop


def measure(name, dtype, size, rounds):
    """Median nanoseconds per element of each contender, and the medians of the ratios within rounds."""
    x = np.random.default_rng(0).uniform(*INTERVALS.get(name, (-5.0, 5.0)), size).astype(dtype)
    y = np.empty_like(x)
    ufunc = getattr(np, name)
    runs = {
        "vectorised": compiled_loop(FUNCTIONS[name, dtype], dtype),
        "libm": compiled_loop(getattr(math, name), dtype),
        "numpy": lambda x, y: ufunc(x, out=y),
    }
    repeats = max(1, 100_000 // size)
    samples = {contender: [] for contender in CONTENDERS}
    for run in runs.values():
        run(x, y)
    for _ in range(rounds):
        for contender, run in runs.items():
            begin = time.perf_counter()
            for _ in range(repeats):
                run(x, y)
            samples[contender].append((time.perf_counter() - begin) / (repeats * size) * 1e9)
    row = {contender: statistics.median(samples[contender]) for contender in CONTENDERS}
    for contender in ("libm", "numpy"):
        pairs = zip(samples[contender], samples["vectorised"], strict=True)
        row[f"{contender} / vectorised"] = statistics.median(other / own for other, own in pairs)
    return row


def cpu_model():
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--size", type=int, default=16_384, help="elements per array")
    parser.add_argument("--rounds", type=int, default=31)
    options = parser.parse_args()

    rows = {key: measure(*key, options.size, options.rounds) for key in FUNCTIONS}
    columns = list(next(iter(rows.values())))
    print("ns per element   " + "".join(f"{column:>19}" for column in columns))
    for key, row in rows.items():
        print(f"{' '.join(key):17}" + "".join(f"{row[column]:19.2f}" for column in columns))

    slow = [
        key for key, row in rows.items() if key[0] in MUST_BE_VECTORISED and row["libm / vectorised"] < LEAST_SPEEDUP
    ]
    if options.out:
        result = {
            "cpu": cpu_model(),
            "llvm_cpu": numba.core.config.CPU_NAME or llvmlite.binding.get_host_cpu_name(),
            "versions": {
                "python": platform.python_version(),
                "numpy": np.__version__,
                "numba": numba.__version__,
            },
            "size": options.size,
            "rounds": options.rounds,
            "ns_per_element": {" ".join(key): {c: round(v, 4) for c, v in row.items()} for key, row in rows.items()},
            "not_vectorised": [" ".join(key) for key in slow],
        }
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for key in slow:
        print(f"{' '.join(key)}: less than {LEAST_SPEEDUP} times as fast as scalar libm", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
