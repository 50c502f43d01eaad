"""Connectors without chance."""

from __future__ import annotations

import numpy as np

from neurosim.backends.row_recipe import ALL, ONE
from neurosim.connect.base import Connector, Ends, Pattern, candidates, flag, register
from neurosim.errors import UsageError


@register
class AllToAll(Connector):
    """Every neuron reaches every neuron.

    Weights and delays may be arrays, ordered by source and then by target.

    Parameters
    ----------
    autapses : bool
        Whether a neuron reaches itself, where source and target are one population.
    """

    name = "all_to_all"
    can_regenerate = True

    autapses: bool = True

    def __post_init__(self) -> None:
        flag("all_to_all: autapses", self.autapses)

    def size(self, ends: Ends) -> int:
        return ends.n_source * candidates(ends, self.autapses)[0]

    def expected(self, ends: Ends) -> float:
        return self.size(ends)

    def pattern(self, ends: Ends, key: np.ndarray, threads: int | None) -> Pattern:
        n, gap = candidates(ends, self.autapses)
        return Pattern(ALL, n, gap, length=n)

    def listed(self, ends: Ends) -> tuple[np.ndarray, np.ndarray]:
        n, gap = candidates(ends, self.autapses)
        source, target = np.divmod(np.arange(ends.n_source * n), max(n, 1))
        return source, target + (gap & (target >= source))


@register
class OneToOne(Connector):
    """Neuron i reaches neuron i. Weights and delays may be arrays with one value per neuron."""

    name = "one_to_one"
    can_regenerate = True

    def check(self, where: str, ends: Ends) -> None:
        if ends.n_source != ends.n_target:
            raise UsageError(
                f"{where}: one_to_one from {ends.n_source} to {ends.n_target} neurons: both must have as many"
            )

    def size(self, ends: Ends) -> int:
        return ends.n_source

    def expected(self, ends: Ends) -> float:
        return self.size(ends)

    def pattern(self, ends: Ends, key: np.ndarray, threads: int | None) -> Pattern:
        return Pattern(ONE, ends.n_target, length=1)

    def listed(self, ends: Ends) -> tuple[np.ndarray, np.ndarray]:
        return np.arange(ends.n_source), np.arange(ends.n_source)
