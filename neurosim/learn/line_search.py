"""Line searches: how far to go along a direction, for each network by itself.

All networks are evaluated together; one that has found its step waits with it while the others go on.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple, TypeVar

from neurosim.errors import UsageError
from neurosim.learn.choices import Choice, chosen
from neurosim.learn.members import dot
from neurosim.learn.objective import Objective
from neurosim.parameters import param
from neurosim.registers import enter

__all__ = ["LINE_SEARCHES", "Exact", "Found", "LineSearch", "StrongWolfe", "first_step", "get_line_search", "register"]

Array = Any


class Found(NamedTuple):
    """Where a search ended; where it failed, at its beginning."""

    w: Array  # (E, P)
    value: Array  # (E, 1), error there
    grad: Array  # (E, P), gradient there
    step: Array  # (E, 1), in directions; 0 where the search failed
    evaluations: Array  # (E, 1)
    ok: Array  # (E, 1), whether the error fell


class LineSearch(Choice):
    """Base of line searches."""

    abstract: ClassVar[bool] = True

    @abstractmethod
    def search(
        self, xp: Any, objective: Objective, w: Array, value: Array, grad: Array, direction: Array, first: Array
    ) -> Found:
        """Go along a direction.

        Parameters
        ----------
        xp : namespace
            Of the arrays.
        objective : Objective
            To be lowered.
        w, value, grad : array
            Where to begin, (E, P), error (E, 1) and gradient (E, P) there.
        direction : array, shape (E, P)
            The error must fall along it.
        first : array, shape (E, 1)
            First step to try, in directions.
        """


LINE_SEARCHES: dict[str, type[LineSearch]] = {}
Kind = TypeVar("Kind", bound=type[LineSearch])


def register(cls: Kind) -> Kind:
    """Enter a line search into the register that tests and docs walk."""
    enter(LINE_SEARCHES, "line search", cls.name, cls)
    return cls


def get_line_search(choice: str | LineSearch) -> LineSearch:
    """The line search of a name with its defaults, or the one that is given.

    Raises
    ------
    UsageError
        When it is neither.
    """
    return chosen(LINE_SEARCHES, LineSearch, "line search", choice)


def first_step(xp: Any, grad: Array) -> Array:
    """A step along −g that nothing is known of: of length 1, or of g itself where that is shorter."""
    return 1.0 / xp.maximum(xp.sqrt(dot(xp, grad, grad)), 1.0)


def check_whole(where: str, value: Any) -> None:
    """Refuse a number of evaluations, steps or pairs that cannot be.

    Raises
    ------
    UsageError
        When it is no whole number above 0.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{where} = {value!r}: give a whole number above 0")


class _End(NamedTuple):
    """One end of an interval of steps."""

    step: Array  # (E, 1)
    value: Array  # (E, 1)
    slope: Array  # (E, 1), derivative along the direction

    def where(self, xp: Any, condition: Array, other: _End) -> _End:
        """This where the condition holds, else the other."""
        return _End(*(xp.where(condition, a, b) for a, b in zip(self, other, strict=True)))


def cubic_minimum(xp: Any, a: _End, b: _End) -> Array:
    """Where the cubic through both ends, with their slopes, is least; NaN where it is not (Nocedal and Wright 3.59)."""
    d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step)
    d2 = xp.sign(b.step - a.step) * xp.sqrt(d1 * d1 - a.slope * b.slope)
    return b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2)


