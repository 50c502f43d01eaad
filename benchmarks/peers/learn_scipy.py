"""SciPy's optimizers on neurosim's own error and gradient, op by op in NumPy: only the optimizers differ.

BFGS and L-BFGS-B of ``scipy.optimize.minimize``, and MINPACK's Levenberg-Marquardt of ``least_squares``.
"""

import argparse
import time
from typing import Any

from _learning import parser, prepared, task_of
from _serve import Prepared, main

METHODS = {"bfgs": "BFGS", "lbfgs": "L-BFGS-B", "cg": "CG", "lma": "lm"}


class _ReachedError(Exception):
    """The error is below the one to stop at."""

    def __init__(self, w: Any) -> None:
        self.w = w


def build(options: argparse.Namespace) -> Prepared:
    """The objective is made once."""
    import numpy as np
    from scipy.optimize import least_squares, minimize

    from neurosim.backends import get
    from neurosim.learn import MLP
    from neurosim.learn.losses import get_loss
    from neurosim.learn.network_objective import network_objective
    from neurosim.learn.samples import checked_samples

    task = task_of(options)
    facts = task.facts
    name = facts["optimizer"]["name"]
    if name not in METHODS:
        raise SystemExit(f"SciPy has no {name}")
    if options.precision != "float64":
        raise SystemExit("SciPy's optimizers are float64 only")
    sizes = facts["sizes"]
    network = MLP(sizes, (*[facts["hidden"]] * (len(sizes) - 2), facts["output"]))
    samples = checked_samples((task.x, task.target), sizes[0], sizes[-1])
    objective = network_objective(
        network, get_loss(facts["loss"]), samples, l2=0.0, backend=get("numpy"), precision="float64"
    )
    stop = -np.inf if facts["stop_error"] is None else facts["stop_error"]
    most = task.iterations

    def value_and_grad(w: np.ndarray) -> tuple[float, np.ndarray]:
        value, grad = objective.value_and_grad(w[None])
        return float(value[0, 0]), grad[0]

    def by_minimize(w: np.ndarray) -> tuple[np.ndarray, int]:
        done = 0

        def after(intermediate_result: Any) -> None:
            nonlocal done
            done += 1
            if intermediate_result.fun < stop:
                raise StopIteration

        limits: dict[str, Any] = {"maxiter": most, "gtol": 0.0}
        if name == "lbfgs":
            limits |= {"maxfun": 100 * most, "ftol": 0.0, "maxcor": 10}
        found = minimize(value_and_grad, w, jac=True, method=METHODS[name], callback=after, options=limits)
        return found.x, done

    def by_least_squares(w: np.ndarray) -> tuple[np.ndarray, int]:
        done, latest = 0, (w, w)

        def residuals(w: np.ndarray) -> np.ndarray:
            nonlocal done, latest
            done += 1
            r, slopes = (a[0] for a in objective.residuals_and_jacobian(w[None]))
            latest = (w.copy(), slopes)
            if 0.5 * (r @ r) < stop:
                raise _ReachedError(w.copy())
            return r

        def jacobian(w: np.ndarray) -> np.ndarray:
            # mostly asked for where the residuals were asked for last
            same = np.array_equal(w, latest[0])
            return latest[1] if same else objective.residuals_and_jacobian(w[None])[1][0]

        try:
            found = least_squares(residuals, w, jac=jacobian, method="lm", max_nfev=most).x
        except _ReachedError as reached:
            found = reached.w
        return found, done

    one = by_least_squares if name == "lma" else by_minimize

    def train() -> tuple[list[float], np.ndarray, list[int]]:
        seconds, weights, iterations = [], [], []
        for w in task.w0[: options.most]:
            begin = time.perf_counter()
            last, done = one(w)
            seconds.append(time.perf_counter() - begin)
            weights.append(last)
            iterations.append(done)
        return seconds, np.stack(weights), iterations

    return prepared(train, options.weights, {"method": METHODS[name]})


if __name__ == "__main__":
    main("SciPy", "scipy", build, parser(__doc__).parse_args())
