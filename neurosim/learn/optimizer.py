"""The optimizer: a frozen record of hyper-parameters and two pure functions, init and step.

Shapes: weights, gradients and directions are (E, P), what each of E networks has one of is a column (E, 1); see
:mod:`neurosim.learn.members`. A hyper-parameter is a float or, inside :meth:`Optimizer.step`, a column.

**Where the error is looked at.** ``init`` evaluates the objective at the first weights. ``step`` moves by what the
state knows, and evaluates at the new weights; so the state always holds error and gradient of the weights that it
comes with, a step costs one evaluation where the method needs one, and nothing is computed twice. In stochastic
learning the objective handed to ``step`` is that of the *next* batch: it is the one to be evaluated at the new weights.

**Rejection and failure.** A step that is rejected returns the weights, error and gradient from before, for each network
by ``xp.where``. One that cannot go on reports a :class:`~neurosim.learn.status.Status` for that network and returns
weights that are good; the loop takes the network out. What is not finite the loop itself finds and undoes.

A new optimizer is one file in ``learn/optimizers/`` with ``@register``; from it follow its name in ``optimizer=``, and
the tests.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple, TypeVar

from neurosim.learn.objective import Objective
from neurosim.parameters import Parameters
from neurosim.registers import enter

__all__ = ["OPTIMIZERS", "Evaluated", "FirstOrder", "Info", "Optimizer", "register"]

Array = Any


class Info(NamedTuple):
    """What a step has to say.

    Attributes
    ----------
    rate : float or array (E, 1)
        Learning rate, length along the direction, damping: what the method has of that kind, for the history.
    evaluations : int or array (E, 1)
        Evaluations of the error, with or without derivatives.
    status : int or array (E, 1)
        0, or the Status with which the network stops.
    """

    rate: Any
    evaluations: Any = 1
    status: Any = 0


class Optimizer(Parameters):
    """Base of optimizers.

    Attributes
    ----------
    name : str
        As in ``optimizer=``.
    full_batch : bool
        Whether all samples must be seen in each step: the error is compared between steps, or curvature is gathered.
    needs_residuals : bool
        Whether the error must be a sum of squares.
    extensions : tuple of str
        Extensions of the Array API that it uses: ``("linalg",)``.
    example : dict
        Parameters with which tests run it, where the defaults are too slow.
    """

    abstract: ClassVar[bool] = True
    one_per: ClassVar[str] = "network"
    name: ClassVar[str]
    full_batch: ClassVar[bool] = False
    needs_residuals: ClassVar[bool] = False
    extensions: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[dict[str, Any]] = {}

    @abstractmethod
    def init(self, xp: Any, objective: Objective, w: Array) -> Any:
        """State at the first weights: a NamedTuple of arrays with leading axis E (or of such tuples, or numbers).

        Its fields ``value``, (E, 1), and ``grad``, (E, P), hold error and gradient at ``w``.
        """

    @abstractmethod
    def step(self, xp: Any, objective: Objective, w: Array, state: Any) -> tuple[Array, Any, Info]:
        """New weights, the state that comes with them, and what to record.

        Parameters
        ----------
        xp : namespace
            Of the arrays.
        objective : Objective
            To be evaluated at the new weights.
        w : array, shape (E, P)
            Weights.
        state : NamedTuple
            That comes with ``w``.
        """


class Evaluated(NamedTuple):
    """State of a :class:`FirstOrder` optimizer."""

    value: Array  # (E, 1), error at the weights
    grad: Array  # (E, P), gradient there
    memory: Any  # the optimizer's own NamedTuple


class FirstOrder(Optimizer):
    """Base of optimizers that move by a formula of the gradient: one evaluation a step.

    :meth:`update` is elementwise and uses the functions of :data:`neurosim.backends.tracing.FUNCTIONS` only, so it can
    be traced into a fused kernel; a test does so for every one of them.
    """

    abstract: ClassVar[bool] = True

    @abstractmethod
    def start(self, xp: Any, w: Array, value: Array) -> Any:
        """Memory before the first update: a NamedTuple of arrays of the shape of ``w`` or ``value``."""

    @abstractmethod
    def update(self, xp: Any, w: Array, value: Array, grad: Array, memory: Any) -> tuple[Array, Any]:
        """New weights and memory, of the error and its gradient at ``w``."""

    @abstractmethod
    def rate(self, memory: Any) -> Any:
        """Learning rate of the last update, a float or a column."""

    def init(self, xp: Any, objective: Objective, w: Array) -> Evaluated:
        value, grad = objective.value_and_grad(w)
        return Evaluated(value, grad, self.start(xp, w, value))

    def step(self, xp: Any, objective: Objective, w: Array, state: Any) -> tuple[Array, Evaluated, Info]:
        w, memory = self.update(xp, w, state.value, state.grad, state.memory)
        value, grad = objective.value_and_grad(w)
        return w, Evaluated(value, grad, memory), Info(self.rate(memory))


OPTIMIZERS: dict[str, type[Optimizer]] = {}
Kind = TypeVar("Kind", bound=type[Optimizer])


def register(cls: Kind) -> Kind:
    """Enter an optimizer into the register that tests and docs walk."""
    enter(OPTIMIZERS, "optimizer", cls.name, cls)
    return cls
