"""Scenarios: figures of the lecture and published benchmarks, with the numbers that they must reach.

A scenario is a module of the folder ``scenarios`` (or of the entry-point group ``neurosim.scenarios``) with

- a docstring whose first line is its title and whose rest says what is shown and where it comes from;
- ``SOURCE``: the slide or paper, a few words; ``SECONDS``: time at scale 1 on two cores;
- ``run(*, backend, scale, seed, precision, fuse) -> Outcome``; the defaults are the scenario's own. What else ``run``
  takes are options of the scenario, texts: ``run(*, optimizer="cg", …)`` is ``neurosim run NAME --optimizer cg``;
- ``CHECKS``: what the metrics must be; where the scenario has options, a function of them that gives the checks and
  refuses, by UsageError, what an option cannot be. ``scale`` shrinks the work, not the meaning: the checks hold at any
  scale.
"""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from neurosim.errors import UsageError, nearest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY_POINTS = "neurosim.scenarios"
COMMON = ("backend", "precision", "scale", "seed", "fuse")  # options of every scenario


@dataclass(frozen=True)
class Check:
    """A published number that a metric must reach.

    Attributes
    ----------
    name : str
        Of the metric.
    expected : float
        Published value.
    tolerance : float
        Largest absolute difference; beyond the bound for ``"at least"`` and ``"at most"``.
    source : str
        Where the value is published.
    kind : {"equal", "at least", "at most"}
        How the metric is compared.
    unit : str
        For people.
    """

    name: str
    expected: float
    tolerance: float
    source: str
    kind: Literal["equal", "at least", "at most"] = "equal"
    unit: str = ""

    def holds(self, value: float) -> bool:
        """Whether a value passes; NaN never does."""
        if self.kind == "at least":
            return value >= self.expected - self.tolerance
        if self.kind == "at most":
            return value <= self.expected + self.tolerance
        return abs(value - self.expected) <= self.tolerance


@dataclass(frozen=True)
class Outcome:
    """What a scenario made.

    Attributes
    ----------
    figures : mapping
        File stem → matplotlib Figure.
    metrics : mapping
        Name → number; every check has its metric.
    provenance : mapping
        Of the largest simulation, as in ``Result.provenance``; empty where nothing was simulated.
    """

    figures: Mapping[str, Figure]
    metrics: Mapping[str, float]
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """A scenario module, read."""

    name: str
    title: str
    description: str
    source: str
    seconds: float
    given_checks: Sequence[Check] | Callable[..., Sequence[Check]] = field(repr=False)
    run: Callable[..., Outcome] = field(repr=False)

    @property
    def defaults(self) -> dict[str, Any]:
        """Default of each option of ``run``."""
        return {p.name: p.default for p in inspect.signature(self.run).parameters.values()}

    @property
    def checks(self) -> Sequence[Check]:
        """The checks with the scenario's own options at their defaults."""
        return self.checks_with({})

    def own(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that only this scenario has, from ``options`` or their defaults."""
        return {k: options.get(k, default) for k, default in self.defaults.items() if k not in COMMON}

    def checks_with(self, options: Mapping[str, Any]) -> Sequence[Check]:
        """The checks of a run.

        Raises
        ------
        UsageError
            When one of the scenario's own options cannot be.
        """
        return tuple(self.given_checks(**self.own(options)) if callable(self.given_checks) else self.given_checks)


def _read(name: str, module: ModuleType) -> Scenario:
    missing = [a for a in ("__doc__", "SOURCE", "SECONDS", "CHECKS", "run") if not getattr(module, a, None)]
    if missing:
        raise UsageError(f"scenario {name!r} lacks {', '.join(missing)}: see neurosim.scenario")
    title, _, rest = (module.__doc__ or "").strip().partition("\n")
    return Scenario(name, title.rstrip("."), rest.strip(), module.SOURCE, module.SECONDS, module.CHECKS, module.run)


@lru_cache(maxsize=1)
def _loaders() -> dict[str, Callable[[], ModuleType]]:
    import neurosim.scenarios as package

    found: dict[str, Callable[[], ModuleType]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            path = f"{package.__name__}.{module.name}"
            found[module.name] = lambda path=path: importlib.import_module(path)  # type: ignore[misc]
    for entry in entry_points(group=ENTRY_POINTS):
        found[entry.name] = entry.load
    return dict(sorted(found.items()))


def names() -> list[str]:
    """Names of all scenarios."""
    return list(_loaders())


def get_scenario(name: str) -> Scenario:
    """The scenario of a name.

    Raises
    ------
    UsageError
        When there is none; the message has the nearest name.
    """
    if name not in _loaders():
        raise UsageError(f"unknown scenario {name!r}: {nearest(name, _loaders())}")
    return _read(name, _loaders()[name]())


def check_scale(scale: Any) -> float:
    """A scale as a float.

    Raises
    ------
    UsageError
        When it is no finite number above 0.
    """
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not math.isfinite(scale) or scale <= 0:
        raise UsageError(
            f"scale = {scale!r}: must be a finite number above 0; 1 is the published size, 0.01 a quick look"
        )
    return float(scale)


def scaled(number: int, scale: float, at_least: int = 1) -> int:
    """``number`` of something at a scale, a whole number."""
    return max(at_least, round(number * scale))


def main(file: str) -> None:
    """Run the scenario of a file as ``neurosim run NAME`` does, with the command line's options."""
    import sys
    from pathlib import Path

    from neurosim.cli import main as command

    command(["run", Path(file).stem, *sys.argv[1:]])
