"""Systems of linear equations, one for each network, of which some may be singular."""

from __future__ import annotations

from typing import Any

from numpy.linalg import LinAlgError

Array = Any


def solve(xp: Any, a: Array, b: Array) -> tuple[Array, Array]:
    """Solutions x of a x = b, and where there is one.

    A singular system of one network must not keep the others from theirs: NumPy and torch refuse all of them when one
    is singular, CuPy hands out infinities. Then each is solved alone.

    Parameters
    ----------
    xp : namespace
        Of the arrays; it needs the extension ``linalg``.
    a : array, shape (E, n, n)
        Matrices.
    b : array, shape (E, n)
        Right-hand sides.

    Returns
    -------
    x : array, shape (E, n)
        Solutions; 0 where there is none.
    ok : array of bool, shape (E, 1)
        Whether there is one and all of it is finite.
    """
    sound = xp.all(xp.isfinite(a), axis=(-2, -1)) & xp.all(xp.isfinite(b), axis=-1)
    a = xp.where(sound[:, None, None], a, 0.0)  # singular, and said to be so
    b = xp.where(sound[:, None], b, 0.0)[..., None]
    try:
        x = xp.linalg.solve(a, b)
    except _errors(xp):
        x = xp.concat([_alone(xp, a[k : k + 1, :, :], b[k : k + 1, :, :]) for k in range(a.shape[0])], axis=0)
    x = x[..., 0]
    ok = (sound & xp.all(xp.isfinite(x), axis=-1))[:, None]
    return xp.where(ok, x, 0.0), ok


def _alone(xp: Any, a: Array, b: Array) -> Array:
    try:
        return xp.linalg.solve(a, b)
    except _errors(xp):
        return xp.full_like(b, float("inf"))


def _errors(xp: Any) -> tuple[type[Exception], ...]:
    """What a library raises at a singular matrix."""
    return LinAlgError, getattr(xp.linalg, "LinAlgError", LinAlgError)
