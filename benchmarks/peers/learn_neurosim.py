"""neurosim itself: ``fit(...)`` as a user calls it, from its first line to its History.

``--fuse auto`` is what a user gets, ``--fuse off`` the reference, op by op. ``--alone`` trains the networks one after
the other, as those peers do that cannot do otherwise; else they are one ensemble.
"""

import argparse
import inspect
import time
from typing import Any

from _learning import parser, prepared, task_of
from _serve import Prepared, main


def build(options: argparse.Namespace) -> Prepared:
    """Compile by a short run first; every timed run is a new call."""
    import numpy as np

    from neurosim.learn import MLP, FullBatch, MiniBatch, all_optimizers, fit

    task = task_of(options)
    facts = task.facts
    hidden = [facts["hidden"]] * (len(facts["sizes"]) - 2)
    network = MLP(facts["sizes"], (*hidden, facts["output"]))
    given = dict(facts["optimizer"])
    method = all_optimizers()[given.pop("name")](**given)
    strategy = MiniBatch(facts["batch"]) if facts["batch"] < len(task.x) else FullBatch()
    more: dict[str, Any] = {"fuse": options.fuse}
    if "fuse" not in inspect.signature(fit).parameters:
        if options.fuse == "off":
            raise SystemExit("this neurosim has no compiled training: it is op by op always")
        more = {}

    def learn(w0: np.ndarray, iterations: int) -> Any:
        return fit(
            network,
            (task.x, task.target),
            method,
            facts["loss"],
            strategy,
            w0=w0,
            seed=facts["seed"],
            iterations=iterations,
            stop_error=facts["stop_error"],
            backend=options.backend,
            precision=options.precision,
            progress=False,
            **more,
        )

    begin = time.perf_counter()
    engine = learn(task.w0[:1] if options.alone else task.w0, 3).provenance["engine"]
    first = time.perf_counter() - begin

    def train() -> tuple[float | list[float], np.ndarray, list[int]]:
        seconds, found = [], []
        for w0 in task.w0[: options.most] if options.alone else [task.w0]:
            begin = time.perf_counter()
            found.append(learn(w0, task.iterations))
            seconds.append(time.perf_counter() - begin)
        iterations = np.concatenate([h.iterations for h in found]).tolist()
        return seconds if options.alone else seconds[0], np.concatenate([h.w for h in found]), iterations

    return prepared(train, options.weights, {"engine": engine, "compile_seconds": first, "backend": options.backend})


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--fuse", choices=("auto", "off"), default="auto")
    arguments.add_argument("--backend", default="numpy")
    arguments.add_argument("--alone", action="store_true")
    parsed = arguments.parse_args()
    install = "'neurosim[cuda13]' (driver 580 or newer) or 'neurosim[cuda12]'" if parsed.backend == "cupy" else None
    package = "cupy" if parsed.backend == "cupy" else "neurosim"
    main("neurosim", package, build, parsed, install=install)
