"""Layout of DOT text with Graphviz, with a time limit and with errors that suggest a fix.

The module calls `subprocess.run` directly, because the graphviz package has no time limit and prints warnings to the
terminal.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tinygraph.drawing.themes import FONT, darkening
from tinygraph.support.messages import install_command

TIME_LIMIT = 30.0  # seconds
VARIABLE = "TINYGRAPH_DOT"
ENGINES = ("dot", "graphviz-pure")
TEXT_FORMATS = ("dot", "gv")
FORMATS = ("svg", "png", "pdf", *TEXT_FORMATS)
REMEDIES = (
    f"{install_command('render')}, or install Graphviz "
    "(`apt-get install graphviz`, `brew install graphviz`, https://graphviz.org/download); "
    "a .dot file needs no Graphviz"
)

_drawn: dict[str, int] = {}  # number of drawings per DOT text, so that each drawing gets unique ids


class EngineNotFoundError(RuntimeError):
    """No Graphviz executable is installed."""


class LayoutError(RuntimeError):
    """Graphviz could not lay out the graph, or exceeded the time limit."""


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


def render(source: str, kind: str, engine: str | None = None, timeout: float | None = TIME_LIMIT) -> bytes:
    """Lay out DOT text and return the image.

    Args:
        source: DOT text.
        kind: Output format that Graphviz supports, such as "svg", "png" or "pdf".
        engine: Graphviz executable. Defaults to the first executable that is found.
        timeout: Time limit in seconds; None for no limit. Defaults to 30.

    Returns:
        The content of the image file.

    Raises:
        EngineNotFoundError: If no Graphviz executable is installed.
        LayoutError: If the layout fails or exceeds the time limit.
    """
    program = find_engine(engine)
    command = [program, f"-T{kind}"] + (["-Gdpi=192"] if kind == "png" else [])
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise LayoutError(
            f"{Path(program).name} did not finish the layout in {timeout:g} s: draw fewer nodes with detail='folded' "
            "or around=node, show less with detail='plain', or allow more time with timeout="
        ) from None
    except OSError as error:
        raise LayoutError(f"{program} cannot be run: {error.strerror or error}") from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"exit code {done.returncode}"
        if "not recognized" in reason:
            reason = f"cannot write {kind}: save as .svg, or install Graphviz"
        raise LayoutError(f"{Path(program).name}: {reason}")
    return done.stdout


def svg(source: str, engine: str | None, timeout: float | None, dark_too: bool) -> str:
    """Lay out DOT text and return the SVG element.

    The ids are unique, so that one page can contain several drawings.

    Args:
        source: DOT text.
        engine: Graphviz executable, or None for the first executable that is found.
        timeout: Time limit in seconds; None for no limit.
        dark_too: If true, add a style sheet with the dark theme.

    Returns:
        The SVG element.

    Raises:
        EngineNotFoundError: If no Graphviz executable is installed.
        LayoutError: If the layout fails or exceeds the time limit.
    """
    text = render(source, "svg", engine, timeout).decode(errors="replace")
    if "<svg" not in text:
        raise LayoutError(
            f"{Path(find_engine(engine)).name} printed no SVG: "
            f"select a Graphviz executable with engine= or the variable {VARIABLE}"
        )
    text = text[text.index("<svg") :].replace("&#45;", "-")
    # The style sheet sets the font, and "start" is the default anchor.
    for needless in (f' font-family="{FONT}"', ' text-anchor="start"'):
        text = text.replace(needless, "")
    # Remove comments and empty labels, which are not visible.
    text = re.sub(r"<!--.*?-->\n?|<text[^>]*>[ \xa0]*</text>\n?", "", text, flags=re.DOTALL)
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    _drawn[digest] = _drawn.get(digest, 0) + 1
    prefix = f"g{digest}" if _drawn[digest] == 1 else f"g{digest}n{_drawn[digest]}"
    text = re.sub(r'(?<=\bid=")(?:a_)?(?=[\w-]+")', lambda match: f"{prefix}-{match[0]}", text)
    style = "text{font-family:Arial,Helvetica,'Liberation Sans',sans-serif}"
    if dark_too:
        style += "\n@media (prefers-color-scheme: dark){\n" + darkening(f"#{prefix}") + "\n}"
    text = re.sub(r"(<title>)[^<]*(</title>\s*<polygon)", r"\1computation graph\2", text, count=1)
    return re.sub(r"^<svg([^>]*)>", rf'<svg id="{prefix}" class="tinygraph"\1>\n<style>{style}</style>', text, count=1)