@register
class StrongWolfe(LineSearch):
    """A step that lowers the error enough, and the slope with it::

        E(α) ≤ E(0) + c1 · α · E'(0)    and    |E'(α)| ≤ c2 · |E'(0)|

    The interval is first moved outwards and then narrowed by cubic interpolation, as algorithms 3.5 and 3.6 of Nocedal
    and Wright, Numerical Optimization (2nd ed. 2006). Where the demanded fall is lost in rounding, the error need only
    not rise by more than that (Hager and Zhang 2005, https://doi.org/10.1137/030601880). Without a step that fulfils
    both, because none was found or no number lies between the ends of the interval, the best that fulfils the first is
    taken.
    """

    name = "strong_wolfe"

    c1: float = param(1e-4, doc="part of the fall that the slope promises", above=0.0)
    c2: float = param(0.1, doc="part of the slope that may be left", above=0.0)
    max_evaluations: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.c1 < self.c2 < 1.0:
            raise UsageError(f"StrongWolfe: c1 = {self.c1:g}, c2 = {self.c2:g}: must be 0 < c1 < c2 < 1")
        check_whole("StrongWolfe.max_evaluations", self.max_evaluations)

    def search(
        self, xp: Any, objective: Objective, w: Array, value: Array, grad: Array, direction: Array, first: Array
    ) -> Found:
        slope = dot(xp, grad, direction)
        eps = float(xp.finfo(w.dtype).eps)
        noise = 4.0 * eps * xp.abs(value)
        start = low = high = _End(0.0 * value, value, slope)
        low_grad = grad
        bracketed = value != value  # False for each: the error is finite
        done, stopped, evaluations = bracketed, bracketed, 0.0 * value
        found, found_grad, step = low, grad, first
        for k in range(self.max_evaluations):
            trial = w + step * direction
            new_value, new_grad = objective.value_and_grad(trial)
            new = _End(step, new_value, dot(xp, new_grad, direction))
            fall = -self.c1 * step * slope
            enough = (new.value <= value - fall) | ((fall <= noise) & (new.value <= value + noise))
            # NaN and inf fail every comparison, or are found by the last.
            worse = ~enough | (new.value > low.value + noise) | ~xp.isfinite(new.slope)
            accepted = ~worse & (xp.abs(new.slope) <= -self.c2 * slope) & ~done
            if k == 0 and bool(xp.all(accepted)):  # as nearly always where first steps are 1
                return Found(trial, new_value, new_grad, step, 1.0 + evaluations, accepted)
            evaluations = evaluations + xp.where(done, 0.0 * value, 1.0)
            found, found_grad = new.where(xp, accepted, found), xp.where(accepted, new_grad, found_grad)
            done = done | accepted
            if bool(xp.all(done)):
                break
            beyond = ~worse & (new.slope * xp.where(bracketed, high.step - low.step, 1.0 + 0.0 * step) >= 0.0)
            step = xp.where(done, found.step, self._next(xp, low, high, new, bracketed, worse, beyond))
            high = new.where(xp, worse, low.where(xp, beyond, high))
            low, low_grad = low.where(xp, worse, new), xp.where(worse, low_grad, new_grad)
            bracketed = bracketed | worse | beyond
            # Where a tenth of the interval is no number more, the best end is all there is.
            closed = bracketed & ~done & (xp.abs(high.step - low.step) <= 16.0 * eps * xp.abs(high.step))
            found, found_grad = low.where(xp, closed, found), xp.where(closed, low_grad, found_grad)
            stopped, done = stopped | closed, done | closed
            if bool(xp.all(done)):
                break
        # Where nothing better was found the best that lowered the error, or none.
        found, found_grad = found.where(xp, done, low), xp.where(done, found_grad, low_grad)
        ok = (done & ~stopped) | (found.value < value)
        found, found_grad = found.where(xp, ok, start), xp.where(ok, found_grad, grad)
        return Found(w + found.step * direction, found.value, found_grad, found.step, evaluations, ok)

    def _next(self, xp: Any, low: _End, high: _End, new: _End, bracketed: Array, worse: Array, beyond: Array) -> Array:
        """The next step to try."""
        # Between the new end and the one that the minimum lies towards.
        other = low.where(xp, worse | beyond, high.where(xp, bracketed, low))
        inside = bracketed | worse | beyond
        width = new.step - other.step
        guess = (cubic_minimum(xp, other, new) - other.step) / width
        # well inside the interval, so that it shrinks
        within = xp.minimum(xp.maximum(xp.where(xp.isfinite(guess), guess, 0.5), 0.1), 0.9)
        # outwards by a tenth of the last stretch to four times it
        outwards = xp.minimum(xp.maximum(xp.where(xp.isfinite(guess), guess, 5.0), 1.1), 5.0)
        return other.step + width * xp.where(inside, within, outwards)


@register
class Exact(LineSearch):
    """The first minimum along the direction, to rounding: what the finite ends of conjugate directions rest on.

    :class:`StrongWolfe` with a second condition that only a minimum fulfils, |E'(α)| ≤ ``tolerance`` · |E'(0)|. Takes
    two to six evaluations where the error is quadratic, about ten elsewhere; where that much of the slope is lost in
    rounding, it ends when the interval cannot be narrowed. Newton's and quasi-Newton's steps do not need it.
    """

    name = "exact"

    tolerance: float = param(1e-9, doc="part of the slope that may be left", above=0.0)
    max_evaluations: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.tolerance < 1.0:
            raise UsageError(f"Exact.tolerance = {self.tolerance:g}: must be below 1")
        check_whole("Exact.max_evaluations", self.max_evaluations)

    def search(
        self, xp: Any, objective: Objective, w: Array, value: Array, grad: Array, direction: Array, first: Array
    ) -> Found:
        wolfe = StrongWolfe(c1=min(1e-4, 0.1 * self.tolerance), c2=self.tolerance, max_evaluations=self.max_evaluations)
        return wolfe.search(xp, objective, w, value, grad, direction, first)
