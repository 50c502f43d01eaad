"""Make scipy_second_order.json: paths of SciPy's minimize, and ends of it and of least_squares.

Needs SciPy: ``python tests/learn/oracles/make_scipy_second_order.py``. Functions and gradients are written out here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from oracle_files import write

FILE = Path(__file__).parent / "scipy_second_order.json"
START = (-1.2, 1.0, 0.5, -0.7, 1.5, 0.3)
NEAR = (-0.9, 0.9, 0.9, 0.9, 0.85, 0.75)  # the lesser of two minima
STEPS = 40
# name → SciPy's method, options
PATHS = {
    "cg": ("CG", {"gtol": 1e-14}),
    "bfgs": ("BFGS", {"gtol": 1e-14}),
    "lbfgs": ("L-BFGS-B", {"maxcor": 4, "gtol": 0.0, "ftol": 0.0}),
}
RATES = (0.3, 1.7)  # of the exponentials of the fit
TIMES = np.linspace(0.0, 4.0, 25)
FIT_START = (1.0, 1.0, 0.1, 1.0)


def chain(w):
    """Rosenbrock's valley in more dimensions, and its gradient: Σ 10 (w[k+1] − w[k]²)² + (1 − w[k])²."""
    a, b = w[1:] - w[:-1] ** 2, 1.0 - w[:-1]
    grad = np.zeros_like(w)
    grad[1:] += 20.0 * a
    grad[:-1] += -40.0 * a * w[:-1] - 2.0 * b
    return 10.0 * a @ a + b @ b, grad


def fit_residuals(w):
    """Two exponentials minus noisy ones: w[0] exp(−w[1] t) + w[2] exp(−w[3] t)."""
    clean = np.exp(-RATES[0] * TIMES) + 2.0 * np.exp(-RATES[1] * TIMES)
    noisy = clean + 0.05 * np.sin(7.0 * TIMES)
    return w[0] * np.exp(-w[1] * TIMES) + w[2] * np.exp(-w[3] * TIMES) - noisy


def main():
    import scipy
    from scipy.optimize import least_squares, minimize

    paths = {}
    for name, (method, options) in PATHS.items():
        path = [list(START)]
        minimize(
            chain,
            START,
            jac=True,
            method=method,
            callback=lambda x, path=path: path.append(x.tolist()),
            options={**options, "maxiter": STEPS},
        )
        paths[name] = path
    newton = minimize(chain, NEAR, jac=True, method="Newton-CG", options={"xtol": 1e-14})
    fit = least_squares(fit_residuals, FIT_START, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15)
    ends = {"newton_cg": newton.x.tolist(), "lm": fit.x.tolist(), "lm_error": float(fit.cost)}
    write(FILE, {"library": f"scipy {scipy.__version__}", "paths": paths, "ends": ends})


if __name__ == "__main__":
    main()
