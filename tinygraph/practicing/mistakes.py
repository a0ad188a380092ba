"""Wrong answers to the question for a gradient, each with the mistakes that lead to it, computed from the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from tinygraph.explaining import notation
from tinygraph.explaining.notation import called
from tinygraph.explaining.step import Step, Steps
from tinygraph.explaining.textbook.derivatives import derivative_of, partial
from tinygraph.practicing.answers import EXACT
from tinygraph.practicing.wrong_locals import wrong_locals

MISTAKES = {
    "add": "replaced the gradient instead of adding to it",
    "nothing": "left out the contribution",
    "sign": "wrong sign",
    "part": "used an incomplete upstream gradient",
    "operand": "used the local derivative for another operand",
    "factor": "left out a part of the local derivative",
    "rule": "used the rule of another op",
    "local": "left out the local derivative",
    "upstream": "left out the upstream gradient",
    "ahead": "added a later contribution already",
    "value": "used a value instead of a derivative",
    "sum": "added the local derivative instead of multiplying by it",
    "inverse": "divided by the local derivative",
    "product": "multiplied by the gradient so far instead of adding to it",
}
"""The kinds of mistakes, from specific to general, each with a short description."""
GENERAL = ("value", "sum", "inverse", "product")  # named only if no other mistake explains the number
MOST = 8  # contributions to an upstream gradient, and operands of an op, that are tried one by one


class WrongAnswer(NamedTuple):
    """A number that follows from a mistake.

    Attributes:
        number: The wrong answer.
        mistakes: Kinds of mistakes, as in `MISTAKES`.
        hint: Sentences that tell what is wrong.
    """

    number: float
    mistakes: tuple[str, ...]
    hint: str


class _Reason(NamedTuple):
    kind: str
    number: float
    hint: str


def wrong_answers(steps: Steps, step: Step) -> list[WrongAnswer]:
    """Return the wrong answers to the question for a gradient after a step.

    Args:
        steps: Steps of the pass.
        step: Backward step of a graph of scalars.

    Returns:
        The wrong answers, each once. None of them is shown like the right answer.

    Examples:
        >>> from tinygraph.engine.value import Value
        >>> from tinygraph.explaining.walk import Walk
        >>> b, c = Value(3.0, "b"), Value(2.0, "c")
        >>> u = b * c
        >>> u.name = "u"
        >>> steps = Steps(Walk(u, 1.0))
        >>> [wrong.number for wrong in wrong_answers(steps, steps[1]) if "operand" in wrong.mistakes]
        [3.0]
    """
    right, before = float(step.after), float(step.before or 0.0)
    contributions = list(_contributions(steps, step))
    single = [*_of_the_sum(steps, step)]
    single += [_Reason(kind, before + number, hint) for kind, number, hint in contributions]
    found = _grouped(single, step, right, [])
    if step.before is not None:  # two mistakes at once: a wrong contribution replaces the gradient
        replaced = f"Also add the contribution to {_asked(steps, step)}, which is not 0 before this step."
        found += [
            WrongAnswer(number, ("add", *mistakes), f"{hint} {replaced}")
            for number, mistakes, hint in _grouped(contributions, step, right, [wrong.number for wrong in found])
        ]
    return found


def _asked(steps: Steps, step: Step) -> str:
    return derivative_of(steps.walk.root, step.node, step.seed)


def _of_the_sum(steps: Steps, step: Step) -> Iterator[_Reason]:
    """Yield the mistakes in adding the right contribution to the gradient so far."""
    asked = _asked(steps, step)
    right, contribution = float(step.after), float(step.contribution)
    product = step.symbol.partition(" += ")[2]
    before = float(step.before or 0.0)
    yield _Reason("nothing", before, f"That is {asked} before this step. Add the contribution {product}.")
    if step.before is not None:
        told = notation.number(before, step.spec)
        hint = f"That is the contribution alone. {asked} is already {told}: add the contribution to it."
        yield _Reason("add", contribution, hint)
        yield _Reason("product", before * contribution, f"Add the contribution to {asked}, do not multiply by it.")
        yield _Reason("sign", -right, "The sign is wrong.")
    final = steps.walk.gradient(step.node)
    assert final is not None  # a contribution arrives
    yield _Reason("ahead", float(final), f"That is {asked} after all its contributions. This step adds one of them.")
    for node in dict.fromkeys((step.node, step.result)):
        hint = f"That is the value of {called(node)}. The question is for the derivative {asked}."
        yield _Reason("value", float(node.raw), hint)


def _contributions(steps: Steps, step: Step) -> Iterator[_Reason]:
    """Yield wrong contributions of a step."""
    operand, result = step.node, step.result
    out, slope = derivative_of(steps.walk.root, result, step.seed), partial(result, operand)
    upstream, local, right = float(step.upstream), float(step.local), float(step.contribution)
    needed = f"You need {step.why(with_number=False) or slope}."
    yield _Reason("sign", -right, f"The sign is wrong: look at the sign of {slope}.")
    for part in _parts(steps, result):
        hint = f"You used a part of {out}. A gradient is complete after all contributions."
        yield _Reason("part", part * local, hint)
    for slot, other in enumerate(result.partials[:MOST]):
        if slot != step.slot and other is not None and float(other) != -local:  # otherwise, this is a wrong sign
            theirs = result.args[slot]
            hint = f"You used {partial(result, theirs)}, the local derivative for {called(theirs)}. {needed}"
            yield _Reason("operand", upstream * float(other), hint)
    for wrong in wrong_locals(result, step.slot):
        yield _Reason(wrong.kind, upstream * wrong.local, wrong.hint)
    if local != -1.0:
        yield _Reason("local", upstream, f"You passed on {out} unchanged. Multiply it by {slope}.")
    yield _Reason("upstream", local, f"You used {slope} alone. Multiply it by the upstream gradient {out}.")
    yield _Reason("sum", upstream + local, f"You added {out} and {slope}. Multiply them.")
    if local:
        yield _Reason("inverse", upstream / local, f"You divided by {slope}. Multiply by it.")
    for node in dict.fromkeys((operand, result)):
        yield _Reason("value", upstream * float(node.raw), f"You multiplied by the value of {called(node)}. {needed}")


def _parts(steps: Steps, node: object) -> list[float]:
    """Return the numbers that a node's gradient has before it is complete, and its single contributions."""
    into = steps.into(node)  # type: ignore[arg-type]
    if not 1 < len(into) <= MOST:
        return []
    return [*[float(step.after) for step in into[:-1]], *[float(step.contribution) for step in into]]


