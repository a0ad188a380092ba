"""Layout of DOT text with Graphviz, with a time limit and with errors that suggest a fix.

The module calls `subprocess.run` directly, because the graphviz package has no time limit and prints warnings to the
terminal.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tinygraph.support.arguments import check_kind
from tinygraph.support.messages import described, install_command
from tinygraph.support.terminal import note

TIME_LIMIT = 30.0  # seconds
VARIABLE = "TINYGRAPH_DOT"
ENGINES = ("dot", "graphviz-pure")
TEXT_FORMATS = ("dot", "gv")
FORMATS = ("svg", "png", "pdf", *TEXT_FORMATS)
LONGEST_SIDE = 32_767  # pixels, which cairo counts in 16 bits
LARGEST_IMAGE = 300e6  # pixels, each of which takes 4 bytes of memory
# Options for a layout with less effort: straight lines, more crossings, and positions that are less balanced.
CHEAPER = ("-Gsplines=line", "-Gmclimit=0.1", "-Gnslimit=1", "-Gnslimit1=1")
REMEDIES = (
    f"{install_command('render')}, or install Graphviz "
    "(`apt-get install graphviz`, `brew install graphviz`, https://graphviz.org/download); "
    "a .dot file needs no Graphviz"
)


Function = Callable[[str], str]  # from DOT text to SVG text

_default: str | Function | None = None  # what `use_engine` registered


class EngineNotFoundError(RuntimeError):
    """No Graphviz executable is installed."""


class LayoutError(RuntimeError):
    """Graphviz could not lay out the graph, or exceeded the time limit."""


class TimeLimitError(LayoutError):
    """The layout exceeded the time limit."""


class FormatError(LayoutError):
    """The layout engine cannot write this format."""


def use_engine(engine: str | Function | None) -> str | Function | None:
    """Register the layout engine that every diagram uses, unless its `engine=` selects another one.

    A function is for a place without programs, such as a browser, where Graphviz is a library. A registered engine has
    priority over the variable `TINYGRAPH_DOT`.

    Args:
        engine: Graphviz executable, a function from DOT text to SVG text, or None to remove the registered engine.

    Returns:
        The engine that was registered before, or None, so that you can restore it.

    Raises:
        TypeError: If `engine` has another type.
        ValueError: If the name contains a NUL character.

    Examples:
        >>> from tinygraph import Value, draw
        >>> before = use_engine(lambda dot: f"<svg><!-- {len(dot.splitlines()) > 5} --></svg>")
        >>> "<svg" in draw(Value(2.0) * 3.0).svg()
        True
        >>> _ = use_engine(before)
    """
    global _default
    check_engine(engine)
    before, _default = _default, engine
    return before


def check_engine(engine: object) -> None:
    """Check the type of a layout engine: the name of a program, a function, or None.

    Args:
        engine: Object to check.

    Raises:
        TypeError: If `engine` has another type.
        ValueError: If the name contains a NUL character.
    """
    if engine is None or callable(engine):
        return
    check_kind("engine", engine, str, "the name of a program, a function from DOT text to SVG text, or None")
    if isinstance(engine, str) and "\0" in engine:
        raise ValueError(f"engine must be the name of a program, not {engine!r}")


def chosen_engine(engine: str | Function | None) -> str | Function | None:
    """Return the layout engine of a diagram: its own, otherwise the registered one.

    Args:
        engine: Layout engine of the diagram, or None.

    Returns:
        The engine, or None for the first executable that is found.
    """
    return _default if engine is None else engine


def candidates() -> list[tuple[str, str]]:
    """Return the places that are searched for a Graphviz executable.

    Returns:
        A list of pairs (place, path), in which the path is "" if nothing was found.
    """
    chosen = os.environ.get(VARIABLE, "")
    found = [(f"{VARIABLE}={chosen}" if chosen else VARIABLE, shutil.which(chosen) or "" if chosen else "")]
    found += [(f"{name} on PATH", shutil.which(name) or "") for name in ENGINES]
    scripts = Path(sys.executable).parent  # finds an executable in a virtual environment that is not activated
    found.append(("graphviz-pure beside this Python", shutil.which("graphviz-pure", path=str(scripts)) or ""))
    return found


def find_engine(engine: str | None = None) -> str:
    """Return the path of the Graphviz executable to use.

    Args:
        engine: Name or path of an executable. Defaults to the first executable that is found.

    Returns:
        The path.

    Raises:
        EngineNotFoundError: If no executable is found. The message shows how to install Graphviz.
    """
    chosen = engine or os.environ.get(VARIABLE)
    if chosen:
        path = shutil.which(chosen)
        if path is None:
            where = "engine=" if engine else f"the variable {VARIABLE}="
            raise EngineNotFoundError(f"{where}{chosen!r} is not a program on this machine; {REMEDIES}")
        return path
    for _, path in candidates():
        if path:
            return path
    raise EngineNotFoundError(f"no Graphviz executable was found; {REMEDIES}")


def time_limit_error(engine: str | None, timeout: float | None) -> TimeLimitError:
    """Return the error for a layout that exceeds the time limit.

    Args:
        engine: Graphviz executable, or None for the first executable that is found.
        timeout: Time limit in seconds.

    Returns:
        The error, which names the options that help.
    """
    return TimeLimitError(
        f"{Path(find_engine(engine)).name} did not finish the layout in {timeout:g} s: draw fewer nodes with "
        "detail='folded' or around=node, show less with detail='plain', or allow more time with timeout="
    )


def render(
    source: str, kind: str, engine: str | None = None, timeout: float | None = TIME_LIMIT, settings: Sequence[str] = ()
) -> bytes:
    """Lay out DOT text with a Graphviz executable and return the image.

    Args:
        source: DOT text.
        kind: Output format that Graphviz supports, such as "svg", "png" or "pdf".
        engine: Graphviz executable. Defaults to the first executable that is found.
        timeout: Time limit in seconds; None for no limit. Defaults to 30.
        settings: Options of the command line, such as "-Gdpi=96".

    Returns:
        The content of the image file.

    Raises:
        EngineNotFoundError: If no Graphviz executable is installed.
        LayoutError: If the layout fails or exceeds the time limit.
    """
    program = find_engine(engine)
    command = [program, f"-T{kind}", *settings]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise time_limit_error(engine, timeout) from None
    except OSError as error:
        raise LayoutError(f"{program} cannot be run: {error.strerror or error}") from None
    said = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode or not done.stdout:
        reason = said[0] if said else f"exit code {done.returncode}"
        if "not recognized" in reason:
            raise FormatError(f"{Path(program).name}: cannot write {kind}: save as .svg, or install Graphviz")
        raise LayoutError(f"{Path(program).name}: {reason}")
    if any("too large" in line for line in said):  # Graphviz would write a smaller image than requested
        raise LayoutError(f"{Path(program).name} cannot write such a large .{kind}: reduce dpi=, width= or scale=")
    return done.stdout


def lay_out(
    source: str, kind: str, engine: str | None, timeout: float | None, settings: Sequence[str] = ()
) -> tuple[bytes, tuple[str, ...]]:
    """Lay out DOT text, with less effort if the usual layout takes more than half of the time limit.

    A message on stderr reports the second attempt.

    Args:
        source: DOT text.
        kind: Output format that Graphviz supports, such as "svg", "png" or "pdf".
        engine: Graphviz executable, or None for the first executable that is found.
        timeout: Time limit in seconds for both attempts; None for no limit, and one attempt.
        settings: Options of the command line, such as "-Gdpi=96".

    Returns:
        The content of the image file, and the options of the layout. Pass them on if you lay out the same DOT text
        again, so that the positions are the same.

    Raises:
        EngineNotFoundError: If no Graphviz executable is installed.
        LayoutError: If the layout fails or exceeds the time limit.
    """
    if timeout is None or set(CHEAPER) <= set(settings):
        return render(source, kind, engine, timeout, settings), tuple(settings)
    try:
        return render(source, kind, engine, timeout / 2, settings), tuple(settings)
    except TimeLimitError:
        note(f"the layout takes more than {timeout / 2:g} s, so a simpler one with straight lines is tried")
    try:
        return render(source, kind, engine, timeout / 2, [*settings, *CHEAPER]), (*settings, *CHEAPER)
    except TimeLimitError:
        raise time_limit_error(engine, timeout) from None


def svg(
    source: str, engine: str | Function | None = None, timeout: float | None = TIME_LIMIT
) -> tuple[str, tuple[str, ...]]:
    """Lay out DOT text and return SVG text.

    Args:
        source: DOT text.
        engine: Graphviz executable, or a function from DOT text to SVG text. Defaults to the engine of `use_engine`,
            and then to the first executable that is found.
        timeout: Time limit of an executable in seconds; None for no limit. Defaults to 30.

    Returns:
        The SVG text, and the options of the layout. See `lay_out`.

    Raises:
        EngineNotFoundError: If no Graphviz executable is installed.
        LayoutError: If the layout fails or exceeds the time limit, or if its result is not SVG text.
    """
    engine = chosen_engine(engine)
    if engine is None or isinstance(engine, str):
        data, settings = lay_out(source, "svg", engine, timeout)
        text = data.decode(errors="replace")
        name = Path(find_engine(engine)).name
    else:
        text, settings = engine(source), ()
        name = getattr(engine, "__name__", type(engine).__name__)
    if not isinstance(text, str):
        raise LayoutError(f"engine={name} must return SVG text, not {described(text)}")
    if "<svg" not in text:
        raise LayoutError(
            f"{name} printed no SVG: select a Graphviz executable with engine= or the variable {VARIABLE}"
            if engine is None or isinstance(engine, str)
            else f"engine={name} must return SVG text, not {described(text)}"
        )
    return text, settings


def check_pixels(width: float, height: float) -> None:
    """Refuse a .png file that would be too large, before it is drawn.

    Args:
        width: Width in pixels.
        height: Height in pixels.

    Raises:
        ValueError: If a side has more than 32,767 pixels, or if there are more than 300 million pixels.

    Examples:
        >>> check_pixels(40_000, 10.0)
        Traceback (most recent call last):
        ValueError: a .png of 40,000 × 10 pixels is too large: choose a smaller dpi=, width= or scale=, or save as .svg
    """
    if max(width, height) > LONGEST_SIDE or width * height > LARGEST_IMAGE:
        raise ValueError(
            f"a .png of {width:,.0f} × {height:,.0f} pixels is too large: "
            "choose a smaller dpi=, width= or scale=, or save as .svg"
        )


def from_svg(svg_text: str, kind: str, resolution: float, refused: str) -> bytes:
    """Convert an SVG element with the package cairosvg, for a layout engine that writes only SVG.

    Args:
        svg_text: SVG element.
        kind: "png" or "pdf".
        resolution: Dots per inch of a .png file.
        refused: Reason why the layout engine cannot write this format, for the message.

    Returns:
        The content of the image file.

    Raises:
        LayoutError: If cairosvg is not installed, or fails.
    """
    try:
        import cairosvg
    except (ImportError, OSError):  # OSError: the package is installed, but its C library is not
        raise LayoutError(f"{refused}, or {install_command('film')}, which includes cairosvg") from None
    try:
        if kind == "pdf":
            data = cairosvg.svg2pdf(bytestring=svg_text.encode())
        else:
            data = cairosvg.svg2png(bytestring=svg_text.encode(), scale=resolution / 96)
    except Exception as error:
        raise LayoutError(f"cairosvg could not write {kind}: {error}") from error
    return bytes(data)
