"""Which samples each step sees: all of them, one, or a few.

``STRATEGIES`` holds each by the name that users write. The order of an epoch is drawn from the seed and the number
of the epoch, the same for every network of an ensemble and on every array library.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, TypeVar

from neurosim.errors import UsageError
from neurosim.learn import draws
from neurosim.learn.choices import Choice, chosen
from neurosim.learn.network_objective import NetworkObjective
from neurosim.learn.objective import Objective
from neurosim.learn.options import check_switch
from neurosim.registers import enter

__all__ = ["STRATEGIES", "Batches", "FullBatch", "MiniBatch", "Stochastic", "Strategy", "get_strategy", "register"]


class Strategy(Choice):
    """Base of strategies."""

    abstract: ClassVar[bool] = True

    @abstractmethod
    def batch_size(self, n_samples: int) -> int:
        """Samples of a batch; the last of an epoch may have fewer."""

    @property
    def shuffled(self) -> bool:
        """Whether the samples come in another order in each epoch."""
        return bool(getattr(self, "shuffle", False))


STRATEGIES: dict[str, type[Strategy]] = {}
Kind = TypeVar("Kind", bound=type[Strategy])


def register(cls: Kind) -> Kind:
    """Enter a strategy into the register that tests and docs walk."""
    enter(STRATEGIES, "strategy", cls.name, cls)
    return cls


def get_strategy(choice: str | Strategy) -> Strategy:
    """The strategy of a name with its defaults, or the one that is given.

    Raises
    ------
    UsageError
        When it is neither.
    """
    return chosen(STRATEGIES, Strategy, "strategy", choice)


@register
class FullBatch(Strategy):
    """Every step sees all samples."""

    name = "full_batch"

    def batch_size(self, n_samples: int) -> int:
        return n_samples


@register
class Stochastic(Strategy):
    """Every step sees one sample.

    Parameters
    ----------
    shuffle : bool
        Whether they come in another order in each epoch.
    """

    name = "stochastic"

    shuffle: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_switch(self, "shuffle")

    def batch_size(self, n_samples: int) -> int:
        return 1


@register
class MiniBatch(Strategy):
    """Every step sees a few samples; the last of an epoch those that are left.

    Parameters
    ----------
    size : int
        Samples of a step.
    shuffle : bool
        Whether they come in another order in each epoch.
    """

    name = "mini_batch"

    size: int = 32
    shuffle: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_switch(self, "shuffle")
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise UsageError(f"MiniBatch.size = {self.size!r}: give a whole number above 0")

    def batch_size(self, n_samples: int) -> int:
        return min(self.size, n_samples)


class Batches:
    """The objectives of one step after the other.

    Parameters
    ----------
    objective : Objective
        Of all samples.
    strategy : Strategy
        How they are shared out.
    seed : int
        Of their order.
    """

    def __init__(self, objective: Objective, strategy: Strategy, seed: int) -> None:
        self._all, self._strategy, self._seed = objective, strategy, seed
        self._epoch = -1
        self.per_epoch, self.n_samples, self._size = 1, 1, 1
        if isinstance(objective, NetworkObjective):
            self.n_samples = objective.n_samples
            self._size = strategy.batch_size(self.n_samples)
            self.per_epoch = -(-self.n_samples // self._size)
        self._current = objective

    def __getitem__(self, step: int) -> Objective:
        """The objective whose number is ``step``; they are asked for in ascending order."""
        if self.per_epoch == 1:  # the order of its samples is of no account
            return self._all
        epoch, number = divmod(step, self.per_epoch)
        everything: Any = self._all
        if epoch != self._epoch:
            self._epoch = epoch
            self._current = everything
            if self._strategy.shuffled:
                order = draws.permutation(self._seed, "order", self.n_samples, series=epoch)
                self._current = everything.ordered(everything.backend.asarray(order, "int64"))
        begin = number * self._size
        current: Any = self._current
        return current.part(begin, min(begin + self._size, self.n_samples))

    @property
    def seed(self) -> int:
        """Of the order of the samples."""
        return self._seed

    @property
    def batch(self) -> int:
        """Samples of a batch; the last of an epoch may have fewer."""
        return self._size

    @property
    def shuffled(self) -> bool:
        """Whether the samples come in another order in each epoch."""
        return self._strategy.shuffled

    def select(self, rows: Any) -> None:
        """Go on with some of the networks."""
        self._all = self._all.select(rows)
        self._current = self._current.select(rows)

    def size(self, step: int) -> int:
        """Samples of the batch whose number is ``step``."""
        begin = step % self.per_epoch * self._size
        return min(self._size, self.n_samples - begin)

    def ends_epoch(self, step: int) -> bool:
        """Whether the batch whose number is ``step`` is the last of its epoch."""
        return (step + 1) % self.per_epoch == 0


def check_batches(strategy: Strategy, optimizer: Any) -> None:
    """Refuse an optimizer that must see all samples in each step and would not.

    Raises
    ------
    UsageError
        The message says what to write.
    """
    if optimizer.full_batch and not isinstance(strategy, FullBatch):
        raise UsageError(
            f"{type(optimizer).__name__} must see all samples in each step: write strategy='full_batch', or take "
            "gradient_descent"
        )
