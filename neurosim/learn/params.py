"""The flat vector of a network's parameters: where each weight lies, and its first value.

``w`` has shape (…, P): the last axis holds all parameters of one network, the axes before it are networks that know
nothing of each other. Optimizers see ``w`` alone; layers see named views into it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.learn import draws
from neurosim.learn.initialisers import Initialiser, Place

Array = Any


class Block(NamedTuple):
    """Parameters of one name.

    Attributes
    ----------
    name : str
        ``"weight"``; in a network with the number of its layer before it: ``"0.weight"``.
    shape : tuple of int
        Of one network's.
    fan_in, fan_out : int
        Connections into and out of a unit.
    init : Initialiser
        Makes the first values.
    decays : bool
        Whether an L2 penalty holds for them; biases are left alone.
    """

    name: str
    shape: tuple[int, ...]
    fan_in: int
    fan_out: int
    init: Initialiser
    decays: bool

    @property
    def size(self) -> int:
        """Number of parameters."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class ParamVector:
    """Layout of a flat vector of parameters.

    Parameters
    ----------
    blocks : sequence of Block
        In the order in which they lie.

    Raises
    ------
    UsageError
        When two blocks have one name.
    """

    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        if len(set(self.names)) < len(self.blocks):
            raise UsageError(f"two parameters have one name: {', '.join(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the blocks."""
        return tuple(block.name for block in self.blocks)

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each block lies, by name."""
        ends = np.cumsum([0, *(block.size for block in self.blocks)]).tolist()
        return {b.name: slice(begin, end) for b, begin, end in zip(self.blocks, ends, ends[1:], strict=False)}

    @cached_property
    def size(self) -> int:
        """P, the number of parameters of one network."""
        return sum(block.size for block in self.blocks)

    def views(self, xp: Any, w: Array) -> dict[str, Array]:
        """Arrays of shape (…, *shape) by name, which show ``w`` and must not be written.

        Raises
        ------
        UsageError
            When the last axis of ``w`` has another length than P.
        """
        if not w.shape or w.shape[-1] != self.size:
            raise UsageError(f"w has shape {tuple(w.shape)}: give (…, {self.size}), one network's parameters last")
        return {b.name: xp.reshape(w[..., self.slices[b.name]], (*w.shape[:-1], *b.shape)) for b in self.blocks}

    def pack(self, xp: Any, arrays: Mapping[str, Array]) -> Array:
        """The flat vector, shape (…, P), of one array (…, *shape) for each name.

        Raises
        ------
        UsageError
            When a name is missing or unknown, or a shape does not fit.
        """
        for name in arrays:
            if name not in self.slices:
                raise UsageError(f"no parameter {name!r}: {nearest(name, self.names)}")
        parts = []
        for block in self.blocks:
            if block.name not in arrays:
                raise UsageError(f"parameter {block.name!r} is missing: give all of {', '.join(self.names)}")
            array = arrays[block.name]
            lead = len(array.shape) - len(block.shape)
            if lead < 0 or tuple(array.shape[lead:]) != block.shape:
                raise UsageError(
                    f"parameter {block.name!r} has shape {tuple(array.shape)}: give (…, {str(block.shape)[1:]}"
                )
            parts.append(xp.reshape(array, (*array.shape[:lead], block.size)))
        return xp.concat(parts, axis=-1)

    def initial(self, seed: int, members: Sequence[int]) -> np.ndarray:
        """First values on the host, shape (len(members), P), float64.

        Parameters
        ----------
        seed : int
            From 0 to 2⁶⁴ − 1.
        members : sequence of int
            Numbers of the networks; each draws the same numbers whatever the others are.
        """
        w = np.empty((len(members), self.size))
        for series, block in enumerate(self.blocks):
            for row, member in enumerate(members):
                key = {"series": series, "member": int(member)}
                w[row, self.slices[block.name]] = block.init.fill(
                    Place(
                        block.size,
                        block.fan_in,
                        block.fan_out,
                        lambda: draws.uniform(seed, "parameters", block.size, **key),  # noqa: B023 - called at once
                        lambda: draws.normal(seed, "parameters", block.size, **key),  # noqa: B023
                    )
                )
        return w

    @cached_property
    def decays(self) -> np.ndarray:
        """1.0 where an L2 penalty holds, else 0.0; shape (P,)."""
        return np.concatenate([np.full(block.size, float(block.decays)) for block in self.blocks])
