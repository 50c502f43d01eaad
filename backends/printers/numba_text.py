"""Lines of generated source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def fetched(i: int, address: str, row: int, dtype: str) -> list[str]:
    """An input, read where it is; of a block that is not full a copy, with its last lane in the padding."""
    return [
        f"at = {address}",
        "if m < padded:",
        f"    a = carray(pointer(at), m, np.{dtype})",
        "    for j in range(m):",
        f"        w[j + {row} * B] = a[j]",
        "    for j in range(m, padded):",
        f"        w[j + {row} * B] = a[m - 1]",
        f"    at = w.ctypes.data + {row} * B * {np.dtype(dtype).itemsize}",
        f"arrivals_{i} = carray(pointer(at), padded, np.{dtype})",
    ]


def nest(lines: Sequence[str]) -> list[str]:
    """Lines one level further in."""
    return ["    " + line for line in lines]


def indent(lines: Sequence[str], spaces: int) -> str:
    """Lines as text, so many spaces further in; ``pass`` where there is none."""
    return "\n".join(" " * spaces + line for line in lines) or " " * spaces + "pass"
