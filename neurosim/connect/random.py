"""Connectors that draw pairs with equal probabilities.

*Autapses* are synapses of a neuron with itself, possible where source and target are one population; *multapses* are
several synapses of one pair.
"""

from __future__ import annotations

import numpy as np

from neurosim.backends.row_recipe import ALL, DISTINCT, EXPLICIT, SKIPS, SPACINGS
from neurosim.connect.base import Connector, Ends, Pattern, candidates, flag, probability, register, whole
from neurosim.errors import UsageError
from neurosim.parameters import param


@register
class FixedProbability(Connector):
    """Every pair is connected with probability ``p``, independently, at most once.

    Parameters
    ----------
    p : float
        Probability.
    autapses : bool
        Whether a neuron may reach itself.
    """

    name = "fixed_probability"
    can_regenerate = True

    p: float = param(doc="probability of a pair")
    autapses: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        probability("fixed_probability: p", self.p)
        flag("fixed_probability: autapses", self.autapses)

    def expected(self, ends: Ends) -> float:
        return self.p * ends.n_source * candidates(ends, self.autapses)[0]

    def pattern(self, ends: Ends, key: np.ndarray, threads: int | None) -> Pattern:
        n, gap = candidates(ends, self.autapses)
        if self.p in (0.0, 1.0):
            return Pattern(ALL if self.p else SPACINGS, n, gap, length=n if self.p else 0)
        return Pattern(SKIPS, n, gap, p=self.p)


@register
class FixedInDegree(Connector):
    """Every target neuron has ``k`` synapses, their sources drawn uniformly.

    Parameters
    ----------
    k : int
        Synapses per target neuron.
    autapses : bool
        Whether a neuron may reach itself.
    multapses : bool
        Whether a pair may be drawn more than once.
    """

    name = "fixed_in_degree"

    k: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", whole("fixed_in_degree: k", self.k))
        _check_options(self, self.autapses, self.multapses)

    def check(self, where: str, ends: Ends) -> None:
        possible = ends.n_source - (ends.same and not self.autapses)
        _refuse(where, self, f"k = {self.k}", self.k, possible, self.multapses, "sources per target")

    def expected(self, ends: Ends) -> float:
        return float(self.k * ends.n_target)

    def pattern(self, ends: Ends, key: np.ndarray, threads: int | None) -> Pattern:
        gap = ends.same and not self.autapses
        from neurosim.backends.row_csr import rows_of_in_degree  # imports Numba

        longs, targets = rows_of_in_degree(ends.n_source, ends.n_target, self.k, gap, not self.multapses, key, threads)
        return Pattern(EXPLICIT, ends.n_target, longs=longs, targets=targets)


@register
class FixedOutDegree(Connector):
    """Every source neuron has ``k`` synapses, their targets drawn uniformly.

    Parameters
    ----------
    k : int
        Synapses per source neuron.
    autapses : bool
        Whether a neuron may reach itself.
    multapses : bool
        Whether a pair may be drawn more than once.
    """

    name = "fixed_out_degree"
    can_regenerate = True

    k: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", whole("fixed_out_degree: k", self.k))
        _check_options(self, self.autapses, self.multapses)

    def check(self, where: str, ends: Ends) -> None:
        possible = candidates(ends, self.autapses)[0]
        _refuse(where, self, f"k = {self.k}", self.k, possible, self.multapses, "targets per source")

    def expected(self, ends: Ends) -> float:
        return float(self.k * ends.n_source)

    def pattern(self, ends: Ends, key: np.ndarray, threads: int | None) -> Pattern:
        n, gap = candidates(ends, self.autapses)
        return Pattern(SPACINGS if self.multapses else DISTINCT, n, gap, length=self.k)


@register
class FixedTotalNumber(Connector):
    """``n`` synapses in all, their sources and targets drawn uniformly.

    Parameters
    ----------
    n : int
        Number of synapses.
    autapses : bool
        Whether a neuron may reach itself.
    multapses : bool
        Whether a pair may be drawn more than once.
    """

    name = "fixed_total_number"
    can_regenerate = True

    n: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", whole("fixed_total_number: n", self.n))
        _check_options(self, self.autapses, self.multapses)

    def check(self, where: str, ends: Ends) -> None:
        possible = candidates(ends, self.autapses)[0] * ends.n_source
        _refuse(where, self, f"n = {self.n}", self.n, possible, self.multapses, "pairs")

    def expected(self, ends: Ends) -> float:
        return float(self.n)

    def pattern(self, ends: Ends, key: np.ndarray, threads: int | None) -> Pattern:
        n, gap = candidates(ends, self.autapses)
        from neurosim.backends.row_counts import row_lengths  # imports Numba

        lengths = row_lengths(ends.n_source, n, self.n, not self.multapses, key)
        return Pattern(SPACINGS if self.multapses else DISTINCT, n, gap, longs=lengths)


def _check_options(connector: Connector, autapses: bool, multapses: bool) -> None:
    flag(f"{connector.name}: autapses", autapses)
    flag(f"{connector.name}: multapses", multapses)


def _refuse(
    where: str, connector: Connector, wanted: str, number: int, possible: int, multapses: bool, of: str
) -> None:
    """Refuse more than is possible."""
    if number > 0 and possible == 0:
        raise UsageError(f"{where}: {connector.name}, {wanted}: a neuron alone has only itself: write autapses=True")
    if number > possible and not multapses:
        raise UsageError(
            f"{where}: {connector.name}, {wanted}: there are {possible} {of}: write at most {possible}, "
            "or multapses=True"
        )
