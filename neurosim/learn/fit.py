"""Learning in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.backends.base import Backend, Fuse
from neurosim.checks import check_options
from neurosim.errors import UsageError
from neurosim.learn import engines
from neurosim.learn.history import History
from neurosim.learn.losses import Loss, get_loss
from neurosim.learn.members import as_columns, common_length, lengths
from neurosim.learn.network_objective import network_objective
from neurosim.learn.optimizer import Optimizer
from neurosim.learn.optimizers import get_optimizer
from neurosim.learn.samples import Samples, checked_samples
from neurosim.learn.sequential import Sequential
from neurosim.learn.strategies import Batches, Strategy, check_batches, get_strategy
from neurosim.learn.training import Callback, checked_limits, checked_weights, train
from neurosim.provenance import versions

__all__ = ["fit"]


def fit(
    network: Sequential,
    data: Samples | tuple[Any, ...],
    optimizer: str | Optimizer = "gradient_descent",
    loss: str | Loss = "mean_squared_error",
    strategy: str | Strategy = "full_batch",
    *,
    networks: int | Sequence[int] | None = None,
    seed: int = 0,
    w0: Any = None,
    iterations: int = 1000,
    epochs: int | None = None,
    stop_error: float | None = None,
    min_grad: float = 0.0,
    l2: Any = 0.0,
    backend: str | Backend = "auto",
    precision: str = "float64",
    fuse: Fuse = "auto",
    callbacks: Sequence[Callback] = (),
    progress: Any = None,
    every: int = 1,
) -> History:
    """Train a network, or many at once.

    An ensemble are E independent networks of one shape: with first weights of their own, and with hyper-parameters, L2
    rates or samples of their own wherever an argument has a value for each. Each learns, and stops, as it would alone.

    Parameters
    ----------
    network : Sequential
        What learns: ``MLP((2, 10, 2), ("sigmoid", "softmax"))``.
    data : Samples or tuple
        ``(x, target)`` or ``Samples(x, target, weight)``, on the host.
    optimizer : str or Optimizer
        How it learns; a parameter with one value per network makes an ensemble.
    loss : str or Loss
        Of its outputs. Cross-entropy after a softmax or sigmoid is computed of the sums before it, exactly.
    strategy : str or Strategy
        Which samples each update sees.
    networks : int or sequence of int, optional
        How many, or their numbers: ``networks=256`` are those from 0 to 255, ``networks=[7]`` is number 7 of them
        alone. By default as many as other arguments have values for, or one.
    seed : int
        Of first weights and orders of samples, from 0 to 2⁶⁴ − 1.
    w0 : array_like, shape (P,) or (E, P), optional
        First weights in place of drawn ones, as ``History.w``.
    iterations : int
        Most updates.
    epochs : int, optional
        Most passes through the samples, in place of ``iterations``.
    stop_error : float, optional
        A network stops when its error is below; with batches the mean error of an epoch.
    min_grad : float
        A network stops when the norm of its gradient is not above; not with batches.
    l2 : float or array_like, shape (E,)
        ½ · l2 · Σ weight² is added to the error; biases are left alone.
    backend : str or Backend
        ``"auto"`` (a GPU where CuPy has one, else NumPy), ``"numpy"``, ``"cupy"``, ``"torch"``, ….
    precision : {"float64", "float32"}
        Of everything.
    fuse : {"auto", "require", "off"}
        With compiled kernels where there are some, on NumPy (a warning says where one is missing there, and
        ``History.provenance`` why); with them or an error; or op by op, which is the reference. Error and gradient are
        compiled for every optimizer, first-order optimizers with all of their loop.
    callbacks : sequence of callables
        Each is called with a :class:`~neurosim.learn.training.Snapshot` after every iteration, and may stop networks.
    progress : None, bool or callable
        As in :func:`neurosim.simulate`.
    every : int
        Iterations from one row of the history to the next; the last of a network is always there.

    Returns
    -------
    History
        Curves and weights; partial after Ctrl-C.

    Raises
    ------
    UsageError
        When an argument cannot be; the message says what to write instead.

    Examples
    --------
    >>> from neurosim.learn import MLP, GradientDescent, fit
    >>> xor = ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> network = MLP((2, 4, 1), ("tanh", "sigmoid"))
    >>> history = fit(network, xor, GradientDescent(2.0, momentum=0.9), networks=8, stop_error=0.01)
    >>> history.w.shape, int(history.reached.sum())
    ((8, 17), 8)
    """
    if not isinstance(network, Sequential):
        raise UsageError(f"network = {network!r}: give a Sequential, for example MLP((2, 10, 2), 'tanh')")
    optimizer, loss, strategy = get_optimizer(optimizer), get_loss(loss), get_strategy(strategy)
    check_options(precision=precision, fuse=fuse, seed=seed)
    check_batches(strategy, optimizer)
    samples = checked_samples(data, network.n_in, network.n_out)
    library = get(backend)
    given = None if w0 is None else checked_weights("w0", w0)
    members = _members(networks, _lengths(optimizer, samples, l2, given))
    if given is None:
        weights = network.params.initial(seed, members)
    else:
        weights = given if len(given) == len(members) else np.repeat(given, len(members), axis=0)
    if weights.shape[-1] != network.params.size:
        raise UsageError(f"w0 has {weights.shape[-1]} parameters for each network: give {network.params.size}")
    objective = network_objective(network, loss, samples, l2=l2, backend=library, precision=precision)
    batches = Batches(objective, strategy, seed)
    if epochs is not None:
        iterations = checked_limits(epochs, None, 0.0, 1).iterations * batches.per_epoch
    limits = checked_limits(iterations, stop_error, min_grad, every)
    if limits.min_grad and batches.per_epoch > 1:
        raise UsageError(
            f"min_grad = {min_grad!r} with batches: the gradient of a batch says little; write stop_error=…"
        )
    made = engines.chosen(objective, optimizer, len(members), fuse)
    facts = {
        "versions": dict(versions()),
        "backend": library.name,
        "device": str(library.device),
        "engine": made.engine,
        "op by op because": made.reason,
        "precision": precision,
        "seed": seed,
        "networks": len(members),
        "optimizer": repr(optimizer),
        "loss": repr(loss),
        "strategy": repr(strategy),
        "network": repr(network),
    }
    known = {"params": network.params, "provenance": facts}
    if made.training is not None:
        return made.training.train(batches, weights, limits, callbacks, progress, **known)
    columns = as_columns(library, optimizer, precision)
    whole = Batches(made.objective, strategy, seed) if made.objective is not objective else batches
    return train(whole, made.objective, columns, weights, limits, callbacks, progress, **known)


def _lengths(optimizer: Optimizer, samples: Samples, l2: Any, w0: np.ndarray | None) -> dict[str, int]:
    """What has one value for each network, and for how many."""
    found = lengths(optimizer)
    found |= {what: len(a) for what, a in (("x", samples.x), ("target", samples.target)) if a.ndim == 3}
    if samples.weight is not None and samples.weight.ndim == 2:
        found["weight"] = len(samples.weight)
    if np.ndim(l2):
        found["l2"] = len(l2)
    if w0 is not None and len(w0) > 1:
        found["w0"] = len(w0)
    return found


def _members(networks: Any, found: dict[str, int]) -> list[int]:
    """Numbers of the networks."""
    if networks is None:
        return list(range(common_length(found, 1)))
    if isinstance(networks, int | np.integer) and not isinstance(networks, bool):
        if networks < 1:
            raise UsageError(f"networks = {networks}: give at least 1")
        members = list(range(int(networks)))
    else:
        try:
            members = [int(m) for m in networks]
        except TypeError:
            raise UsageError(f"networks = {networks!r}: give how many, or a list of their numbers") from None
        if not members or min(members) < 0 or max(members) >= 2**32:
            raise UsageError(f"networks = {networks!r}: give numbers from 0 to 2**32 - 1, at least one")
    common_length(found | {"networks": len(members)}, 1)
    return members
