"""Distributions that weights and delays are drawn from.

Everything is drawn by inversion, one random word per synapse: a weight is the quantile of a uniform number, a delay
is looked up in a table of the probabilities of whole steps. Weights that are drawn are float32 numbers by definition,
in a run of any precision.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neurosim.backends import row_recipe
from neurosim.errors import UsageError
from neurosim.parameters import Parameters, is_number, param

__all__ = ["Distribution", "Exponential", "LogNormal", "Normal", "Uniform", "all_distributions"]

MAX_DELAYS = 10_000  # different ones; each takes 8 bytes per source and owner
_OUTSIDE = ("redraw", "clip")
_RARE = 2.0**-33  # less than half of what a 32-bit word resolves


class Distribution(Parameters):
    """Base of distributions.

    What lies outside of ``low`` … ``high`` is drawn again ("redraw": the distribution is truncated) or moved to the
    nearer bound ("clip"). A delay is rounded to whole steps; what is then below one step is treated alike.
    """

    abstract: ClassVar[bool] = True

    if TYPE_CHECKING:  # each declares them itself, behind its own parameters
        low: float
        high: float
        outside: str

    def __post_init__(self) -> None:
        super().__post_init__()
        where = type(self).__name__
        for name, value in self.values().items():
            if np.ndim(value):
                raise UsageError(f"{where}.{name} has shape {np.shape(value)}: give one float")
        for name in ("low", "high"):
            value = getattr(self, name)
            if not (is_number(value) or value in (-math.inf, math.inf)):
                raise UsageError(f"{where}.{name} = {value!r}: give a float")
            object.__setattr__(self, name, float(value))
        if self.outside not in _OUTSIDE:
            raise UsageError(f"{where}.outside = {self.outside!r}: write 'redraw' or 'clip'")
        if not self.low < self.high:
            raise UsageError(f"{where}: low = {self.low:g} must be below high = {self.high:g}")
        lowest, highest = self.support()
        if self.outside == "redraw" and not self._mass(max(self.low, lowest), min(self.high, highest)) > 0:
            raise UsageError(f"{self!r}: no probability between low and high: move them, or write outside='clip'")

    @abstractmethod
    def support(self) -> tuple[float, float]:
        """Bounds of the values without ``low`` and ``high``."""

    @abstractmethod
    def below(self, x: float) -> float:
        """Probability of a value below x, without ``low`` and ``high``."""

    @abstractmethod
    def above(self, x: float) -> float:
        """Probability of a value above x: exact where that of ``below`` rounds to 1."""

    @abstractmethod
    def _weights(self, begin: float, end: float) -> tuple[int, float, float, float, float]:
        """Kind, scale, location and the interval of probabilities of values from ``begin`` to ``end``."""

    def _mass(self, begin: float, end: float) -> float:
        """Probability of a value from ``begin`` to ``end``."""
        if end <= begin:
            return 0.0
        tail = self.above(begin) - self.above(end)
        return tail if self.below(begin) > 0.5 else self.below(end) - self.below(begin)

    def bounds(self) -> tuple[float, float]:
        """Least and largest possible value."""
        lowest, highest = self.support()
        if self.outside == "clip":
            return min(max(lowest, self.low), self.high), max(min(highest, self.high), self.low)
        return max(lowest, self.low), min(highest, self.high)

    def probability(self, begin: float, end: float) -> float:
        """Probability of a value in the interval [begin, end), ``low`` and ``high`` regarded."""
        if self.outside == "redraw":
            lowest, highest = self.bounds()
            return self._mass(max(begin, lowest), min(end, highest)) / self._mass(lowest, highest)
        begin = -math.inf if begin <= self.low < end else max(begin, self.low)
        end = math.inf if begin <= self.high < end else min(end, self.high)
        return self._mass(begin, end)

    def weight_numbers(self) -> tuple[int, list[float]]:
        """Kind of weight and ``floats`` of a :class:`~neurosim.backends.row_recipe.Recipe`, SCALE to HIGHEST."""
        kind, *numbers = self._weights(*(self.bounds() if self.outside == "redraw" else self.support()))
        return kind, [*numbers, *_inside_float32(*self.bounds())]

    def delay_steps(self, dt: float) -> tuple[np.ndarray, np.ndarray]:
        """Whole steps that a delay may have, ascending, and their probabilities."""
        lowest, highest = self.bounds()
        first = max(1, _rounded(lowest / dt))
        last = max(first, _rounded(min(highest, self._rare()) / dt))
        if last - first >= MAX_DELAYS:
            raise UsageError(
                f"{self!r} has {last - first + 1} different delays in steps of {dt:g} ms, at most {MAX_DELAYS}: "
                "give bounds low and high"
            )
        steps = np.arange(first, last + 1)
        mass = np.array([self.probability((k - 0.5) * dt, (k + 0.5) * dt) for k in steps.tolist()])
        if self.outside == "clip":
            mass[0] += self.probability(-math.inf, (first - 0.5) * dt)
        if not mass.sum() > 0:
            raise UsageError(f"{self!r}: no delay of at least one step of {dt:g} ms: write larger ones")
        return steps.astype(np.int32), mass

    def _rare(self) -> float:
        """A value that is hardly ever exceeded."""
        begin = max(1e-9, self.bounds()[0])
        end = 2.0 * begin
        total = 1.0 if self.outside == "clip" else self._mass(*self.bounds())
        while self.above(end) > _RARE * total and end < 1e30:
            end *= 2.0
        for _ in range(60):
            middle = 0.5 * (begin + end)
            begin, end = (middle, end) if self.above(middle) > _RARE * total else (begin, middle)
        return end


def _rounded(x: float) -> int:
    return math.floor(x + 0.5) if abs(x) < 1e15 else int(math.copysign(1e15, x))


def _inside_float32(low: float, high: float) -> tuple[float, float]:
    """The bounds as float32 numbers between them."""
    with np.errstate(over="ignore"):
        least, most = np.float32(low), np.float32(high)
    if math.isfinite(low) and float(least) < low:
        least = np.nextafter(least, np.float32(np.inf))
    if math.isfinite(high) and float(most) > high:
        most = np.nextafter(most, np.float32(-np.inf))
    return float(least), float(most)


def _normal_below(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _normal_weights(kind: int, location: float, scale: float, begin: float, end: float) -> tuple[Any, ...]:
    """The half in which the probabilities are small, mirrored where that is the upper one: small ones are exact."""
    mirrored = begin > 0.0
    least, most = (-end, -begin) if mirrored else (begin, end)
    lowest = _normal_below(least)
    return kind, -scale if mirrored else scale, location, lowest, _normal_below(most) - lowest


class Normal(Distribution):
    """Normal distribution; with bounds the clipped or the truncated one.

    Parameters
    ----------
    mean, sd : float
        Of the distribution without bounds.
    low, high : float
        Bounds.
    outside : {"redraw", "clip"}
        What becomes of values outside of them.
    """

    mean: float = param(doc="mean without bounds")
    sd: float = param(doc="standard deviation without bounds", above=0.0)
    low: float = -math.inf
    high: float = math.inf
    outside: str = "redraw"

    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def below(self, x: float) -> float:
        return _normal_below((x - self.mean) / self.sd)

    def above(self, x: float) -> float:
        return _normal_below((self.mean - x) / self.sd)

    def _weights(self, begin: float, end: float) -> tuple[Any, ...]:
        z = ((x - self.mean) / self.sd for x in (begin, end))
        return _normal_weights(row_recipe.NORMAL, self.mean, self.sd, *z)


class LogNormal(Distribution):
    """Distribution of a number whose logarithm is normal.

    Parameters
    ----------
    mu, sigma : float
        Mean and standard deviation of the logarithm.
    low, high : float
        Bounds.
    outside : {"redraw", "clip"}
        What becomes of values outside of them.
    """

    mu: float = param(doc="mean of the logarithm")
    sigma: float = param(doc="standard deviation of the logarithm", above=0.0)
    low: float = 0.0
    high: float = math.inf
    outside: str = "redraw"

    def support(self) -> tuple[float, float]:
        return 0.0, math.inf

    def _z(self, x: float) -> float:
        if x <= 0.0:
            return -math.inf
        return (math.log(x) - self.mu) / self.sigma if x < math.inf else math.inf

    def below(self, x: float) -> float:
        return _normal_below(self._z(x))

    def above(self, x: float) -> float:
        return _normal_below(-self._z(x))

    def _weights(self, begin: float, end: float) -> tuple[Any, ...]:
        return _normal_weights(row_recipe.LOGNORMAL, self.mu, self.sigma, self._z(begin), self._z(end))


class Uniform(Distribution):
    """Uniform distribution between ``low`` and ``high``.

    Parameters
    ----------
    low, high : float
        Bounds.
    outside : {"redraw", "clip"}
        What becomes of delays below one step.
    """

    low: float
    high: float
    outside: str = "redraw"

    def support(self) -> tuple[float, float]:
        return self.low, self.high

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            if not is_number(getattr(self, name)):
                raise UsageError(f"Uniform.{name} = {getattr(self, name)!r}: give a finite float")
        super().__post_init__()

    def below(self, x: float) -> float:
        return min(max((x - self.low) / (self.high - self.low), 0.0), 1.0)

    def above(self, x: float) -> float:
        return min(max((self.high - x) / (self.high - self.low), 0.0), 1.0)

    def _weights(self, begin: float, end: float) -> tuple[int, float, float, float, float]:
        return row_recipe.UNIFORM, self.high - self.low, self.low, 0.0, 1.0


class Exponential(Distribution):
    """Exponential distribution.

    Parameters
    ----------
    mean : float
        Without bounds.
    low, high : float
        Bounds.
    outside : {"redraw", "clip"}
        What becomes of values outside of them.
    """

    mean: float = param(doc="mean without bounds", above=0.0)
    low: float = 0.0
    high: float = math.inf
    outside: str = "redraw"

    def support(self) -> tuple[float, float]:
        return 0.0, math.inf

    def below(self, x: float) -> float:
        return -math.expm1(-max(x, 0.0) / self.mean)

    def above(self, x: float) -> float:
        return math.exp(-max(x, 0.0) / self.mean)

    def _weights(self, begin: float, end: float) -> tuple[int, float, float, float, float]:
        # It has no memory: it begins anew at `begin`.
        lowest = math.exp(-(end - begin) / self.mean)
        return row_recipe.EXPONENTIAL, self.mean, begin, lowest, -math.expm1(-(end - begin) / self.mean)


def all_distributions() -> list[type[Distribution]]:
    """Every distribution of this module: what tests and docs walk."""
    return [cls for cls in Distribution.__subclasses__() if cls.__module__ == __name__]
