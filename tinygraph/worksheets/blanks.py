"""The blanks of a worksheet, each with its answer and the steps that lead to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from tinygraph.drawing.diagram import Box, Diagram
from tinygraph.engine.graph import Node
from tinygraph.explaining import notation
from tinygraph.explaining.notation import called, shape
from tinygraph.explaining.step import Steps
from tinygraph.explaining.textbook.derivatives import derivative_of

Blanks = Literal["values", "gradients", "both"]
BLANKS: tuple[Blanks, ...] = get_args(Blanks)
LINE = "_" * 6


@dataclass(frozen=True)
class Question:
    """One blank of a worksheet.

    Attributes:
        number: Number of the blank, counted from 1 in the order of the forward pass and then of the backward pass.
        kind: "value" or "gradient".
        node: Node whose value or gradient is asked for.
        symbol: What is asked for, such as "u" or "dJ/du".
        answer: Value or gradient.
        steps: Numbers of the steps that compute the answer.
    """

    number: int
    kind: Literal["value", "gradient"]
    node: Node
    symbol: str
    answer: float
    steps: tuple[int, ...]


def questions_of(steps: Steps, blanks: Blanks) -> list[Question]:
    """Return the blanks of a worksheet. The inputs and the gradient of the root are given.

    Args:
        steps: Steps of the forward and the backward pass.
        blanks: "values", "gradients" or "both".

    Returns:
        The questions.

    Raises:
        ValueError: If a node is not a scalar, or if there is nothing to fill in.
    """
    walk = steps.walk
    for node in reversed(walk.nodes):
        if shape(node.raw) is not None:
            raise ValueError(
                f"a worksheet needs a graph of scalars, but {called(node)} has the shape {node.raw.shape}: "
                "compute with Values, one per element, or save a Stepper as .html"
            )
    found: list[tuple[Literal["value", "gradient"], Node, str, float, tuple[int, ...]]] = []
    if blanks != "gradients":
        for k, node in enumerate(steps.computed, 1):
            found.append(("value", node, called(node), float(node.raw), (k,)))
    sums = [(node, into) for node in walk.nodes if (into := steps.into(node))] if blanks != "values" else []
    for node, into in sorted(sums, key=lambda pair: pair[1][-1].index):  # a gradient is known after its last step
        answer = float(walk.gradient(node))  # type: ignore[arg-type]  # a contribution arrives
        symbol = derivative_of(walk.root, node)
        found.append(("gradient", node, symbol, answer, tuple(step.index for step in into)))
    if not found:
        raise ValueError(f"the graph of {called(walk.root)} has nothing to fill in: pass a node that an op computed")
    return [Question(number, *fields) for number, fields in enumerate(found, 1)]


def filled(shown: Diagram, questions: Iterable[Question], blanks: Blanks, answers: Mapping[int, str]) -> Diagram:
    """Return the diagram of a worksheet: boxes with numbered blanks, and arrows without text.

    Args:
        shown: Diagram of the graph.
        questions: Blanks of the worksheet.
        blanks: "values", "gradients" or "both". If only values are asked for, the diagram shows no gradients.
        answers: Text of each blank, by its number. A blank without a text is a line.

    Returns:
        The diagram.
    """
    texts = {
        (shown.ids[question.node], question.kind): f"({question.number}) {answers.get(question.number, LINE)}"
        for question in questions
    }

    def box_of(box: Box) -> Box:
        grad = box.grad if blanks != "values" else None
        return box._replace(
            data=texts.get((box.id, "value"), box.data),
            grad=texts.get((box.id, "gradient"), grad),
            terms=(),
            stored="",
            line="",
        )

    arrows = [arrow._replace(value="", back=arrow.back if blanks != "values" else None) for arrow in shown.arrows]
    return replace(shown, boxes=[box_of(box) for box in shown.boxes], arrows=arrows, backward=blanks != "values")


def texts_of(questions: Iterable[Question], spec: str) -> dict[int, str]:
    """Return the answers as text, by the number of the blank.

    Args:
        questions: Blanks of the worksheet.
        spec: Format of numbers, as for `format`.

    Returns:
        The texts.
    """
    return {question.number: notation.number(question.answer, spec) for question in questions}
