"""From declared projections to rows of synapses.

Projections of one population to receptors of one name, whose weights are stored alike, share their rows: a spike then
walks one row in place of one per target population. Plastic ones keep rows of their own.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.backends import row_recipe
from neurosim.backends.philox import seed_words
from neurosim.backends.row_recipe import Place, Recipe
from neurosim.backends.rows import Rows
from neurosim.connect.base import listed_pattern
from neurosim.distributions import MAX_DELAYS, Distribution
from neurosim.errors import UsageError, nearest
from neurosim.projection import Projection, check_all, ends_of, names

if TYPE_CHECKING:
    from neurosim.backends.row_regenerator import Bundle, Regenerator
    from neurosim.layout import Layout

_WHOLE = 1e-9  # relative: a delay this near to whole steps is one
_NO_WEIGHTS = 0.0
ASSUMED_RATE = 10.0  # spikes per second of a neuron; by it memory is set aside for rows that are not stored


class RoundedDelayWarning(UserWarning):
    """A delay is not a multiple of dt and was rounded to whole steps."""


@dataclass(frozen=True, eq=False)
class Wiring:
    """The synapses of a network.

    Attributes
    ----------
    rows : list of Rows
        Stored synapses.
    holds : list of tuple of str
        Names of the projections in each of them, as :func:`neurosim.projection.names` gives them.
    drawn : list of Bundle
        Synapses that are drawn when needed.
    regenerates : list of str
        Name of the projection of each of their parts.
    in_order : list of Rows or Bundle
        Both as arrivals are summed: in the same order whatever is stored.
    """

    rows: list[Rows]
    holds: list[tuple[str, ...]]
    drawn: list[Bundle]
    regenerates: list[str]
    in_order: list[Rows | Bundle]

    @property
    def regenerators(self) -> list[Regenerator]:
        """The parts of all that is drawn."""
        return [part for bundle in self.drawn for part in bundle.parts]

    @property
    def nbytes(self) -> int:
        """Bytes of all synapses."""
        return sum(rows.nbytes for rows in self.rows) + sum(made.nbytes for made in self.regenerators)


def wire(
    network: Any,
    layout: Layout,
    dt: float,
    seed: int,
    precision: str,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Wiring:
    """The synapses of a network: the same for any number of threads, and any number of owners but for their order.

    Parameters
    ----------
    network : Network
        Its populations and projections.
    layout : Layout
        Where neurons and accumulators are.
    dt : float
        Step in ms.
    seed : int
        64 bits.
    precision : {"float64", "float32"}
        Of plastic weights, and at most of given ones. Weights that are drawn are float32 numbers in any case.
    threads : int, optional
        That build; by default as many as Numba has.
    progress : callable, optional
        ``progress(done, total)`` in expected synapses, each of which is drawn twice.
    """
    from neurosim.backends.row_builder import build  # imports Numba

    bundles = _bundles(_plans(network, dt, precision))
    total = max(1, 2 * sum(int(plan.expected) for bundle in bundles for plan in bundle if plan.projection.stored))
    done = 0

    def report(synapses: int) -> None:
        nonlocal done
        done += synapses
        if progress is not None:
            progress(min(done, total), total)

    wiring = Wiring([], [], [], [], [])
    for bundle in bundles:
        if stored := _stored(bundle):
            wiring.rows.append(
                build(
                    [plan.recipe(seed, threads) for plan in stored],
                    [plan.place(layout) for plan in stored],
                    first=layout.first[stored[0].projection.source],
                    n_sources=stored[0].n_sources,
                    dtype=stored[0].dtype,
                    expected=[plan.expected for plan in stored],
                    threads=threads,
                    progress=report,
                )
            )
            wiring.holds.append(tuple(plan.name for plan in stored))
            wiring.in_order.append(wiring.rows[-1])
        if made := _drawn([bundle], layout, dt, seed, threads):
            wiring.drawn.extend(made)
            wiring.regenerates.extend(plan.name for plan in bundle if not plan.projection.stored)
            wiring.in_order.extend(made)
    if progress is not None:
        progress(total, total)
    return wiring


def synapse_estimate(network: Any, layout: Layout, dt: float, precision: str = "float64") -> int:
    """Bytes that the synapses of a network will take, from expected numbers."""
    bundles = _bundles(_plans(network, dt, precision, quiet=True))
    total = 0.0
    for bundle in filter(None, map(_stored, bundles)):
        places = [plan.place(layout) for plan in bundle]
        base = np.min([place.slots for place in places], axis=0)
        width = max(int((place.slots + np.diff(place.edges) - base).max()) for place in places)
        bytes_each = (2 if width <= 1 << 16 else 4) + (np.dtype(bundle[0].dtype).itemsize if bundle[0].dtype else 0)
        total += bytes_each * sum(plan.expected for plan in bundle)
        per_delay: dict[int, float] = {}
        for plan in bundle:
            for steps, probability in zip(plan.delays.tolist(), plan.probabilities.tolist(), strict=True):
                per_delay[steps] = per_delay.get(steps, 0.0) + probability * plan.expected
        used = max(1.0, float(-np.expm1(-np.array(list(per_delay.values()))).sum()))
        total += 8 * layout.n_owners * bundle[0].n_sources * used + 4 * used
    return round(total) + sum(part.nbytes for made in _drawn(bundles, layout, dt) for part in made.parts)


def in_flight_estimate(network: Any, layout: Layout, dt: float, precision: str = "float64") -> int:
    """Bytes of the rows of spikes in flight and of what draws them, where synapses are not stored.

    How often neurons will spike is not known: :data:`ASSUMED_RATE` each.
    """
    drawn = _drawn(_bundles(_plans(network, dt, precision, quiet=True)), layout, dt)
    if not drawn:
        return 0
    from neurosim.backends.drawn_state import nbytes  # imports Numba

    return nbytes(drawn)


def longest_delay(network: Any, dt: float) -> int:
    """In steps, of all projections."""
    return max((int(plan.delays[-1]) for plan in _plans(network, dt, "float64", quiet=True)), default=0)


def connections(
    wiring: Wiring, layout: Layout, network: Any, dt: float, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Source, target, weight and delay in ms of each synapse of a projection, by source, target and delay.

    Parameters
    ----------
    wiring : Wiring
        Of :func:`wire`.
    layout : Layout
        With which it was made.
    network : Network
        That it was made of.
    dt : float
        Step in ms.
    name : str
        Of the projection, as :func:`neurosim.projection.names` gives it.
    """
    projection = named(network, name)
    edges, slots = layout.edges[projection.target], layout.slots[projection.target, projection.receptor]
    if name in wiring.regenerates:
        source, accumulator, steps, weight = wiring.regenerators[wiring.regenerates.index(name)].coo()
    else:
        held = next(number for number, held in enumerate(wiring.holds) if name in held)
        source, accumulator, steps, weight = wiring.rows[held].coo()
    # An owner's accumulators of other targets lie before its slot or behind its last one.
    owner = np.searchsorted(layout.owner_edges, accumulator, side="right") - 1
    target = accumulator - slots[owner] + edges[owner]
    ours = np.flatnonzero((target >= edges[owner]) & (target < edges[owner + 1]))
    ours = ours[np.lexsort((steps[ours], target[ours], source[ours]))]
    return source[ours], target[ours], weight[ours], steps[ours] * dt


