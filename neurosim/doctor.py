"""What this machine has, and what to install for more."""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import dataclass

import psutil

from neurosim.backends import kernel_cache
from neurosim.backends.registry import available, describe
from neurosim.memory import human
from neurosim.provenance import versions

# What each extra adds, by the module that it brings.
_EXTRAS = {
    "brian2": ("reference", "models checked against brian2: neurosim models --check"),
    "torch": (None, "the torch backend"),
    "sklearn": ("sklearn", "estimators and handwritten digits: neurosim.learn.estimators, neurosim.learn.data"),
    "array_api_strict": ("test", "the strict backend of the tests"),
}


@dataclass(frozen=True)
class Finding:
    """A line of the report.

    Attributes
    ----------
    topic, text : str
        What, and how it is.
    ok : bool or None
        Whether it can be used; None where it is just a fact.
    remedy : str
        What to do where it cannot.
    """

    topic: str
    text: str
    ok: bool | None = None
    remedy: str = ""


def examine() -> list[Finding]:
    """Everything that ``neurosim doctor`` reports."""
    return [*_machine(), *_backends(), *_optional(), _compiles(), _cache()]


def _machine() -> list[Finding]:
    memory = psutil.virtual_memory()
    threads = os.environ.get("NUMBA_NUM_THREADS")
    limit = f", NUMBA_NUM_THREADS={threads}" if threads else ""
    return [
        Finding("versions", ", ".join(f"{name} {version}" for name, version in versions().items())),
        Finding("system", f"{platform.system()} {platform.release()} on {platform.machine()}"),
        Finding("cores", f"{psutil.cpu_count(logical=True)}{limit}"),
        Finding("memory", f"{human(memory.available)} free of {human(memory.total)}"),
    ]


def _backends() -> list[Finding]:
    findings = []
    for name, reason in available().items():
        if reason is not None:
            text, _, remedy = reason.rpartition(": ")
            findings.append(Finding(f"backend {name}", text, False, remedy))
            continue
        facts = describe(name)
        slow = facts["fused"]
        text = f"{facts['device']}, {human(facts['free'])} free of {human(facts['total'])}, "
        text += "fused kernels" if slow is None else f"op by op ({slow})"
        findings.append(Finding(f"backend {name}", text, True))
    return findings


def _optional() -> list[Finding]:
    findings = []
    for module, (extra, what) in _EXTRAS.items():
        found = importlib.util.find_spec(module) is not None
        remedy = "" if found else f"pip install {f'neurosim[{extra}]' if extra else module}"
        findings.append(Finding(module, what, found, remedy))
    return findings


def _compiles() -> Finding:
    """Compile and run a kernel of one neuron: the whole way, from formula to spikes."""
    from neurosim.engine import Simulation
    from neurosim.errors import UsageError
    from neurosim.models import get_model
    from neurosim.network import Network, Population

    try:
        simulation = Simulation(
            Network((Population("doctor", get_model("LIF").cls(), 1),)),
            dt=0.1,
            backend="numpy",
            fuse="require",
        )
        simulation.run(1.0, progress=False)
    except UsageError as error:
        return Finding("fused kernel", str(error), False, "pip install --upgrade numba")
    return Finding("fused kernel", "compiled and ran", True)


def _cache() -> Finding:
    folder = kernel_cache.directory()
    count, size = kernel_cache.size()
    limit = human(kernel_cache.limit_bytes())
    text = f"{folder}: {count} kernels, {human(size)} of at most {limit}"
    existing = next(f for f in (folder, *folder.parents) if f.exists())
    if not os.access(existing, os.W_OK):
        return Finding(
            "kernel cache",
            text,
            False,
            f"set {kernel_cache.DIRECTORY_VARIABLE} to a folder that can be written",
        )
    return Finding("kernel cache", text, True)
