"""The command `tinygraph`."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import tinygraph
from tinygraph.cli.expressions import ExpressionError, parse
from tinygraph.cli.fit import TrainingStoppedError, save_model, train
from tinygraph.datasets import TableError, read_csv
from tinygraph.drawing import draw
from tinygraph.drawing.draw import DETAILS
from tinygraph.drawing.layout_engines import FORMATS, TIME_LIMIT, EngineNotFoundError, LayoutError
from tinygraph.engine.graph import order
from tinygraph.engine.operators import Operators
from tinygraph.explaining.tree import tree
from tinygraph.logistic.costs import LOSSES
from tinygraph.logistic.model import BACKENDS
from tinygraph.saving.format import GraphFileError
from tinygraph.saving.reader import load
from tinygraph.saving.verification import all_nodes
from tinygraph.saving.writer import save
from tinygraph.stepping.stepper import PAGES, Stepper
from tinygraph.support.files import check_writable
from tinygraph.support.terminal import say

SAVED = ".json"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 2 for input that cannot be used, 130 for Ctrl-C."""
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    if rest and (not hasattr(options, "numbers") or any(text.startswith("-") or "=" not in text for text in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:  # numbers that stand behind an option
        try:
            options.numbers += map(_binding, rest)
        except argparse.ArgumentTypeError as error:
            parser.error(str(error))
    try:
        return int(options.run(options) or 0)
    except (TableError, FloatingPointError, ExpressionError, GraphFileError, EngineNotFoundError, LayoutError) as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader of our output went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return _fail("stopped; no file was written", 130)


def _fail(sentence: str, code: int = 2) -> int:
    print(f"tinygraph: {sentence}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tinygraph", description="Backpropagation made visible.")
    parser.add_argument("--version", action="version", version=f"tinygraph {tinygraph.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="backpropagation on J = 3(a + bc), then logistic regression: loops, vectors, real data",
        description="Show backpropagation on the lecture's graph J = 3(a + bc), one line an event, then the cost of "
        "logistic regression with two loops, one, and none, and train it on the Breast Cancer Wisconsin table. "
        "Writes the graphs as pictures, and the trained model. Takes a few seconds.",
    )
    demo.add_argument("--out", metavar="FOLDER", type=Path, default=Path("tinygraph-demo"),
                      help="where to write the results (default: %(default)s)")  # fmt: skip
    demo.set_defaults(run=_demo)

    draw = commands.add_parser(
        "draw",
        help="draw the graph of an expression, with its derivatives",
        description="Draw the computation graph of an expression: values on blue arrows forward, derivatives on red "
        "arrows back. Steps that have a name are seen under it.",
        epilog='example: tinygraph draw "u = b*c; v = a + u; J = 3*v" a=5 b=3 c=2 -o J.svg',
    )
    _add_expression(draw)
    draw.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        help="where to write it: .svg, .png, .pdf, .dot (without Graphviz), .json (the graph itself)",
    )
    draw.add_argument("--tree", action="store_true", help="print the graph as text; what happens without --out, too")
    draw.add_argument("--theme", choices=("light", "dark", "auto"), default="light",
                      help="auto: a .svg that goes by the reader's (default: %(default)s)")  # fmt: skip
    draw.add_argument("--detail", choices=DETAILS, default="auto",
                      help="how much the arrows say (default: by the size of the graph)")  # fmt: skip
    draw.add_argument("--direction", choices=("LR", "TB"), default="LR",
                      help="from left to right, or from top to bottom (default: %(default)s)")  # fmt: skip
    draw.add_argument("--notation", choices=("dJ/dv", "dv"), default="dJ/dv",
                      help="how derivatives are called (default: %(default)s)")  # fmt: skip
    draw.add_argument("--parameters", metavar="NAMES", default="", help="the inputs that are parameters: w,b")
    draw.add_argument("--title", default="", help="a line above the picture")
    draw.add_argument("--forward", action="store_true", help="values only, before any backward pass")
    draw.add_argument("--timeout", metavar="SECONDS", type=_number(float), default=TIME_LIMIT,
                      help="for the layout (default: %(default)s)")  # fmt: skip
    draw.set_defaults(run=_draw)

    step = commands.add_parser(
        "step",
        help="step through the backward pass of an expression, forwards and back",
        description="Walk through backpropagation one event at a time, in both directions, with the words of pdb and "
        "rr. Type h for help; commands can also be piped in.",
        epilog='example: tinygraph step "u = b*c; v = a + u; J = 3*v" a=5 b=3 c=2',
    )
    _add_expression(step)
    step.add_argument("--phase", choices=("backward", "forward", "both"),
                      help="which events (default: backward, and both for a page)")  # fmt: skip
    step.add_argument("--html", metavar="FILE", type=Path,
                      help="write the walk as a page instead: one file that needs no network")  # fmt: skip
    step.set_defaults(run=_step)

    diagnose = commands.add_parser(
        "diagnose",
        help="say where a nan, an infinite number, or a missing gradient comes from",
        description="Look through both passes of an expression, or of a saved graph: the first number that is not "
        "finite, or else gradients that do not arrive, vanish or explode. The exit code is 1 where something is found.",
        epilog='example: tinygraph diagnose "a = sigmoid(z); L = log(a)" z=-800',
    )
    _add_expression(diagnose)
    diagnose.set_defaults(run=_diagnose)

    verify = commands.add_parser(
        "verify",
        help="recompute a saved graph, and name the first number that differs",
        description="Load a graph that was saved as .json, recompute every number from its op, every slope, and every "
        "gradient from the contributions that arrive. The exit code is 2 where something differs.",
    )
    verify.add_argument("file", metavar="GRAPH.json", type=Path, help="the file")
    verify.set_defaults(run=_verify)

    fit = commands.add_parser(
        "fit",
        help="train logistic regression on a CSV file",
        description="Train logistic regression on a CSV file with a header row: the target column holds two "
        "classes, every other column numbers. A fifth of the rows is kept to test on.",
    )
    fit.add_argument("file", metavar="FILE.csv", type=Path, help="the table")
    fit.add_argument("--target", metavar="COLUMN", required=True, help="the column with the two classes")
    fit.add_argument("--loss", choices=LOSSES, default="cross_entropy_with_logits", help="default: %(default)s")
    fit.add_argument("--backend", choices=BACKENDS, default="tensor",
                     help="vectorized, or by two explicit loops (default: %(default)s)")  # fmt: skip
    fit.add_argument("--rate", metavar="ALPHA", type=_number(float), default=0.5,
                     help="the learning rate (default: %(default)s)")  # fmt: skip
    fit.add_argument("--steps", metavar="N", type=_number(int), default=100,
                     help="steps of gradient descent (default: %(default)s)")  # fmt: skip
    fit.add_argument("--seed", metavar="N", type=int, default=0,
                     help="draws the rows to test on (default: %(default)s)")  # fmt: skip
    fit.add_argument("--out", metavar="MODEL.json", type=Path, default=Path("model.json"),
                     help="where to save the parameters (default: %(default)s)")  # fmt: skip
    fit.set_defaults(run=_fit)

    doctor = commands.add_parser(
        "doctor",
        help="what is there, what is missing, and how to bring it",
        description="Say which packages and which programs that draw pictures are there, and the commands that bring "
        "the others. The exit code is 1 where no picture can be drawn.",
    )
    doctor.set_defaults(run=_doctor)
    return parser


def _add_expression(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "expression",
        metavar="EXPRESSION",
        help='such as "J = 3*(a + b*c)"; ; stands between steps, and -- before one that begins with -. '
        "Or a graph that was saved, GRAPH.json",
    )
    parser.add_argument("numbers", metavar="NAME=NUMBER", nargs="*", type=_binding, help="the inputs: a=5 b=3 c=2")


def _binding(text: str) -> tuple[str, float]:
    name, equals, number = text.partition("=")
    if not (equals and name.strip().isidentifier()):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form name=number")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{number!r} in {text!r} is not a number") from None