def named(network: Any, name: str) -> Projection:
    """The projection of a network that has this name, as :func:`neurosim.projection.names` gives it."""
    known = names(network.projections)
    if name not in known:
        raise UsageError(f"no projection {name!r}: {nearest(name, known) if known else 'the network has none'}")
    found: Projection = network.projections[known.index(name)]
    return found


def order_of_connections(wiring: Wiring, held: int) -> np.ndarray:
    """Places of all synapses of some rows, in the order of :func:`connections`."""
    source, accumulator, steps, _ = wiring.rows[held].coo()
    return np.lexsort((steps, accumulator, source))


@dataclass(frozen=True, eq=False)
class _Plan:
    """A projection as far as it is known before a synapse is drawn."""

    projection: Projection
    name: str
    populations: dict[str, Any]
    dtype: str | None  # of stored weights
    delays: np.ndarray  # in steps
    probabilities: np.ndarray
    steps: np.ndarray | None  # of each listed synapse, where they differ

    @property
    def n_sources(self) -> int:
        return int(self.populations[self.projection.source].n)

    @cached_property
    def expected(self) -> float:
        return self.projection.connect.expected(ends_of(self.projection, self.populations))

    @property
    def weight(self) -> Any:
        return self.projection.connect.weights if self.projection.weight is None else self.projection.weight

    def bundle_key(self) -> Hashable:
        """Equal for projections that may share rows."""
        if self.projection.plasticity is not None:
            return self.name
        return self.projection.source, self.projection.receptor, self.dtype or self.weight

    def place(self, layout: Layout) -> Place:
        slots = layout.slots[self.projection.target, self.projection.receptor]
        return Place(layout.edges[self.projection.target].astype(np.int64), slots)

    def regenerator(self, layout: Layout, dt: float, seed: int, threads: int | None) -> Regenerator:
        from neurosim.backends.row_regenerator import Regenerator  # imports Numba

        first, recipe = layout.first[self.projection.source], self.recipe(seed, threads)
        in_flight = self.n_sources * ASSUMED_RATE * 1e-3 * dt * int(recipe.delays[-1])
        return Regenerator(first, self.n_sources, recipe, self.place(layout), self.dtype, in_flight)

    def recipe(self, seed: int, threads: int | None) -> Recipe:
        ends = ends_of(self.projection, self.populations)
        connector = self.projection.connect
        key = np.array([*seed_words(seed), zlib.crc32(f"{self.name}/synapses".encode())], np.int64)
        listed = connector.listed(ends) if np.ndim(self.weight) or self.steps is not None else None
        pattern = connector.pattern(ends, key, threads) if listed is None else listed_pattern(listed, ends)
        ints, floats = pattern.numbers(key)
        tables: dict[str, np.ndarray] = {"longs": pattern.longs, "targets": pattern.targets, "delays": self.delays}
        if self.steps is not None:
            ints[row_recipe.DELAYS_GIVEN] = 1
            numbers = np.searchsorted(self.delays, self.steps).astype(np.uint16)
            tables["delay_numbers"] = numbers[pattern.order]
        elif len(self.delays) > 1:
            words, possible = row_recipe.delay_words(self.probabilities)
            tables |= {"delay_words": words, "delays": self.delays[possible]}
        ints[row_recipe.N_DELAYS] = len(tables["delays"])
        weight = self.weight
        if isinstance(weight, Distribution):
            kind, floats[row_recipe.SCALE :] = weight.weight_numbers()
        elif np.ndim(weight):
            kind = row_recipe.GIVEN
            tables["weights"] = weight[pattern.order].astype(self.dtype)
        else:
            kind, floats[row_recipe.LOCATION] = row_recipe.CONSTANT, weight
        ints[row_recipe.WEIGHT_KIND] = kind
        constant = float(weight) if kind == row_recipe.CONSTANT else _NO_WEIGHTS
        return Recipe(ints, floats, weight=constant, **tables)


