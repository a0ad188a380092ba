"""Answer the requests of the playground's page: run a program, move an input, export a file.

The page sends JSON with the `kind` of a request and gets JSON back. Each worker of the browser has one `Playground`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from tinygraph.cli.expressions import ExpressionError, parse
from tinygraph.drawing.layout_engines import LayoutError
from tinygraph.drawing.options import DrawOptions
from tinygraph.engine.graph import StaleGraphError, order
from tinygraph.engine.metadata import FrozenBranchError
from tinygraph.engine.value import Value
from tinygraph.explaining import notation
from tinygraph.explaining.walk import Walk
from tinygraph.playground import blocks, exports, inputs, problems, programs
from tinygraph.playground.examples import EXAMPLES
from tinygraph.stepping.by_hand import questions_of
from tinygraph.stepping.player import page
from tinygraph.stepping.renumbering import renumbered
from tinygraph.stepping.stepper import Stepper
from tinygraph.support.messages import one_of
from tinygraph.support.version import __version__

LARGEST = 200  # maximum number of nodes on the page: Graphviz as WebAssembly needs seconds for more
MODES = ("expression", "python")
Request = Mapping[str, Any]
Answer = dict[str, Any]
Handler = Callable[["Playground", Request], Answer]


class Playground:
    """The graph that the page shows, and what it needs to move an input.

    Args:
        options: Options of the diagrams. The theme defaults to "auto".

    Attributes:
        root: Root of the graph, or None before the first run.
        leaves: Inputs of the graph, by name.
    """

    def __init__(self, options: DrawOptions | None = None) -> None:
        self.options = options or DrawOptions(theme="auto", legend=False)
        self.root: Value | None = None
        self.leaves: dict[str, Value] = {}
        self.mode, self.text = MODES[0], ""
        self.numbers: dict[str, float] = {}
        self._pages: dict[str, blocks.PageOfBlocks] = {}

    def answer(self, request: str) -> str:
        """Answer one request.

        Args:
            request: JSON object with the `kind` of the request and its arguments.

        Returns:
            JSON object. If something in the reader's text is wrong, it has the key "problem".
        """
        return json.dumps(self.answered(json.loads(request)), ensure_ascii=False)

    def answered(self, request: Request) -> Answer:
        """Answer one request, as `answer` does, without JSON.

        Args:
            request: The request.

        Returns:
            The answer.

        Raises:
            ValueError: If the kind is unknown.
        """
        one_of("kind", request.get("kind"), HANDLERS)
        return HANDLERS[request["kind"]](self, request)

    def shown(self) -> Value:
        """Return the root of the graph that the page shows.

        Raises:
            ValueError: If nothing has run yet.
        """
        if self.root is None:
            raise ValueError("there is no graph yet: run an expression or a program first")
        return self.root

    def stepper(self, at: int = 0) -> Stepper:
        """Return a Stepper through both passes of the graph.

        Args:
            at: Number of steps that have happened. It is limited to the number of steps.

        Returns:
            The Stepper.
        """
        stepper = Stepper(self.shown(), phase="both")
        stepper.goto(min(max(at, 0), len(stepper)))
        return stepper

    def load(self, mode: str, text: str, numbers: Mapping[str, float]) -> None:
        """Record the graph of an expression or a program.

        Args:
            mode: "expression" or "python".
            text: The expression or the program.
            numbers: Values of inputs, by name. In a program, they replace the numbers of `name = Value(number)`.

        Raises:
            ExpressionError: If the expression is not valid.
            Exception: Whatever the program raises.
        """
        one_of("mode", mode, MODES)
        if mode == "expression":
            found = inputs.numbers_of(text, numbers)
            root = parse(text, found)
            nodes = {node.name: node for node in order(root) if node.op is None and isinstance(node, Value)}
            leaves = {name: nodes[name] for name in found}
        else:
            text = inputs.with_numbers(text, numbers) if numbers else text
            result = programs.run(text)
            root, reached = result.root, set(order(result.root))
            found = {literal.name: literal.value for literal in inputs.literals_of(text)}
            named = {name: result.named[name] for name in found if name in result.named}
            leaves = {name: leaf for name, leaf in named.items() if leaf.op is None and leaf in reached}
        _check_size(root)
        self.root, self.leaves, self.mode, self.text = root, leaves, mode, text
        self.numbers = {name: float(leaf.data) for name, leaf in leaves.items()}


def _check_size(root: Value) -> None:
    count = len(order(root))
    if count > LARGEST:
        raise TooLargeError(
            f"the graph has {count:,} nodes, and this page draws at most {LARGEST}: use a smaller graph, or run the "
            "program in a notebook, where large graphs are folded"
        )


class TooLargeError(ValueError):
    """The graph has more nodes than the page draws."""


class NothingToAskError(ValueError):
    """The graph has no gradients to fill in, or too many."""


def _check_questions(stepper: Stepper) -> None:
    try:
        questions_of(stepper.steps)
    except ValueError as error:
        raise NothingToAskError(str(error)) from None


def run(session: Playground, request: Request) -> Answer:
    """Run an expression or a program, and return the page with its diagram and player.

    Args:
        session: The playground.
        request: `mode`, `text`, and optionally `numbers`; `at`, the number of steps that have happened; and `by_hand`,
            true for a page that asks for each gradient before it shows it.

    Returns:
        `page`, `inputs`, `text`, `values`, `printed` and `steps`, or `problem` and `printed`.
    """
    mode, text, by_hand = request["mode"], request["text"], bool(request.get("by_hand"))
    printed = programs.Printed()
    try:
        with programs.printed_to(printed):
            session.load(mode, text, request.get("numbers", {}))
        stepper = session.stepper(0 if by_hand else request.get("at", 0))
        if by_hand:
            _check_questions(stepper)
        made = page(stepper, session.options, by_hand=by_hand)
    except ExpressionError as error:
        return {"problem": asdict(problems.of_expression(error, text)), "printed": printed.getvalue()}
    except (LayoutError, StaleGraphError, TooLargeError, NothingToAskError) as error:
        return {"problem": asdict(problems.of_graph(error)), "printed": printed.getvalue()}
    except BaseException as error:
        return {"problem": asdict(problems.of_program(error, text)), "printed": printed.getvalue()}
    return {
        "page": made,
        "steps": len(stepper),
        "text": session.text,
        "inputs": [asdict(inputs.as_input(name, value)) for name, value in session.numbers.items()],
        "values": values(stepper.walk, session.options.number),
        "printed": printed.getvalue(),
    }


def values(walk: Walk, spec: str) -> list[dict[str, Any]]:
    """Return the value and the gradient of each named node, in topological order.

    Args:
        walk: The backward pass.
        spec: Format of numbers.

    Returns:
        The name and the texts of the value and the gradient.
    """
    found = []
    for node in walk.nodes[::-1]:
        if node.name and not node.constant:
            gradient = walk.gradient(node)
            shown = "·" if gradient is None else notation.quantity(gradient, spec)
            found.append({"name": node.name, "value": notation.quantity(node.raw, spec), "gradient": shown})
    return found


def move(session: Playground, request: Request) -> Answer:
    """Set inputs, and return the new numbers for the page that is shown.

    Args:
        session: The playground.
        request: `numbers`, the new values by name.

    Returns:
        `numbers` for the page and `values`, or `again` if the program must run again.
    """
    root = session.root
    if root is None:  # this worker is new, because the last one was stopped
        return {"again": True}
    for name, value in request["numbers"].items():
        if name in session.leaves:
            session.leaves[name].data = float(value)
            session.numbers[name] = float(value)
    try:
        root.forward()
    except FrozenBranchError:  # a comparison has another outcome now, so the program takes another way
        return {"again": True}
    stepper = session.stepper()
    return {
        "numbers": renumbered(stepper, session.options),
        "values": values(stepper.walk, session.options.number),
    }


def export(session: Playground, request: Request) -> Answer:
    """Return a file to save.

    Args:
        session: The playground.
        request: `format` and optionally `theme`.

    Returns:
        `file` with its name, type and text, or `problem`.
    """
    kind, theme = request["format"], request.get("theme", "light")
    try:
        if kind == "python":
            made = exports.python_code(session.mode, session.text, session.numbers, session.shown())
        else:
            made = exports.export(kind, session.shown(), theme)
    except (ValueError, LayoutError) as error:
        return {"problem": asdict(problems.of_graph(error))}
    return {"file": asdict(made)}


def block(session: Playground, request: Request) -> Answer:
    """Run a code block of a documentation page.

    Args:
        session: The playground.
        request: `page`, the name of the page; `blocks`, the statements of each block; `at`, the number of the block.

    Returns:
        `text`, `pictures` and `problem`.
    """
    page_of_blocks = session._pages.setdefault(request["page"], blocks.PageOfBlocks())
    return asdict(page_of_blocks.run(request["blocks"], request["at"]))


def start(session: Playground, request: Request) -> Answer:  # noqa: ARG001
    """Return the examples of the menu and the version.

    Args:
        session: The playground.
        request: Nothing more.

    Returns:
        `examples` and `version`.
    """
    return {"examples": [asdict(example) for example in EXAMPLES], "version": __version__}


HANDLERS: dict[str, Handler] = {"start": start, "run": run, "move": move, "export": export, "block": block}