def _graph(options: argparse.Namespace) -> Operators:
    """The graph that the command line names, with its numbers, or that a file holds."""
    if options.expression.endswith(SAVED):
        if options.numbers:
            raise ExpressionError(f"{options.expression} has its own numbers; it takes none of the command line")
        root = load(options.expression, verify=True)
        if not isinstance(root, Operators):
            raise ExpressionError(f"{options.expression} holds {len(root)} graphs; this command takes a file of one")
        if shape := getattr(root, "shape", ()):
            raise ExpressionError(f"{options.expression} holds an array of shape {shape}, not one number")
        return root
    names = [name for name, _ in options.numbers]
    for name in names:
        if names.count(name) > 1:
            raise ExpressionError(f"{name!r} has two numbers")
    return parse(options.expression, dict(options.numbers))


def _number(kind: type[int] | type[float]) -> Callable[[str], float]:
    def positive(text: str) -> float:
        number = kind(text)
        if not (number > 0 and math.isfinite(number)):
            raise argparse.ArgumentTypeError(f"{text} is not a positive number")
        return number

    positive.__name__ = "positive whole number" if kind is int else "positive number"
    return positive


def _draw(options: argparse.Namespace) -> None:
    root = _graph(options)
    leaves = {node.name: node for node in order(root) if node.op is None}
    parameters = [name.strip() for name in options.parameters.split(",") if name.strip()]
    for name in parameters:
        if name not in leaves:
            raise ExpressionError(f"--parameters: {name!r} is no input of the expression")
    if not options.forward:
        root.backward()
    if options.out is not None and options.out.suffix == SAVED:
        save(root, options.out)
    elif options.out is not None:
        if options.out.suffix.lower().removeprefix(".") not in FORMATS:
            raise ExpressionError(f"--out {options.out}: the name must end in one of .{', .'.join([*FORMATS, 'json'])}")
        check_writable(options.out)
        drawing = draw(
            root,
            theme=options.theme,
            detail=options.detail,
            direction=options.direction,
            notation=options.notation,
            parameters=[leaves[name] for name in parameters],
            title=options.title,
            timeout=options.timeout,
        )
        drawing.save(options.out)
    if options.tree or options.out is None:
        say(tree(root))
    if options.out is not None:
        say(f"wrote {options.out.resolve()}")


