"""Rules that change synapses when spikes come: declarations of their parameters.

A spike of the source acts when it arrives at the synapse, its delay after it was emitted; a spike of the target acts at
once on all synapses onto the neuron. In a step arrivals come first. A spike arrives with the weight from before its own
change. At equal delays this is what brian2 does for ::

    on_pre = "g_post += w; w = clip(w − …, w_min, w_max)"
    on_post = "w = clip(w + …, w_min, w_max)"

The formulas are in :mod:`neurosim.backends.plasticity_rules`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, TypeVar

import numpy as np

from neurosim.backends import plasticity_rules as rules
from neurosim.backends.plasticity_rules import Rule, decay_tables
from neurosim.distributions import Distribution
from neurosim.errors import UsageError, nearest
from neurosim.parameters import Parameters, param, parameters
from neurosim.registers import enter

__all__ = ["PLASTICITY", "STDP", "Plasticity", "TripletSTDP", "TsodyksMarkram", "register"]

_PAIRINGS = ("all_to_all", "nearest")
_DEPENDENCES = ("additive", "multiplicative")


class Plasticity(Parameters):
    """Base of rules of plasticity; all synapses of a projection share its parameters.

    Attributes
    ----------
    learns : bool
        Whether weights change.
    """

    abstract: ClassVar[bool] = True
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in self.values().items():
            if np.ndim(value):
                raise UsageError(f"{type(self).__name__}.{name} has shape {np.shape(value)}: give one float for all")

    @abstractmethod
    def rule(self, where: str, dt: float) -> Rule:
        """Its numbers and tables at a step of ``dt`` ms; ``where`` begins messages."""

    def check(self, where: str, weight: Any, sign: int) -> None:
        """Refuse weights that the rule cannot begin with, and a receptor whose weights have a sign."""


PLASTICITY: dict[str, type[Plasticity]] = {}
P = TypeVar("P", bound=type[Plasticity])


def register(cls: P) -> P:
    """Enter a rule into the register that tests and docs walk."""
    enter(PLASTICITY, "plasticity", cls.__name__, cls)
    return cls


@register
class STDP(Plasticity):
    """Spike-timing-dependent plasticity of pairs of spikes.

    The source has a trace x that decays with ``tau_plus`` and the target y with ``tau_minus``; a spike adds 1 to its
    own, or sets it to 1 where only the nearest spikes pair. With the span W = w_max − w_min, or multiplicatively the
    way that is left, W = w_max − w upwards and W = w − w_min downwards::

        at an arrival           w ← w − a_minus · y · W,   then x is raised
        at a spike of the target  w ← w + a_plus · x · W,    then y is raised

    and w is kept within [w_min, w_max].

    Sources: Song, Miller and Abbott (2000), https://doi.org/10.1038/78829 (additive); van Rossum, Bi and Turrigiano
    (2000), https://doi.org/10.1523/JNEUROSCI.20-23-08812.2000 and Rubin, Lee and Sompolinsky (2001),
    https://doi.org/10.1103/PhysRevLett.86.364 (multiplicative); Morrison, Diesmann and Gerstner (2008),
    https://doi.org/10.1007/s00422-008-0233-1 (pairings: "nearest" is their symmetric scheme).

    Parameters
    ----------
    dependence : {"additive", "multiplicative"}
        Of the changes on the weight.
    pairing : {"all_to_all", "nearest"}
        Whether a spike pairs with all spikes before it or with the last.
    """

    tau_plus: float = param(unit="ms", doc="decay of the source's trace: how long before counts", above=0.0)
    tau_minus: float = param(unit="ms", doc="decay of the target's trace: how long after counts", above=0.0)
    a_plus: float = param(doc="potentiation, as a part of w_max − w_min")
    a_minus: float = param(doc="depression, as a part of w_max − w_min")
    w_max: float = param(unit="receptor's", doc="largest weight")
    w_min: float = param(0.0, "receptor's", "least weight")
    dependence: str = "additive"
    pairing: str = "all_to_all"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_options(self)

    def rule(self, where: str, dt: float) -> Rule:
        amplitudes = (self.a_plus, 0.0, self.a_minus, 0.0)
        return _pairing_rule(where, self, amplitudes, (self.tau_plus, 0.0, self.tau_minus, 0.0), dt, self.dependence)

    def check(self, where: str, weight: Any, sign: int) -> None:
        _check_weights(where, self, weight, sign)


@register
class TripletSTDP(Plasticity):
    """Spike-timing-dependent plasticity of pairs and triplets of spikes.

    The source has the traces r1 (``tau_plus``) and r2 (``tau_x``), the target o1 (``tau_minus``) and o2 (``tau_y``); a
    spike adds 1 to both of its own, or sets them to 1 where only the nearest spikes count. With W = w_max − w_min::

        at an arrival           w ← w − o1 · (a2_minus + a3_minus · r2) · W,   then r1 and r2 are raised
        at a spike of the target  w ← w + r1 · (a2_plus + a3_plus · o2) · W,     then o1 and o2 are raised

    and w is kept within [w_min, w_max]. r2 and o2 are those from before the spike.

    Source: Pfister and Gerstner (2006), https://doi.org/10.1523/JNEUROSCI.1425-06.2006, whose A2⁺, A3⁺, A2⁻, A3⁻ are
    the amplitudes here; it lists values fitted to visual cortex and to hippocampus.

    Parameters
    ----------
    pairing : {"all_to_all", "nearest"}
        Their two schemes of interaction.
    """

    tau_plus: float = param(unit="ms", doc="decay of r1", above=0.0)
    tau_x: float = param(unit="ms", doc="decay of r2", above=0.0)
    tau_minus: float = param(unit="ms", doc="decay of o1", above=0.0)
    tau_y: float = param(unit="ms", doc="decay of o2", above=0.0)
    a2_plus: float = param(doc="potentiation by pairs, as a part of w_max − w_min")
    a3_plus: float = param(doc="potentiation by post-pre-post triplets")
    a2_minus: float = param(doc="depression by pairs")
    a3_minus: float = param(doc="depression by pre-post-pre triplets")
    w_max: float = param(unit="receptor's", doc="largest weight")
    w_min: float = param(0.0, "receptor's", "least weight")
    pairing: str = "all_to_all"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_options(self)

    def rule(self, where: str, dt: float) -> Rule:
        amplitudes = (self.a2_plus, self.a3_plus, self.a2_minus, self.a3_minus)
        return _pairing_rule(where, self, amplitudes, (self.tau_plus, self.tau_x, self.tau_minus, self.tau_y), dt)

    def check(self, where: str, weight: Any, sign: int) -> None:
        _check_weights(where, self, weight, sign)


@register
class TsodyksMarkram(Plasticity):
    """Short-term depression and facilitation: a spike arrives with the part u·x of its weight.

    Between the spikes of a source its resources x recover to 1 with ``tau_rec`` and its utilisation u decays to 0 with
    ``tau_facil``. At a spike::

        u ← u + U · (1 − u),   the weight is multiplied by u · x,   x ← x − u · x

    so that u = U where ``tau_facil`` is 0, and the first spike arrives with U of its weight. The weights stay. For
    brian2 that is ``on_pre = "u += U*(1 - u); g_post += w*u*x; x -= u*x"``.

    Source: Tsodyks, Pawelzik and Markram (1998), https://doi.org/10.1162/089976698300017502.
    """

    learns = False

    U: float = param(doc="part of the resources that a spike releases, without facilitation", above=0.0)
    tau_rec: float = param(unit="ms", doc="recovery of resources", at_least=0.0)
    tau_facil: float = param(0.0, "ms", "decay of facilitation; 0: none", at_least=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.U > 1.0:
            raise UsageError(
                f"TsodyksMarkram.U = {self.U:g}: a spike cannot release more than there is, write at most 1"
            )

    def rule(self, where: str, dt: float) -> Rule:
        numbers = np.zeros(rules.N_NUMBERS)
        numbers[rules.USE] = self.U
        return Rule(False, False, numbers, *_tables(where, self, (self.tau_rec, self.tau_facil, 0.0, 0.0), dt))


def _check_options(rule: Any) -> None:
    name = type(rule).__name__
    for option, known in (("dependence", _DEPENDENCES), ("pairing", _PAIRINGS)):
        value = getattr(rule, option, known[0])
        if value not in known:
            raise UsageError(f"{name}.{option} = {value!r}: {nearest(str(value), known)}")
    if not rule.w_max > rule.w_min:
        raise UsageError(f"{name}: w_max = {rule.w_max:g} is not above w_min = {rule.w_min:g}: exchange them")


def _pairing_rule(
    where: str,
    rule: Any,
    amplitudes: tuple[float, ...],
    taus: tuple[float, ...],
    dt: float,
    dependence: str = "additive",
) -> Rule:
    numbers = np.zeros(rules.N_NUMBERS)
    numbers[[rules.A2_PLUS, rules.A3_PLUS, rules.A2_MINUS, rules.A3_MINUS]] = amplitudes
    numbers[[rules.W_MIN, rules.W_MAX]] = rule.w_min, rule.w_max
    soft = dependence == "multiplicative"
    numbers[[rules.SOFT, rules.HARD, rules.KEEP]] = soft, not soft, rule.pairing == "all_to_all"
    return Rule(True, bool(amplitudes[1] or amplitudes[3]), numbers, *_tables(where, rule, taus, dt))


def _tables(where: str, rule: Plasticity, taus: tuple[float, ...], dt: float) -> tuple[np.ndarray, np.ndarray]:
    if max(taus) > rules.MOST_STEPS * dt:
        slow = next(n for n in parameters(type(rule)) if n.startswith("tau") and getattr(rule, n) == max(taus))
        raise UsageError(
            f"{where}: {type(rule).__name__}.{slow} = {max(taus):g} ms is above {rules.MOST_STEPS} steps of {dt:g} ms: "
            "write a smaller one"
        )
    return decay_tables(taus, dt)


def _check_weights(where: str, rule: Any, weight: Any, sign: int) -> None:
    """Refuse weights outside the bounds, which the first spike would change by as much as it takes."""
    name = type(rule).__name__
    if sign > 0 and rule.w_min < 0:
        raise UsageError(
            f"{where}: {name}.w_min = {rule.w_min:g}, but the receptor takes weights of at least 0: write 0"
        )
    bounds = f"{name} keeps weights within [{rule.w_min:g}, {rule.w_max:g}]"
    if isinstance(weight, Distribution):
        low, high = weight.bounds()
        if low < rule.w_min or high > rule.w_max:
            remedy = f"write low={rule.w_min:g}, high={rule.w_max:g}"
            raise UsageError(f"{where}: weight = {weight!r} can be outside, {bounds}: {remedy}")
        return
    values = np.atleast_1d(np.asarray(weight))
    outside = np.flatnonzero((values < rule.w_min) | (values > rule.w_max))
    if outside.size:
        place = f"[{outside[0]}]" if np.ndim(weight) else ""
        raise UsageError(f"{where}: weight{place} = {values[outside[0]]:g}: {bounds}: write one of these")
