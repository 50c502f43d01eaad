"""Which engine trains a network: compiled kernels where there are some, else the reference, op by op."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from neurosim.errors import SlowPathWarning, UsageError
from neurosim.learn.network_objective import NetworkObjective
from neurosim.learn.objective import Objective
from neurosim.learn.optimizer import FirstOrder, Optimizer

if TYPE_CHECKING:
    from neurosim.learn.compiled.first_order import CompiledTraining  # which imports Numba


class Engines(NamedTuple):
    """What was chosen.

    Attributes
    ----------
    objective : Objective
        To be asked by the loop.
    training : CompiledTraining or None
        That has the loop, too.
    engine : dict
        Of the error and its gradient (``"network"``) and of the optimizer: ``"numba"`` or ``"eager"``.
    reason : str or None
        Why not all of it is compiled.
    """

    objective: Objective
    training: CompiledTraining | None
    engine: dict[str, str]
    reason: str | None


def chosen(objective: Objective, optimizer: Optimizer, networks: int, fuse: Any) -> Engines:
    """The engines for an objective and an optimizer.

    Parameters
    ----------
    objective : Objective
        The reference; that of a network can be compiled, a function of the user's cannot.
    optimizer : Optimizer
        With its parameters as they were given.
    networks : int
        How many.
    fuse : {"auto", "require", "off"}
        As in :func:`neurosim.learn.fit`.

    Raises
    ------
    UsageError
        When kernels are required and something has none.
    """
    eager = {"network": "eager", "optimizer": "eager"}
    if fuse == "off":
        return Engines(objective, None, eager, "fuse='off'")
    backend = objective.backend
    if not isinstance(objective, NetworkObjective):
        reason: str | None = f"{type(objective).__name__} is no network's error, and is computed as it is given"
    elif backend.name != "numpy":
        reason = f"no kernels are generated for {backend.name} arrays"
    else:
        reason = backend.fusible()
    if reason is None and isinstance(objective, NetworkObjective):
        # Numba takes half a second to import: only where it is used.
        from neurosim.learn.compiled.first_order import CompiledTraining
        from neurosim.learn.compiled.kernels import NotCompiled
        from neurosim.learn.compiled.network import compiled_objective

        try:
            if isinstance(optimizer, FirstOrder):
                training = CompiledTraining(objective, optimizer)
                return Engines(objective, training, {"network": "numba", "optimizer": "numba"}, None)
            compiled = compiled_objective(objective, networks)
            why = f"{type(optimizer).__name__} moves op by op, by compiled errors and gradients"
            return Engines(compiled, None, {"network": "numba", "optimizer": "eager"}, why)
        except NotCompiled as error:
            reason = str(error)
    if fuse == "require":
        raise UsageError(f"fuse='require', but this cannot be compiled: {reason}")
    # Elsewhere, and for functions, op by op is how it is meant to run.
    if backend.name == "numpy" and isinstance(objective, NetworkObjective):
        message = f"the network learns op by op: {reason}; write fuse='off' to accept this"
        warnings.warn(SlowPathWarning(message), stacklevel=3)
    return Engines(objective, None, eager, reason)
