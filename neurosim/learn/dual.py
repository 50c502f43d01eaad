"""Derivatives by running a formula on dual numbers: forward mode, exact to rounding.

A :class:`Dual` is an array with its derivative along a direction, v + ε·t with ε² = 0. :class:`DualSpace` passes for
the array namespace ``xp``, so any pure formula runs on duals as it stands and hands out its directional derivative.
Run on a gradient it gives H·t, Pearlmutter's R-operator (1994, https://doi.org/10.1162/neco.1994.6.1.147), without a
line of mathematics written for it: forward over reverse. Spaces nest: derivatives of derivatives.

Many directions go at once: tangents have the axes ``directions`` before those of their array, which is computed
once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import array_api_compat

from neurosim.backends.tracing.functions import ARITHMETIC, COMPARISONS
from neurosim.errors import UsageError
from neurosim.learn.dual_rules import CONSTANT, RULES

if TYPE_CHECKING:

    class _Operators:
        """What the loop below the class adds, for type checkers."""

        def _binary(self, other: Any) -> Any: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _binary
        __matmul__ = __rmatmul__ = __lt__ = __le__ = __gt__ = __ge__ = _binary

        def __neg__(self) -> Any: ...
else:
    _Operators = object


class Dual(_Operators):
    """An array and its derivatives.

    Attributes
    ----------
    space : DualSpace
        That it belongs to.
    value : array
        Of the space below.
    tangent : array, shape (*directions, *value.shape)
        Derivative of the value along each direction.
    """

    __slots__ = ("space", "tangent", "value")
    __array_ufunc__ = None  # so that `array * dual` comes here
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, space: DualSpace, value: Any, tangent: Any) -> None:
        self.space, self.value, self.tangent = space, value, tangent

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value."""
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        """Number of axes of the value."""
        return len(self.value.shape)

    @property
    def dtype(self) -> Any:
        """Type of the value."""
        return self.value.dtype

    @property
    def device(self) -> Any:
        """Device of the value."""
        return array_api_compat.device(self.value)

    def __getitem__(self, key: Any) -> Dual:
        key = key if isinstance(key, tuple) else (key,)
        before = (slice(None),) * len(self.space.directions)
        return Dual(self.space, self.value[key], self.tangent[(*before, *key)])

    def __bool__(self) -> bool:
        raise UsageError("a dual number has no truth value: replace `if x > 0:` by xp.where(x > 0, a, b)")

    def __setitem__(self, key: Any, value: Any) -> None:
        raise UsageError("a formula must not write into its arguments: replace `x[mask] = a` by xp.where(mask, a, x)")

    def __repr__(self) -> str:
        return f"Dual({self.value!r}, {self.tangent!r})"


class DualSpace:
    """A namespace whose arrays are duals.

    What is no Dual of this space is a constant, with derivative 0.

    Parameters
    ----------
    base : namespace
        Array library, or another DualSpace.
    directions : tuple of int
        Axes of the tangents before those of their array; ``()``: one direction.
    """

    def __init__(self, base: Any, directions: tuple[int, ...] = ()) -> None:
        self.base, self.directions = base, directions

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        item = getattr(self.base, name)
        if not callable(item) or isinstance(item, type):
            return item

        def function(*args: Any, **options: Any) -> Any:
            return self.apply(name, *args, **options)

        return function

    def dual(self, value: Any, tangent: Any) -> Dual:
        """An array that varies along the directions as ``tangent`` says."""
        shape = (*self.directions, *value.shape)
        if tuple(tangent.shape) != shape:
            raise UsageError(f"the tangent has shape {tuple(tangent.shape)}: give {shape}")
        return Dual(self, value, tangent)

    def mine(self, x: Any) -> bool:
        """Whether ``x`` is a dual of this space, and no constant."""
        return isinstance(x, Dual) and x.space is self

    def value(self, x: Any) -> Any:
        """The value of a dual; a constant itself."""
        return x.value if self.mine(x) else x

    def tangent(self, x: Any) -> Any:
        """The tangent of a dual; zeros for a constant array."""
        if self.mine(x):
            return x.tangent
        zeros = self.base.zeros_like(x)
        return self.base.broadcast_to(zeros, (*self.directions, *zeros.shape))

    def apply(self, name: str, *args: Any, **options: Any) -> Any:
        """The function ``name`` of the library on duals and constants."""
        base = getattr(self.base, name)
        sequences = [x for arg in args for x in (arg if isinstance(arg, list | tuple) else (arg,))]
        if not any(self.mine(x) for x in sequences):
            return base(*args, **options)
        if name in CONSTANT:
            return base(*(self.value(x) for x in args), **options)
        if name not in RULES:
            known = ", ".join(sorted({*RULES, *CONSTANT}))
            raise UsageError(f"xp.{name} has no derivative here: add its rule to dual_rules.py; known are {known}")
        value, tangent = RULES[name](self, *args, **options)
        if tuple(tangent.shape) != (*self.directions, *value.shape):
            tangent = self.base.broadcast_to(tangent, (*self.directions, *value.shape))
        return Dual(self, value, tangent)


def _operator(function: str, swapped: bool = False) -> Callable[[Dual, Any], Any]:
    def method(self: Dual, other: Any) -> Any:
        return self.space.apply(function, other, self) if swapped else self.space.apply(function, self, other)

    return method


for _symbol, _function in (ARITHMETIC | {"matmul": "matmul"}).items():
    setattr(Dual, f"__{_symbol}__", _operator(_function))
    setattr(Dual, f"__r{_symbol}__", _operator(_function, swapped=True))
for _symbol, _function in COMPARISONS.items():
    setattr(Dual, f"__{_symbol}__", _operator(_function))
setattr(Dual, "__neg__", lambda self: self.space.apply("negative", self))  # noqa: B010
setattr(Dual, "__abs__", lambda self: self.space.apply("abs", self))  # noqa: B010
