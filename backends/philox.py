"""Random numbers from a counter: Philox4x32-10, as a formula like any other.

A number is a pure function of (seed, stream, lane, step). There is no state to save, and the same numbers come out
on every array library and in every kernel, however the lanes are split.

Source: Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3.
https://doi.org/10.1145/2063384.2063405
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

_M0, _M1 = 0xD2511F53, 0xCD9E8D57
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_MASK = 0xFFFFFFFF


class Words(NamedTuple):
    """Four 32-bit words, as int64 because the Array API lacks a portable uint32."""

    w0: Any
    w1: Any
    w2: Any
    w3: Any


def philox4x32(counter: tuple[Any, Any, Any, Any], key: tuple[Any, Any]) -> Words:
    """The block function with ten rounds.

    Parameters
    ----------
    counter : four int64 arrays
        Each holds a 32-bit word.
    key : two int64 arrays
        Each holds a 32-bit word.

    Notes
    -----
    The product of two words may pass 2⁶³; it wraps to the same 64 bits, of which shift and mask take the halves.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (
            # Masked last: the compiler then sees that a word has 32 bits, and multiplies in one instruction.
            ((p1 >> 32) ^ c1 ^ k0) & _MASK,
            p1 & _MASK,
            ((p0 >> 32) ^ c3 ^ k1) & _MASK,
            p0 & _MASK,
        )
        k0, k1 = (k0 + _W0) & _MASK, (k1 + _W1) & _MASK
    return Words(c0, c1, c2, c3)


class Random(NamedTuple):
    """Random numbers of one stream at one step.

    Attributes
    ----------
    seed_low, seed_high, stream : int64, 0-d
        32-bit words.
    step, lane : int64
        As in :class:`~neurosim.backends.program.Clock`.
    dtype : str
        Type of the numbers.
    """

    seed_low: Any
    seed_high: Any
    stream: Any
    step: Any
    lane: Any
    dtype: str

    def words(self) -> Words:
        """The four words of this lane and step."""
        counter = (self.lane & _MASK, self.step & _MASK, (self.step >> 32) & _MASK, self.stream)
        return philox4x32(counter, (self.seed_low, self.seed_high))

    def word(self, xp: Any) -> Any:
        """One whole number from 0 to 2³² − 1 for each lane.

        Four steps share a call of the block function, which kernels make once in four steps.
        """
        four = self.step >> 2
        counter = (self.lane & _MASK, four & _MASK, (four >> 32) & _MASK, self.stream)
        w0, w1, w2, w3 = philox4x32(counter, (self.seed_low, self.seed_high))
        place = self.step & 3
        return xp.where(place < 2, xp.where(place < 1, w0, w1), xp.where(place < 3, w2, w3))

    def _uniforms(self, xp: Any) -> tuple[Any, Any]:
        """Two numbers in the open interval (0, 1), centred on a grid of 2⁻²³ (float32) or 2⁻⁵² (float64)."""
        w0, w1, w2, w3 = self.words()
        dtype = getattr(xp, self.dtype)
        if self.dtype == "float32":
            return tuple((xp.astype(w >> 9, dtype) + 0.5) * 2.0**-23 for w in (w0, w1))
        pairs = ((w0, w1), (w2, w3))
        return tuple((xp.astype(((a >> 6) << 26) | (b >> 6), dtype) + 0.5) * 2.0**-52 for a, b in pairs)

    def uniform(self, xp: Any) -> Any:
        """A number in (0, 1) for each lane."""
        return self._uniforms(xp)[0]

    def normal(self, xp: Any) -> Any:
        """A standard normal number for each lane (Box and Muller 1958)."""
        u, v = self._uniforms(xp)
        return xp.sqrt(-2.0 * xp.log(u)) * xp.cos((2.0 * math.pi) * v)


def seed_words(seed: int) -> tuple[int, int]:
    """Low and high word of a 64-bit seed."""
    return seed & _MASK, (seed >> 32) & _MASK
