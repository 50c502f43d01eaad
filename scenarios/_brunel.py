"""Brunel's sparsely connected network (2000): parameters, networks of any size, and mean-field theory.

Every neuron of model A, excitatory or inhibitory, has C_E excitatory and C_I inhibitory synapses and hears C_E
excitatory neurons from elsewhere. To the theory its input is Gaussian white noise whose mean and variance follow the
rate ν of the network itself:

    µ = J·τ·C_E·(ν_ext + ν·(1 − γg)),   σ² = J²·τ·C_E·(ν_ext + ν·(1 + γg²)),   γ = C_I/C_E

The rate of one neuron under such noise closes the circle. A small oscillation of the rate comes back through the
synapses after the delay as an oscillation of µ and σ², and thus of the rate; where it comes back in phase and larger
than it went (a loop gain above one), the asynchronous state is unstable and the network oscillates.

Paper: https://doi.org/10.1023/A:1008925309027, J Comput Neurosci 8:183. How the rate answers oscillations is found by
threshold integration: Richardson, Phys Rev E 76:021919 (2007).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from neurosim import Network, PoissonInput, Population, Projection, connect
from neurosim.models import LIF
from neurosim.receptors import Delta, Receptor

N_E, C_E, GAMMA = 10_000, 1_000, 0.25  # excitatory neurons, synapses from them; inhibition / excitation in numbers
J, TAU, THETA, V_RESET, T_REF, DELAY = 0.1, 20.0, 20.0, 10.0, 2.0, 1.5  # mV, ms, mV, mV, ms, ms
NU_THR = THETA / (J * C_E * TAU)  # spikes/ms: external rate whose mean input just reaches the threshold
SILENT = 1e-5  # spikes/ms

Point = tuple[float, float]  # g, ν_ext/ν_thr


def network(points: Sequence[Point], n_e: int = N_E, *, dt: float = 0.1, seed: int = 0) -> Network:
    """A copy of the network for each point; populations E0, I0, E1, … do not reach other copies.

    Smaller copies keep the synapses of a neuron, on which the theory rests, so they are less sparse.

    Parameters
    ----------
    points : sequence of (g, ν_ext/ν_thr)
        Of each copy.
    n_e : int
        Excitatory neurons of a copy, above C_E; there are a quarter as many inhibitory ones.
    dt : float
        ms.
    seed : int
        Of the potentials at the beginning.
    """
    model = LIF(tau_m=TAU, r_m=1.0, v_rest=0.0, v_thresh=THETA, v_reset=V_RESET)
    generator = np.random.default_rng(seed)
    populations, projections = [], []
    for k, (g, drive) in enumerate(points):
        outside = PoissonInput(1e3 * C_E * drive * NU_THR, J, "synapse")
        for kind, n in (("E", n_e), ("I", round(GAMMA * n_e))):
            start = {"v": generator.uniform(0.0, THETA, n)}
            receptors: dict[str, Receptor] = {"synapse": Delta()}
            populations.append(Population(f"{kind}{k}", model, n, (outside,), T_REF, start, receptors))
        for kind, count, weight in (("E", C_E, J), ("I", round(GAMMA * C_E), -g * J)):
            connector = connect.fixed_in_degree(count, autapses=False, multapses=False)
            for target in (f"E{k}", f"I{k}"):
                # The threshold sees a jump one step after it: without that step a volley would answer too late.
                projections.append(Projection(f"{kind}{k}", target, connector, weight, DELAY - dt, "synapse"))
    return Network(tuple(populations), tuple(projections))


def moments(nu: np.ndarray, g: np.ndarray, drive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the input in mV, at the rate ``nu`` in spikes/ms."""
    outside = drive * NU_THR
    variance = J * J * TAU * C_E * (outside + nu * (1.0 + GAMMA * g * g))
    return J * TAU * C_E * (outside + nu * (1.0 - GAMMA * g)), np.sqrt(variance)


