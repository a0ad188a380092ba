"""The exercises of the HTML page as data: questions with their wrong answers, and backward passes with a mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tinygraph.drawing.diagram import Diagram
from tinygraph.explaining.step import Steps
from tinygraph.practicing.find_bug import NAMES, Opponent, opponents
from tinygraph.practicing.mistakes import MISTAKES
from tinygraph.practicing.questions import GradientQuestion, GradientQuestions
from tinygraph.support.messages import counted

JSON: TypeAlias = "dict[str, object]"
MOST = 200  # questions of a page: it contains about 1 kB per question


def questions_of(steps: Steps) -> GradientQuestions:
    """Return the questions of a page.

    Args:
        steps: Steps of the pass.

    Returns:
        The questions.

    Raises:
        ValueError: If the graph has no backward pass, has arrays, or has more than 200 questions.
    """
    if steps.walk.seed is None:
        raise ValueError("by_hand=True needs the steps of a backward pass: leave out phase='forward'")
    questions = GradientQuestions(steps)
    if len(questions) > MOST:
        raise ValueError(
            f"a page asks at most {counted(MOST, 'question')}, but this graph has {len(questions):,}: "
            "pass a smaller graph, or use worksheets.by_hand in a terminal"
        )
    return questions


def exercises(steps: Steps, shown: Diagram, typeset: Callable[[str], str]) -> tuple[JSON, list[Opponent]]:
    """Return the data of the exercises, so that the script of the page only compares numbers.

    Args:
        steps: Steps of the pass.
        shown: Diagram of the pass.
        typeset: Function that returns a text as the page shows it.

    Returns:
        The questions, and the opponents, whose steps the page also needs. A pass whose seed is not 1 has no opponents.

    Raises:
        ValueError: If there is nothing to ask.
    """
    questions = questions_of(steps)
    walk = steps.walk
    found = opponents(Steps(walk, "backward", steps.spec)) if walk.seed == 1.0 else {}
    data: JSON = {
        "questions": [_question(question, shown, typeset) for question in questions],
        "mistakes": MISTAKES,
        "names": NAMES,
    }
    return data, [*found.values()]


def _question(question: GradientQuestion, shown: Diagram, typeset: Callable[[str], str]) -> JSON:
    step = question.step
    return {
        "step": step.index,
        "box": shown.ids.get(step.node, ""),
        "ask": typeset(question.text),
        "given": typeset(question.given),
        "symbol": typeset(question.symbol),
        "answer": repr(question.answer),
        "slack": question.slack,
        "shown": question.shown,
        "advice": typeset(question.advice),
        "wrong": [
            [repr(wrong.number), question.slack_of(wrong), wrong.mistakes, typeset(wrong.hint)]
            for wrong in question.wrong
        ],
    }


def about(opponent: Opponent, typeset: Callable[[str], str]) -> JSON:
    """Return what the page tells about an opponent, apart from its steps.

    Args:
        opponent: Backward pass with a mistake.
        typeset: Function that returns a text as the page shows it.

    Returns:
        The data.
    """
    return {
        "name": opponent.mistake.name,
        "first": opponent.first,
        "correction": typeset(opponent.correction),
        "belief": typeset(opponent.mistake.explained),
    }
