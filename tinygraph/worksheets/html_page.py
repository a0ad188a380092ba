"""The HTML page of a worksheet, which checks the answers and links to the steps that compute them."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template

from tinygraph.drawing.drawing import Drawing
from tinygraph.drawing.options import DrawOptions
from tinygraph.explaining import notation
from tinygraph.explaining.notation import called
from tinygraph.explaining.step import Steps
from tinygraph.practicing import asset as practicing_asset
from tinygraph.practicing.answers import slack
from tinygraph.worksheets.blanks import Question, texts_of


def page(drawing: Drawing, questions: Sequence[Question], steps: Steps, options: DrawOptions) -> str:
    """Return the page as text.

    Args:
        drawing: Diagram with blanks.
        questions: Blanks of the worksheet.
        steps: Steps that the page links to.
        options: Options of the drawing.

    Returns:
        The page.
    """
    texts = texts_of(questions, options.number)
    data = [
        {
            "number": question.number,
            "label": notation.clean(f"{_KINDS[question.kind]} {question.symbol}"),
            "symbol": notation.clean(question.symbol),
            "answer": repr(question.answer),
            "slack": slack(question.answer),
            "shown": texts[question.number],
            "steps": question.steps,
        }
        for question in questions
    ]
    told = "\n".join(
        f'<li id="step-{step.index}" tabindex="-1" hidden><b>step {step.index}</b> {_told(step.equation)}</li>'
        for step in steps
    )
    title = options.title or f"Worksheet: {notation.headline(steps.walk.root) or called(steps.walk.root)}"
    return Template(_asset("page.html")).substitute(
        title=_told(title),
        style=_asset("page.css"),
        svg=drawing.svg(),
        steps=told,
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        script="\n".join([practicing_asset("answers.js"), _asset("page.js")]),
    )


_KINDS = {"value": "value of", "gradient": "gradient"}


def _told(text: str) -> str:
    return html.escape(notation.clean(text))


@cache
def _asset(name: str) -> str:
    return files("tinygraph.worksheets").joinpath(name).read_text(encoding="utf-8")
