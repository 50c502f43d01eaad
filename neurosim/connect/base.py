"""What a connector is."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from neurosim.backends import row_recipe
from neurosim.backends.row_recipe import EXPLICIT
from neurosim.errors import UsageError
from neurosim.parameters import Parameters, own_fields
from neurosim.registers import enter


class Ends(NamedTuple):
    """The populations of a projection.

    Attributes
    ----------
    n_source, n_target : int
        Their sizes.
    same : bool
        Whether they are one population.
    """

    n_source: int
    n_target: int
    same: bool


def _none() -> np.ndarray:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Pattern:
    """How the rows of a connector come about, in the terms of :mod:`neurosim.backends.row_recipe`.

    Attributes
    ----------
    kind : int
        How the targets of a row are found.
    candidates : int
        Targets to choose from.
    gap : bool
        Whether the source itself is left out of them.
    length : int
        Of each row; -1 where ``longs`` holds it, or chance.
    p : float
        Probability of a pair, where rows are found by skips.
    longs, targets : ndarray
        As in a recipe.
    order : ndarray of int64 or None
        For listed synapses, the place in the list of each synapse of the rows.
    """

    kind: int
    candidates: int
    gap: bool = False
    length: int = -1
    p: float = 0.0
    longs: np.ndarray = field(default_factory=_none)
    targets: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint32))
    order: np.ndarray | None = None

    @property
    def longest(self) -> int:
        """No row is longer."""
        if self.kind == EXPLICIT:
            return int(np.diff(self.longs).max(initial=0))
        if self.length >= 0:
            return self.length
        return int(self.longs.max()) if self.longs.size else self.candidates

    def numbers(self, key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``ints`` and ``floats`` of a recipe as far as they concern targets; one delay and one weight."""
        ints, floats = np.zeros(row_recipe.N_INTS, np.int64), np.zeros(row_recipe.N_FLOATS)
        ints[row_recipe.KIND] = self.kind
        ints[row_recipe.CANDIDATES], ints[row_recipe.GAP] = self.candidates, self.gap
        ints[row_recipe.LENGTH], ints[row_recipe.LIMIT] = self.length, self.longest
        ints[row_recipe.BLOCKS] = row_recipe.blocks(self.p * self.candidates)
        ints[row_recipe.SEED_LOW : row_recipe.STREAM + 1] = key
        ints[row_recipe.N_DELAYS] = 1
        if self.p:
            from neurosim.backends.row_targets import inverse_log  # imports Numba

            floats[row_recipe.INVERSE_LOG] = inverse_log(self.p)
        return ints, floats


def listed_pattern(pairs: tuple[np.ndarray, np.ndarray], ends: Ends) -> Pattern:
    """Rows of listed synapses."""
    from neurosim.backends.row_csr import rows_of_pairs  # imports Numba

    longs, targets, order = rows_of_pairs(*pairs, ends.n_source, ends.n_target)
    return Pattern(EXPLICIT, ends.n_target, longs=longs, targets=targets, order=order)


class Connector(Parameters):
    """Base of connectors: the rule that says which neurons of a source reach which neurons of a target.

    Attributes
    ----------
    name : str
        What users write.
    weights, delays : ndarray, shape (S,), or None
        Of listed synapses, where the list holds them; delays in ms.
    """

    abstract: ClassVar[bool] = True
    name: ClassVar[str]
    can_regenerate: ClassVar[bool] = False

    @property
    def weights(self) -> np.ndarray | None:
        """Weights of listed synapses, or None."""
        return None

    @property
    def delays(self) -> np.ndarray | None:
        """Delays of listed synapses in ms, or None."""
        return None

    def identity(self) -> dict[str, Any]:
        """What its synapses depend on, by name: by this a checkpoint knows its network again."""
        return own_fields(self)

    def check(self, where: str, ends: Ends) -> None:
        """Refuse populations that the rule does not fit."""

    @abstractmethod
    def expected(self, ends: Ends) -> float:
        """Expected number of synapses."""

    @abstractmethod
    def pattern(self, ends: Ends, key: np.ndarray, threads: int | None) -> Pattern:
        """How the rows come about; ``key`` is (low word, high word of the seed, stream)."""

    def listed(self, ends: Ends) -> tuple[np.ndarray, np.ndarray] | None:
        """Source and target of each synapse in the order in which weights are given, or None where they are drawn."""
        return None

    def size(self, ends: Ends) -> int | None:
        """Number of synapses, or None where they are drawn."""
        return None


CONNECTORS: dict[str, type[Connector]] = {}
C = TypeVar("C", bound=type[Connector])


def register(cls: C) -> C:
    """Enter a connector into the register that tests and docs walk."""
    enter(CONNECTORS, "connector", cls.name, cls)
    return cls


def candidates(ends: Ends, autapses: bool) -> tuple[int, bool]:
    """Targets that a source may reach, and whether it is left out itself."""
    gap = ends.same and not autapses
    return ends.n_target - gap, gap


def whole(where: str, value: Any, at_least: int = 0) -> int:
    """A whole number, or one line that says what is wrong."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise UsageError(f"{where} = {value!r}: must be a whole number, at least {at_least}")
    return int(value)


def flag(where: str, value: Any) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise UsageError(f"{where} = {value!r}: write True or False")


def probability(where: str, value: Any) -> None:
    """Refuse what is no probability."""
    if np.ndim(value) or not 0 <= value <= 1:
        raise UsageError(f"{where} = {value!r}: must be a probability, from 0 to 1")
