"""Twenty firing patterns of one model: Izhikevich's gallery.

A spiking network (slide 10) is only as rich as its neurons. Izhikevich (2004), "Which model to use for
cortical spiking neurons?", IEEE Trans. Neural Networks 15:1063, https://doi.org/10.1109/TNN.2004.832719,
shows in Fig. 1 the twenty responses by which real neurons are told apart, all of them solutions of dv/dt =
0.04v² + 5v + 140 − u + I, du/dt = a(bv − u) for some a, b, c, d and input. Here they are the neurons of one
population with the values of his program figure1.m, and each response is judged by its definition.

The program takes Euler steps of 0.1 to 0.5 ms, and u sees the new v; ``AsPublished`` repeats that to the
spike. The gallery is solved to convergence instead (Runge-Kutta, 0.05 ms), for which five panels need other
values: I a weaker pulse, P another phase of the second pulse, Q a smaller b, S a shorter inhibition, T
another d. The second figure shows what becomes of them without.

The grey number of a panel is the share of copies that keep the pattern when a, b, c, d are drawn with a
standard deviation of 1 %; ``scale`` is of the number of copies.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np

from neurosim import (
    Constant,
    Network,
    NeuronModel,
    Population,
    PulseTrain,
    Ramp,
    Record,
    Step,
    param,
    simulate,
)
from neurosim.model import Floats
from neurosim.models import Izhikevich
from neurosim.plotting import BLACK, BLUE, GREY, ORANGE, RED, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._izhikevich_patterns import ADJUSTED, CONVERGED, PATTERNS, Pattern, Seen, judged

SOURCE = "slide 10 · Izhikevich 2004"
SECONDS = 2.0
DT = 0.05
COPIES = 100
PROGRAM = "figure1.m of Izhikevich 2004, step for step"
CHECKS = (
    *(Check(f"{x} {p.name}", 1.0, 0.0, f"Izhikevich 2004, Fig. 1{x}: {p.shows}") for x, p in PATTERNS.items()),
    Check("class 2 onset", 40.0, 0.0, "Izhikevich 2004, section II-H: “say 40 Hz”", "at least", "Hz"),
    Check("patterns of the program", 20.0, 0.0, PROGRAM),
    Check("spikes of the program", 111.0, 1.0, PROGRAM + ": spikes in its twenty panels"),
)


class AsPublished(NeuronModel):
    """The paper's program with ``method="euler"``: a step of v, then one of u that sees the new v."""

    class State(NamedTuple):
        """As in the paper."""

        v: Annotated[Any, "mV"]  # (n,)
        u: Annotated[Any, "mV/ms"]  # (n,)

    a: Floats = param(unit="1/ms")
    b: Floats = param(unit="1/ms")
    c: Floats = param(unit="mV")
    d: Floats = param(unit="mV/ms")
    k1: Floats = param(unit="1/ms")
    k0: Floats = param(unit="mV/ms")
    v_u: Floats = param(unit="mV")
    decay: Floats = param(doc="of u; panel R has none")
    step: Floats = param(unit="ms", doc="dt")

    def init(self, xp: Any) -> State:
        return self.State(self.c, self.b * self.c)

    def derivatives(self, xp: Any, s: State, i_syn: Any) -> State:
        slope = 0.04 * s.v * s.v + self.k1 * s.v + self.k0 - s.u + i_syn
        v = s.v + self.step * slope
        return self.State(slope, self.a * (self.b * (v - self.v_u) - self.decay * s.u))

    def threshold(self, xp: Any, s: State) -> Any:
        return s.v > 30.0

    def reset(self, xp: Any, s: State) -> State:
        return self.State(self.c, s.u + self.d)


# How many of each kind: the same for all populations, so that one kernel serves them.
KINDS = (
    (Constant(0.0), 1),
    (Step(0.0), 2),
    (Ramp(0.0, 0.0, 0.0, 1.0), 2),
    (PulseTrain(0.0, 0.0, 1.0, 1.0), 2),
)


