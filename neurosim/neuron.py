"""A model and its receptors as one model: what the integrators see."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, get_type_hints

from neurosim.errors import UsageError
from neurosim.model import NeuronModel, checked_state
from neurosim.parameters import unchecked
from neurosim.receptors import Receptor


def compose(model: NeuronModel, receptors: Mapping[str, Receptor]) -> Any:
    """A model whose state is the model's and that of its receptors, whose currents are added to ``i_syn``.

    State variables and parameters of receptor ``excitatory`` are ``excitatory_g``, ``excitatory_tau`` and so on.
    """
    if not receptors:
        return model
    cls = _composite(type(model), tuple((name, type(receptor)) for name, receptor in receptors.items()))
    values = {f.name: getattr(model, f.name) for f in dataclasses.fields(model)}
    for name, receptor in receptors.items():
        values |= {f"{name}_{f.name}": getattr(receptor, f.name) for f in dataclasses.fields(receptor)}
    return cls(**values)


class _Part(NamedTuple):
    name: str
    cls: type[Receptor]
    fields: tuple[str, ...]
    state: slice


@lru_cache(maxsize=256)
def _composite(model: type[NeuronModel], receptors: tuple[tuple[str, type[Receptor]], ...]) -> type[NeuronModel]:
    """The class, the same for the same classes: a kernel is compiled once for all populations of its kind."""
    hints = dict(get_type_hints(model.State, include_extras=True))
    fields = {f.name: f for f in dataclasses.fields(model)}
    parts: list[_Part] = []
    for name, cls in receptors:
        of_state = get_type_hints(cls.State, include_extras=True)
        begin = len(hints)
        for variable, hint in of_state.items():
            _add(hints, f"{name}_{variable}", hint, model)
        for field in dataclasses.fields(cls):
            _add(fields, f"{name}_{field.name}", field, model)
        names = tuple(field.name for field in dataclasses.fields(cls))
        parts.append(_Part(name, cls, names, slice(begin, len(hints))))
    own = len(model.State._fields)
    place_of_v = model.State._fields.index("v")
    names_of_model = tuple(field.name for field in dataclasses.fields(model))
    state = NamedTuple("State", list(hints.items()))  # type: ignore[misc]

    def inner(self: Any) -> Any:
        return unchecked(model, {name: getattr(self, name) for name in names_of_model})

    def bound(self: Any, part: _Part) -> Any:
        return unchecked(part.cls, {name: getattr(self, f"{part.name}_{name}") for name in part.fields})

    def of_model(s: Any) -> Any:
        return model.State(*s[:own])

    def init(self: Any, xp: Any) -> Any:
        return state(*checked_state(inner(self), "init", inner(self).init(xp)), *[0.0] * (len(hints) - own))

    def derivatives(self: Any, xp: Any, s: Any, i_syn: Any) -> Any:
        neuron, slopes = of_model(s), []
        for part in parts:
            receptor, r = bound(self, part), part.cls.State(*s[part.state])
            current = receptor.current(xp, r, getattr(neuron, "v", None))
            i_syn = i_syn if current is None else i_syn + current
            slopes += checked_state(receptor, "derivatives", receptor.derivatives(xp, r))
        return state(*checked_state(inner(self), "derivatives", inner(self).derivatives(xp, neuron, i_syn)), *slopes)

    def arrive(self: Any, xp: Any, s: Any, weights: Mapping[str, Any]) -> Any:
        """State after the summed weights have arrived, by receptor."""
        values, v = list(s), s.v
        for part in parts:
            if part.name in weights:
                receptor, r = bound(self, part), part.cls.State(*s[part.state])
                r, v = receptor.arrive(xp, r, v, weights[part.name])
                values[part.state] = checked_state(receptor, "arrive", r)
        values[place_of_v] = v
        return state(*values)

    def threshold(self: Any, xp: Any, s: Any) -> Any:
        return inner(self).threshold(xp, of_model(s))

    def hazard(self: Any, xp: Any, s: Any, i_syn: Any) -> Any:
        return inner(self).hazard(xp, of_model(s), i_syn)

    def reset(self: Any, xp: Any, s: Any) -> Any:
        return state(*checked_state(inner(self), "reset", inner(self).reset(xp, of_model(s))), *s[own:])

    def max_dt(self: Any) -> float:
        return min(inner(self).max_dt(), *(bound(self, part).max_dt() for part in parts))

    body: dict[str, Any] = {
        "__doc__": f"{model.__name__} with receptors {', '.join(part.name for part in parts)}.",
        "__module__": model.__module__,
        "__annotations__": {name: field.type for name, field in fields.items()},
        **{name: _copy(field) for name, field in fields.items()},
        "State": state,
        "current_unit": model.current_unit,
        "held_while_refractory": model.held_while_refractory,
        "init": init,
        "derivatives": derivatives,
        "arrive": arrive,
        "threshold": threshold,
        "max_dt": max_dt,
    }
    if model.stochastic():
        body["hazard"] = hazard
    if model.resets():
        body["reset"] = reset
    return type(model.__name__, (NeuronModel,), body)


def _add(into: dict[str, Any], name: str, value: Any, model: type[NeuronModel]) -> None:
    if name in into:
        raise UsageError(
            f"receptors of {model.__name__}: two things would be named {name!r}: give the receptor another name"
        )
    into[name] = value


def _copy(field: dataclasses.Field[Any]) -> Any:
    """A field like another; the values are checked already, by the records they come from."""
    return dataclasses.field(metadata=field.metadata, kw_only=True)
