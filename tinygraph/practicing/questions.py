"""The questions for the gradients of a backward pass, each with its answer, and the verdict on an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tinygraph.explaining import notation
from tinygraph.explaining.notation import called, shape
from tinygraph.explaining.step import Step, Steps
from tinygraph.explaining.textbook.derivatives import derivative_of
from tinygraph.explaining.walk import Walk
from tinygraph.practicing.answers import Given, fits, is_shown, slack
from tinygraph.practicing.mistakes import WrongAnswer, wrong_answers


@dataclass(frozen=True)
class Verdict:
    """What an answer is worth.

    Attributes:
        right: True if the answer is right.
        counts: False if the answer is not a number, or is right but rounded too much. Such an answer is not a mistake.
        mistakes: Kinds of mistakes that lead to the answer.
        text: Sentences to show.
    """

    right: bool
    counts: bool
    mistakes: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class GradientQuestion:
    """The question for a gradient after one step of a backward pass.

    Attributes:
        number: Number of the question, counted from 1.
        total: Number of questions.
        step: Step that the question is about.
        symbol: Derivative that is asked for, such as "dJ/db".
        answer: The gradient after the step.
        slack: Largest difference of a right answer.
        exact: True if all numbers of the step are shown with all their digits.
        wrong: Wrong answers with their hints.
    """

    number: int
    total: int
    step: Step
    symbol: str
    answer: float
    slack: float
    exact: bool
    wrong: tuple[WrongAnswer, ...]

    @property
    def text(self) -> str:
        """The question as a sentence."""
        return f"What is {self.symbol} after this step?"

    @property
    def given(self) -> str:
        """What is known: the step in symbols, and the gradient before the step."""
        before = 0.0 if self.step.before is None else self.step.before
        return f"{self.step.symbol}, and {self.symbol} is {notation.number(before, self.step.spec)} so far"

    @property
    def shown(self) -> str:
        """The answer as text."""
        return notation.number(self.answer, self.step.spec)

    @property
    def solution(self) -> str:
        """The step with all its numbers, and the gradient after it."""
        step = self.step
        why = f" ({why})" if (why := step.why()) else ""
        if step.before is None:
            return f"{step.equation}{why}"
        before, added = (notation.number(x, step.spec) for x in (step.before, step.contribution))
        return f"{step.equation}{why}, so {self.symbol} = {before} + {notation.factor(added)} = {self.shown}"

    def slack_of(self, wrong: WrongAnswer) -> float:
        """Return how far from a wrong answer a number may be.

        Args:
            wrong: One of the wrong answers.

        Returns:
            The largest difference.
        """
        return slack(wrong.number, _scale(self.step), exact=self.exact)

    def judge(self, given: Given, typed: str) -> Verdict:
        """Return the verdict on a number.

        The number that is nearest decides: the right answer, or a wrong answer. So a wrong answer that is near the
        right one is not taken for a rounded right answer.

        Args:
            given: Number that the student typed.
            typed: The text of the number.

        Returns:
            The verdict.
        """
        near = [wrong for wrong in self.wrong if fits(given.number, wrong.number, self.slack_of(wrong))]
        wrong = min(near, key=lambda wrong: abs(wrong.number - given.number), default=None)
        away = abs(given.number - self.answer)
        is_nearer = wrong is not None and abs(wrong.number - given.number) < away
        if fits(given.number, self.answer, self.slack) and not is_nearer:
            return Verdict(True, True, (), f"Right: {self.symbol} = {self.shown}.")
        if wrong is not None:
            return Verdict(False, True, wrong.mistakes, f"Not yet: {self.symbol} is not {typed}. {wrong.hint}")
        if math.isfinite(given.number) and away <= given.unit:
            return Verdict(False, False, (), f"{typed} is rounded too much: write three digits, or a fraction.")
        return Verdict(False, True, (), f"Not yet: {self.symbol} is not {typed}. {self.advice}")

    @property
    def advice(self) -> str:
        """What to compute, for an answer that no known mistake explains."""
        return f"Compute {self.step.symbol.partition(' += ')[2]}, and add it to {self.symbol}."


def check_scalars(walk: Walk, what: str) -> None:
    """Check that all nodes of a graph are scalars.

    Args:
        walk: Backward pass of the graph.
        what: What needs scalars, for the message.

    Raises:
        ValueError: If a node is not a scalar.
    """
    for node in walk.nodes:
        if shape(node.raw) is not None:
            raise ValueError(f"{what} needs a graph of scalars, but {called(node)} has the shape {node.raw.shape}")


class GradientQuestions(Sequence[GradientQuestion]):
    """The questions of a backward pass, one per contribution. Each question is created when you read it.

    Args:
        steps: Steps of the pass.

    Raises:
        ValueError: If a node is not a scalar, or if the pass has no contribution.
    """

    def __init__(self, steps: Steps) -> None:
        check_scalars(steps.walk, "backpropagation by hand")
        self.steps = steps
        self._first = len(steps) - len(steps.walk)  # number of steps before the first contribution
        if not len(self):
            raise ValueError(f"the graph of {called(steps.walk.root)} has no gradient to compute: pass a computed node")

    def __len__(self) -> int:
        return len(self.steps.walk)

    def __getitem__(self, i: int) -> GradientQuestion:  # type: ignore[override]  # no slices
        if not 0 <= i < len(self):
            raise IndexError(i)
        step = self.steps[self._first + i]
        exact = all(is_shown(float(x), step.spec) for x in (step.upstream, step.local, step.before or 0.0))
        answer = float(step.after)
        return GradientQuestion(
            i + 1,
            len(self),
            step,
            derivative_of(self.steps.walk.root, step.node, step.seed),
            answer,
            slack(answer, _scale(step), exact=exact),
            exact,
            tuple(wrong_answers(self.steps, step)),
        )


def _scale(step: Step) -> float:
    """Return the size of the terms of the sum that a step computes."""
    scale = max(abs(float(step.before or 0.0)), abs(float(step.contribution)))
    return scale if math.isfinite(scale) else 0.0
