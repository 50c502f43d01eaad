"""The neuron model: a frozen record of parameters and pure, elementwise formulas.

A formula takes the namespace ``xp`` first and writes into nothing. It runs op by op on any array library, and is
traced into one kernel; so it uses the functions of :data:`neurosim.backends.tracing.FUNCTIONS`, products for
powers and ``xp.where`` for branches.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, get_type_hints

from neurosim.errors import UsageError
from neurosim.parameters import Floats, Parameters, param
from neurosim.registers import enter

__all__ = [
    "MODELS",
    "Entry",
    "Floats",
    "NeuronModel",
    "Reference",
    "checked_state",
    "param",
    "register",
    "state_units",
]

Array = Any  # of whatever library runs the formula
Bool = Any  # the same, of truth values


class NeuronModel(Parameters):
    """Base of neuron models.

    A model that has a :meth:`reset` spikes in every step in which its threshold holds; a model without one spikes
    where the threshold begins to hold (an upward crossing). A stochastic model gives a :meth:`hazard` instead of a
    threshold.

    Attributes
    ----------
    current_unit : str
        Of the input current ``i_syn``.
    held_while_refractory : tuple of str
        State variables that stay as they are during the refractory period of a population; in a model without a
        reset none do, and only the threshold is off.
    """

    abstract: ClassVar[bool] = True
    current_unit: ClassVar[str] = "nA"
    held_while_refractory: ClassVar[tuple[str, ...]] = ("v",)

    if TYPE_CHECKING:
        State: ClassVar[Any]
    else:

        class State(NamedTuple):
            """State variables; each model has its own, annotated with their units."""

    @abstractmethod
    def init(self, xp: Any) -> Any:
        """State at rest: a float, or an array made of the parameters, for each variable."""

    @abstractmethod
    def derivatives(self, xp: Any, s: Any, i_syn: Array) -> Any:
        """Rate of change of each state variable per ms; ``s`` holds arrays of shape (n,)."""

    def threshold(self, xp: Any, s: Any) -> Bool:
        """Where the neuron spikes, shape (n,)."""
        raise UsageError(
            f"{type(self).__name__} has neither threshold(xp, s) nor hazard(xp, s, i_syn): write one of them"
        )

    def hazard(self, xp: Any, s: Any, i_syn: Array) -> Array:
        """Spikes per ms that a stochastic model emits, shape (n,); a step spikes with probability hazard · dt."""
        raise UsageError(f"{type(self).__name__} has no hazard")

    def reset(self, xp: Any, s: Any) -> Any:
        """State after a spike; used where the neuron spiked."""
        return s

    def max_dt(self) -> float:
        """The largest step in ms at which the model is stable and meaningful."""
        return float("inf")

    @classmethod
    def stochastic(cls) -> bool:
        """Whether the model spikes by chance."""
        return cls.hazard is not NeuronModel.hazard

    @classmethod
    def resets(cls) -> bool:
        """Whether the model has a reset."""
        return cls.reset is not NeuronModel.reset


@dataclass(frozen=True)
class Reference:
    """The model in brian2's notation, typed by hand from its source, so that it judges the formulas above.

    Every quantity is a number in neurosim's units; ``i_syn`` is the input current. Parameters appear by their names.

    Attributes
    ----------
    equations, threshold, reset, refractory : str
        As brian2 takes them.
    method : str
        Integrator by its name in neurosim and brian2: ``"euler"``, ``"exponential_euler"``, ``"rk4"``, ….
    drive : float
        Constant current at which the models are compared.
    dt : float
        Step of the comparison in ms.
    tolerance : float
        Largest difference of any state variable over 200 ms, in its unit.
    """

    equations: str
    threshold: str
    reset: str = ""
    refractory: str = "False"
    method: str = "exponential_euler"
    drive: float = 10.0
    dt: float = 0.01
    tolerance: float = 1e-6


@dataclass(frozen=True)
class Entry:
    """A registered model."""

    cls: type[NeuronModel]
    reference: Reference
    doi: str
    example: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the class."""
        return self.cls.__name__

    @property
    def summary(self) -> str:
        """First line of the class's docstring."""
        return (self.cls.__doc__ or "").strip().splitlines()[0].rstrip(".")


MODELS: dict[str, Entry] = {}
Model = TypeVar("Model", bound=type[NeuronModel])


def register(*, reference: Reference, doi: str = "") -> Callable[[Model], Model]:
    """Enter a model into the register that tests, docs and the command line walk.

    Parameters
    ----------
    reference : Reference
        The equations that brian2 judges it by.
    doi : str
        Of the paper it comes from.
    """

    def entered(cls: Model) -> Model:
        enter(MODELS, "model", cls.__name__, Entry(cls, reference, doi))
        return cls

    return entered


def checked_state(record: Any, method: str, value: Any) -> Any:
    """``value``, which a method of a model or stimulus returned, if it is a State.

    Raises
    ------
    UsageError
        When it is something else.
    """
    cls = type(record)
    if not isinstance(value, cls.State):
        fields = ", ".join(f"{name}=…" for name in cls.State._fields)
        raise UsageError(f"{cls.__name__}.{method} returned {type(value).__name__}: return self.State({fields})")
    return value


def state_units(cls: type[NeuronModel]) -> dict[str, str]:
    """Unit of each state variable, from the annotations of ``State``."""
    hints = get_type_hints(cls.State, include_extras=True)
    return {name: getattr(hints[name], "__metadata__", ("1",))[0] for name in cls.State._fields}
