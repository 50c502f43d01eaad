"""What a data set is: inputs, numbers of classes, and how to share it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

import numpy as np

from neurosim.checks import check_options
from neurosim.errors import UsageError, nearest
from neurosim.learn import draws
from neurosim.learn.samples import Samples, one_hot
from neurosim.parameters import is_number
from neurosim.registers import enter

__all__ = ["DATA_SETS", "DataSet", "register"]

# Series of draws from here on are the orders of the classes, those below the points of a set.
_SPLITS = 1 << 16


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """Inputs and the class of each.

    Attributes
    ----------
    name : str
        Of the set.
    x : ndarray of float64, shape (samples, features)
        Inputs; not to be written.
    labels : ndarray of int64, shape (samples,)
        Number of the class of each, from 0.
    n_classes : int
        How many classes there are, with or without samples.
    image : tuple of int, optional
        Rows and columns of a picture, where a sample is one.
    """

    name: str
    x: np.ndarray
    labels: np.ndarray
    n_classes: int
    image: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for array in (self.x, self.labels):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        sizes = ", ".join(map(str, self.class_sizes.tolist()))
        return f"<{self.name}: {len(self)} samples of {self.x.shape[1]} numbers, classes of {sizes}>"

    @property
    def class_sizes(self) -> np.ndarray:
        """Samples of each class, shape (n_classes,)."""
        return np.bincount(self.labels, minlength=self.n_classes)

    def samples(self, *, low: float = 0.0, high: float = 1.0) -> Samples:
        """Inputs and one target for each class, as :func:`neurosim.learn.fit` takes them.

        Parameters
        ----------
        low, high : float
            Target of the wrong and of the right class: for tanh outputs −1 and 1.
        """
        return Samples(self.x, one_hot(self.labels, self.n_classes, low=low, high=high))

    def signs(self) -> Samples:
        """Inputs and one target, −1 for class 0 and 1 for class 1, shape (samples, 1).

        Raises
        ------
        UsageError
            When there are not two classes.
        """
        if self.n_classes != 2:
            raise UsageError(f"{self.name} has {self.n_classes} classes, signs are for two: take samples()")
        return Samples(self.x, 2.0 * self.labels[:, None] - 1.0)

    def take(self, rows: Any) -> DataSet:
        """Some of the samples, in the order of their numbers ``rows``, or those where ``rows`` is True."""
        return DataSet(self.name, self.x[rows], self.labels[rows], self.n_classes, self.image)

    def split(self, share: float = 0.3, *, seed: int = 0, member: int = 0) -> tuple[DataSet, DataSet]:
        """Two parts at random, each with the same share of every class.

        Parameters
        ----------
        share : float
            Of the first part, between 0 and 1; of each class rounded to whole samples.
        seed : int
            From 0 to 2⁶⁴ − 1.
        member : int
            Number of the split, from 0 to 2³² − 1: each network of an ensemble may have its own.

        Returns
        -------
        DataSet, DataSet
            To learn from, and to test on; samples in the order of the set.

        Raises
        ------
        UsageError
            When an argument cannot be, or a part would be empty.
        """
        check_options(precision="float64", fuse="off", seed=seed)
        check_number(self.name, "share", share, above=0.0, below=1.0)
        check_whole(self.name, "member", member, 0)
        first = np.zeros(len(self), bool)
        for label, size in enumerate(self.class_sizes.tolist()):
            order = draws.permutation(seed, "data", size, series=_SPLITS + label, member=member)
            first[np.flatnonzero(self.labels == label)[order[: round(share * size)]]] = True
        if first.all() or not first.any():
            raise UsageError(f"{self.name}: share = {share!r} leaves a part of {len(self)} samples empty")
        return self.take(first), self.take(~first)

    def splits(self, networks: int, share: float = 0.3, *, seed: int = 0) -> tuple[DataSet, ...]:
        """First parts of as many splits: ``Samples(np.stack([s.x for s in …]), …)`` is an ensemble's."""
        check_whole(self.name, "networks", networks, 1)
        return tuple(self.split(share, seed=seed, member=k)[0] for k in range(networks))


DATA_SETS: dict[str, Callable[..., DataSet]] = {}
F = TypeVar("F", bound=Callable[..., DataSet])


def register(function: F) -> F:
    """Enter a data set into the register that tests and docs walk, by the name of its function."""
    name, known = function.__name__, signature(function).parameters

    @wraps(function)
    def checked(*args: Any, **options: Any) -> DataSet:
        for option in options:
            if option not in known:
                raise UsageError(f"data set {name}: unknown option {option!r}: {nearest(option, known)}")
        if "seed" in options:
            check_options(precision="float64", fuse="off", seed=options["seed"])
        return function(*args, **options)

    enter(DATA_SETS, "data set", name, checked)
    return checked  # type: ignore[return-value]


def check_whole(where: str, what: str, value: Any, least: int, most: int = 2**32 - 1) -> None:
    """Refuse what is no whole number of at least ``least``.

    Raises
    ------
    UsageError
        The message has the argument and its bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise UsageError(f"{where}: {what} = {value!r}: give a whole number from {least} to {most}")


def check_number(where: str, what: str, value: Any, *, above: float | None = None, below: float | None = None) -> None:
    """Refuse what is no finite number of at least 0, or not between two bounds.

    Raises
    ------
    UsageError
        The message has the argument and its bounds.
    """
    if (
        not is_number(value)
        or (value < 0.0 if above is None else value <= above)
        or (below is not None and value >= below)
    ):
        bounds = "at least 0" if above is None else f"above {above:g}"
        raise UsageError(
            f"{where}: {what} = {value!r}: give a number {bounds}" + ("" if below is None else f" and below {below:g}")
        )