def _step(options: argparse.Namespace) -> None:
    root = _graph(options)
    if options.html is None:
        Stepper(root, phase=options.phase or "backward").repl()
        return
    if options.html.suffix.lower() not in PAGES:
        raise ExpressionError(f"--html {options.html}: the name must end in {' or '.join(PAGES)}")
    check_writable(options.html)
    try:
        path = Stepper(root, phase=options.phase or "both").save(options.html)
    except ValueError as error:  # no page can show it
        raise ExpressionError(f"--html: {error}") from None
    say(f"wrote {path.resolve()}")


def _diagnose(options: argparse.Namespace) -> int:
    from tinygraph.explaining.diagnosis import diagnose

    found = diagnose(_graph(options))
    say(str(found))
    return int(not found.healthy)


def _verify(options: argparse.Namespace) -> None:
    root = load(options.file, verify=True)
    nodes = all_nodes(root if isinstance(root, list) else [root])
    say(f"{options.file}: {len(nodes):,} nodes, and every number is what its op computes")


def _doctor(options: argparse.Namespace) -> int:  # noqa: ARG001
    from tinygraph.cli.doctor import doctor

    return int(not doctor())


def _demo(options: argparse.Namespace) -> None:
    from tinygraph.cli.demo import demo

    demo(options.out)


def _fit(options: argparse.Namespace) -> int:
    table = read_csv(options.file, options.target)
    if options.out.exists() and options.out.samefile(options.file):
        raise TableError(f"{options.out}: is the table itself; choose another file for --out")
    check_writable(options.out)
    try:
        model = train(
            table,
            loss=options.loss,
            learning_rate=options.rate,
            n_steps=options.steps,
            seed=options.seed,
            backend=options.backend,
        )
    except TableError as error:
        raise TableError(f"{options.file}, {error}") from None
    except TrainingStoppedError as stopped:
        save_model(options.out.with_name(f"{options.out.stem}-stopped{options.out.suffix}"), stopped.model)
        done = stopped.model["n_steps"]
        return _fail(f"stopped after {done} of {options.steps} steps; {options.out} is as it was", 130)
    save_model(options.out, model)
    return 0
