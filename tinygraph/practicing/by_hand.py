"""`by_hand`: backpropagation by hand, one question per contribution, with a hint for each wrong answer."""

from __future__ import annotations

import json
import zlib

from tinygraph.engine.graph import Node, require_node
from tinygraph.explaining.notation import called
from tinygraph.explaining.step import Steps
from tinygraph.explaining.walk import Walk
from tinygraph.kernels.numbers import plain_number
from tinygraph.practicing.answers import read
from tinygraph.practicing.console import converse
from tinygraph.practicing.questions import GradientQuestion, GradientQuestions, Verdict
from tinygraph.practicing.score import Record, Score, score_of
from tinygraph.support.arguments import check_kind
from tinygraph.support.messages import counted, described

VERSION = 1  # of an exported state


class ByHand:
    """Backpropagation by hand, from `by_hand`: questions for the gradients of a pass, in the order of the pass.

    Args:
        steps: Steps of the backward pass.

    Attributes:
        questions: All questions, each with its answer and its wrong answers.
    """

    def __init__(self, steps: Steps) -> None:
        self.questions = GradientQuestions(steps)
        self._records = [Record() for _ in range(len(self.questions))]
        self._given: list[list[str | None]] = [[] for _ in self._records]  # None: the answer was shown

    @property
    def index(self) -> int:
        """The number of questions that are answered."""
        return next((i for i, record in enumerate(self._records) if not record.done), len(self._records))

    @property
    def question(self) -> GradientQuestion | None:
        """The current question, or None after the last one."""
        return self.questions[self.index] if self.index < len(self.questions) else None

    def answer(self, answer: str | float) -> Verdict:
        """Answer the current question. After a right answer, the next question is current.

        An integer must be exact. Another number can be a fraction, such as 2/3, or be rounded to three digits.

        Args:
            answer: Number, or text of a number.

        Returns:
            The verdict. Its `text` tells what is wrong if the numbers show it.

        Raises:
            TypeError: If `answer` is neither a number nor a text.
            ValueError: If the text is not a number, or if no question is open.

        Examples:
            >>> from tinygraph import Value
            >>> b, c = Value(3.0, "b"), Value(2.0, "c")
            >>> u = b * c
            >>> u.name = "u"
            >>> hand = by_hand(u)
            >>> hand.question.text
            'What is du/db after this step?'
            >>> print(hand.answer("3").text)
            Not yet: du/db is not 3. You used ∂u/∂c, the local derivative for c. You need ∂u/∂b = c.
            >>> hand.answer("4/2").right, hand.answer(3).right
            (True, True)
            >>> print(hand.score)
            1 of 2 right at the first answer, 1 after a mistake
              1 time: used the local derivative for another operand
        """
        question, record = self._open()
        typed = _text(answer)
        verdict = question.judge(read(typed), typed)
        self._given[question.number - 1].append(typed)
        if verdict.right:
            record.done = "right"
        elif verdict.counts:
            record.wrong += 1
            record.mistakes += verdict.mistakes
        return verdict

    def show(self) -> str:
        """Show the answer of the current question, and go to the next one. The question does not count as right.

        Returns:
            The step with its numbers.

        Raises:
            ValueError: If no question is open.
        """
        question, record = self._open()
        self._given[question.number - 1].append(None)
        record.done = "shown"
        return question.solution

    def _open(self) -> tuple[GradientQuestion, Record]:
        question = self.question
        if question is None:
            raise ValueError(f"all {counted(len(self.questions), 'question')} are answered: call by_hand again")
        return question, self._records[question.number - 1]

    @property
    def score(self) -> Score:
        """The score so far, with the mistakes and how often each was made."""
        return score_of(self._records)

    def repl(self) -> None:
        """Ask the questions in the terminal, or through a pipe."""

        def ask() -> str:
            question = self.question
            if question is None:
                return ""
            return f"question {question.number}/{question.total}  {question.text}\n  {question.given}"

        def answer(line: str) -> str:
            question = self.question
            verdict = self.answer(line)
            return f"{verdict.text} {question.solution}" if question and verdict.right else verdict.text

        converse(ask, answer, self.show, lambda: self.score)

    # --- the state

    def state(self) -> str:
        """Return the answers so far as JSON, which `by_hand` accepts.

        Returns:
            The text. It does not contain the graph.
        """
        return json.dumps({"by_hand": VERSION, "graph": self._fingerprint(), "given": self._given})

    def _fingerprint(self) -> str:
        text = "\n".join(repr(step) for step in self.questions.steps)
        return f"{zlib.crc32(text.encode()):08x}"

    def _restore(self, state: str) -> None:
        """Give the answers of a state again."""
        for texts in _checked(state, self._fingerprint(), len(self.questions)):
            for typed in texts:
                if typed is None:
                    self.show()
                else:
                    self.answer(typed)

    def __repr__(self) -> str:
        done = f"{self.index} of {counted(len(self.questions), 'question')} answered"
        return f"<by hand: {called(self.questions.steps.walk.root)}, {done}>"


def _checked(state: str, fingerprint: str, most: int) -> list[list[str | None]]:
    """Return the answers of a state after checks."""
    try:
        fields = json.loads(state)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or fields.get("by_hand") != VERSION:
        raise ValueError(f"the state is not one that state() returned: {described(state)}")
    if fields.get("graph") != fingerprint:
        raise ValueError("the state belongs to another graph, or to other values: pass the graph that it came from")
    given = fields.get("given")
    if not isinstance(given, list) or len(given) != most or not all(map(_are_answers, given)):
        raise ValueError(f"the state is not one that state() returned: {described(state)}")
    return given


def _are_answers(texts: object) -> bool:
    return isinstance(texts, list) and all(text is None or isinstance(text, str) for text in texts)


def _text(answer: str | float) -> str:
    return answer.strip() if isinstance(answer, str) else repr(plain_number(answer, "answer")).removesuffix(".0")


def by_hand(root: Node, state: str | None = None) -> ByHand:
    """Return an exercise in backpropagation by hand: the gradient after each step is asked for before it is shown.

    Args:
        root: Root of a graph of scalars.
        state: Answers so far, from `ByHand.state`. Defaults to none.

    Returns:
        The exercise. Call its `repl` to answer in a terminal.

    Raises:
        TypeError: If `root` is not a node, or if `state` is not a str.
        ValueError: If a node is not a scalar, if there is no gradient to compute, or if `state` belongs to another
            graph.
        StaleGraphError: If a leaf was edited after the graph was recorded.
    """
    walk = Walk(require_node(root, "by_hand: root"), 1.0)
    exercise = ByHand(Steps(walk))
    if state is not None:
        check_kind("state", state, str, "the text that state() returns")
        exercise._restore(state)
    return exercise
