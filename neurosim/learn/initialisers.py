"""Initial weights.

An initialiser turns random numbers of its layer into parameters; ``INITIALISERS`` holds each by the name that users
write. The numbers are :mod:`neurosim.learn.draws`' and come out the same on every array library.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple, TypeVar

import numpy as np

from neurosim.errors import UsageError
from neurosim.learn.choices import Choice, chosen
from neurosim.parameters import param
from neurosim.registers import enter

__all__ = [
    "INITIALISERS",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initialiser",
    "Normal",
    "Place",
    "Uniform",
    "Zeros",
    "get_initialiser",
    "register",
]


class Place(NamedTuple):
    """What an initialiser may know of the parameters that it fills.

    Attributes
    ----------
    n : int
        How many there are.
    fan_in, fan_out : int
        Connections into and out of a unit of the layer.
    uniform, normal : callable
        ``uniform()``: n numbers in (0, 1); ``normal()``: n standard normal numbers. One of them is called, once.
    """

    n: int
    fan_in: int
    fan_out: int
    uniform: Callable[[], np.ndarray]
    normal: Callable[[], np.ndarray]


class Initialiser(Choice):
    """Base of initialisers."""

    abstract: ClassVar[bool] = True

    @abstractmethod
    def fill(self, place: Place) -> np.ndarray:
        """Parameters, shape (n,), float64."""


INITIALISERS: dict[str, type[Initialiser]] = {}
Kind = TypeVar("Kind", bound=type[Initialiser])


def register(cls: Kind) -> Kind:
    """Enter an initialiser into the register that tests and docs walk."""
    enter(INITIALISERS, "initialiser", cls.name, cls)
    return cls


def get_initialiser(choice: str | Initialiser) -> Initialiser:
    """The initialiser of a name, or the initialiser that is given.

    Raises
    ------
    UsageError
        When it is neither.
    """
    return chosen(INITIALISERS, Initialiser, "initialiser", choice)


@register
class Zeros(Initialiser):
    """All 0; for biases. Units whose weights are equal stay equal."""

    name = "zeros"

    def fill(self, place: Place) -> np.ndarray:
        return np.zeros(place.n)


@register
class Constant(Initialiser):
    """All of one value."""

    name = "constant"

    value: float = param(0.1, doc="of each parameter")

    def fill(self, place: Place) -> np.ndarray:
        return np.full(place.n, self.value)


@register
class Uniform(Initialiser):
    """Uniform between ``low`` and ``high``."""

    name = "uniform"

    low: float = param(-0.5, doc="lower bound")
    high: float = param(0.5, doc="upper bound")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low < self.high:
            raise UsageError(f"Uniform: low = {self.low:g} must be below high = {self.high:g}")

    def fill(self, place: Place) -> np.ndarray:
        return self.low + (self.high - self.low) * place.uniform()


@register
class Normal(Initialiser):
    """Normal with mean 0; a standard deviation of 0.1 is that of the lecture's own program."""

    name = "normal"

    sd: float = param(0.1, doc="standard deviation", above=0.0)

    def fill(self, place: Place) -> np.ndarray:
        return self.sd * place.normal()


def _uniform(place: Place, variance: float) -> np.ndarray:
    bound = math.sqrt(3.0 * variance)
    return bound * (2.0 * place.uniform() - 1.0)


@register
class GlorotUniform(Initialiser):
    """Uniform with variance 2/(fan_in + fan_out), also called Xavier's: for tanh.

    Glorot and Bengio (2010), https://proceedings.mlr.press/v9/glorot10a.html
    """

    name = "glorot_uniform"

    def fill(self, place: Place) -> np.ndarray:
        return _uniform(place, 2.0 / (place.fan_in + place.fan_out))


@register
class GlorotNormal(Initialiser):
    """Normal with variance 2/(fan_in + fan_out), Glorot and Bengio 2010: for tanh."""

    name = "glorot_normal"

    def fill(self, place: Place) -> np.ndarray:
        return math.sqrt(2.0 / (place.fan_in + place.fan_out)) * place.normal()


@register
class HeUniform(Initialiser):
    """Uniform with variance 2/fan_in, also called Kaiming's: for the rectifier.

    He, Zhang, Ren and Sun (2015), https://doi.org/10.1109/ICCV.2015.123
    """

    name = "he_uniform"

    def fill(self, place: Place) -> np.ndarray:
        return _uniform(place, 2.0 / place.fan_in)


@register
class HeNormal(Initialiser):
    """Normal with variance 2/fan_in, He et al. 2015: for the rectifier."""

    name = "he_normal"

    def fill(self, place: Place) -> np.ndarray:
        return math.sqrt(2.0 / place.fan_in) * place.normal()
