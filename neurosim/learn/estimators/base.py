"""What the estimators share: a multilayer perceptron, learned by :func:`neurosim.learn.fit` on scikit-learn's terms."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from neurosim.errors import UsageError
from neurosim.learn.estimators.watch import Watch
from neurosim.learn.fit import fit
from neurosim.learn.history import History
from neurosim.learn.losses import Loss
from neurosim.learn.members import lengths
from neurosim.learn.optimizer import Optimizer
from neurosim.learn.optimizers import get_optimizer
from neurosim.learn.samples import Samples
from neurosim.learn.sequential import MLP, Sequential
from neurosim.learn.status import Status
from neurosim.learn.strategies import FullBatch, MiniBatch, Strategy, get_strategy
from neurosim.parameters import is_number
from neurosim.registers import enter

__all__ = ["ESTIMATORS", "Multilayer", "register", "seed_of"]

LARGEST_BATCH = 200  # samples, where batch_size="auto"
ESTIMATORS: dict[str, type] = {}
Kind = TypeVar("Kind", bound=type)


def register(cls: Kind) -> Kind:
    """Enter an estimator into the register that tests and docs walk."""
    enter(ESTIMATORS, "estimator", cls.__name__, cls)
    return cls


def seed_of(random_state: Any) -> int:
    """The seed of :func:`neurosim.learn.fit`: a whole number itself, of a generator the next number."""
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool) and 0 <= random_state < 2**32:
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


class Multilayer(BaseEstimator):
    """Base of the multilayer perceptrons; parameters and attributes are told by those that derive from it."""

    network_: Sequential
    history_: History
    w_: np.ndarray
    loss_curve_: list[float]
    loss_: float
    n_iter_: int
    validation_scores_: list[float]
    best_validation_score_: float

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        optimizer: Any = "adam",
        loss: Any = "auto",
        alpha: float = 1e-4,
        batch_size: Any = "auto",
        max_iter: int = 200,
        tol: float | None = 1e-4,
        n_iter_no_change: int = 10,
        stop_error: float | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        random_state: Any = None,
        weight_init: Any = "glorot_uniform",
        bias_init: Any = "zeros",
        backend: Any = "auto",
        precision: str = "float64",
        fuse: Any = "auto",
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.loss = loss
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.stop_error = stop_error
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state
        self.weight_init = weight_init
        self.bias_init = bias_init
        self.backend = backend
        self.precision = precision
        self.fuse = fuse
        self.verbose = verbose

    # -- learning

    def _learn(
        self,
        x: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray | None,
        output: str,
        loss: str | Loss,
        score: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float],
        labels: np.ndarray | None,
    ) -> None:
        """Learn, and set all attributes but those of the targets.

        Parameters
        ----------
        x, target : ndarray, shape (samples, features), (samples, outputs)
            Checked.
        weight : ndarray, shape (samples,), or None
            Of each sample.
        output : str
            Activation of the outputs.
        loss : str or Loss
            Of the outputs.
        score : callable
            Outputs, targets and weights of samples held back → the higher the better.
        labels : ndarray of int, shape (samples,), or None
            Classes, whose proportions samples held back keep.
        """
        self._check_options()
        optimizer = get_optimizer(self.optimizer)
        if several := lengths(optimizer):
            name, n = next(iter(several.items()))
            raise UsageError(f"{type(self).__name__}: {name} has {n} values, for as many networks: give one")
        network = self._network(x.shape[1], target.shape[1], output)
        w0 = self._earlier(network)
        seed = seed_of(self.random_state)
        watched = None
        if self.early_stopping:
            rest, held = train_test_split(
                np.arange(len(x)), test_size=self.validation_fraction, random_state=seed, stratify=labels
            )
            apart = x[held], target[held], None if weight is None else weight[held]
            x, target, weight = x[rest], target[rest], None if weight is None else weight[rest]

            def watched(w: np.ndarray) -> float:
                return score(self._outputs_of(network, w, apart[0]), apart[1], apart[2])

        strategy = self._strategy(optimizer)
        size = strategy.batch_size(len(x))
        sizes = [min(size, len(x) - k) for k in range(0, len(x), size)]
        watch = None
        if self.early_stopping or self.tol is not None:
            watch = Watch(sizes, 0.0 if self.tol is None else self.tol, self.n_iter_no_change, watched)
        mean_weight = 1.0 if weight is None else float(weight.mean())
        history = fit(
            network,
            Samples(x, target, weight),
            optimizer,
            loss,
            strategy,
            seed=seed,
            w0=w0,
            epochs=self.max_iter,
            stop_error=self.stop_error,
            # A sample of weight 2 counts as two samples.
            l2=self.alpha / (size * mean_weight) if mean_weight else 0.0,
            backend=self.backend,
            precision=self.precision,
            fuse=self.fuse,
            callbacks=() if watch is None else (watch,),
            progress=bool(self.verbose),
        )
        self.network_, self.history_ = network, history
        self.w_ = history.w[0] if watch is None or watch.w is None else watch.w
        self.loss_curve_ = _losses(history, sizes)
        self.n_iter_ = len(self.loss_curve_)
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else float(history.final_error[0])
        if self.early_stopping:
            self.validation_scores_ = list(watch.scores) if watch else []
            self.best_validation_score_ = watch.best if watch else math.nan
        self._tell(history, watch)

    def _check_options(self) -> None:
        name = type(self).__name__
        for what in ("early_stopping", "warm_start"):
            if not isinstance(getattr(self, what), bool | np.bool_):
                raise UsageError(f"{name}: {what} = {getattr(self, what)!r}: write True or False")
        n = self.max_iter
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise UsageError(f"{name}: max_iter = {n!r}: give a whole number above 0")
        n = self.n_iter_no_change
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise UsageError(f"{name}: n_iter_no_change = {n!r}: give a whole number above 0")
        if not is_number(self.alpha) or self.alpha < 0.0:
            raise UsageError(f"{name}: alpha = {self.alpha!r}: give a number of at least 0")
        if self.tol is not None and (not is_number(self.tol) or self.tol < 0.0):
            raise UsageError(f"{name}: tol = {self.tol!r}: give a number of at least 0, or None to go on to max_iter")
        if self.early_stopping and not (is_number(self.validation_fraction) and 0.0 < self.validation_fraction < 1.0):
            raise UsageError(
                f"{name}: validation_fraction = {self.validation_fraction!r}: give a number between 0 and 1"
            )

    def _network(self, n_in: int, n_out: int, output: str) -> Sequential:
        sizes = self.hidden_layer_sizes
        sizes = (sizes,) if isinstance(sizes, int | np.integer) else tuple(sizes)
        given = self.activation
        hidden = list(given) if isinstance(given, list | tuple) else [given] * len(sizes)
        if len(hidden) != len(sizes):
            raise UsageError(
                f"{type(self).__name__}: {len(hidden)} activations for {len(sizes)} hidden layers: give one for each, "
                "or one for all"
            )
        return MLP((n_in, *sizes, n_out), (*hidden, output), weight_init=self.weight_init, bias_init=self.bias_init)

    def _strategy(self, optimizer: Optimizer) -> Strategy:
        size = self.batch_size
        if isinstance(size, str) and size == "auto":
            return FullBatch() if optimizer.full_batch else MiniBatch(LARGEST_BATCH)
        if isinstance(size, int | np.integer) and not isinstance(size, bool):
            return MiniBatch(int(size))
        if isinstance(size, str | Strategy):
            return get_strategy(size)
        raise UsageError(
            f"{type(self).__name__}: batch_size = {size!r}: give a whole number, 'auto', 'full_batch', 'stochastic' or "
            "a Strategy"
        )

    def _earlier(self, network: Sequential) -> np.ndarray | None:
        if not self.warm_start or not hasattr(self, "w_"):
            return None
        shapes = [[block.shape for block in n.blocks()] for n in (self.network_, network)]
        if shapes[0] != shapes[1]:
            raise UsageError(
                f"{type(self).__name__}: warm_start with weights of shapes {shapes[0]} for a network of {shapes[1]}: "
                "write warm_start=False, or keep the layers"
            )
        return self.w_

    def _tell(self, history: History, watch: Watch | None) -> None:
        status = Status(int(history.status[0]))
        name = type(self).__name__
        if status == Status.STOPPED and not (watch and watch.ended):
            warnings.warn(f"{name}: learning was interrupted after {self.n_iter_} epochs", stacklevel=4)
        elif status == Status.ITERATIONS and (self.tol is not None or self.stop_error is not None):
            warnings.warn(
                f"{name}: still learning after max_iter = {self.max_iter}: give more, or tol=None and no stop_error "
                "to learn for just so long",
                ConvergenceWarning,
                stacklevel=4,
            )
        elif status >= Status.NON_FINITE and not self._at_minimum(history, status):
            warnings.warn(
                f"{name}: learning ended after {history.iterations[0]} updates: {status.meaning}",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _at_minimum(self, history: History, status: Status) -> bool:
        """Whether no lower error was found because there is none that rounding would show."""
        gradient = float(history.held("grad_norm")[-1, 0])
        return status in (Status.LINE_SEARCH, Status.REJECTED) and gradient**2 < float(np.finfo(self.precision).eps)

    # -- what was learned

    def _outputs_of(self, network: Sequential, w: np.ndarray, x: np.ndarray) -> np.ndarray:
        return network.predict(w, x, backend=self.backend, precision=self.precision)

    def _outputs(self, x: np.ndarray) -> np.ndarray:
        return self._outputs_of(self.network_, self.w_, x)

    def _arrays(self, kind: str) -> list[np.ndarray]:
        views = self.network_.params.views(np, self.w_)
        return [views[f"{k}.{kind}"] for k in range(len(self.network_.layers))]

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weights of each layer, (inputs, outputs): views of ``w_``."""
        return self._arrays("weight")

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Biases of each layer, (outputs,): views of ``w_``."""
        return self._arrays("bias")

    @property
    def n_layers_(self) -> int:
        """Layers, the inputs and outputs among them."""
        return len(self.network_.layers) + 1

    @property
    def n_outputs_(self) -> int:
        """Outputs of the network."""
        return self.network_.n_out

    @property
    def out_activation_(self) -> str:
        """Name of the activation of the outputs."""
        return self.network_.without_output()[1].name


def _losses(history: History, sizes: list[int]) -> list[float]:
    """Loss of each epoch: of all samples after its update, or the mean over its batches as they were seen."""
    rows = history.error[:, 0]
    rows = rows[np.isfinite(rows)]
    if len(sizes) == 1:
        return rows[1:].tolist()
    whole = len(rows) // len(sizes) * len(sizes)
    return np.average(rows[:whole].reshape(-1, len(sizes)), axis=1, weights=sizes).tolist()
