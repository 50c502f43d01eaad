"""torch on the CPU: a loop of ``zero_grad``, ``backward`` and ``step``, network after network, or all by ``vmap``.

``--way eager`` has torch's optimizers, ``--way vmap`` gradient descent with momentum of an ensemble, and
``--way levenberg_marquardt`` the package torch-levenberg-marquardt with its QR solver, its default. Where there is an
error to stop at, the loss is looked at in every step. Nothing is recorded.
"""

import argparse
import contextlib
import time
from typing import Any

from _learning import SQUARES, Task, parser, prepared, task_of
from _serve import Prepared, main


class _ReachedError(Exception):
    """The loss is below the one to stop at."""


def optimizer(torch: Any, parameters: Any, given: dict[str, Any]) -> Any:
    """torch's optimizer that takes the same path."""
    given = dict(given)
    name = given.pop("name")
    rate = given.pop("learning_rate", None)
    betas = (given.pop("beta1", 0.9), given.pop("beta2", 0.999))
    make = {
        "gradient_descent": lambda: torch.optim.SGD(parameters, lr=rate, **given),
        "nag": lambda: torch.optim.SGD(parameters, lr=rate, nesterov=True, **given),
        "adagrad": lambda: torch.optim.Adagrad(parameters, lr=rate, eps=1e-10),
        "adadelta": lambda: torch.optim.Adadelta(parameters, lr=1.0, rho=0.95, eps=given["epsilon"]),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, lr=rate, alpha=0.9, eps=1e-8),
        "adam": lambda: torch.optim.Adam(parameters, lr=rate, betas=betas),
        "adamw": lambda: torch.optim.AdamW(parameters, lr=rate, betas=betas, weight_decay=0.01),
        "rprop": lambda: torch.optim.Rprop(parameters, lr=given["first_step"], etas=(0.5, 1.2), step_sizes=(1e-6, 50)),
        "lbfgs": lambda: torch.optim.LBFGS(
            parameters,
            max_iter=10**6,
            max_eval=10**7,
            history_size=10,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        ),
    }
    if name not in make:
        raise SystemExit(f"torch has no {name}")
    return make[name]()


class Eager:
    """One network after the other."""

    def __init__(self, torch: Any, task: Task, precision: str) -> None:
        self.torch, self.task = torch, task
        self.dtype = getattr(torch, precision)
        self.x = torch.tensor(task.x, dtype=self.dtype)
        squares = task.facts["loss"] == SQUARES
        self.target = torch.tensor(task.target, dtype=self.dtype) if squares else torch.tensor(task.labels)
        self.loss = torch.nn.MSELoss() if squares else torch.nn.CrossEntropyLoss()
        self.numbers = None
        if task.per_epoch > 1:
            self.numbers = [torch.tensor(task.batch(k)) for k in range(task.iterations)]

    def model(self, w: Any) -> Any:
        """A network with given weights."""
        torch, parts = self.torch, []
        layers = self.task.layers(w)
        for k, (weight, bias) in enumerate(layers):
            linear = torch.nn.Linear(*weight.shape).to(self.dtype)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(weight.T.copy()))
                linear.bias.copy_(torch.tensor(bias))
            parts.append(linear)
            if k + 1 < len(layers) or self.task.facts["output"] == "tanh":
                parts.append(torch.nn.Tanh())
        return torch.nn.Sequential(*parts)

    def weights(self, model: Any) -> Any:
        """Its weights as a vector."""
        linear = [part for part in model if hasattr(part, "weight")]
        pairs = [(part.weight.detach().numpy().T, part.bias.detach().numpy()) for part in linear]
        return self.task.flat(pairs)

    def train(self, w: Any) -> tuple[float, Any, int]:
        """Seconds, weights, updates."""
        model, facts = self.model(w), self.task.facts
        method = optimizer(self.torch, model.parameters(), facts["optimizer"])
        stop, x, target = facts["stop_error"], self.x, self.target
        whole, done = self.numbers is None, 0
        begin = time.perf_counter()
        if facts["optimizer"]["name"] == "lbfgs":
            return self._inner_loop(model, method)
        for k in range(self.task.iterations):
            if not whole:
                x, target = self.x[self.numbers[k]], self.target[self.numbers[k]]
            method.zero_grad()
            loss = self.loss(model(x), target)
            if stop is not None and loss.item() < stop:
                break
            loss.backward()
            method.step()
            done += 1
        return time.perf_counter() - begin, self.weights(model), done

    def _inner_loop(self, model: Any, method: Any) -> tuple[float, Any, int]:
        """torch's L-BFGS loops by itself; it is left as soon as it evaluates a loss that is low enough."""
        stop = self.task.facts["stop_error"]
        method.param_groups[0]["max_iter"] = self.task.iterations

        def closure() -> Any:
            method.zero_grad()
            loss = self.loss(model(self.x), self.target)
            if stop is not None and loss.item() < stop:
                raise _ReachedError
            loss.backward()
            return loss

        begin = time.perf_counter()
        with contextlib.suppress(_ReachedError):
            method.step(closure)
        seconds = time.perf_counter() - begin
        return seconds, self.weights(model), method.state[method._params[0]]["n_iter"]

    def levenberg_marquardt(self, w: Any) -> tuple[float, Any, int]:
        """By torch-levenberg-marquardt; an update may try several dampings."""
        from torch_levenberg_marquardt.damping import StandardDampingStrategy
        from torch_levenberg_marquardt.training import LevenbergMarquardtModule

        model, facts = self.model(w), self.task.facts
        damping = StandardDampingStrategy(starting_value=facts["optimizer"].get("damping", 1e-2))
        module = LevenbergMarquardtModule(model, damping_strategy=damping)
        stop, done = facts["stop_error"], 0
        begin = time.perf_counter()
        while done < self.task.iterations:
            _, loss, stopped, _ = module.training_step(self.x, self.target)
            done += 1
            if stopped or (stop is not None and float(loss) < stop):
                break
        return time.perf_counter() - begin, self.weights(model), done


