"""How much a population does at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from neurosim.analysis.inputs import array, bins, times
from neurosim.errors import UsageError

__all__ = ["chi", "synchrony"]


def synchrony(t: ArrayLike, *, stop: float, start: float = 0.0, bin: float = 3.0) -> float:
    """Variance over mean of the spike counts of a population in bins of time.

    1 for independent Poisson neurons; n for n neurons that always fire together. It grows with the number of neurons,
    so compare populations by samples of one size.

    Parameters
    ----------
    t : array_like, shape (spikes,)
        Times of the spikes of all neurons, ms.
    stop, start : float
        Window in ms; a last bin that is not complete is left out.
    bin : float
        Width of a bin, ms.

    Returns
    -------
    float
        NaN without a spike.

    Raises
    ------
    UsageError
        When times are not flat and finite, or no bin fits into the window.

    Notes
    -----
    Potjans and Diesmann (2014), Cereb Cortex 24:785, with bins of 3 ms.
    """
    counts = bins("synchrony", bin, start, stop).histogram(times("synchrony", t))
    return float(counts.var() / counts.mean()) if counts.any() else float("nan")


def chi(v: ArrayLike) -> float:
    """Golomb's measure of synchrony from membrane potentials: 1 where all move as one, about 1/√n where none do.

    χ² is the variance over time of the mean over neurons, divided by the mean over neurons of their variances.

    Parameters
    ----------
    v : array_like, shape (samples, neurons)
        A trace of each neuron, as in ``result.traces["population"]["v"]``.

    Returns
    -------
    float
        Between 0 and 1; NaN where nothing changes.

    Raises
    ------
    UsageError
        When ``v`` is not (samples, neurons) with at least 2 samples and 1 neuron, or not finite.

    Notes
    -----
    Golomb and Rinzel (1994), Physica D 72:259.
    """
    values = array("chi", "v", v)
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 1 or values.dtype.kind not in "fiu":
        raise UsageError(f"chi: v has shape {values.shape}: write (samples, neurons), result.traces['population']['v']")
    values = values.astype(np.float64, copy=False)
    own = float(values.var(axis=0).mean())
    if not np.isfinite(own):
        raise UsageError("chi: v holds values that are not finite")
    return float(np.sqrt(values.mean(axis=1).var() / own)) if own else float("nan")
