"""What connects two populations: a frozen declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.connect.base import Connector, Ends
from neurosim.distributions import Distribution
from neurosim.errors import UsageError, nearest

if TYPE_CHECKING:
    from neurosim.plasticity import Plasticity


@dataclass(frozen=True, eq=False, repr=False)
class Projection:
    """Synapses from one population to another.

    Parameters
    ----------
    source, target : str
        Names of the populations.
    connect : Connector
        Which neurons are connected, as in ``connect.fixed_probability(0.02)``.
    weight : float, array_like or Distribution, optional
        In the unit of the receptor. An array has one value per synapse, in the order that the connector lists them.
        May be left out where the connector holds weights.
    delay : float, array_like or Distribution, optional
        In ms, at least one step, rounded to whole steps. May be left out where the connector holds delays.
    receptor : str
        Name of the receptor of the target that the spikes arrive at.
    plasticity : Plasticity, optional
        The rule that changes its synapses, as in ``STDP(…)``; see :mod:`neurosim.plasticity`.
    stored : bool
        False: of a neuron's synapses nothing is kept but how they are drawn, which is done anew, and always alike, when
        it spikes. That takes some ns more for each synapse that a spike reaches, in place of the memory of all: only
        spikes that have not arrived have theirs. Runs are the same bit for bit. On other backends than NumPy, and where
        populations run op by op, it takes much longer, which is said.
    name : str, optional
        The stream of its random numbers: a projection keeps its synapses when others come or go. By default
        "source->target:receptor", followed by "#2" and so on where there are several.

    Raises
    ------
    UsageError
        For a value that cannot be connected with; the message names it.
    """

    source: str
    target: str
    connect: Connector
    weight: Any = None
    delay: Any = None
    receptor: str = "excitatory"
    plasticity: Plasticity | None = None
    stored: bool = True
    name: str | None = None

    def __post_init__(self) -> None:
        for what in ("source", "target", "receptor"):
            value = getattr(self, what)
            if not isinstance(value, str):
                instead = getattr(value, "name", None)
                remedy = f"write {what}={instead!r}" if isinstance(instead, str) else "write its name"
                raise UsageError(f"Projection: {what} = {value!r} is no name: {remedy}")
        if self.name is None:
            object.__setattr__(self, "name", default_name(self))
        elif not isinstance(self.name, str) or not self.name:
            raise UsageError(f"Projection: name = {self.name!r}: write a text that is not empty, or leave it out")
        where = f"projection {self.name!r}"
        if not isinstance(self.connect, Connector):
            called = getattr(self.connect, "name", None) if isinstance(self.connect, type) else None
            remedy = f"write connect.{called}(…)" if called else "write for example connect.fixed_probability(0.02)"
            raise UsageError(f"{where}: connect = {self.connect!r} is no connector: {remedy}")
        for what in ("weight", "delay"):
            value = getattr(self, what)
            if value is None:
                if getattr(self.connect, f"{what}s") is None:
                    raise UsageError(f"{where} has no {what}: write {what}=…, {type(self.connect).__name__} holds none")
            elif not isinstance(value, Distribution):
                object.__setattr__(self, what, _checked(where, what, value))
        if self.plasticity is not None:
            self._check_plasticity(where)
        if not isinstance(self.stored, bool):
            raise UsageError(f"{where}: stored = {self.stored!r}: write True or False")
        if not self.stored:
            self._check_regenerated(where)

    def _check_plasticity(self, where: str) -> None:
        from neurosim.plasticity import PLASTICITY, Plasticity  # most projections do not learn

        if not isinstance(self.plasticity, Plasticity):
            called = self.plasticity.__name__ if isinstance(self.plasticity, type) else None
            remedy = f"write {called}(…)" if called in PLASTICITY else f"known: {', '.join(sorted(PLASTICITY))}"
            raise UsageError(f"{where}: plasticity = {self.plasticity!r} is no rule of plasticity: {remedy}")

    def __repr__(self) -> str:
        return f"Projection({self.name!r}, {self.connect!r})"

    def _check_regenerated(self, where: str) -> None:
        remedy = "write stored=True"
        if not self.connect.can_regenerate:
            raise UsageError(f"{where}: {self.connect.name} cannot draw its rows anew, as stored=False wants: {remedy}")
        if self.plasticity is not None:
            raise UsageError(f"{where}: plastic weights must be stored: {remedy}")
        for what in ("weight", "delay"):
            if np.ndim(getattr(self, what)):
                raise UsageError(f"{where}: an array of {what}s is stored already: {remedy}")


def default_name(projection: Projection) -> str:
    """The name of a projection that was given none."""
    return f"{projection.source}->{projection.target}:{projection.receptor}"


def _checked(where: str, what: str, value: Any) -> float | np.ndarray:
    """A float or a read-only (S,) float64 array, finite."""
    if isinstance(value, type) and issubclass(value, Distribution):
        raise UsageError(f"{where}: {what} is the class {value.__name__}: write {value.__name__}(…)")
    try:
        if isinstance(value, str | bool):
            raise TypeError
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(
            f"{where}: {what} = {value!r} is no number: give a float, one float per synapse or a distribution"
        ) from None
    if array.ndim > 1:
        raise UsageError(f"{where}: {what} has shape {array.shape}: give a float or one value per synapse, shape (S,)")
    if not np.isfinite(array).all():
        place = int(np.flatnonzero(~np.isfinite(array.ravel()))[0])
        index = f"[{place}]" if array.ndim else ""
        raise UsageError(f"{where}: {what}{index} = {array.ravel()[place]}: must be finite")
    if array.ndim == 0:
        return float(array)
    array.setflags(write=False)
    return array


def names(projections: Sequence[Projection]) -> list[str]:
    """Names of the projections of a network, each once: "#2" and so on follow a default name that is taken.

    Raises
    ------
    UsageError
        When two were given the same name.
    """
    taken: list[str] = []
    for projection in projections:
        name = plain = str(projection.name)
        if plain == default_name(projection):
            number = 1
            while name in taken:
                number += 1
                name = f"{plain}#{number}"
        elif plain in taken:
            raise UsageError(f"two projections are named {plain!r}: give each its own name")
        taken.append(name)
    return taken


def check(projection: Projection, populations: Mapping[str, Any], name: str | None = None) -> None:
    """Refuse a projection that does not fit the populations.

    Parameters
    ----------
    projection : Projection
        What to check.
    populations : mapping
        Population by name, each with ``n`` and ``receptors``.
    name : str, optional
        Its name in messages.
    """
    where = f"projection {name or projection.name!r}"
    for what in ("source", "target"):
        wanted = getattr(projection, what)
        if wanted not in populations:
            raise UsageError(f"{where}: no {what} population {wanted!r}: {nearest(wanted, list(populations))}")
    target = populations[projection.target]
    if projection.receptor not in target.receptors:
        known = list(target.receptors)
        remedy = nearest(projection.receptor, known) if known else "give the population receptors={…}"
        raise UsageError(f"{where}: population {projection.target!r} has no receptor {projection.receptor!r}: {remedy}")
    ends = ends_of(projection, populations)
    connector = projection.connect
    connector.check(where, ends)
    size = connector.size(ends)
    for what in ("weight", "delay"):
        value = getattr(projection, what)
        if np.ndim(value) == 0:
            continue
        if size is None:
            raise UsageError(
                f"{where}: {what} is an array, but {connector.name} draws its synapses: give a float or a distribution"
            )
        if len(value) != size:
            raise UsageError(
                f"{where}: {what} has {len(value)} values for {size} synapses: give a float or an array of "
                f"shape ({size},)"
            )
    receptor = target.receptors[projection.receptor]
    _check_sign(where, projection, receptor)
    if projection.plasticity is not None:
        weight: Any = projection.connect.weights if projection.weight is None else projection.weight
        projection.plasticity.check(where, weight, getattr(receptor, "weight_sign", 0))


def ends_of(projection: Projection, populations: Mapping[str, Any]) -> Ends:
    """Sizes of the two populations and whether they are one."""
    source, target = (int(populations[name].n) for name in (projection.source, projection.target))
    return Ends(source, target, projection.source == projection.target)


def _check_sign(where: str, projection: Projection, receptor: Any) -> None:
    if getattr(receptor, "weight_sign", 0) <= 0:
        return
    weight: Any = projection.connect.weights if projection.weight is None else projection.weight
    kind = f"{type(receptor).__name__} {projection.receptor!r} takes weights of at least 0"
    if isinstance(weight, Distribution):
        if weight.bounds()[0] < 0:
            raise UsageError(f"{where}: weight = {weight!r} can be below 0, {kind}: write low=0.0")
        return
    values = np.atleast_1d(np.asarray(weight))
    negative = np.flatnonzero(values < 0)
    if negative.size:
        place = f"[{negative[0]}]" if np.ndim(weight) else ""
        raise UsageError(
            f"{where}: weight{place} = {values[negative[0]]:g} is below 0, {kind}: write a positive one and let the "
            "reversal potential inhibit"
        )


def check_all(projections: Iterable[Projection], populations: Iterable[Any]) -> tuple[Projection, ...]:
    """The projections of a network as a tuple, each checked against its populations."""
    if isinstance(projections, Projection):
        raise UsageError("Network: projections must be a sequence: write projections=(Projection(…),)")
    if isinstance(projections, str) or not isinstance(projections, Iterable):
        raise UsageError(f"Network: projections = {projections!r}: write projections=(Projection(…),)")
    listed = tuple(projections)
    for projection in listed:
        if not isinstance(projection, Projection):
            raise UsageError(f"Network: {projection!r} is no Projection: write Projection('source', 'target', …)")
    by_name = {population.name: population for population in populations}
    for projection, name in zip(listed, names(listed), strict=True):
        check(projection, by_name, name)
    return listed