def vmapped(torch: Any, task: Task, precision: str) -> Any:
    """All networks at once."""
    facts, method = task.facts, task.facts["optimizer"]
    if method["name"] != "gradient_descent" or task.per_epoch > 1 or facts["loss"] == SQUARES:
        raise SystemExit("the contender by vmap has gradient descent of all samples on a cross-entropy only")
    rate, momentum = method["learning_rate"], method.get("momentum", 0.0)
    x, labels = torch.tensor(task.x, dtype=getattr(torch, precision)), torch.tensor(task.labels)

    def loss(arrays: Any) -> Any:
        y = x
        for k in range(0, len(arrays), 2):
            y = y @ arrays[k] + arrays[k + 1]
            if k + 2 < len(arrays):
                y = torch.tanh(y)
        return torch.nn.functional.cross_entropy(y, labels)

    gradient = torch.func.vmap(torch.func.grad(loss))

    def train(iterations: int = task.iterations) -> tuple[float, Any, list[int]]:
        pairs = task.layers(task.w0.astype(precision))
        arrays = tuple(torch.tensor(a.copy()) for pair in pairs for a in pair)
        speed = tuple(torch.zeros_like(a) for a in arrays)
        begin = time.perf_counter()
        with torch.no_grad():
            for _ in range(iterations):
                grads = gradient(arrays)
                torch._foreach_mul_(speed, momentum)
                torch._foreach_add_(speed, grads)
                torch._foreach_add_(arrays, speed, alpha=-rate)
        seconds = time.perf_counter() - begin
        found = [a.numpy() for a in arrays]
        return seconds, task.flat(list(zip(found[::2], found[1::2], strict=True))), [iterations] * len(task.w0)

    train(3)
    return train


def build(options: argparse.Namespace) -> Prepared:
    """A short run first, so that what torch makes ready on first use is not timed."""
    import numpy as np
    import torch

    torch.set_num_threads(options.threads)
    task = task_of(options)
    if options.way == "vmap":
        return prepared(vmapped(torch, task, options.precision), options.weights, {"way": options.way})
    eager = Eager(torch, task, options.precision)
    one = eager.train if options.way == "eager" else eager.levenberg_marquardt
    short = Eager(
        torch, Task(task.x, task.target, task.w0, task.order, {**task.facts, "iterations": 3}), options.precision
    )
    (short.train if options.way == "eager" else short.levenberg_marquardt)(task.w0[0])

    def train() -> tuple[list[float], Any, list[int]]:
        found = [one(w) for w in task.w0[: options.most]]
        seconds, weights, iterations = zip(*found, strict=True)
        return list(seconds), np.stack(weights), list(iterations)

    return prepared(train, options.weights, {"way": options.way})


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--way", choices=("eager", "vmap", "levenberg_marquardt"), default="eager")
    parsed = arguments.parse_args()
    package = "torch_levenberg_marquardt" if parsed.way == "levenberg_marquardt" else "torch"
    main("torch", package, build, parsed, install=package.replace("_", "-"))
