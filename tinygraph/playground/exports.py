"""Files that a reader can save: the diagram, its animation, a worksheet, and a Python program."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinygraph.drawing.draw import draw
from tinygraph.engine.value import Value
from tinygraph.playground.inputs import written
from tinygraph.stepping.stepper import Stepper
from tinygraph.support.messages import one_of
from tinygraph.worksheets.worksheet import worksheet

FORMATS = ("svg", "animation", "worksheet", "python")


@dataclass(frozen=True)
class Export:
    """A file to save."""

    name: str
    type: str  # MIME type
    text: str


def diagram_svg(root: Value, theme: str) -> Export:
    """Return the diagram as an SVG file.

    Args:
        root: Root of the graph.
        theme: Theme of the diagram.

    Returns:
        The file.
    """
    root.backward()
    text = draw(root, theme=theme).svg()  # type: ignore[arg-type]  # `draw` checks the theme
    return Export(f"{_stem(root)}.svg", "image/svg+xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{text}')


def animation(root: Value, theme: str) -> Export:
    """Return all steps as an animated SVG file.

    Args:
        root: Root of the graph.
        theme: Theme of the diagram.

    Returns:
        The file.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Stepper(root, phase="both", theme=theme).save(Path(folder) / "steps.svg", theme=theme)
        return Export(f"{_stem(root)}-steps.svg", "image/svg+xml", path.read_text(encoding="utf-8"))


def sheet(root: Value, theme: str) -> Export:
    """Return a worksheet with blanks, as an HTML page that checks the answers.

    Args:
        root: Root of the graph.
        theme: Theme of the diagram.

    Returns:
        The file.
    """
    return Export(f"{_stem(root)}-worksheet.html", "text/html", worksheet(root, theme=theme).page())


def python_code(mode: str, text: str, numbers: Mapping[str, float], root: Value) -> Export:
    """Return a Python program that computes the same graph outside of the page.

    Args:
        mode: "expression" or "python".
        text: The expression or the program.
        numbers: Values of the inputs of an expression.
        root: Root of the graph.

    Returns:
        The file.
    """
    head = "from tinygraph import *\n\n"
    name = root.name or "root"
    if mode == "expression":
        values = "".join(f"{key!r}: {written(value)}, " for key, value in numbers.items()).removesuffix(", ")
        head = "from tinygraph import Stepper, draw\nfrom tinygraph.cli.expressions import parse\n\n"
        body = f'{name} = parse("""\n{text.strip()}\n""".strip(), {{{values}}})\n'
    else:
        last = "" if root.name else "# Give the last expression the name `root`.\n"
        body = f"{text.rstrip()}\nname_from(globals())\n{last}"
    tail = f'{name}.backward()\ndraw({name}).save("{_stem(root)}.svg")\nprint(Stepper({name}).step())\n'
    return Export(f"{_stem(root)}.py", "text/x-python", head + body + tail)


def export(kind: str, root: Value, theme: str) -> Export:
    """Return a file of the graph.

    Args:
        kind: "svg", "animation" or "worksheet".
        root: Root of the graph.
        theme: Theme of the diagram.

    Returns:
        The file.

    Raises:
        ValueError: If `kind` has another value, or if the graph has no such file.
    """
    one_of("the format of the export", kind, FORMATS)
    return {"svg": diagram_svg, "animation": animation, "worksheet": sheet}[kind](root, theme)


def _stem(root: Value) -> str:
    """Return the beginning of a file name that every system accepts."""
    name = "".join(x if x.isascii() and (x.isalnum() or x in "_-") else "_" for x in root.name)[:40]
    return name or "graph"
