"""scikit-learn's MLPClassifier with ``solver="sgd"``, from the same first weights, network after network.

It shuffles in its own order, so that with batches its loss differs from that of the others. For two classes it has one
logistic output in place of a softmax of two: the same functions, but another path.
"""

import argparse
import time
import warnings
from typing import Any

from _learning import CROSS_ENTROPY, parser, prepared, task_of
from _serve import Prepared, main


def build(options: argparse.Namespace) -> Prepared:
    """Every run goes on from given weights: a warm start."""
    import numpy as np
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")  # that it has not converged in so many iterations
    task = task_of(options)
    facts = task.facts
    method = facts["optimizer"]
    if method["name"] != "gradient_descent" or facts["loss"] != CROSS_ENTROPY or facts["stop_error"] is not None:
        raise SystemExit("the contender of scikit-learn has gradient descent on a cross-entropy only")
    epochs, rest = divmod(task.iterations, task.per_epoch)
    if rest:
        raise SystemExit(f"scikit-learn does whole epochs: give a multiple of {task.per_epoch} iterations")
    x = task.x.astype(options.precision)
    two = facts["sizes"][-1] == 2
    model = MLPClassifier(
        tuple(facts["sizes"][1:-1]),
        facts["hidden"],
        solver="sgd",
        alpha=0.0,
        batch_size=facts["batch"],
        learning_rate_init=method["learning_rate"],
        momentum=method.get("momentum", 0.0),
        nesterovs_momentum=False,
        max_iter=1,
        tol=0.0,
        n_iter_no_change=10**9,
        warm_start=True,
        random_state=facts["seed"],
    ).fit(x, task.labels)
    model.max_iter = epochs

    def one(w: np.ndarray) -> tuple[float, np.ndarray]:
        layers = task.layers(w.astype(options.precision))
        if two:  # the sum of the one output is the difference of the two
            weight, bias = layers[-1]
            layers[-1] = (weight[:, 1:] - weight[:, :1], bias[1:] - bias[:1])
        model.coefs_ = [weight.copy() for weight, _ in layers]
        model.intercepts_ = [bias.copy() for _, bias in layers]
        begin = time.perf_counter()
        model.fit(x, task.labels)
        seconds = time.perf_counter() - begin
        found: list[tuple[Any, Any]] = list(zip(model.coefs_, model.intercepts_, strict=True))
        if two:
            weight, bias = found[-1]
            found[-1] = (weight * np.array([[-0.5, 0.5]]), bias * np.array([-0.5, 0.5]))
        return seconds, task.flat(found)

    def train() -> tuple[list[float], np.ndarray, list[int]]:
        seconds, weights = zip(*(one(w) for w in task.w0[: options.most]), strict=True)
        return list(seconds), np.stack(weights), [task.iterations] * len(weights)

    notes = ["one logistic output"] * two + ["batches in its own order"] * (task.per_epoch > 1)
    return prepared(train, options.weights, {"other_path": ", ".join(notes)})


if __name__ == "__main__":
    main("scikit-learn", "sklearn", build, parser(__doc__).parse_args(), install="scikit-learn")
