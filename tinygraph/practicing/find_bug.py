"""`find_bug`: a backward pass with a mistake. The student finds the first wrong step, and names the mistake."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tinygraph.engine.graph import Node, require_node
from tinygraph.explaining import notation
from tinygraph.explaining.notation import called
from tinygraph.explaining.step import Step, Steps
from tinygraph.explaining.walk import Walk
from tinygraph.practicing.console import converse
from tinygraph.practicing.questions import Verdict, check_scalars
from tinygraph.practicing.score import Record, Score, score_of
from tinygraph.practicing.wrong_passes import WRONG_PASSES, WrongPass, by_the_rule, first_fault, result_of, told
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import counted, one_of
from tinygraph.support.terminal import echo

NAMES = tuple(wrong.name for wrong in WRONG_PASSES)
LONGEST = 1000  # steps of a pass that a student looks through


@dataclass(frozen=True)
class Opponent:
    """A backward pass with a mistake on one graph.

    Attributes:
        mistake: The mistake.
        steps: All steps of the pass. The first one sets the gradient of the root.
        first: Number of the first wrong step.
        expected: What this step should be, or None if the pass repeats a step.
    """

    mistake: WrongPass
    steps: tuple[Step, ...]
    first: int
    expected: Step | None

    @property
    def correction(self) -> str:
        """What the first wrong step should be, as a sentence."""
        if self.expected is None:
            return f"Step {self.first} repeats an earlier step, so its contribution is added twice."
        step = self.steps[self.first - 1]
        here, complete = (notation.quantity(each.upstream, each.spec) for each in (step, self.expected))
        early = f" The upstream gradient is {complete}, not {here}." if here != complete else ""
        return f"Step {self.first} should be {told(self.expected)}.{early}"


def opponents(steps: Steps) -> dict[str, Opponent]:
    """Return the mistakes that show on a graph, each with its backward pass.

    Args:
        steps: Steps of the correct backward pass, whose seed is 1.

    Returns:
        The opponents, by the name of the mistake. A mistake that makes no visible difference on this graph is left out,
        and so is a pass of more than 1,000 steps.

    Raises:
        ValueError: If a node is not a scalar.
    """
    root = steps.walk.root
    check_scalars(steps.walk, "finding a bug")
    found: dict[str, Opponent] = {}
    if len(steps.walk) > LONGEST:
        return found
    right = [replace(step, spec=steps.spec) for step in result_of(by_the_rule, root)[1]]
    for wrong in WRONG_PASSES:
        try:
            contributions = [replace(step, spec=steps.spec) for step in result_of(wrong.run, root, LONGEST)[1]]
        except ValueError:  # the graph is too deep or has too many paths for this pass
            continue
        fault = first_fault(right, contributions)
        if fault is None or not _is_visible(*fault):
            continue
        total = len(contributions) + 1
        start = Step(1, total, "seed", root, after=1.0, root=root, spec=steps.spec)
        numbered = [replace(step, index=k, total=total) for k, step in enumerate(contributions, 2)]
        found[wrong.name] = Opponent(wrong, (start, *numbered), contributions.index(fault[1]) + 2, fault[0])
    return found


def _is_visible(expected: Step | None, step: Step) -> bool:
    """Return whether a step differs from the expected one in the digits that are shown."""
    return expected is None or told(expected) != told(step)


class FindBug:
    """A backward pass with a mistake, from `find_bug`. Print it to see its steps.

    Args:
        opponent: The pass.
        known: If true, the student knows the mistake and only finds the step.

    Attributes:
        steps: All steps of the pass, numbered from 1.
    """

    def __init__(self, opponent: Opponent, *, known: bool = False) -> None:
        self._opponent = opponent
        self.steps = opponent.steps
        self._records = [Record()] if known else [Record(), Record()]

    @property
    def root(self) -> Node:
        """The root of the graph."""
        return self.steps[0].result

    @property
    def question(self) -> str:
        """The current question, or "" after the last one."""
        if not self._records[0].done:
            return "Which step is the first wrong one?"
        if not self._records[-1].done:
            return f"Which mistake does the pass make: {', '.join(NAMES)}?"
        return ""

    def pick(self, step: int) -> Verdict:
        """Pick the first wrong step.

        Args:
            step: Number of the step, counted from 1.

        Returns:
            The verdict.

        Raises:
            TypeError: If `step` is not an integer.
            ValueError: If no step has this number, or if the step is found already.

        Examples:
            >>> from tinygraph import Value
            >>> a = Value(2.0, "a")
            >>> b = a + a
            >>> b.name = "b"
            >>> bug = find_bug(b, "= for +=")
            >>> print(bug)
            step 1  db/db = 1
            step 2  db/da += db/db · ∂b/∂a = 1 × 1 = 1, so a.grad 0 → 1
            step 3  db/da += db/db · ∂b/∂a = 1 × 1 = 1, so a.grad 1 → 1
            >>> print(bug.pick(2).text)
            Step 2 is right. Look at the steps after it.
            >>> bug.pick(3).right
            True
        """
        record, first = self._records[0], self._opponent.first
        if record.done:
            raise ValueError(f"the first wrong step is found: it is step {first}")
        if not 1 <= check_integer("step", step) <= len(self.steps):
            raise ValueError(f"step must be from 1 to {len(self.steps)}, not {step}")
        if step == first:
            record.done = "right"
            return Verdict(True, True, (), f"Right: step {first} is wrong. {self._correction()}")
        record.wrong += 1
        if step < first:
            return Verdict(False, True, (), f"Step {step} is right. Look at the steps after it.")
        return Verdict(False, True, (), f"A step before step {step} is already wrong.")

    def name(self, mistake: str) -> Verdict:
        """Name the mistake of the pass.

        Args:
            mistake: Name of a misconception of the lab, such as "= for +=".

        Returns:
            The verdict.

        Raises:
            ValueError: If there is no such mistake, or if the mistake is known, or if the step is not found yet.
        """
        one_of("mistake", mistake, NAMES)
        record = self._records[-1]
        if not self._records[0].done:
            raise ValueError("first pick the step that is wrong")
        if record.done:
            raise ValueError(f"the mistake is known: it is {self._opponent.mistake.name!r}")
        if mistake == self._opponent.mistake.name:
            record.done = "right"
            return Verdict(True, True, (), f"Right. {self._opponent.mistake.explained}")
        record.wrong += 1
        return Verdict(False, True, (), f"It is not {mistake!r}. {self._opponent.correction}")

    def show(self) -> str:
        """Show the answer of the current question, and go on. The question does not count as right.

        Returns:
            The answer.

        Raises:
            ValueError: If no question is open.
        """
        record = next((record for record in self._records if not record.done), None)
        if record is None:
            raise ValueError("both questions are answered: call find_bug again")
        record.done = "shown"
        if record is self._records[0]:
            return f"Step {self._opponent.first} is the first wrong step. {self._correction()}"
        return f"It is {self._opponent.mistake.name!r}. {self._opponent.mistake.explained}"

    def _correction(self) -> str:
        """Return the correction, with the belief if the student already knows the mistake."""
        correction = self._opponent.correction
        return f"{correction} {self._opponent.mistake.explained}" if len(self._records) == 1 else correction

    @property
    def score(self) -> Score:
        """The score so far."""
        return score_of(self._records)

    def repl(self) -> None:
        """Ask the questions in the terminal, or through a pipe."""

        def answer(line: str) -> str:
            if self._records[0].done:
                return self.name(line).text
            if not (line.isascii() and line.isdigit() and len(line) < 5):
                raise ValueError(f"the answer must be the number of a step, from 1 to {len(self.steps)}")
            return self.pick(int(line)).text

        echo(str(self))
        converse(lambda: self.question, answer, self.show, lambda: self.score)

    def __str__(self) -> str:
        width = len(str(len(self.steps)))
        return "\n".join(f"step {step.index:>{width}}  {told(step)}" for step in self.steps)

    def __repr__(self) -> str:
        return f"<find the bug: {called(self.root)}, {counted(len(self.steps), 'step')}>"


def find_bug(root: Node, opponent: str | None = None, *, seed: int | None = None) -> FindBug:
    """Return a backward pass with a mistake, to find and to name.

    Args:
        root: Root of a graph of scalars.
        opponent: Name of a misconception of the lab. Defaults to a random one, whose name the student also finds.
        seed: Seed of the random choice. Defaults to another choice in each call.

    Returns:
        The exercise.

    Raises:
        TypeError: If `root` is not a node, or if `seed` is not an integer.
        ValueError: If there is no such opponent, if it makes no mistake on this graph, or if a node is not a scalar.
        StaleGraphError: If a leaf was edited after the graph was recorded.
    """
    if opponent is not None:
        one_of("opponent", opponent, NAMES)
    if seed is not None:
        check_integer("seed", seed)
    steps = Steps(Walk(require_node(root, "find_bug: root"), 1.0))
    found = opponents(steps)
    if opponent is not None and opponent not in found:
        raise ValueError(_nothing_to_find(f"{opponent!r} makes no mistake", root, found))
    if not found:
        raise ValueError(_nothing_to_find("no opponent makes a mistake", root, found))
    chosen = opponent or random.Random(seed).choice([*found])
    return FindBug(found[chosen], known=opponent is not None)


def _nothing_to_find(what: str, root: Node, found: Mapping[str, Opponent]) -> str:
    others = f"choose one of {', '.join(map(repr, found))}, or " if found else ""
    hint = "pass a graph of at most 1,000 steps that uses a computed node twice"
    return f"{what} on the graph of {called(root)}: {others}{hint}"
