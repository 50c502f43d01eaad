"""The neuron of McCulloch and Pitts: truth tables, every Boolean function, and the illusion of heat.

A threshold unit fires where enough of its inputs do, and never where an inhibitory one does. Single units are gates;
AND NOT and OR in two layers make every Boolean function, which is counted here, function by function. The threshold
is the weight of one more input that is always −1 (slide 15 writes a minus and draws an input of +1; one of both must
turn). With one step of delay in each neuron, nets compute in time: the net of 1943 that explains why a touch of
something cold feels hot for a moment, and a neuron that excites itself and remembers.

References: McCulloch & Pitts, Bull. Math. Biophys. 5:115 (1943), theorem II and figure 1e.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.learn import McCullochPitts, draws, with_bias_input
from neurosim.plotting import BLACK, BLUE, GREY, ORANGE, RED, SKY, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 15 · McCulloch & Pitts 1943"
SECONDS = 1.0
CHECKS = (
    Check("wrong rows of truth tables", 0.0, 0.0, "definitions of the gates"),
    Check("functions of 2 inputs, two layers", 16.0, 0.0, "McCulloch & Pitts 1943: every one of 2^4"),
    Check("functions of 3 inputs, two layers", 256.0, 0.0, "McCulloch & Pitts 1943: every one of 2^8"),
    Check("share of the tried functions of 4 inputs", 1.0, 0.0, "McCulloch & Pitts 1943: every one"),
    Check("units that x0 = -1 makes differ", 0.0, 0.0, "sum - w0 = <w, x> with x0 = -1"),
    Check("brief cold: heat is felt after", 3.0, 0.0, "McCulloch & Pitts 1943, fig. 1e", unit="steps"),
    Check("brief cold: cold is felt", 0.0, 0.0, "McCulloch & Pitts 1943, fig. 1e", unit="steps"),
    Check("lasting cold: cold is felt after", 2.0, 0.0, "McCulloch & Pitts 1943, fig. 1e", unit="steps"),
    Check("steps that a set memory lasts", 12.0, 0.0, "net with a circle: until it is inhibited", unit="steps"),
)

GATES = {
    "AND": (McCullochPitts((1, 1), 2), lambda x: x[:, 0] * x[:, 1]),
    "OR": (McCullochPitts((1, 1), 1), lambda x: np.maximum(x[:, 0], x[:, 1])),
    "NAND": (McCullochPitts((-1, -1), -1), lambda x: 1 - x[:, 0] * x[:, 1]),
    "NOR": (McCullochPitts((-1, -1), 0), lambda x: 1 - np.maximum(x[:, 0], x[:, 1])),
    "AND NOT": (McCullochPitts((1, 1), 1, inhibitory=(1,)), lambda x: x[:, 0] * (1 - x[:, 1])),
    "NOT": (McCullochPitts((-1,), 0), lambda x: 1 - x[:, 0]),
    "MAJORITY": (McCullochPitts((1, 1, 1), 2), lambda x: 1.0 * (x.sum(axis=1) >= 2)),
}


def table(n: int) -> np.ndarray:
    """All rows of n bits, shape (2**n, n)."""
    return np.array(list(product((0.0, 1.0), repeat=n)))


def detectors(n: int) -> list[McCullochPitts]:
    """For each row of the table the unit that fires there alone: its ones excite, its zeros inhibit."""
    rows = table(n).astype(int).tolist()
    return [McCullochPitts((1,) * n, sum(row), tuple(k for k, bit in enumerate(row) if not bit)) for row in rows]


def computed(xp: Any, x: Any, functions: np.ndarray, n: int, host: Any) -> int:
    """How many of the given functions, rows of 2**n bits, two layers of units compute."""
    hidden = xp.stack([unit.fire(xp, x) for unit in detectors(n)], axis=-1)
    right = 0
    for wanted in functions:
        either = McCullochPitts(tuple(wanted.tolist()), 1)
        right += bool((host(either.fire(xp, hidden)) == wanted).all())
    return right


def in_time(xp: Any, array: Any, host: Any, net: dict, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Firing of each neuron of a net, each a step after what it hears: name → (steps,)."""
    steps = len(next(iter(inputs.values())))
    fired = {name: np.array(values, float) for name, values in inputs.items()} | {name: np.zeros(steps) for name in net}
    for t in range(1, steps):
        for name, (unit, heard) in net.items():
            fired[name][t] = host(unit.fire(xp, array([fired[k][t - 1] for k in heard])))
    return fired