def stacked(inputs: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Stimuli with one value per neuron, from the stimuli of each neuron."""
    together = []
    for silent, count in KINDS:
        own = [[x for x in row if isinstance(x, type(silent))] for row in inputs]
        for k in range(count):
            chosen = [(row[k] if k < len(row) else silent).values() for row in own]
            together.append(type(silent)(**{name: np.array([x[name] for x in chosen]) for name in chosen[0]}))
    return tuple(together)


def population(
    name: str, patterns: dict[str, Pattern], copies: int = 1, seed: int | None = None, step: float = 0.0
) -> Population:
    """The patterns as neurons, copies side by side; with a ``step`` as the paper's program has them."""
    rows = [(letter, p) for letter, p in patterns.items() for _ in range(copies)]
    abcd = np.array([p.abcd for _, p in rows], dtype=float)
    if seed is not None:
        abcd *= 1.0 + 0.01 * np.random.default_rng(seed).standard_normal(abcd.shape)
    a, b, c, d = abcd.T
    v, k1, k0 = np.array([(p.v, p.k1, p.k0) for _, p in rows], dtype=float).T
    in_r = np.array([letter == "R" for letter, _ in rows])
    u = np.where(in_r, -16.0, b * v)
    model: NeuronModel
    if step:
        model = AsPublished(a, b, c, d, k1, k0, np.where(in_r, -65.0, 0.0), np.where(in_r, 0.0, 1.0), step)
    else:
        model = Izhikevich(a, b, c, d, k1=k1, k0=k0, v_u=np.where(in_r, -65.0 - u / b, 0.0))
    return Population(name, model, len(rows), stacked([p.inputs for _, p in rows]), init={"v": v, "u": u})


def seen(result: Any, name: str, patterns: list[Pattern], late: float = 0.0) -> list[Seen]:
    """What each neuron did until its pattern ends; ``late`` is taken off spike times."""
    i, t, traces = result.spikes[name].i, result.times(name, "v"), result.traces[name]
    order = np.argsort(i, kind="stable")
    spikes = np.split(result.spikes[name].t[order] - late, np.searchsorted(i[order], np.arange(1, len(patterns))))
    found = []
    for k, (p, s) in enumerate(zip(patterns, spikes, strict=True)):
        end = np.searchsorted(t, p.duration + 1e-9)
        found.append(Seen(p, s[s <= p.duration], t[:end], traces["v"][:end, k], traces["i_syn"][:end, k]))
    return found


def program(**options: Any) -> dict[str, Seen]:
    """The panels as the paper's program has them; it books a spike at the begin of the step."""
    found: dict[str, Seen] = {}
    for step in sorted({p.step for p in PATTERNS.values()}):
        chosen = {letter: p for letter, p in PATTERNS.items() if p.step == step}
        net = Network((population("program", chosen, step=step),))
        end = max(p.duration for p in chosen.values()) + step
        record = [Record("program", x) for x in ("v", "i_syn", "spikes")]
        result = simulate(net, duration=end, dt=step, method="euler", record=record, **options)
        found |= zip(chosen, seen(result, "program", list(chosen.values()), late=step), strict=True)
    return found


def run(
    *,
    backend: str = "auto",
    scale: float = 1.0,
    seed: int = 0,
    precision: str = "float64",
    fuse: str = "auto",
) -> Outcome:
    """Simulate the panels, their copies and the paper's program."""
    options: dict[str, Any] = {"backend": backend, "fuse": fuse, "precision": precision, "seed": seed}
    published = program(**options)
    copies = scaled(COPIES, scale, at_least=2)
    naive = {letter: PATTERNS[letter] for letter in ADJUSTED}
    many = [(letter, p) for letter, p in CONVERGED.items() for _ in range(copies)]
    net = Network(
        (
            population("gallery", CONVERGED),
            population("naive", naive),
            population("copies", CONVERGED, copies, seed),
        )
    )
    record = [Record(p.name, "spikes") for p in net.populations]
    every = {"gallery": 1, "naive": 1, "copies": 20}
    record += [Record(name, x, every=k) for name, k in every.items() for x in ("v", "i_syn")]
    result = simulate(net, duration=400.0, dt=DT, method="rk4", record=record, **options)

    gallery = dict(zip(CONVERGED, seen(result, "gallery", list(CONVERGED.values())), strict=True))
    unadjusted = dict(zip(naive, seen(result, "naive", list(naive.values())), strict=True))
    kept = [judged(x, one) for (x, _), one in zip(many, seen(result, "copies", [p for _, p in many]), strict=True)]
    share = dict(zip(CONVERGED, np.reshape(kept, (-1, copies)).mean(axis=1), strict=True))
    metrics = {f"{x} {one.p.name}": float(judged(x, one)) for x, one in gallery.items()} | {
        "class 2 onset": 1e3 / float(gallery["H"].gaps()[0]),
        "patterns of the program": float(sum(judged(x, one) for x, one in published.items())),
        "spikes of the program": float(sum(len(one.s) for one in published.values())),
        "share of copies that keep their pattern": float(np.mean(kept)),
    }
    figures = {"gallery": draw_gallery(gallery, share), "time_step": draw_time_step(published, unadjusted)}
    return Outcome(figures, metrics, result.provenance)


def draw(ax: Any, x: Seen, color: str) -> None:
    """Potential, input and a bar of 20 ms; where the neuron spiked a trace has the reset value."""
    at = np.searchsorted(x.t, x.s - 1e-9)
    ax.plot(np.insert(x.t, at, x.s), np.insert(x.v, at, 30.0), color=color, linewidth=1.0)
    low, high = x.current.min(), x.current.max()
    ax.plot(x.t, -128.0 + 24.0 * (x.current - low) / (high - low), color=ORANGE, linewidth=1.3)
    end = x.p.duration
    ax.plot([end - 20.0, end], [-141.0, -141.0], color=BLACK, linewidth=2.5, solid_capstyle="butt")
    ax.set(xlim=(-0.02 * end, 1.02 * end), ylim=(-144.0, 34.0))
    ax.set_axis_off()


def draw_gallery(gallery: dict[str, Seen], share: dict[str, float]) -> Any:
    """Twenty panels as in the paper."""
    figure, axes = subplots(4, 5, size=(12.0, 7.6), title="One model, twenty neurons (Izhikevich 2004)")
    for (letter, x), ax in zip(gallery.items(), axes.flat, strict=True):
        draw(ax, x, BLUE)
        ax.set_title(f"{letter}  {x.p.name}", loc="left", fontsize=9.2)
        ax.set_title(f"{share[letter]:.0%}", loc="right", fontsize=9, color=GREY)
    ring = gallery["J"].t > 35.0
    axes[1, 4].plot(gallery["J"].t[ring], 10.0 * (gallery["J"].v[ring] - gallery["J"].v[-1]), color=GREY, linewidth=1.0)
    axes[1, 4].text(200.0, 8.0, "× 10", ha="right", fontsize=9, color=GREY)
    axes[0, 1].plot([150, 150], [-20, 20], color=BLACK, linewidth=2.5, solid_capstyle="butt")
    axes[0, 1].text(155, 0, "40 mV", va="center", fontsize=9)
    figure.supxlabel(
        "blue: potential · orange: input, to scale within a panel · black bar: 20 ms · "
        "grey: share of copies that keep the pattern when a, b, c, d vary by 1 %",
        fontsize=9.5,
    )
    return figure


def draw_time_step(published: dict[str, Seen], unadjusted: dict[str, Seen]) -> Any:
    """The panels that owe their pattern to the step: as published above, with a fine step below."""
    title = "Five of the twenty owe their pattern to the time step: same parameters, other step"
    figure, axes = subplots(2, len(ADJUSTED), size=(12.0, 5.6), title=title)
    for letter, column in zip(ADJUSTED, axes.T, strict=True):
        p = PATTERNS[letter]
        draw(column[0], published[letter], BLUE)
        draw(column[1], unadjusted[letter], RED)
        column[0].set_title(f"{letter}  {p.name}\npaper: Euler, {p.step:g} ms", loc="left", fontsize=9.5)
        column[1].set_title(f"Runge-Kutta, {DT:g} ms", loc="left", fontsize=9.5)
    figure.supxlabel("black bar: 20 ms · orange: input, to scale within a panel", fontsize=9.5)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