def neuron_rate(mu: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Spikes/ms of a neuron under white noise: Siegert's formula, in the form of Brunel and Hakim (1999)."""
    high, low = (THETA - mu) / sigma, (V_RESET - mu) / sigma
    n = 800
    du = (np.maximum(high, 0.0) + 8.0) / n
    u = du[..., None] * (np.arange(n) + 0.5)
    # e^600 ms are for ever
    upper, lower = (np.exp(np.minimum(u * (2.0 * x[..., None] - u), 600.0)) for x in (high, low))
    return np.asarray(1.0 / (T_REF + TAU * ((upper - lower) / u).sum(-1) * du))


def stationary_rate(g: np.ndarray, drive: np.ndarray) -> np.ndarray:
    """Self-consistent rate ν₀ in spikes/ms, by bisection: the neuron's answer falls from above ν to below it."""
    g, drive = np.broadcast_arrays(np.asarray(g, float), np.asarray(drive, float))
    low, high = np.zeros(g.shape), np.full(g.shape, 1.0 / T_REF)
    for _ in range(40):
        middle = 0.5 * (low + high)
        above = neuron_rate(*moments(middle, g, drive)) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return 0.5 * (low + high)


def responses(
    mu: np.ndarray, sigma: np.ndarray, nu: np.ndarray, omega: np.ndarray, steps: int = 200
) -> tuple[np.ndarray, np.ndarray]:
    """How the rate answers oscillations, as complex amplitudes.

    The Fokker-Planck equation is integrated from the threshold down for three fluxes: the stationary one, one that
    leaves through the threshold and comes back at the reset, and one that the oscillation drives. The flux far below
    must vanish, which tells how much leaves. Densities live on nodes and fluxes between them: second order.

    Parameters
    ----------
    mu, sigma, nu : ndarray, shape (points,)
        Input, and the stationary rate that it gives, spikes/ms.
    omega : ndarray, shape (frequencies,)
        rad/ms.
    steps : int
        From threshold to reset, and from there to where no neuron is.

    Returns
    -------
    ndarray, ndarray, shape (points, frequencies)
        To an oscillation of the mean, spikes/ms per mV, and of the variance, per mV².
    """
    mu, spread, nu = mu[:, None], 2.0 / sigma[:, None] ** 2, nu[:, None]
    depth = 5.0 * sigma[:, None] + np.maximum(V_RESET - mu, 0.0)
    shape = (mu.shape[0], omega.size)
    still, still_flux = np.zeros(mu.shape), np.ones(mu.shape)
    densities = [np.zeros(shape, complex) for _ in range(3)]  # returning, driven by the mean, by the variance
    fluxes = [np.ones(shape, complex), np.zeros(shape, complex), np.zeros(shape, complex)]
    v = THETA
    for k in range(2 * steps):
        dv = (THETA - V_RESET) / steps if k < steps else depth / steps
        after = dv if k != steps - 1 else 0.5 * (dv + depth / steps)  # between the fluxes around the next node
        a = spread * (v - 0.5 * dv - mu) * dv
        growth = np.exp(a)
        push = spread * TAU * dv * np.where(np.abs(a) < 1e-6, 1.0, (growth - 1.0) / np.where(a == 0.0, 1.0, a))
        below = still * growth + push * still_flux
        sources = (0.0, nu * 0.5 * (still + below) / TAU, nu * (below - still) / (2.0 * TAU * dv))
        for x in range(3):
            densities[x] = densities[x] * growth + push * (fluxes[x] - sources[x])
            fluxes[x] = fluxes[x] + 1j * omega * densities[x] * after
        still, v = below, v - dv
        if k == steps - 1:
            still_flux = still_flux - 1.0
            fluxes[0] = fluxes[0] - np.exp(-1j * omega * T_REF)
    return -fluxes[1] / fluxes[0], -fluxes[2] / fluxes[0]


def loop_gain(g: np.ndarray, drive: np.ndarray, frequency: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Largest gain of an oscillation that comes back in phase, and its frequency.

    Parameters
    ----------
    g, drive : ndarray, shape (points,)
        Of the network.
    frequency : ndarray
        Looked at, Hz, ascending; close enough to see every turn of the phase.

    Returns
    -------
    gain, frequency : ndarray, shape (points,)
        The asynchronous state is unstable above a gain of 1. Both NaN where no frequency comes back in phase, and where
        neurons are silent.
    """
    nu = stationary_rate(g, drive)
    loud = nu > SILENT
    if not loud.all():
        both = np.full((2, g.size), np.nan)
        if loud.any():
            both[:, loud] = loop_gain(g[loud], drive[loud], frequency)
        return both[0], both[1]
    mu, sigma = moments(nu, g, drive)
    omega = 2e-3 * np.pi * frequency
    by_mean, by_variance = responses(mu, sigma, nu, omega)
    mean = J * TAU * C_E * (1.0 - GAMMA * g)
    variance = J * J * TAU * C_E * (1.0 + GAMMA * g * g)
    loop = np.exp(-1j * omega * DELAY) * (mean[:, None] * by_mean + variance[:, None] * by_variance)
    here, there = loop[:, :-1], loop[:, 1:]
    crosses = (here.imag * there.imag <= 0.0) & (here.real + there.real > 0.0)
    part = here.imag / np.where(here.imag == there.imag, 1.0, here.imag - there.imag)
    gain = np.where(crosses, here.real + part * (there.real - here.real), -np.inf)
    best = gain.argmax(axis=1)
    at = np.arange(g.size), best
    found = np.isfinite(gain[at])
    where = frequency[best] + part[at] * np.diff(frequency)[best]
    return np.where(found, gain[at], np.nan), np.where(found, where, np.nan)


def poisson_cv(g: float, drive: float) -> float:
    """CV of the intervals of a neuron under the white noise that the stationary network would give it."""
    nu = stationary_rate(np.array([g]), np.array([drive]))
    mu, sigma = moments(nu, np.array([g]), np.array([drive]))
    high, low = float((THETA - mu[0]) / sigma[0]), float((V_RESET - mu[0]) / sigma[0])
    y = np.linspace(min(low, 0.0) - 6.0, high, 8001)
    dy = y[1] - y[0]
    flux = 1.0 + np.array([math.erf(x) for x in y])
    inner = np.cumsum(np.exp(y * y) * flux * flux) * dy
    integral = (np.exp(y * y) * inner)[y >= low].sum() * dy
    return float(nu[0] * TAU * math.sqrt(2.0 * math.pi * integral))
