"""The options of `draw` as options of the command, defined once for every subcommand that draws."""

from __future__ import annotations

import argparse
import re
import warnings
from collections.abc import Collection
from typing import Any, NamedTuple, get_args

from tinygraph.cli.expressions import ExpressionError
from tinygraph.cli.options import positive
from tinygraph.drawing.options import DETAILS, Direction, DrawOptions, Notation, ThemeName
from tinygraph.engine.graph import Node, order
from tinygraph.engine.operators import Operators
from tinygraph.explaining.spelling import normalized
from tinygraph.support.terminal import note


class Option(NamedTuple):
    """An option of the command for one option of `draw`.

    Attributes:
        name: Name of the option of `draw`.
        help: Help text.
        metavar: Name of the value in the help text, or "" for a switch or a choice.
        choices: Allowed values, or () for any value.
        flag: Option of the command, if it does not have the name of the option of `draw`.
    """

    name: str
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    flag: str = ""

    @property
    def written(self) -> str:
        """The option as it is written on the command line."""
        return self.flag or f"--{self.name.replace('_', '-')}"


_DEFAULT = " (default: %(default)s)"
OPTIONS = (
    Option("theme", f"colors; in an SVG file, auto follows the reader's theme{_DEFAULT}", choices=get_args(ThemeName)),
    Option("detail", "amount of detail in the diagram (default: depends on the size of the graph)", choices=DETAILS),
    Option("direction", f"LR draws from left to right, TB from top to bottom{_DEFAULT}", choices=get_args(Direction)),
    Option("notation", f"notation for derivatives{_DEFAULT}", choices=get_args(Notation)),
    Option("parameters", "inputs to draw as parameters, for example w,b", "NAMES"),
    Option("title", "title above the diagram", "TEXT"),
    Option("number", f"format of numbers, such as .3g or .2f{_DEFAULT}", "FORMAT"),
    Option("width", "width of the diagram (default: its own width)", "PIXELS"),
    Option("height", "height of the diagram (default: its own height)", "PIXELS"),
    Option("scale", f"factor that enlarges the diagram{_DEFAULT}", "FACTOR"),
    Option("font", f"name of an installed font{_DEFAULT}", "NAME"),
    Option("font_size", f"size of names and values{_DEFAULT}", "POINTS"),
    Option("background", "color such as '#ffffff', or transparent (default: that of the theme)", "COLOR"),
    Option("dpi", "resolution of a .png file (default: 192, or 96 with a size)", "NUMBER"),
    Option("compact", "show ops as symbols, without captions, so that the text is larger"),
    Option("legend", "leave out the legend", flag="--no-legend"),
    Option("constants", "leave out literal numbers", flag="--no-constants"),
    Option("backward", "show only the forward pass, where both passes would show it", flag="--forward-only"),
    Option("heatmap", "draw small arrays of a saved graph as grids of colored cells"),
    Option("fold_sums", "draw a chain of additions as one box (default: if the sums in the middle have no name)"),
    Option("plain_names", "show names as they are (default: w1 as w₁, and sigma as σ)"),
    Option("engine", "Graphviz executable (default: the first one that is found)", "PROGRAM"),
    Option("timeout", f"time limit of the layout{_DEFAULT}", "SECONDS"),
)
_FLAGS = {option.name: option.written for option in OPTIONS}
_DEFAULTS = DrawOptions()


def add_options(
    parser: argparse.ArgumentParser,
    *,
    without: Collection[str] = (),
    theme: ThemeName = "light",
    details: Collection[str] = DETAILS,
) -> None:
    """Add the options of a diagram to a subcommand.

    Args:
        parser: Parser of the subcommand.
        without: Names of the options of `draw` that the subcommand does not have.
        theme: Default colors.
        details: Allowed amounts of detail.
    """
    for option in OPTIONS:
        if option.name in without:
            continue
        default = {"theme": theme, "parameters": ""}.get(option.name, getattr(_DEFAULTS, option.name))
        settings: dict[str, Any] = {"dest": option.name, "default": default, "help": option.help}
        if option.choices:
            settings["choices"] = details if option.name == "detail" else option.choices
        elif option.name == "fold_sums":
            settings["action"] = argparse.BooleanOptionalAction
        elif not option.metavar:
            settings["action"] = "store_false" if default else "store_true"
        else:
            settings["metavar"] = option.metavar
            if option.name in ("width", "height", "scale", "font_size", "dpi", "timeout"):
                settings["type"] = positive(float)
        parser.add_argument(option.written, **settings)


def draw_options(root: Operators, given: argparse.Namespace) -> dict[str, Any]:
    """Return the options of a diagram as arguments of `draw`, after a check. Print warnings about them.

    Args:
        root: Root of the graph.
        given: Parsed arguments.

    Returns:
        The options.

    Raises:
        ExpressionError: If an option has an invalid value, or two options contradict each other. The message names
            them as on the command line.
    """
    chosen = {name: getattr(given, name) for name in _FLAGS if hasattr(given, name)}
    chosen["parameters"] = _parameters(root, chosen["parameters"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            DrawOptions(**chosen)
        except (TypeError, ValueError) as error:
            raise ExpressionError(in_flags(str(error))) from None
    for warning in caught:
        note(f"warning: {warning.message}")
    return chosen


def quietly() -> warnings.catch_warnings[None]:
    """Return a context that hides the warnings about options, which `draw_options` has printed."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)


def in_flags(message: str) -> str:
    """Return an error message about options of `draw` with their names on the command line.

    Args:
        message: Error message.

    Returns:
        The message.

    Examples:
        >>> in_flags("font_size must be a positive number, not 0; width= or height='x' ...")
        "--font-size must be a positive number, not 0; --width or --height 'x' ..."
    """
    for name, flag in _FLAGS.items():
        message = re.sub(rf"^{name}(?= must)", flag, message)
        message = re.sub(rf"\b{name}=(?=['\w])", f"{flag} ", message)
        message = re.sub(rf"\b{name}=", flag, message)
    return message


def _parameters(root: Operators, names: str) -> list[Node]:
    """Return the inputs with the given comma-separated names."""
    leaves = {normalized(node.name): node for node in order(root) if node.op is None}
    parameters = [normalized(name.strip()) for name in names.split(",") if name.strip()]
    for name in parameters:
        if name not in leaves:
            raise ExpressionError(f"--parameters: {name!r} is not an input of the expression")
    return [leaves[name] for name in parameters]
