"""Resting potential of the squid giant axon.

Each ion pulls the membrane to its own Nernst potential; the Goldman-Hodgkin-Katz equation weighs the pulls
by permeability. With P_K : P_Na : P_Cl = 1 : 0.04 : 0.45 the axon rests at −60 mV; when P_Na rises to 20
P_K, as at the peak of an action potential, it goes to about +40 mV. Slide 6 sketches the membrane, its
sodium pump and the 60 mV.

Reference: Hodgkin & Katz, J. Physiol. 108:37 (1949), concentrations and permeabilities at 20 °C.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, RED, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 6 · Hodgkin & Katz 1949"
SECONDS = 0.8
CHECKS = (
    Check("resting_potential", -59.7, 1.0, "Hodgkin & Katz 1949, P_K : P_Na : P_Cl = 1 : 0.04 : 0.45", unit="mV"),
    Check("peak_potential", 40.0, 5.0, "Hodgkin & Katz 1949, 1 : 20 : 0.45; measured overshoot", unit="mV"),
    Check("nernst_potassium", -89.4, 0.1, "Nernst: 58.17 mV log(10 / 345)", unit="mV"),
    Check("nernst_sodium", 46.6, 0.1, "Nernst: 58.17 mV log(455 / 72)", unit="mV"),
    Check("nernst_chloride", -55.1, 0.1, "Nernst: 58.17 mV log(61 / 540)", unit="mV"),
    Check("nernst_slope", 58.17, 0.02, "R T ln 10 / F at 20 °C", unit="mV/decade"),
    Check("half_slope_potassium", 45.65, 1.0, "GHK: slope halves at 0.04·455 + 0.45·61 mM", unit="mM"),
    Check("ratio_at_0_mv", 1.4375, 0.002, "GHK at V = 0: (345 + 0.45·540 − 10 − 0.45·61) / (455 − 72)"),
)

# mM, inside and outside
POTASSIUM, SODIUM, CHLORIDE = (345.0, 10.0), (72.0, 455.0), (61.0, 540.0)
CELSIUS = 20.0
REST, PEAK, CHLORIDE_RATIO = 0.04, 20.0, 0.45  # P_Na/P_K twice, P_Cl/P_K


def thermal_voltage(celsius: float) -> float:
    """R T / F in mV."""
    return 8.314462618 * (celsius + 273.15) / 96485.33212 * 1e3


def nernst(xp: Any, inside: Any, outside: Any, valence: int, celsius: float = CELSIUS) -> Any:
    """Potential in mV at which an ion is in equilibrium."""
    return thermal_voltage(celsius) / valence * xp.log(outside / inside)


def ghk(xp: Any, sodium_ratio: Any, potassium_out: Any, chloride_ratio: float = CHLORIDE_RATIO) -> Any:
    """Potential in mV of a squid axon at which the constant-field currents of K, Na and Cl cancel.

    Parameters
    ----------
    xp : namespace
        Array API.
    sodium_ratio, potassium_out : array
        P_Na/P_K, and potassium outside in mM; shapes that broadcast.
    chloride_ratio : float
        P_Cl/P_K.
    """
    # chloride is negative: its inside and outside change places
    entering = potassium_out + sodium_ratio * SODIUM[1] + chloride_ratio * CHLORIDE[0]
    leaving = POTASSIUM[0] + sodium_ratio * SODIUM[0] + chloride_ratio * CHLORIDE[1]
    return thermal_voltage(CELSIUS) * xp.log(entering / leaving)


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Potentials over a grid of permeabilities and outside potassium; nothing is random, nothing to fuse."""
    library = get(backend)
    xp = library.xp

    def array(x: Any) -> Any:
        return library.asarray(x, precision)

    side = scaled(1000, scale, at_least=100)
    ratios, potassium = np.geomspace(1e-3, 1e3, side), np.geomspace(1.0, 345.0, side)
    surface = library.to_numpy(ghk(xp, array(ratios[:, None]), array(potassium[None, :])))
    by_ratio = library.to_numpy(ghk(xp, array(ratios), array(POTASSIUM[1])))
    by_potassium = library.to_numpy(ghk(xp, array(REST), array(potassium)))
    line = library.to_numpy(nernst(xp, array(POTASSIUM[0]), array(potassium), 1))
    ions = {"potassium": (*POTASSIUM, 1), "sodium": (*SODIUM, 1), "chloride": (*CHLORIDE, -1)}
    levels = {name: float(nernst(xp, array(i), array(o), z)) for name, (i, o, z) in ions.items()}
    rest, peak = (float(ghk(xp, array(ratio), array(POTASSIUM[1]))) for ratio in (REST, PEAK))
    decades = np.log10(potassium)
    slope = np.gradient(by_potassium.astype(float), decades)
    full = float((line[-1] - line[0]) / (decades[-1] - decades[0]))
    metrics = {
        "resting_potential": rest,
        "peak_potential": peak,
        **{f"nernst_{name}": value for name, value in levels.items()},
        "nernst_slope": full,
        "half_slope_potassium": float(10 ** np.interp(full / 2, slope, decades)),
        "ratio_at_0_mv": float(10 ** np.interp(0.0, by_ratio, np.log10(ratios))),
    }
    figures = {
        "membrane_potential": _draw(levels, rest, peak, (ratios, by_ratio), (potassium, by_potassium, line)),
        "membrane_potential_map": _draw_map(ratios, potassium, surface),
    }
    return Outcome(figures, metrics, {"backend": library.name})


