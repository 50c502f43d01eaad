"""What an integrator is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurosim.model import NeuronModel, checked_state


def slopes(xp: Any, model: NeuronModel, s: Any, i_syn: Any) -> Any:
    """The model's derivatives, a State."""
    return checked_state(model, "derivatives", model.derivatives(xp, s, i_syn))


class Integrator(ABC):
    """Advances the state of a model by one step, during which its input current is held.

    Attributes
    ----------
    name : str
        As in ``method=``.
    order : int
        The global error falls with dt to this power; 0: there is none.
    """

    name: str
    order: int

    def prepare(self, model: NeuronModel, dt: float) -> Mapping[str, np.ndarray | float]:
        """Values that depend on parameters and dt alone, by name, computed once on the host."""
        return {}

    @abstractmethod
    def advance(self, xp: Any, model: NeuronModel, s: Any, i_syn: Any, dt: Any, prepared: Mapping[str, Any]) -> Any:
        """State after ``dt``.

        Parameters
        ----------
        xp : namespace
            Array library, or the graph that traces.
        model : NeuronModel
            With arrays in place of its parameters.
        s : State
            Arrays of shape (n,).
        i_syn : array
            Current during the step.
        dt : array, 0-d
            Step in ms.
        prepared : mapping
            From :meth:`prepare`, as arrays.
        """
