"""Probability of a connection by distance."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from neurosim.connect.base import probability
from neurosim.errors import UsageError
from neurosim.parameters import Parameters, param


class Kernel(Parameters):
    """Base of kernels: a probability as a function of the distance, nowhere above ``p``."""

    abstract: ClassVar[bool] = True

    if TYPE_CHECKING:  # each declares it itself, behind its own parameters
        p: float

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in self.values().items():
            if np.ndim(value):
                raise UsageError(f"{type(self).__name__}.{name} has shape {np.shape(value)}: give one float")
        probability(f"{type(self).__name__}.p", self.p)

    @abstractmethod
    def __call__(self, distance: np.ndarray) -> np.ndarray:
        """Probability of a pair at this distance."""


class Gaussian(Kernel):
    """p · exp(−d² / (2·sigma²))."""

    sigma: float = param(doc="width, in the unit of the positions", above=0.0)
    p: float = param(1.0, doc="probability at distance 0")

    def __call__(self, distance: np.ndarray) -> np.ndarray:
        x = distance / self.sigma
        return self.p * np.exp(-0.5 * x * x)


class ExponentialDecay(Kernel):
    """p · exp(−d / length)."""

    length: float = param(doc="decay length, in the unit of the positions", above=0.0)
    p: float = param(1.0, doc="probability at distance 0")

    def __call__(self, distance: np.ndarray) -> np.ndarray:
        return self.p * np.exp(-distance / self.length)


class Box(Kernel):
    """p up to ``radius``, 0 beyond."""

    radius: float = param(doc="reach, in the unit of the positions", above=0.0)
    p: float = param(1.0, doc="probability within reach")

    def __call__(self, distance: np.ndarray) -> np.ndarray:
        return np.where(distance <= self.radius, self.p, 0.0)


def all_kernels() -> list[type[Kernel]]:
    """Every kernel of this module: what tests and docs walk."""
    return [cls for cls in Kernel.__subclasses__() if cls.__module__ == __name__]
