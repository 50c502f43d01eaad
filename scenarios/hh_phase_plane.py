"""Phase plane of the Hodgkin-Huxley neuron: four equations become two.

Sodium activation is fast and follows the potential, m = m∞(v); sodium inactivation is tied to potassium
activation, h = 0.89 − 1.1·n, as firing keeps both close to a line. What is left is a plane, and the neuron
can be read off it. It rests where the nullclines cross. A push beyond the middle branch of the v-nullcline
takes the long way round: the action potential. At 10 µA/cm² the crossing is unstable and every path ends on
a limit cycle.

The reduced neuron is a model of this file: the full model's own formula on the surface of m∞(v) and h(n).
What the reduction costs is shown as well: without the lag of m the threshold is lower and the neuron faster,
and it still fires at 200 µA/cm², where the full one has come to rest.

References: Hodgkin & Huxley, J. Physiol. 117:500 (1952), fig. 12: a push of 6 mV fades, one of 7 mV gives an
action potential. FitzHugh, Biophys. J. 1:445 (1961), Krinskii & Kokoz, Biofizika 18:533 (1973): h + n stays
the same. Izhikevich, Dynamical Systems in Neuroscience, ch. 5 (2007): the line. Meunier, Biol. Cybern. 67:461
(1992): what the reduction costs. Gerstner et al., Neuronal Dynamics, ch. 4 (2014).
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np

from neurosim import Constant, Network, NeuronModel, Population, Record, Result, param, simulate
from neurosim.models import HodgkinHuxley
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, RED, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._hh_rest import eigenvalues, rest, steady

SOURCE = "slide 9 · Rinzel 1985, Krinskii & Kokoz 1973"
SECONDS = 4
CHECKS = (
    Check("rest at 0 µA/cm²", 0.0, 0.2, "Hodgkin & Huxley 1952", unit="mV"),
    Check("growth at rest, 0 µA/cm²", 0.0, 0.0, "stable, Hodgkin & Huxley 1952", "at most", "1/ms"),
    Check("growth at rest, 10 µA/cm²", 0.0, 0.0, "unstable, Hassard 1978", "at least", "1/ms"),
    Check("cycle at 10 µA/cm²: rate of the full model", 68.32, 0.3, "SciPy DOP853", unit="Hz"),
    Check("h + n on the cycle", 0.84, 0.02, "Krinskii & Kokoz 1973"),
    Check("slope of h against n", -1.1, 0.05, "Izhikevich 2007, ch. 5"),
    Check("h where n is 0", 0.89, 0.03, "Izhikevich 2007, ch. 5"),
    Check("push that fires the full model", 6.5, 0.5, "Hodgkin & Huxley 1952, fig. 12", unit="mV"),
    Check("full model: rest unstable from", 9.78, 0.02, "Hassard 1978", unit="µA/cm²"),
    Check("reduced model: rest unstable up to", 154.5, 0.0, "Meunier 1992", "at least", "µA/cm²"),
)
FULL = HodgkinHuxley()
SETTLED = 30.0  # ms
UNIT = "µA/cm²"
# of each panel: current, current at which the neuron rested before, push in mV
PATHS = {
    "full": ((0.0, 0.0, 8.0), (10.0, 0.0, 0.0), (200.0, 0.0, 0.0)),
    "reduced": ((0.0, 0.0, 8.0), (10.0, 10.0, 0.5), (200.0, 0.0, 0.0), (0.0, 0.0, 3.0)),
}


class ReducedHodgkinHuxley(NeuronModel):
    """The full model on the surface m = m∞(v), h = h_0 − h_n·n."""

    current_unit = UNIT

    class State(NamedTuple):
        v: Annotated[Any, "mV"]  # (n,), from rest
        n: Annotated[Any, "1"]  # (n,), potassium activation

    h_0: float = param(0.89, "1", "sodium inactivation without potassium activation")
    h_n: float = param(1.1, "1", "fall of sodium inactivation with potassium activation")
    v_spike: float = param(50.0, "mV", "a spike is an upward crossing of this potential")

    def init(self, xp: Any) -> State:
        *_, alpha_n, beta_n = FULL.rates(xp, 0.0 * self.h_0)
        return self.State(0.0 * self.h_0, alpha_n / (alpha_n + beta_n))

    def derivatives(self, xp: Any, s: State, i_syn: Any) -> State:
        alpha_m, beta_m, *_ = FULL.rates(xp, s.v)
        on_surface = FULL.State(s.v, alpha_m / (alpha_m + beta_m), self.h_0 - self.h_n * s.n, s.n)
        rates = FULL.derivatives(xp, on_surface, i_syn)
        return self.State(rates.v, rates.n)

    def threshold(self, xp: Any, s: State) -> Any:
        return s.v > self.v_spike


REDUCED = ReducedHodgkinHuxley()


def zeros(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where a sampled curve crosses 0."""
    at = np.flatnonzero((y[:-1] > 0.0) != (y[1:] > 0.0))
    return x[at] - y[at] * (x[at + 1] - x[at]) / (y[at + 1] - y[at])


