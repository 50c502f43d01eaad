"""Parity: whether the number of ones is odd."""

from __future__ import annotations

import numpy as np

from neurosim.learn.data.data_set import DataSet, check_whole, register


@register
def parity(bits: int = 3) -> DataSet:
    """All rows of so many bits, class 1 where the number of ones is odd; XOR of many inputs.

    Changing any one input changes the class. Rumelhart, Hinton and Williams (1986), who need as many hidden units as
    inputs. Nothing is random.

    Parameters
    ----------
    bits : int
        Inputs, from 1 to 20.

    Returns
    -------
    DataSet
        x of shape (2**bits, bits), 0 and 1, in the order of the binary numbers.

    Raises
    ------
    UsageError
        When ``bits`` cannot be.
    """
    check_whole("parity", "bits", bits, 1, 20)
    ones = (np.arange(2**bits)[:, None] >> np.arange(bits - 1, -1, -1)) & 1
    return DataSet("parity", ones.astype(np.float64), ones.sum(axis=1) % 2, 2)
