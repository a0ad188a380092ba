"""The subcommands that read a graph from an expression or a file: draw, step, diagnose and verify."""

from __future__ import annotations

import argparse
from pathlib import Path

from tinygraph.cli.expressions import ExpressionError, parse
from tinygraph.cli.options import binding, positive
from tinygraph.engine.operators import Operators
from tinygraph.support.files import check_writable
from tinygraph.support.terminal import echo

SAVED = ".json"

# Saved graphs need NumPy, and diagrams need the package graphviz. So each subcommand imports what it needs.


def add_draw(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `tinygraph draw`.

    Args:
        parser: Parser of the subcommand.
    """
    parser.description = (
        "Draw the computation graph of an expression. Blue arrows carry values forward, and red arrows "
        "carry derivatives back. The diagram shows the name of each named step."
    )
    parser.epilog = 'example: tinygraph draw "u = b*c; v = a + u; J = 3*v" a=5 b=3 c=2 -o J.svg'
    from tinygraph.cli.diagram_options import add_options

    _add_expression(parser)
    add = parser.add_argument
    out = "output file: .svg, .png, .pdf, .dot (needs no Graphviz), or .json (the graph itself)"
    add("-o", "--out", metavar="FILE", type=Path, help=out)
    add("--tree", action="store_true", help="print the graph as text (the default without --out)")
    add("--forward", action="store_true", help="compute and draw the values only, without gradients")
    add_options(parser)
    parser.set_defaults(run=_draw)


def add_step(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `tinygraph step`.

    Args:
        parser: Parser of the subcommand.
    """
    parser.description = (
        "Step through backpropagation in both directions, with the commands of pdb and rr. "
        "Type h for help. You can also pipe in the commands."
    )
    parser.epilog = 'example: tinygraph step "u = b*c; v = a + u; J = 3*v" a=5 b=3 c=2'
    from tinygraph.cli.diagram_options import add_options
    from tinygraph.drawing.options import EVERY_NODE
    from tinygraph.practicing.find_bug import NAMES
    from tinygraph.stepping.stepper import SECONDS

    _add_expression(parser)
    add = parser.add_argument
    phase = "passes to step through (default: backward; with --out, both)"
    add("--phase", choices=("backward", "forward", "both"), help=phase)
    out = "write all steps: .html (interactive player), .svg or .gif (animation), .pdf, or one s-{:02}.png per step"
    add("-o", "--out", metavar="FILE", type=Path, help=out)
    seconds = "time per step of an animation (default: %(default)s)"
    add("--seconds", metavar="SECONDS", type=positive(float), default=SECONDS, help=seconds)
    add("--hide", action="store_true", help="hide later steps completely (default: show them faintly)")
    add("--no-caption", action="store_true", help="leave out the sentences below the diagram")
    practice = parser.add_argument_group("practice")
    exercise = practice.add_mutually_exclusive_group()
    hand = "ask for each gradient before it is shown, with hints and a score (with --out: in the .html page)"
    exercise.add_argument("--by-hand", action="store_true", help=hand)
    exercise.add_argument("--find-bug", action="store_true", help="find the first wrong step of a wrong backward pass")
    opponent = "mistake of the wrong pass (default: a random one, which you name at the end)"
    practice.add_argument(
        "--opponent", choices=NAMES, metavar="MISTAKE", help=f"{opponent}: {', '.join(map(repr, NAMES))}"
    )
    # A walkthrough shows each addition, because each of its edges is a step, and `--phase forward` has no gradients.
    add_options(parser, without=("fold_sums", "backward"), theme="auto", details=EVERY_NODE)
    parser.set_defaults(run=_step)


def add_diagnose(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `tinygraph diagnose`.

    Args:
        parser: Parser of the subcommand.
    """
    parser.description = (
        "Check the forward and backward passes of an expression or of a saved graph. Report the first "
        "value that is not finite. If all values are finite, report missing, vanishing and exploding gradients. The "
        "exit code is 1 if there is a problem."
    )
    parser.epilog = 'example: tinygraph diagnose "a = sigmoid(z); L = log(a)" z=-800'
    _add_expression(parser)
    parser.set_defaults(run=_diagnose)


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `tinygraph verify`.

    Args:
        parser: Parser of the subcommand.
    """
    parser.description = (
        "Load a graph that was saved as .json. Recompute every value and every local "
        "derivative from its op, and every gradient from its contributions. The exit code is 2 if a value differs."
    )
    parser.add_argument("file", metavar="GRAPH.json", type=Path, help="saved graph")
    parser.set_defaults(run=_verify)


def _add_expression(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "expression",
        metavar="EXPRESSION",
        help='expression such as "J = 3*(a + b*c)", or a saved graph (GRAPH.json). Separate steps with a '
        "semicolon. Write -- before an expression that starts with a minus sign.",
    )
    parser.add_argument(
        "numbers", metavar="NAME=NUMBER", nargs="*", type=binding, help="values of the inputs, such as a=5 b=3 c=2"
    )


def _graph(options: argparse.Namespace) -> Operators:
    """Return the root of the graph that the command line specifies as an expression or as a saved file."""
    if options.expression.endswith(SAVED):
        if options.numbers:
            raise ExpressionError(f"{options.expression} contains its own values: leave out name=number")
        from tinygraph.saving.reader import load

        root = load(options.expression, verify=True)
        if not isinstance(root, Operators):
            raise ExpressionError(
                f"{options.expression} contains {len(root)} graphs, but this command needs a file with one graph"
            )
        if shape := getattr(root, "shape", ()):
            raise ExpressionError(
                f"{options.expression} contains a Tensor of shape {shape}, but this command needs a scalar"
            )
        return root
    names = [name for name, _ in options.numbers]
    for name in names:
        if names.count(name) > 1:
            raise ExpressionError(f"{name!r} has two values: give each input one value")
    return parse(options.expression, dict(options.numbers))


def _draw(options: argparse.Namespace) -> None:
    from tinygraph.cli.diagram_options import draw_options, in_flags, quietly
    from tinygraph.drawing import draw
    from tinygraph.drawing.layout_engines import FORMATS
    from tinygraph.explaining.tree import tree

    root = _graph(options)
    look = draw_options(root, options)
    if not options.forward:
        root.backward()
    if options.out is not None and options.out.suffix == SAVED:
        from tinygraph.saving.writer import save

        save(root, options.out)
    elif options.out is not None:
        if options.out.suffix.lower().removeprefix(".") not in FORMATS:
            raise ExpressionError(f"--out {options.out}: the name must end in one of .{', .'.join([*FORMATS, 'json'])}")
        check_writable(options.out)
        with quietly():
            drawing = draw(root, **look)
        try:
            drawing.save(options.out)
        except ValueError as error:  # an image that is too large
            raise ExpressionError(f"--out: {in_flags(str(error))}") from None
    if options.tree or options.out is None:
        echo(tree(root))
    if options.out is not None:
        echo(f"wrote {options.out.resolve()}")


def _step(options: argparse.Namespace) -> None:
    from tinygraph.cli.diagram_options import draw_options, in_flags, quietly
    from tinygraph.stepping.formats import check_name, names
    from tinygraph.stepping.stepper import Stepper

    root = _graph(options)
    practices = options.by_hand or options.find_bug
    if practices and options.phase == "forward":
        raise ExpressionError("--phase forward has no gradients to ask for: leave it out")
    if options.opponent is not None and (not options.find_bug or options.out is not None):
        raise ExpressionError("--opponent needs --find-bug without --out: in a page, the reader chooses the opponent")
    if practices and options.out is None:
        _practice(root, options)
        return
    look = draw_options(root, options)
    if options.out is None:
        with quietly():
            Stepper(root, phase=options.phase or "backward", **look).repl()
        return
    try:
        check_name(options.out)
        with quietly():
            stepper = Stepper(root, phase=options.phase or "both", **look)
            files = names(options.out, len(stepper))
            check_writable(files[0])
            how = {"seconds": options.seconds, "hide": options.hide, "caption": not options.no_caption}
            stepper.save(options.out, by_hand=practices, **how)
    except (ValueError, ModuleNotFoundError) as error:  # a wrong name, a graph that is too large, a missing package
        raise ExpressionError(f"--out: {in_flags(str(error)).replace('by_hand=True', '--by-hand')}") from None
    several = f" ... {files[-1].name} ({len(files)} files)" if len(files) > 1 else ""
    echo(f"wrote {files[0].resolve()}{several}")


def _practice(root: Operators, options: argparse.Namespace) -> None:
    """Ask for each gradient, or for the mistake of a wrong pass."""
    from tinygraph.practicing.by_hand import by_hand
    from tinygraph.practicing.find_bug import find_bug

    try:
        exercise = by_hand(root) if options.by_hand else find_bug(root, options.opponent)
    except ValueError as error:  # nothing to ask, or an opponent that makes no mistake on this graph
        raise ExpressionError(str(error)) from None
    exercise.repl()


def _diagnose(options: argparse.Namespace) -> int:
    from tinygraph.explaining.diagnosing.diagnosis import diagnose

    found = diagnose(_graph(options))
    echo(str(found))
    return int(not found.healthy)


def _verify(options: argparse.Namespace) -> None:
    from tinygraph.saving.reader import load
    from tinygraph.saving.verification import all_nodes

    root = load(options.file, verify=True)
    nodes = all_nodes(root if isinstance(root, list) else [root])
    echo(f"{options.file}: {len(nodes):,} nodes, and every value matches the result of its op")
