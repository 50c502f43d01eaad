"""Systems of linear equations, one for each network, of which some may be singular."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from numpy.linalg import LinAlgError

from neurosim.learn.members import dot

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


def solve_definite(xp: Any, a: Array, b: Array, floor: Any) -> tuple[Array, Array]:
    """Solutions x of |a| x = b, where |a| has the eigenvectors of ``a`` and eigenvalues that are large enough.

    The solution of a x = b where ``a`` is positive definite, and wherever ``a`` leads, x·b > 0: Nocedal and Wright,
    Numerical Optimization (2nd ed. 2006), section 3.4.

    Parameters
    ----------
    xp : namespace
        Of the arrays; it needs the extension ``linalg``.
    a : array, shape (E, n, n)
        Symmetric matrices.
    b : array, shape (E, n)
        Right-hand sides.
    floor : float or array, shape (E, 1)
        Eigenvalues λ are taken as max(|λ|, floor · max |λ|), with at least √ε for the floor; all as 1 where all are 0.

    Returns
    -------
    x : array, shape (E, n)
        Solutions; 0 where there is none.
    ok : array of bool, shape (E, 1)
        Whether ``a`` and x are finite.
    """
    sound = xp.all(xp.isfinite(a), axis=(-2, -1))[:, None]
    a = xp.where(sound[..., None], a, 0.0)
    try:
        values, vectors = xp.linalg.eigh(a)
    except _errors(xp):
        alone = [_eigen_alone(xp, a[k : k + 1, :, :]) for k in range(a.shape[0])]
        values, vectors = (xp.concat(list(arrays), axis=0) for arrays in zip(*alone, strict=True))
    values = xp.abs(values)
    largest = xp.max(values, axis=-1, keepdims=True)
    values = xp.maximum(xp.maximum(values, floor * largest), math.sqrt(float(xp.finfo(a.dtype).eps)) * largest)
    values = xp.where(largest > 0.0, values, 1.0)
    inside = xp.matmul(b[:, None, :], vectors)[:, 0, :] / values
    x = xp.matmul(vectors, inside[..., None])[..., 0]
    ok = sound & xp.all(xp.isfinite(x), axis=-1, keepdims=True)
    return xp.where(ok, x, 0.0), ok


def _eigen_alone(xp: Any, a: Array) -> tuple[Array, Array]:
    try:
        values, vectors = xp.linalg.eigh(a)
    except _errors(xp):
        return xp.full_like(a[..., 0], float("nan")), a
    return values, vectors


def conjugate_gradients(
    xp: Any, times: Callable[[Array], Array], b: Array, tolerance: Array, most: int
) -> tuple[Array, Array, Array]:
    """Solutions x of A x = b to a tolerance, where A is known by its products, up to where it is not positive.

    Nocedal and Wright, Numerical Optimization (2nd ed. 2006), algorithm 7.1: at a direction of curvature that is not
    positive x is what was found so far, or b in the first step. All networks go on until each has ended; one that has
    keeps its x.

    Parameters
    ----------
    xp : namespace
        Of the arrays.
    times : callable
        Product of the symmetric matrices with vectors, (E, n) → (E, n).
    b : array, shape (E, n)
        Right-hand sides.
    tolerance : array, shape (E, 1)
        Largest norm of the residual A x − b.
    most : int
        Most steps.

    Returns
    -------
    x : array, shape (E, n)
        Solutions; 0 where a product was not finite.
    ok : array of bool, shape (E, 1)
        Whether all products were finite.
    products : array, shape (E, 1)
        That each network took.
    """
    x, p, residual = 0.0 * b, b, b  # residual: b − A x
    squared = dot(xp, residual, residual)
    done = ~(squared > tolerance * tolerance)
    products, ok = 0.0 * squared, squared == squared
    for k in range(most):
        if bool(xp.all(done)):
            break
        ap = times(p)
        products = products + xp.where(done, 0.0 * squared, 1.0)
        curvature = dot(xp, p, ap)
        finite = xp.isfinite(curvature)
        ok = ok & (done | finite)
        negative = ~(curvature > 0.0)
        if k == 0:
            x = xp.where(negative & finite & ~done, xp.where(curvature < 0.0, squared / -curvature, 1.0) * b, x)
        done = done | negative
        alpha = squared / curvature
        x = xp.where(done, x, x + alpha * p)
        residual = xp.where(done, residual, residual - alpha * ap)
        before, squared = squared, xp.where(done, squared, dot(xp, residual, residual))
        done = done | (squared <= tolerance * tolerance)
        p = xp.where(done, p, residual + (squared / before) * p)
    return xp.where(ok, x, 0.0), ok, products
