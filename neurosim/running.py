"""Run a scenario and write what it made: pictures and ``result.json``."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurosim.checks import check_options
from neurosim.errors import UsageError, nearest
from neurosim.scenario import Outcome, Scenario, check_scale

_DPI = 150
_SVG_BYTES = 400_000  # larger vector pictures load slower than their PNG


def prepare_folder(folder: Path) -> Path:
    """Make the folder and prove that it can be written, before any work.

    Raises
    ------
    UsageError
        When it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".neurosim-writes"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(
            f"output folder {folder} cannot be written ({reason}): choose another with --out DIR"
        ) from None
    return folder


def checked_options(scenario: Scenario, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a run, the scenario's own where none (or None) is given; checked before any work.

    Raises
    ------
    UsageError
        For a scale, precision, seed or fuse that cannot be, and for an option that the scenario does not have or that
        cannot be what is given.
    """
    for name in options:
        if name not in scenario.defaults:
            written, known = (n.replace("_", "-") for n in (name, " ".join(scenario.defaults)))
            raise UsageError(f"No such option --{written} of {scenario.name}: {nearest(written, known.split())}")
    options = scenario.defaults | {k: v for k, v in options.items() if v is not None}
    options["scale"] = check_scale(options["scale"])
    check_options(**{name: options[name] for name in ("precision", "fuse", "seed")})
    scenario.checks_with(options)
    return options


def run_scenario(scenario: Scenario, options: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Run, check, write.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    options : mapping
        ``backend``, ``precision``, ``scale``, ``seed``, ``fuse`` and the scenario's own; its defaults where missing.
    folder : Path
        Where pictures and ``result.json`` go; made if need be.

    Returns
    -------
    dict
        The content of ``result.json``.
    """
    import matplotlib

    from neurosim.plotting import style

    options = checked_options(scenario, options)
    prepare_folder(folder)
    begin = time.perf_counter()
    with matplotlib.rc_context(style()):  # type: ignore[arg-type]
        outcome = scenario.run(**options)
        seconds = time.perf_counter() - begin
        figures = _draw(outcome, folder)
    engines = sorted(set(outcome.provenance.get("engine", {}).values()))  # of each population, or of a network
    report = {
        "scenario": scenario.name,
        "slide": scenario.source,
        "backend": outcome.provenance.get("backend", "numpy"),
        "engine": "/".join(engines) or "none",
        "precision": options["precision"],
        "seed": options["seed"],
        "scale": options["scale"],
        "options": scenario.own(options),
        "seconds": seconds,
        "provenance": dict(outcome.provenance),
        "metrics": {name: _number(value) for name, value in outcome.metrics.items()},
        "checks": [_checked(check, outcome) for check in scenario.checks_with(options)],
        "figures": figures,
    }
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "result.json").write_text(text + "\n", encoding="utf-8")
    return report


def _number(value: Any) -> float | None:
    """JSON has no NaN: None stands for it."""
    return float(value) if math.isfinite(value) else None


def _checked(check: Any, outcome: Outcome) -> dict[str, Any]:
    if check.name not in outcome.metrics:
        raise UsageError(f"check {check.name!r} has no metric of its name; there are {', '.join(outcome.metrics)}")
    value = float(outcome.metrics[check.name])
    return {
        "name": check.name,
        "value": _number(value),
        "expected": check.expected,
        "tolerance": check.tolerance,
        "kind": check.kind,
        "unit": check.unit,
        "source": check.source,
        "ok": bool(check.holds(value)),
    }


def _draw(outcome: Outcome, folder: Path) -> list[str]:
    files = []
    for stem, figure in outcome.figures.items():
        if engine := figure.get_layout_engine():
            engine.execute(figure)
            figure.set_layout_engine(None)  # the axes stay here for both files
        for suffix in ("png", "svg"):
            path = folder / f"{stem}.{suffix}"
            figure.savefig(path, dpi=_DPI, metadata={"Date": None} if suffix == "svg" else None)
            if suffix == "svg" and path.stat().st_size > _SVG_BYTES:
                path.unlink()
            else:
                files.append(path.name)
    return files