def population(name: str, model: NeuronModel, pushes: np.ndarray) -> Population:
    """Neurons on the paths that are drawn, then neurons pushed away from rest to find the threshold."""
    silent = np.zeros_like(pushes)
    columns = zip(zip(*PATHS[name], strict=True), (silent, silent, pushes), strict=True)
    current, before, push = (np.concatenate(both) for both in columns)
    start = rest(model, before)._asdict()
    init = start | {"v": start["v"] + push}
    return Population(name, model, len(current), (Constant(current),), init=init)


def run(
    *,
    backend: str = "auto",
    scale: float = 1.0,
    seed: int = 0,
    precision: str = "float64",
    fuse: str = "auto",
) -> Outcome:
    """Simulate both models, analyse rest, draw.

    Parameters
    ----------
    backend, seed, precision, fuse
        Of :func:`neurosim.simulate`.
    scale : float
        Of the number of pushes, 2000 at 1.
    """
    pushes = np.linspace(0.0, 15.0, scaled(2000, scale, at_least=151))
    few = np.linspace(0, len(pushes) - 1, 151).astype(int)
    models = {"full": FULL, "reduced": REDUCED}
    net = Network(tuple(population(name, model, pushes) for name, model in models.items()))
    record = [Record("full", "h", neurons=[1])]
    for name, paths in PATHS.items():
        on_path = np.arange(len(paths))
        record += [Record(name, "spikes"), Record(name, "n", neurons=on_path)]
        record += [Record(name, "v", neurons=np.concatenate((on_path, len(paths) + few)))]
    options: dict[str, Any] = {"backend": backend, "precision": precision, "fuse": fuse, "seed": seed}
    result = simulate(net, duration=80.0, dt=0.01, method="rk4", record=record, **options)

    late = result.t > SETTLED
    n, h = result.traces["full"]["n"][late, 1], result.traces["full"]["h"][late, 0]
    slope, at_0 = np.polyfit(n, h, 1)
    currents = np.geomspace(0.5, 500.0, 1000)
    growth = {name: eigenvalues(model, currents).real.max(-1) for name, model in models.items()}
    metrics = {
        "rest at 0 µA/cm²": float(rest(REDUCED, 0.0).v),
        "growth at rest, 0 µA/cm²": eigenvalues(REDUCED, 0.0).real.max(),
        "growth at rest, 10 µA/cm²": eigenvalues(REDUCED, 10.0).real.max(),
        "cycle at 10 µA/cm²: rate of the full model": cycle_rate(result, "full"),
        "cycle at 10 µA/cm²: rate of the reduced model": cycle_rate(result, "reduced"),
        "h + n on the cycle": (h + n).mean(),
        "slope of h against n": slope,
        "h where n is 0": at_0,
    }
    for name in PATHS:
        fired = result.counts(name)[len(PATHS[name]) :] > 0
        metrics[f"push that fires the {name} model"] = pushes[np.argmax(fired)]
        unstable = zeros(currents, growth[name])
        metrics[f"{name} model: rest unstable from"] = unstable[0]
        metrics[f"{name} model: rest unstable up to"] = unstable[-1]
    reduction = draw_reduction(result, (n, h), pushes[few], (currents, growth))
    figures = {"hh_phase_plane": draw_planes(result), "hh_phase_plane_reduction": reduction}
    return Outcome(figures, {name: float(x) for name, x in metrics.items()}, result.provenance)


def cycle_rate(result: Result, population: str) -> float:
    """Rate in Hz of the neuron at 10 µA/cm² from its intervals at the end."""
    t, i = result.spikes[population]
    return 1e3 / float(np.diff(t[(i == 1) & (t > SETTLED)]).mean())


