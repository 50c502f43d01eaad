"""Shared by the benchmarks: facts about the machine, paired repetition, contenders, JSON and tables.

Times on a machine that does other things drift by more than the differences of interest. Contenders
are therefore run in rotation, and compared by the median of the ratios within the rounds rather than
by the ratio of two medians taken at different times.
"""

import importlib.metadata
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from peers._serve import pin, thread_environment
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PACKAGES = (
    *("neurosim", "numpy", "numba", "array-api-compat", "brian2", "jax", "jaxlib", "cupy"),
    *("scipy", "scikit-learn", "torch", "torch-levenberg-marquardt"),
)

Samples = dict[str, list[float]]


class ContenderError(RuntimeError):
    """A contender is not installed, or stopped."""


def machine() -> dict[str, Any]:
    """Facts that times depend on; nothing that names the machine or its user."""
    return {
        "cpu": _cpu_model(),
        "cores_logical": psutil.cpu_count(),
        "cores_physical": psutil.cpu_count(logical=False),
        "load_average_1min": round(psutil.getloadavg()[0], 2),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "os": _system(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "python": platform.python_version(),
    }


def interleave(contenders: Mapping[str, Callable[[], float]], rounds: int) -> Samples:
    """Run all contenders once per round, one at a time, and return their seconds by round.

    Each round begins with another contender, so that none always follows the same one.
    """
    names = list(contenders)
    samples: Samples = {name: [] for name in names}
    for index in range(rounds):
        first = index % max(1, len(names))
        for name in names[first:] + names[:first]:
            samples[name].append(contenders[name]())
    return samples


def summary(samples: Iterable[float]) -> dict[str, float]:
    """Median and extremes."""
    values = list(samples)
    return {"max": max(values), "median": statistics.median(values), "min": min(values)}


def ratio(samples: Samples, name: str, base: str) -> float:
    """How many times as long ``name`` takes as ``base``: the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(samples[name], samples[base], strict=True))


def run_script(
    script: Path | str,
    *arguments: str,
    threads: int = 1,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run a contender's script in a process of its own and return the last JSON line it prints."""
    done = subprocess.run(
        _command(script, arguments),
        env=_environment(threads, environment),
        capture_output=True,
        text=True,
        preexec_fn=_pinned(threads),
    )
    if done.returncode:
        raise ContenderError(_last_line(done.stderr) or f"exit status {done.returncode}")
    return json.loads(_last_line(done.stdout))


class Contender:
    """A script that was started once and is timed on request; see ``peers/_serve.py``.

    Parameters
    ----------
    script : path
        A script that takes ``--serve``.
    *arguments : str
        The rest of its command line.
    threads : int
        Threads and CPUs that it may use.
    at_least : float
        Seconds per timing; a shorter simulation is repeated and its mean taken.

    Attributes
    ----------
    about : dict
        What the script said of itself when it was ready.
    spikes : int or None
        Spikes in the latest run.
    answer : dict
        All that it said of the latest run.
    """

    def __init__(self, script: Path | str, *arguments: str, threads: int = 1, at_least: float = 0.0) -> None:
        self.at_least = at_least
        self.spikes: int | None = None
        self.answer: dict[str, Any] = {}
        # a file, as a pipe that nobody reads would block a talkative contender
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            _command(script, (*arguments, "--threads", str(threads), "--serve")),
            env=_environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            preexec_fn=_pinned(threads),
        )
        try:
            self.about = self._answer()
            if "missing" in self.about:
                raise ContenderError(f"not installed: {self.about['missing']}")
        except BaseException:
            self.close()
            raise

    def __call__(self) -> float:
        """Seconds that one simulation takes."""
        self._process.stdin.write(f"run {self.at_least}\n")
        self._process.stdin.flush()
        self.answer = self._answer()
        self.spikes = self.answer.get("spikes")
        return self.answer["seconds"]

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            raise ContenderError(_last_line(self._errors.read()) or "stopped without a message")
        return json.loads(line)


def significant(value: Any, digits: int = 4) -> Any:
    """Round all floats in nested lists and dicts to a number of significant digits."""
    if isinstance(value, dict):
        return {key: significant(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [significant(item, digits) for item in value]
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.{digits}g}")
    return value


def write_json(name: str, content: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """Write ``folder/name.json`` with its keys in order, so that two results compare line by line."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    text = json.dumps(significant(dict(content)), indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: the first column is text, the others are aligned to the right."""
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    # rich takes 80 columns for a file or a pipe, which would cut wide tables
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _command(script: Path | str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, str(script), *arguments]


def _environment(threads: int, more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, **thread_environment(threads), **(more or {})}


def _pinned(threads: int) -> Callable[[], None] | None:
    return (lambda: pin(threads)) if hasattr(os, "sched_setaffinity") else None


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu_model() -> str:
    if platform.system() == "Linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        return subprocess.check_output(["sysctl", "-n", "machdep.cpu.brand_string"], text=True).strip()
    return platform.processor() or platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return f"{platform.system()} {platform.release()}"
