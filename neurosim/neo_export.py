"""A result as Neo's objects, for the tools that read them (Elephant, Viziphant, NIX and NWB files)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.analysis.inputs import by_neuron
from neurosim.errors import UsageError
from neurosim.record import SPIKES, Channel

if TYPE_CHECKING:
    from neurosim.result import Result
    from neurosim.sinks.base import Header

__all__ = ["to_block"]

_SPELLING = str.maketrans({"µ": "u", "Ω": "ohm", "²": "**2", "³": "**3", "·": "*"})
_FACTS = ("version", "backend", "precision", "method", "dt", "seed", "partial")


def to_block(result: Result, header: Header) -> Any:
    """What :meth:`neurosim.Result.to_neo` returns.

    Parameters
    ----------
    result : Result
        Of a run.
    header : Header
        Its own.
    """
    try:
        import neo
        import quantities as pq
        from neo.core.spiketrainlist import SpikeTrainList
    except ImportError as error:
        raise UsageError(f'Result.to_neo: {error}: pip install "neurosim[neo]"') from None
    block = neo.Block(name="neurosim", **_facts(result, header))
    segment = neo.Segment(name="run", index=0)
    block.segments.append(segment)
    begin, end = (edge * pq.ms for edge in result.span)
    groups, everything = {}, []
    for channel in header.channels:
        name = channel.population
        if name not in groups:
            groups[name] = neo.Group(name=name, size=header.sizes[name])
            block.groups.append(groups[name])
        if channel.variable == SPIKES:
            trains = _trains(result, channel, begin, end)
            everything += trains
            groups[name].spiketrains = SpikeTrainList(items=trains)
        elif len(channel.lanes) and len(result.times(name, channel.variable)):  # Neo has no empty signal
            signal = _signal(result, channel, header)
            segment.analogsignals.append(signal)
            groups[name].add(signal)
    # Lists as a whole: to append one train, Neo looks through those before it.
    for train in everything:
        train.segment = segment
    segment.spiketrains = SpikeTrainList(items=everything, parent=segment)
    return block


def _trains(result: Result, channel: Channel, begin: Any, end: Any) -> list[Any]:
    """A SpikeTrain for each neuron that was recorded, also of silent ones."""
    import neo
    import quantities as pq

    t, i = result.spikes[channel.population]
    order = by_neuron(t, i)
    parts = np.split(t[order] * pq.ms, np.searchsorted(i[order], channel.lanes[1:])) if len(channel.lanes) else []
    return [
        neo.SpikeTrain(
            part,
            t_start=begin,
            t_stop=end,
            name=f"{channel.population}/{lane}",
            population=channel.population,
            neuron=lane,
        )
        for lane, part in zip(channel.lanes.tolist(), parts, strict=True)
    ]


def _signal(result: Result, channel: Channel, header: Header) -> Any:
    """A trace of all its neurons: one AnalogSignal, a neuron per channel."""
    import neo
    import quantities as pq

    population, variable = channel.population, channel.variable
    times = result.times(population, variable)
    return neo.AnalogSignal(
        result.traces[population][variable].copy(),  # Neo keeps the very array
        units=_unit(result.unit(population, variable)),
        t_start=times[0] * pq.ms,
        sampling_period=channel.every * header.dt * pq.ms,
        name=f"{population}/{variable}",
        population=population,
        variable=variable,
        unit=result.unit(population, variable),
        array_annotations={"neuron": channel.lanes},
    )


def _unit(unit: str) -> Any:
    """Neurosim's spelling of a unit as one of Quantities; what it does not know has no dimension there."""
    import quantities as pq

    try:
        return pq.dimensionless if unit in ("", "1") else pq.Quantity(1.0, unit.translate(_SPELLING)).units
    except LookupError:
        return pq.dimensionless


def _facts(result: Result, header: Header) -> dict[str, Any]:
    """Of the provenance what Neo can write to a file: numbers and text."""
    known = {"dt": header.dt, "precision": header.precision, **result.provenance}
    known["version"] = known.get("versions", {}).get("neurosim")
    return {name: known[name] for name in _FACTS if isinstance(known.get(name), bool | int | float | str)}