def draw_planes(result: Result) -> Any:
    """Nullclines, flow, paths and rest at three currents."""
    title = "Hodgkin-Huxley in a plane: rest, action potential and limit cycle at a glance"
    figure, axes = subplots(1, 3, size=(10, 5.6), title=title, sharey=True)
    v, n = np.meshgrid(np.linspace(-20.0, 125.0, 300), np.linspace(0.22, 0.86, 200))
    full, reduced = (result.traces[name] for name in PATHS)
    cycle = result.t > SETTLED
    headings = ("rests, or fires once", "cycles without end", "the full model stops")
    for panel, (ax, heading) in enumerate(zip(axes, headings, strict=True)):
        current = PATHS["full"][panel][0]
        flow = REDUCED.derivatives(np, REDUCED.State(v, n), current)
        ax.streamplot(v, n, flow.v, flow.n, color="#cccccc", linewidth=0.6, density=0.9, arrowsize=0.7)
        at, value = rest(REDUCED, current), eigenvalues(REDUCED, current)
        stable = value.real.max() < 0.0
        shown = cycle if panel == 1 else slice(None)
        zoom = [ax.inset_axes((0.38, 0.42, 0.33, 0.19))] if panel == 0 else []
        for each in (ax, *zoom):
            each.contour(v, n, flow.v, [0.0], colors=[BLUE], linewidths=1.4)
            each.plot(v[0], steady(REDUCED, v[0]).n, color=RED, label="dn/dt = 0")
            each.plot(full["v"][shown, panel], full["n"][shown, panel], color=ORANGE, ls="--", label="full model")
            each.plot(reduced["v"][:, panel], reduced["n"][:, panel], color=BLACK, lw=1.6, label="reduced model")
            each.plot(at.v, at.n, "o", color=BLACK, mfc=BLACK if stable else "white", ms=7, zorder=5)
        for each in zoom:
            each.plot(reduced["v"][:, 3], reduced["n"][:, 3], color=GREEN, lw=1.6)
            each.set(xlim=(-4, 11), ylim=(0.3, 0.35), xticks=[0, 3, 8], yticks=[])
            each.set_title("push: 3 or 8 mV", fontsize=9)
            each.spines[:].set_visible(True)
            each.grid(False)
        ax.set(xlim=(-20, 125), ylim=(0.22, 0.86), xlabel="membrane potential v (mV)")
        ax.set_title(f"{current:g} {UNIT}: {heading}", loc="left", fontsize=11)
        ax.grid(False)
        pair = (
            f"{value[0].real:.2f} ± {abs(value[0].imag):.2f}i" if value[0].imag else f"{value[0]:.2f}, {value[1]:.2f}"
        )
        ax.text(
            120,
            0.235,
            f"λ = {pair} /ms".replace("-", "−"),
            ha="right",
            bbox={"fc": "white", "ec": "none", "pad": 2},
        )
    axes[0].set_ylabel("potassium activation n")
    axes[0].plot([], [], color=BLUE, label="dv/dt = 0")
    axes[0].plot([], [], "o", color=BLACK, label="stable rest")
    axes[0].plot([], [], "o", color=BLACK, mfc="white", label="unstable rest")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, frameon=False)
    return figure


def draw_reduction(result: Result, cycle: Any, pushes: np.ndarray, growth: Any) -> Any:
    """Why the reduction works, and what it costs."""
    title = "Why two equations suffice, and what they cost: a lower threshold, a faster and hardier rhythm"
    figure, ((line, wave), (push, rate)) = subplots(2, 2, size=(10, 5.6), title=title)
    n = np.array([0.35, 0.8])
    line.plot(*cycle, color=ORANGE, lw=2, label="full model firing")
    line.plot(n, REDUCED.h_0 - REDUCED.h_n * n, color=BLACK, ls="--", label="h = 0.89 − 1.1·n")
    line.set(xlabel="potassium activation n", ylabel="sodium inactivation h")
    line.set_title("inactivation and activation stay near a line", loc="left", fontsize=11)
    late = result.t > SETTLED
    for name, color in {"full": ORANGE, "reduced": BLACK}.items():
        v = result.traces[name]["v"]
        wave.plot(result.t[late], v[late, 1], color=color, label=name)
        push.plot(pushes, v[:, len(PATHS[name]) :].max(0), color=color, lw=2, label=name)
        rate.plot(growth[0], growth[1][name], color=color, lw=2, label=name)
    wave.set(xlabel="time (ms)", ylabel="v (mV)", ylim=(-20, 155))
    wave.set_title(f"the rhythm at 10 {UNIT}", loc="left", fontsize=11)
    push.set(xlabel="push away from rest (mV)", ylabel="peak of v (mV)")
    push.set_title("a push: all or nothing", loc="left", fontsize=11)
    rate.axhline(0, color=GREY, lw=0.8)
    rate.set(xscale="log", ylim=(-0.6, 1.2), xlabel=f"current ({UNIT})", ylabel="growth at rest (1/ms)")
    rate.set_xticks([1, 10, 100], labels=["1", "10", "100"])
    rate.set_title("rest is unstable where the growth is above 0", loc="left", fontsize=11)
    for ax in (line, wave, push, rate):
        ax.legend(frameon=False, fontsize=9, ncols=2 if ax is wave else 1)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
