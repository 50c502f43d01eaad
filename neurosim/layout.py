"""Where everything is: numbers of neurons, owners of neurons, accumulators of arrivals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neurosim.network import Network


@dataclass(frozen=True, eq=False)
class Layout:
    """Numbers of neurons and accumulators of a network.

    Accumulators are ordered by owner, then by receptor, then by population, then by neuron: those that one
    population's synapses of one kind reach stand close together.

    Attributes
    ----------
    first : dict
        Population → number of its first neuron among all neurons.
    edges : dict
        Population → ndarray of int64, shape (owners + 1,): owner o has the neurons ``edges[o] : edges[o + 1]``.
    slots : dict
        (population, receptor) → ndarray of int64, shape (owners,): accumulator of the first neuron of each owner.
    owner_edges : ndarray of int64, shape (owners + 1,)
        Owner o has the accumulators ``owner_edges[o] : owner_edges[o + 1]``.
    """

    first: dict[str, int]
    edges: dict[str, np.ndarray]
    slots: dict[tuple[str, str], np.ndarray]
    owner_edges: np.ndarray

    @property
    def n_owners(self) -> int:
        """Number of owners."""
        return len(self.owner_edges) - 1

    @property
    def n_accumulators(self) -> int:
        """Number of accumulators in all."""
        return int(self.owner_edges[-1])


def layout(network: Network, owners: int, blocks: Mapping[str, int] | None = None) -> Layout:
    """The layout of a network for so many owners.

    Parameters
    ----------
    network : Network
        Only the receptors that projections use get accumulators.
    owners : int
        Number of threads.
    blocks : mapping, optional
        Population → neurons of a block, of which each owner gets whole ones.
    """
    first, edges, total = {}, {}, 0
    given = np.zeros(owners, np.int64)
    for p in network.populations:
        first[p.name], total = total, total + int(p.n)
        block = (blocks or {}).get(p.name, 1)
        # The blocks that one owner has more than another go to owners in turn, population by population.
        shares = _shares(-(-int(p.n) // block), owners, given)
        given += shares * block
        edges[p.name] = np.minimum(p.n, block * np.concatenate(([0], np.cumsum(shares)))).astype(np.int64)
    used = {(q.target, q.receptor) for q in network.projections}
    names = dict.fromkeys(r for p in network.populations for r in p.receptors)
    wanted = [(p.name, r) for r in names for p in network.populations if (p.name, r) in used]
    slots = {key: np.zeros(owners, np.int64) for key in wanted}
    owner_edges, position = [0], 0
    for o in range(owners):
        for key in wanted:
            slots[key][o] = position
            position += int(edges[key[0]][o + 1] - edges[key[0]][o])
        owner_edges.append(position)
    return Layout(first, edges, slots, np.array(owner_edges, np.int64))


def _shares(count: int, owners: int, given: np.ndarray) -> np.ndarray:
    """Blocks of each owner: equal but for the rest, which those get who were given least before."""
    shares = np.full(owners, count // owners)
    shares[np.argsort(given, kind="stable")[: count % owners]] += 1
    return shares
