"""What the docstrings of the multilayer perceptrons share: their parameters and attributes."""

from __future__ import annotations

import inspect
from typing import TypeVar

__all__ = ["documented"]

Kind = TypeVar("Kind", bound=type)


def documented(cls: Kind) -> Kind:
    """Put the parameters and attributes that all have in place of two marks of a class's docstring."""
    text = inspect.cleandoc(cls.__doc__ or "")
    cls.__doc__ = text.replace("{parameters}", PARAMETERS).replace("{attributes}", ATTRIBUTES)
    return cls


PARAMETERS = """hidden_layer_sizes : int or sequence of int
    Units of each hidden layer; ``()`` for none.
activation : str, Activation or a sequence of them
    Of the hidden layers: one for all, or one for each.
optimizer : str or Optimizer
    How it learns: ``"adam"``, ``"lbfgs"``, ``Adam(0.01)``, any of :func:`neurosim.learn.all_optimizers`.
loss : str or Loss
    Of the outputs.
alpha : float
    ½ · alpha / (samples of a batch) · Σ weight² is added to the loss; biases are left alone.
batch_size : "auto", int, str or Strategy
    Samples of a step. ``"auto"``: at most 200, or all for an optimizer that must see all.
max_iter : int
    Most passes through the samples.
tol : float or None
    Learning stops when the loss, or with ``early_stopping`` the score, has not become better by so much for more than
    ``n_iter_no_change`` passes. None: it goes on to ``max_iter``.
n_iter_no_change : int
    See ``tol``.
stop_error : float, optional
    Learning stops when the loss is below.
early_stopping : bool
    Whether some samples are held back and the weights with the best score on them are kept.
validation_fraction : float
    Share of the samples that are held back.
warm_start : bool
    Whether ``fit`` goes on from the weights of the fit before.
random_state : int, RandomState or None
    Of first weights, of the order of samples, and of those held back. A whole number is the seed of
    :func:`neurosim.learn.fit`.
weight_init, bias_init : str or Initialiser
    First values.
backend, precision, fuse : str
    As in :func:`neurosim.learn.fit`.
verbose : bool
    Whether progress is shown."""

ATTRIBUTES = """coefs_, intercepts_ : list of ndarray
    Weights (inputs, outputs) and biases (outputs,) of each layer: views of ``w_``.
w_ : ndarray, shape (P,)
    All of them in one vector, as ``History.w``.
network_ : Sequential
    What learned.
history_ : History
    How, update by update.
loss_curve_ : list of float
    Loss of each pass: of all samples after its update, or the mean over its batches as they were seen.
loss_ : float
    The last of them.
n_iter_ : int
    Passes through the samples.
n_features_in_ : int
    Inputs.
feature_names_in_ : ndarray of str
    Names of the inputs, where they have some.
n_layers_, n_outputs_, out_activation_ : int, int, str
    Layers with inputs and outputs, outputs, and their activation.
validation_scores_, best_validation_score_ : list of float, float
    On samples held back, with ``early_stopping``."""