HEAT = {
    "held": (McCullochPitts((1,), 1), ("cold receptor",)),
    "ended": (McCullochPitts((1, 1), 1, inhibitory=(1,)), ("held", "cold receptor")),
    "heat is felt": (McCullochPitts((1, 1), 1), ("heat receptor", "ended")),
    "cold is felt": (McCullochPitts((1, 1), 2), ("cold receptor", "held")),
}
MEMORY = {"memory": (McCullochPitts((1, 1, 1), 1, inhibitory=(2,)), ("set", "memory", "reset"))}


def pulses(steps: int, *at: int) -> np.ndarray:
    """1 at the given steps, else 0."""
    return np.isin(np.arange(steps), at).astype(float)


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Tables and nets; ``seed`` draws the functions of four inputs that are tried, 4096 at scale 1."""
    library = get(backend)
    xp, host = library.xp, library.to_numpy

    def array(x: Any) -> Any:
        return library.asarray(np.asarray(x, float), precision)

    wrong, outputs = 0, {}
    for name, (unit, rule) in GATES.items():
        x = table(len(unit.weights))
        outputs[name] = np.array(host(unit.fire(xp, array(x))))
        wrong += int((outputs[name] != rule(x)).sum())
    functions = {n: table(2**n) for n in (2, 3)}
    tried = scaled(4096, scale, at_least=64)
    some = (draws.words(seed, "data", 16 * tried) % 2).reshape(tried, 16).astype(float)
    counts = {n: computed(xp, array(table(n)), f, n, host) for n, f in (*functions.items(), (4, some))}
    both = array(table(2))
    layer = xp.stack([GATES[name][0].fire(xp, both) for name in ("OR", "AND")], axis=-1)
    outputs["XOR"] = np.array(host(GATES["AND NOT"][0].fire(xp, layer)))

    brief = in_time(xp, array, host, HEAT, {"heat receptor": np.zeros(12), "cold receptor": pulses(12, 2)})
    lasting = in_time(xp, array, host, HEAT, {"heat receptor": np.zeros(14), "cold receptor": pulses(14, *range(2, 9))})
    latch = in_time(xp, array, host, MEMORY, {"set": pulses(20, 3), "reset": pulses(20, 15)})
    metrics = {
        "wrong rows of truth tables": wrong,
        "functions of 2 inputs, two layers": counts[2],
        "functions of 3 inputs, two layers": counts[3],
        "share of the tried functions of 4 inputs": counts[4] / len(some),
        "wrong rows of XOR in two layers": int((outputs["XOR"] != np.array([0, 1, 1, 0])).sum()),
        "units that x0 = -1 makes differ": _differences(xp, array, host),
        "brief cold: heat is felt after": np.argmax(brief["heat is felt"]) - 2,
        "brief cold: cold is felt": brief["cold is felt"].sum(),
        "lasting cold: cold is felt after": np.argmax(lasting["cold is felt"]) - 2,
        "steps that a set memory lasts": latch["memory"].sum(),
    }
    figures = {
        "mcculloch_pitts": draw_gates(outputs),
        "mcculloch_pitts_in_time": draw_in_time(brief, lasting, latch),
    }
    return Outcome(figures, {k: float(v) for k, v in metrics.items()}, {"backend": library.name})


def _differences(xp: Any, array: Any, host: Any) -> int:
    """Over weights −2 to 2 and thresholds −4 to 4: units that differ from ⟨w, x⟩ ≥ 0 with x₀ = −1."""
    x = array(table(2))
    with_constant = host(with_bias_input(xp, x))
    found = 0
    for *weights, threshold in product(range(-2, 3), range(-2, 3), range(-4, 5)):
        as_weight = with_constant @ np.array([threshold, *weights], float) >= 0.0
        found += bool((host(McCullochPitts(tuple(weights), threshold).fire(xp, x)) != as_weight).any())
    return found


def draw_gates(outputs: dict[str, np.ndarray]) -> Any:
    """Truth tables in the plane of the inputs; shaded where a unit would fire."""
    title = "A threshold makes a neuron a gate, two layers make every Boolean function (shaded: fires)"
    figure, axes = subplots(2, 3, size=(10, 5.6), title=title, sharex=True, sharey=True)
    grid = np.linspace(-0.4, 1.4, 181)
    x, y = np.meshgrid(grid, grid)
    sums = {"AND": x + y - 2, "OR": x + y - 1, "NAND": 1 - x - y, "NOR": -x - y}
    rules = {
        "AND": r"$x_1 + x_2 \geq 2$",
        "OR": r"$x_1 + x_2 \geq 1$",
        "NAND": r"$-x_1 - x_2 \geq -1$",
        "NOR": r"$-x_1 - x_2 \geq 0$",
        "AND NOT": r"$x_1 \geq 1$, $x_2$ inhibits",
        "XOR": "two layers",
    }
    fires = {name: values >= 0 for name, values in sums.items()}
    fires["AND NOT"] = (x >= 1) & (y <= 0)
    fires["XOR"] = (x + y >= 1) & ~(x + y >= 2)
    for ax, name in zip(axes.flat, rules, strict=True):
        ax.contourf(x, y, fires[name].astype(float), levels=[0.5, 1.5], colors=[SKY], alpha=0.35)
        for (a, b), value in zip(table(2), outputs[name], strict=True):
            ax.plot(a, b, "o", ms=22, mfc=BLUE if value else "white", mec=BLACK, mew=1.2)
            ax.text(a, b, f"{value:g}", ha="center", va="center", color="white" if value else BLACK, fontsize=12)
        ax.set(xticks=[0, 1], yticks=[0, 1], xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), aspect="equal")
        ax.set_title(f"{name}: {rules[name]}", loc="left")
        ax.grid(visible=False)
    for ax in axes[1]:
        ax.set_xlabel("$x_1$")
    for ax in axes[:, 0]:
        ax.set_ylabel("$x_2$")
    return figure


def draw_in_time(brief: dict, lasting: dict, latch: dict) -> Any:
    """Which neuron fires when."""
    title = "With a delay in each neuron nets compute in time"
    figure, axes = subplots(1, 3, size=(10, 4.2), title=title)
    for ax, fired, heading in (
        (axes[0], brief, "A touch of cold feels hot"),
        (axes[1], lasting, "Cold that lasts feels cold, until its end"),
        (axes[2], latch, "Self-excitation remembers"),
    ):
        names = [name for name in fired if name != "heat receptor"]
        for row, name in enumerate(reversed(names)):
            color = {"heat is felt": RED, "cold is felt": BLUE, "memory": BLUE, "reset": ORANGE}.get(name, GREY)
            steps = np.flatnonzero(fired[name])
            ax.axhline(row, color=GREY, lw=0.5)
            ax.bar(steps, 0.6, width=0.9, bottom=row, color=color)
        ax.set_yticks(0.3 + np.arange(len(names)), labels=names[::-1])
        ax.set(xlabel="time (steps)", xlim=(-0.5, len(fired[names[0]]) - 0.5), ylim=(-0.2, len(names)))
        ax.set_xticks(range(0, len(fired[names[0]]), 4 if len(fired[names[0]]) > 14 else 2))
        ax.set_title(heading, loc="left")
        ax.grid(axis="y", visible=False)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
