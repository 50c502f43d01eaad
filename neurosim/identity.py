"""What a network is, as short texts by name: by these a checkpoint knows its network again.

Arrays stand as digests of their bytes. Code is not looked at: a model is its name, its state and its parameters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurosim.connect.base import Connector
from neurosim.network import Network
from neurosim.parameters import Parameters, own_fields
from neurosim.projection import names

Identity = dict[str, dict[str, str]]  # declaration → name of a part of it → text

_NOTHING = "not there"


def identity(net: Network) -> Identity:
    """Of the network and each of its populations and projections, whatever the bits of a run depend on."""
    projections = names(net.projections)
    found: Identity = {
        "the network": {"populations": str([p.name for p in net.populations]), "projections": str(projections)}
    }
    for p in net.populations:
        parts: dict[str, Any] = {"n": int(p.n), "model": p.model, "t_ref": float(p.t_ref)}
        parts |= {f"stimuli[{k}]": stimulus for k, stimulus in enumerate(p.stimuli)}
        parts |= {f"init[{name!r}]": value for name, value in p.init.items()}
        parts |= {"receptors": str(list(p.receptors)), **{f"receptors[{r!r}]": x for r, x in p.receptors.items()}}
        found[f"population {p.name!r}"] = _texts(parts)
    for q, name in zip(net.projections, projections, strict=True):
        # Not whether they are stored, on which no bit depends.
        wanted = ("source", "target", "receptor", "connect", "weight", "delay", "plasticity")
        found[f"projection {name!r}"] = _texts({what: getattr(q, what) for what in wanted})
    return found


def difference(saved: Identity, given: Identity) -> str | None:
    """The first that is not the same, as a text, or None."""
    for where, parts in given.items():
        before = saved.get(where, {})
        for name in (*parts, *before):
            now, then = parts.get(name, _NOTHING), before.get(name, _NOTHING)
            if now != then:
                return f"{name} of {where} is {now}, in the checkpoint {then}"
    return None


def _texts(parts: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parts.items():
        found[name] = _text(value)
        if isinstance(value, Parameters):
            if hasattr(value, "State"):
                found[f"{name}.State"] = str(list(value.State._fields))
            fields = value.identity() if isinstance(value, Connector) else own_fields(value)
            found |= {f"{name}.{part}": text for part, text in _texts(fields).items()}
    return found


def _text(value: Any) -> str:
    """The same for equal values, in this and any other process."""
    if isinstance(value, Parameters):
        return type(value).__qualname__
    if isinstance(value, np.ndarray | np.generic) and value.ndim == 0:
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return f"<{value.size} values, sha256 {_digest(value)}>"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_text(x)}" for key, x in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    # A function, or whatever a class of the user's may hold: its memory says nothing in another process.
    return f"<{getattr(value, '__qualname__', type(value).__qualname__)}>"


def _digest(array: np.ndarray) -> str:
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
