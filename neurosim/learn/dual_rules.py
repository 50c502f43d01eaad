"""How each function of the Array API acts on derivatives.

A rule takes the :class:`~neurosim.learn.dual.DualSpace` and the arguments, and returns value and tangent. Axes are
counted from the end, so that the directions before them do no harm. Where an array meets a dual of the space below,
the function is called and not the operator: not every library leaves an unknown operand to the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurosim.learn.dual import DualSpace

# Functions whose derivative is 0 where they have one: they see the value alone.
_COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "isfinite", "isnan", "isinf")
_STEPS = ("sign", "floor", "ceil", "round", "argmax", "argmin", "any", "all")
CONSTANT = frozenset((*_COMPARISONS, *_STEPS, "zeros_like", "ones_like", "full_like"))

# name → partial derivatives, of xp, the value y and the operands
_PARTIALS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "add": lambda xp, y, a, b: (1.0, 1.0),
    "subtract": lambda xp, y, a, b: (1.0, -1.0),
    "multiply": lambda xp, y, a, b: (b, a),
    "divide": lambda xp, y, a, b: (1.0 / b, xp.divide(-y, b)),
    # Where both are equal the second is taken: max(x, 0) has derivative 0 at 0, as ReLU.
    "maximum": lambda xp, y, a, b: (_one_where(xp, y, xp.greater(a, b)), _one_where(xp, y, xp.less_equal(a, b))),
    "minimum": lambda xp, y, a, b: (_one_where(xp, y, xp.less(a, b)), _one_where(xp, y, xp.greater_equal(a, b))),
    "negative": lambda xp, y, x: (-1.0,),
    "abs": lambda xp, y, x: (xp.sign(x),),
    "sqrt": lambda xp, y, x: (0.5 / y,),
    "exp": lambda xp, y, x: (y,),
    "expm1": lambda xp, y, x: (y + 1.0,),
    "log": lambda xp, y, x: (1.0 / x,),
    "log1p": lambda xp, y, x: (1.0 / (1.0 + x),),
    "tanh": lambda xp, y, x: (1.0 - y * y,),
    "sin": lambda xp, y, x: (xp.cos(x),),
    "cos": lambda xp, y, x: (-xp.sin(x),),
}


def _one_where(xp: Any, y: Any, condition: Any) -> Any:
    return xp.astype(condition, y.dtype)


def _aligned(space: DualSpace, x: Any, ndim: int) -> Any:
    """The tangent of a dual as if it had ``ndim`` axes: those it lacks come after the directions."""
    missing = ndim - x.ndim
    if missing <= 0:
        return x.tangent
    return space.base.reshape(x.tangent, (*space.directions, *(1,) * missing, *x.shape))


def _elementwise(name: str) -> Callable[..., tuple[Any, Any]]:
    partials = _PARTIALS[name]

    def rule(space: DualSpace, *args: Any) -> tuple[Any, Any]:
        xp = space.base
        values = [space.value(x) for x in args]
        y = getattr(xp, name)(*values)
        tangent = None
        for x, slope in zip(args, partials(xp, y, *values), strict=True):
            if space.mine(x):
                term = _aligned(space, x, len(y.shape))
                term = term if isinstance(slope, float) and slope == 1.0 else xp.multiply(term, slope)
                tangent = term if tangent is None else xp.add(tangent, term)
        return y, tangent

    return rule


def _where(space: DualSpace, condition: Any, a: Any, b: Any) -> tuple[Any, Any]:
    xp, condition = space.base, space.value(condition)
    y = xp.where(condition, space.value(a), space.value(b))
    ta, tb = (_aligned(space, x, len(y.shape)) if space.mine(x) else 0.0 for x in (a, b))
    return y, xp.where(condition, ta, tb)


def _matmul(space: DualSpace, a: Any, b: Any) -> tuple[Any, Any]:
    xp, va, vb = space.base, space.value(a), space.value(b)
    y = xp.matmul(va, vb)
    ndim = max(len(va.shape), len(vb.shape))
    terms = []
    if space.mine(a):
        terms.append(xp.matmul(_aligned(space, a, ndim), vb))
    if space.mine(b):
        terms.append(xp.matmul(va, _aligned(space, b, ndim)))
    return y, terms[0] if len(terms) == 1 else xp.add(*terms)


def _from_end(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    axes = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return tuple(a if a < 0 else a - ndim for a in axes)


def _sum(space: DualSpace, x: Any, *, axis: Any = None, keepdims: bool = False) -> tuple[Any, Any]:
    axes = _from_end(axis, x.ndim)
    total = space.base.sum
    return total(x.value, axis=axes, keepdims=keepdims), total(x.tangent, axis=axes, keepdims=keepdims)


def _mean(space: DualSpace, x: Any, *, axis: Any = None, keepdims: bool = False) -> tuple[Any, Any]:
    axes = _from_end(axis, x.ndim)
    mean = space.base.mean
    return mean(x.value, axis=axes, keepdims=keepdims), mean(x.tangent, axis=axes, keepdims=keepdims)


def _max(space: DualSpace, x: Any, *, axis: Any = None, keepdims: bool = False) -> tuple[Any, Any]:
    """Of the largest element; the mean of those that are equally large."""
    xp, axes = space.base, _from_end(axis, x.ndim)
    y = xp.max(x.value, axis=axes, keepdims=True)
    here = _one_where(xp, x.value, x.value == y)
    share = here / xp.sum(here, axis=axes, keepdims=True)
    tangent = xp.sum(xp.multiply(x.tangent, share), axis=axes, keepdims=keepdims)
    return y if keepdims else xp.max(x.value, axis=axes), tangent


def _reshape(space: DualSpace, x: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    y = space.base.reshape(x.value, shape)
    return y, space.base.reshape(x.tangent, (*space.directions, *y.shape))


def _matrix_transpose(space: DualSpace, x: Any) -> tuple[Any, Any]:
    return space.base.matrix_transpose(x.value), space.base.matrix_transpose(x.tangent)


def _permute_dims(space: DualSpace, x: Any, axes: Sequence[int]) -> tuple[Any, Any]:
    before = len(space.directions)
    moved = (*range(before), *(before + a % x.ndim for a in axes))
    return space.base.permute_dims(x.value, tuple(axes)), space.base.permute_dims(x.tangent, moved)


def _expand_dims(space: DualSpace, x: Any, *, axis: int = 0) -> tuple[Any, Any]:
    axis = axis if axis < 0 else axis - x.ndim - 1
    return space.base.expand_dims(x.value, axis=axis), space.base.expand_dims(x.tangent, axis=axis)


def _broadcast_to(space: DualSpace, x: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    # `apply` broadcasts the tangent
    return space.base.broadcast_to(x.value, shape), _aligned(space, x, len(shape))


def _concat(space: DualSpace, arrays: Sequence[Any], *, axis: int = 0) -> tuple[Any, Any]:
    ndim = len(space.value(arrays[0]).shape)
    axis = axis if axis < 0 else axis - ndim
    values, tangents = [space.value(x) for x in arrays], [space.tangent(x) for x in arrays]
    return space.base.concat(values, axis=axis), space.base.concat(tangents, axis=axis)


def _stack(space: DualSpace, arrays: Sequence[Any], *, axis: int = 0) -> tuple[Any, Any]:
    ndim = len(space.value(arrays[0]).shape)
    axis = axis if axis < 0 else axis - ndim - 1
    values, tangents = [space.value(x) for x in arrays], [space.tangent(x) for x in arrays]
    return space.base.stack(values, axis=axis), space.base.stack(tangents, axis=axis)


def _astype(space: DualSpace, x: Any, dtype: Any) -> tuple[Any, Any]:
    return space.base.astype(x.value, dtype), space.base.astype(x.tangent, dtype)


RULES: dict[str, Callable[..., tuple[Any, Any]]] = {
    **{name: _elementwise(name) for name in _PARTIALS},
    "where": _where,
    "matmul": _matmul,
    "sum": _sum,
    "mean": _mean,
    "max": _max,
    "reshape": _reshape,
    "matrix_transpose": _matrix_transpose,
    "permute_dims": _permute_dims,
    "expand_dims": _expand_dims,
    "broadcast_to": _broadcast_to,
    "concat": _concat,
    "stack": _stack,
    "astype": _astype,
}