def _grouped(reasons: list[_Reason], step: Step, right: float, known: list[float]) -> list[WrongAnswer]:
    """Return one wrong answer per number. Leave out what is shown like the right answer, and known wrong answers."""
    scale = max(abs(right), abs(float(step.before or 0.0)), abs(float(step.contribution)))
    shown = notation.number(right, step.spec)

    def same(x: float, y: float) -> bool:
        return x == y or abs(x - y) <= EXACT * max(abs(x), abs(y), scale)

    groups: list[list[_Reason]] = []
    for reason in reasons:
        number = reason.number
        if not math.isfinite(number) or same(number, right) or notation.number(number, step.spec) == shown:
            continue
        if any(same(number, other) for other in known):
            continue
        group = next((group for group in groups if same(number, group[0].number)), None)
        if group is None:
            groups.append([reason])
        elif reason.kind not in [other.kind for other in group]:
            group.append(reason)
    return [_answer(group) for group in groups]


def _answer(group: list[_Reason]) -> WrongAnswer:
    specific = [reason for reason in group if reason.kind not in GENERAL] or group
    named = sorted(specific, key=lambda reason: [*MISTAKES].index(reason.kind))
    hints = [reason.hint for reason in named]
    told = hints[0] if len(hints) == 1 else " ".join(f"({i}) {hint}" for i, hint in enumerate(hints, 1))
    several = f"{len(hints)} mistakes lead to this number. " if len(hints) > 1 else ""
    return WrongAnswer(group[0].number, tuple(reason.kind for reason in named), several + told)