def _plans(network: Any, dt: float, precision: str, *, quiet: bool = False) -> list[_Plan]:
    projections = check_all(network.projections, network.populations)
    populations = {population.name: population for population in network.populations}
    plans = []
    for projection, name in zip(projections, names(projections), strict=True):
        weight = projection.connect.weights if projection.weight is None else projection.weight
        plastic = projection.plasticity is not None
        dtype = precision if plastic else _dtype(weight, precision)
        plans.append(_Plan(projection, name, populations, dtype, *_delays(projection, name, dt, quiet)))
    return plans


def _dtype(weight: Any, precision: str) -> str | None:
    """Type in which weights are stored, None for one weight of all."""
    if isinstance(weight, Distribution):
        return "float32"
    if not np.ndim(weight):
        return None
    if precision == "float32":
        return "float32"
    with np.errstate(over="ignore"):
        return "float32" if np.array_equal(weight.astype(np.float32), weight) else "float64"


def _delays(
    projection: Projection, name: str, dt: float, quiet: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Delays in steps that may occur, their probabilities, and the steps of each listed synapse where they differ."""
    where = f"projection {name!r}"
    delay = projection.connect.delays if projection.delay is None else projection.delay
    if isinstance(delay, Distribution):
        try:
            return *delay.delay_steps(dt), None
        except UsageError as error:
            raise UsageError(f"{where}: delay: {error}") from error
    values = np.atleast_1d(np.asarray(delay, np.float64))
    early = np.flatnonzero(values < dt * (1 - _WHOLE))
    if early.size:
        raise UsageError(
            f"{where}: delay{_index(delay, early[0])} = {values[early[0]]:g} ms is below dt = {dt:g} ms: "
            f"write at least {dt:g}, or a smaller dt"
        )
    late = np.flatnonzero(values > dt * (2**31 - 1))
    if late.size:
        raise UsageError(f"{where}: delay{_index(delay, late[0])} = {values[late[0]]:g} ms: must be below 2³¹ steps")
    steps = np.rint(values / dt).astype(np.int64)
    off = np.abs(values / dt - steps)
    rounded = np.flatnonzero(off > _WHOLE * steps)
    if rounded.size and not quiet:
        worst = rounded[np.argmax(off[rounded])]
        others = f" and {rounded.size - 1} more" if rounded.size > 1 else ""
        message = (
            f"{where}: delay{_index(delay, worst)} = {values[worst]:g} ms{others} rounded to whole steps of {dt:g} ms: "
            f"{steps[worst] * dt:g} ms"
        )
        warnings.warn(RoundedDelayWarning(message), stacklevel=4)
    different, counts = np.unique(steps, return_counts=True)
    if len(different) > MAX_DELAYS:
        raise UsageError(
            f"{where}: {len(different)} different delays, at most {MAX_DELAYS}: round them, or a larger dt"
        )
    if len(different) == 0:  # no synapse
        different = counts = np.ones(1, np.int64)
    listed = steps if len(different) > 1 else None
    return different.astype(np.int32), counts / counts.sum(), listed


def _index(value: Any, place: int) -> str:
    return f"[{place}]" if np.ndim(value) else ""


def _bundles(plans: Iterable[_Plan]) -> list[list[_Plan]]:
    """Projections that share rows, in the order of their targets' accumulators."""
    bundles: list[tuple[Hashable, list[_Plan]]] = []
    for plan in plans:
        key = plan.bundle_key()
        for other, bundle in bundles:
            # Two to one population would have to be merged by target.
            if other == key and all(plan.projection.target != held.projection.target for held in bundle):
                bundle.append(plan)
                break
        else:
            bundles.append((key, [plan]))
    return [_in_order(bundle) for _, bundle in bundles]


def _stored(bundle: Iterable[_Plan]) -> list[_Plan]:
    return [plan for plan in bundle if plan.projection.stored]


def _drawn(
    bundles: Iterable[list[_Plan]], layout: Layout, dt: float, seed: int = 0, threads: int | None = None
) -> list[Bundle]:
    plans = [[plan for plan in bundle if not plan.projection.stored] for bundle in bundles]
    if not any(plans):
        return []
    from neurosim.backends.row_regenerator import Bundle  # imports Numba

    return [Bundle(tuple(plan.regenerator(layout, dt, seed, threads) for plan in of)) for of in plans if of]


def _in_order(bundle: Sequence[_Plan]) -> list[_Plan]:
    order = {name: number for number, name in enumerate(bundle[0].populations)}
    return sorted(bundle, key=lambda plan: order[plan.projection.target])