def _draw(levels: dict, rest: float, peak: float, by_ratio: tuple, by_potassium: tuple) -> Any:
    title = "Ion gradients and permeabilities make the membrane potential"
    figure, axes = subplots(2, 2, size=(10, 5.6), title=title)
    bars, ladder, ratio, outside = axes.flat

    x = np.arange(3)
    for side, name in enumerate(("in", "out")):
        heights = [ion[side] for ion in (POTASSIUM, SODIUM, CHLORIDE)]
        drawn = bars.bar(x + 0.38 * side - 0.19, heights, 0.36, color=(BLUE, RED, GREEN), alpha=1.0 - 0.6 * side)
        bars.bar_label(drawn, labels=[f"{name}\n{height:g}" for height in heights], fontsize=9)
    bars.set_xticks(x, ("K⁺", "Na⁺", "Cl⁻"), fontsize=11)
    bars.set(ylabel="concentration (mM)", ylim=(0, 690))
    bars.set_title("Potassium is inside, sodium and chloride outside", loc="left")
    bars.grid(axis="x", visible=False)

    for value, label, color, column in (
        (levels["sodium"], "$E_{Na}$", RED, 0),
        (peak, r"peak: $P_{Na} = 20\,P_K$", BLACK, 1),
        (levels["chloride"], "$E_{Cl}$", GREEN, 0),
        (rest, r"rest: $P_{Na} = 0.04\,P_K$", BLACK, 1),
        (levels["potassium"], "$E_K$", BLUE, 0),
    ):
        ladder.hlines(value, column, column + 0.34, color=color, linewidth=3)
        text = f"{label}\n{value:+.1f} mV".replace("-", "−")
        ladder.text(column + 0.4, value, text, color=color, va="center")
    ladder.axhline(0.0, color=GREY, linewidth=0.8)
    ladder.set(xlim=(-0.1, 2.3), ylim=(-105, 65), ylabel="potential (mV)", xticks=[])
    ladder.set_title("Rest and peak lie between the Nernst potentials", loc="left")

    for value, name, color, where in (
        (levels["potassium"], "$E_K$", BLUE, 2e-3),
        (levels["sodium"], "$E_{Na}$", RED, 2e-3),
    ):
        ratio.axhline(value, color=color, linestyle="--", linewidth=1)
        ratio.text(where, value, name, color=color, va="bottom")
    ratio.semilogx(*by_ratio, color=BLACK)
    for at, value, text in ((REST, rest, "rest"), (PEAK, peak, "peak")):
        ratio.plot(at, value, "o", color=BLACK, markersize=8)
        text = f"{text} {value:+.0f} mV".replace("-", "−")
        ratio.annotate(text, (at, value), (10, -14), textcoords="offset points")
    ratio.set(xlabel=r"$P_{Na}\ /\ P_K$", ylabel="potential (mV)", ylim=(-105, 65))
    ratio.set_title("Opening to sodium turns the sign", loc="left")

    k, v, line = by_potassium
    outside.semilogx(k, line, "--", color=BLUE, label="Nernst: 58 mV per decade")
    outside.semilogx(k, v, color=BLACK, label=r"Goldman-Hodgkin-Katz, $P_{Na} = 0.04\,P_K$")
    outside.plot(POTASSIUM[1], rest, "o", color=BLACK, markersize=8)
    outside.annotate("sea water", (POTASSIUM[1], rest), (0, 10), textcoords="offset points", ha="center")
    outside.set(xlabel="K⁺ outside (mM)", ylabel="potential (mV)")
    outside.set_title("Potassium rules only where there is much of it", loc="left")
    outside.set_xticks([1, 3, 10, 30, 100, 300], ["1", "3", "10", "30", "100", "300"])
    outside.legend(loc="lower right", frameon=False)
    return figure


def _draw_map(ratios: np.ndarray, potassium: np.ndarray, surface: np.ndarray) -> Any:
    figure, ax = subplots(size=(8.0, 5.0))
    ax.set(xscale="log", yscale="log", xlabel="K⁺ outside (mM)", ylabel=r"$P_{Na}\ /\ P_K$")
    thin = slice(None, None, max(1, len(ratios) // 200))
    x, y, z = potassium[thin], ratios[thin], surface[thin, thin]
    filled = ax.contourf(x, y, z, levels=np.arange(-80, 51, 5), cmap="RdBu_r", vmin=-80, vmax=80)
    shown = np.arange(-60, 41, 20)
    lines = ax.contour(x, y, z, levels=shown, colors=BLACK, linewidths=0.8)
    spots = [(2.0, float(np.interp(level, z[:, 0], y))) for level in shown]
    ax.clabel(lines, fmt=lambda value: f"{value:g} mV".replace("-", "−"), fontsize=10, manual=spots)
    for value, text, color, place in (
        (REST, "rest", "white", (-12, -20)),
        (PEAK, "peak of the\naction potential", BLACK, (12, -22)),
    ):
        ax.plot(POTASSIUM[1], value, "o", color=BLACK, markersize=8)
        ax.annotate(text, (POTASSIUM[1], value), place, textcoords="offset points", fontsize=11, color=color)
    arrow = {"arrowstyle": "->", "shrinkA": 8, "shrinkB": 8, "linewidth": 1.5}
    ax.annotate("", (POTASSIUM[1], PEAK), (POTASSIUM[1], REST), arrowprops=arrow)
    ax.set_title("An action potential is a jump of permeability: the ions stay where they are", loc="left")
    ax.set_xticks([1, 3, 10, 30, 100, 300], ["1", "3", "10", "30", "100", "300"])
    figure.colorbar(filled, ax=ax, label="potential (mV)", ticks=np.arange(-80, 51, 20))
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
