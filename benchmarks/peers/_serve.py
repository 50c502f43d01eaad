"""What every contender shares: its command line, its threads and the way it is timed.

A contender is a script that prepares one simulation and runs it from rest as often as asked. On its
own it prints one JSON line. With ``--serve`` it stays alive, so that a parent can time several
contenders in rotation without paying again for their compilation::

    contender -> {"peer": "jax", "setup_seconds": 1.9, ...}     once, when it is ready
    parent    -> run 0.5                                        repeat from rest for at least 0.5 s
    contender -> {"runs": 3, "seconds": 0.21, "spikes": 1234}   seconds: mean of the runs
    parent    -> quit                                           or the end of the stream
"""

import argparse
import importlib.metadata
import importlib.util
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

DT = 0.01
"""Time step, in ms."""

MAX_CURRENT = 20.0
"""The N neurons receive constant currents spaced evenly from 0 to this, in µA/cm²."""

THRESHOLD = 50.0
"""A spike is a step from at or below this potential to above it, in mV from rest."""


@dataclass(frozen=True)
class Prepared:
    """A contender that is ready to be timed.

    Attributes
    ----------
    run : callable
        Simulates from rest and returns the seconds spent in the steps and the number of spikes; one that learns
        returns a dict in place of the spikes, which goes into the answer as it is.
    details : dict
        What the reader should know about the way it was built, such as compiler flags.
    """

    run: Callable[[], tuple[float, int | dict[str, Any]]]
    details: dict[str, Any] = field(default_factory=dict)


def thread_environment(threads: int) -> dict[str, str]:
    """Environment variables that hold the usual numeric libraries to a number of threads.

    They are read when a library is first imported, so they have to be set before that.
    """
    # XLA has no variable for a number of threads: it takes one per CPU that it may run on
    xla = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1" if threads == 1 else ""
    names = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**dict.fromkeys(names, str(threads)), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": xla}


def pin(threads: int) -> None:
    """Keep this process on as many CPUs as it has threads, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def parser(description: str) -> argparse.ArgumentParser:
    """Command line that all contenders understand."""
    made = argparse.ArgumentParser(description=description.partition("\n")[0])
    made.add_argument("--n", type=int, default=100_000, help="neurons")
    made.add_argument("--steps", type=int, default=2000, help=f"steps of {DT} ms")
    made.add_argument("--precision", choices=("float32", "float64"), default="float64")
    made.add_argument("--threads", type=int, default=1)
    made.add_argument("--repeat", type=int, default=1, help="runs to time")
    made.add_argument("--serve", action="store_true", help="stay alive and take 'run' lines on stdin")
    return made


def main(
    peer: str,
    package: str,
    build: Callable[[argparse.Namespace], Prepared],
    options: argparse.Namespace,
    install: str | None = None,
) -> None:
    """Run a contender's script.

    Parameters
    ----------
    peer : str
        Name printed in the results.
    package : str
        Import name of the package that does the work.
    build : callable
        Turns the options into something to time. It does its own imports, after the threads are set.
    options : argparse.Namespace
        Parsed command line.
    install : str, optional
        What to install when the package is missing; the import name if not given.
    """
    os.environ.update(thread_environment(options.threads))
    pin(options.threads)
    channel = _claim_stdout()
    spec = importlib.util.find_spec(package)
    # a folder of that name without an __init__ also has a spec, but no origin
    if spec is None or spec.origin is None:
        _send(channel, {"peer": peer, "missing": f"pip install {install or package}"})
        return
    begin = time.perf_counter()
    prepared = build(options)
    about = {
        "peer": peer,
        "version": _version(package),
        **{name: getattr(options, name) for name in ("n", "steps", "precision", "threads")},
        "setup_seconds": time.perf_counter() - begin,
        **prepared.details,
    }
    if options.serve:
        _send(channel, about)
        _serve(channel, prepared.run)
        return
    timed = [prepared.run() for _ in range(options.repeat)]
    seconds, outcome = [took for took, _ in timed], timed[-1][1]
    if not isinstance(outcome, dict):
        per_neuron_step = statistics.median(seconds) * 1e9 / (options.n * options.steps)
        outcome = {"ns_per_neuron_step": per_neuron_step, "spikes": outcome}
    _send(channel, about | {"seconds": seconds} | outcome)


def _serve(channel: TextIO, run: Callable[[], tuple[float, int | dict[str, Any]]]) -> None:
    for line in sys.stdin:
        command, _, at_least = line.strip().partition(" ")
        if command != "run":
            break
        seconds, outcome = run()
        # a short simulation is repeated, as a single one would be lost in the noise of the clock
        more = math.ceil(float(at_least or 0) / seconds) - 1
        total = seconds + sum(run()[0] for _ in range(more))
        runs = 1 + max(0, more)
        outcome = outcome if isinstance(outcome, dict) else {"spikes": outcome}
        _send(channel, {"runs": runs, "seconds": total / runs} | outcome)


def _claim_stdout() -> TextIO:
    """Keep standard output for JSON: what libraries and compilers print goes to standard error."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return channel


def _send(channel: TextIO, answer: dict[str, Any]) -> None:
    channel.write(json.dumps(answer) + "\n")
    channel.flush()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "source tree"
