"""DOT into pictures: which engine is there, a time limit, and errors that say what to do.

Our own `subprocess.run`, because the graphviz package has no time limit and sends warnings to the terminal.
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

TIME_LIMIT = 30.0  # seconds
VARIABLE = "TINYGRAPH_DOT"
ENGINES = ("dot", "graphviz-pure")
TEXT_FORMATS = ("dot", "gv")
FORMATS = ("svg", "png", "pdf", *TEXT_FORMATS)
REMEDIES = (
    "bring one with `pip install 'tinygraph-autodiff[render]'`, or install Graphviz itself "
    "(`apt-get install graphviz`, `brew install graphviz`, https://graphviz.org/download); "
    "a file.dot needs none"
)

_drawn: dict[str, int] = {}  # how often a picture was made: each has ids of its own


class EngineNotFoundError(RuntimeError):
    """No program is there that turns DOT into a picture."""


class LayoutError(RuntimeError):
    """The engine could not lay out the graph, or not in time."""


def candidates() -> list[tuple[str, str]]:
    """Where an engine is looked for, and what was found there: (place, path or "")."""
    chosen = os.environ.get(VARIABLE, "")
    found = [(f"{VARIABLE}={chosen}" if chosen else VARIABLE, shutil.which(chosen) or "" if chosen else "")]
    found += [(f"{name} on PATH", shutil.which(name) or "") for name in ENGINES]
    scripts = Path(sys.executable).parent  # of a venv that is perhaps not activated
    found.append(("graphviz-pure beside this Python", shutil.which("graphviz-pure", path=str(scripts)) or ""))
    return found


def find_engine(engine: str | None = None) -> str:
    """The path of the engine to use: the one asked for, or the first that is there.

    Raises EngineNotFoundError, which says how to bring one.
    """
    chosen = engine or os.environ.get(VARIABLE)
    if chosen:
        path = shutil.which(chosen)
        if path is None:
            where = "engine=" if engine else f"the variable {VARIABLE}="
            raise EngineNotFoundError(f"{where}{chosen!r} is no program on this machine; {REMEDIES}")
        return path
    for _, path in candidates():
        if path:
            return path
    raise EngineNotFoundError(f"no engine to draw with was found; {REMEDIES}")


def render(source: str, kind: str, engine: str | None = None, timeout: float | None = TIME_LIMIT) -> bytes:
    """The picture of a DOT text in a format that the engine knows: svg, png, pdf."""
    program = find_engine(engine)
    command = [program, f"-T{kind}"] + (["-Gdpi=192"] if kind == "png" else [])
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise LayoutError(
            f"{Path(program).name} did not finish the layout in {timeout:g} s: draw less with detail='folded' or "
            "around=node, say less with detail='plain', or give it longer with timeout="
        ) from None
    except OSError as error:
        raise LayoutError(f"{program} cannot be run: {error.strerror or error}") from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"exit code {done.returncode}"
        if "not recognized" in reason:
            reason = f"it makes no {kind}; save as .svg, or install Graphviz itself"
        raise LayoutError(f"{Path(program).name}: {reason}")
    return done.stdout


def svg(source: str, engine: str | None, timeout: float | None, dark_too: bool) -> str:
    """The SVG element, with ids of its own, so that two drawings fit in one page."""
    text = render(source, "svg", engine, timeout).decode(errors="replace")
    if "<svg" not in text:
        raise LayoutError(f"{Path(find_engine(engine)).name} printed no SVG: is it a program that draws DOT?")
    text = text[text.index("<svg") :].replace("&#45;", "-")
    for needless in (
        f' font-family="{FONT}"',
        ' text-anchor="start"',
    ):  # the style sheet says it; it starts there anyway
        text = text.replace(needless, "")
    text = re.sub(r"<!--.*?-->\n?|<text[^>]*>[ \xa0]*</text>\n?", "", text, flags=re.DOTALL)  # notes, and gaps
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    _drawn[digest] = _drawn.get(digest, 0) + 1
    prefix = f"g{digest}" if _drawn[digest] == 1 else f"g{digest}n{_drawn[digest]}"
    text = re.sub(r'(?<=\bid=")(?:a_)?(?=[\w-]+")', lambda match: f"{prefix}-{match[0]}", text)
    style = "text{font-family:Arial,Helvetica,'Liberation Sans',sans-serif}"
    if dark_too:
        style += "\n@media (prefers-color-scheme: dark){\n" + darkening(f"#{prefix}") + "\n}"
    text = re.sub(r"(<title>)[^<]*(</title>\s*<polygon)", r"\1computation graph\2", text, count=1)
    return re.sub(r"^<svg([^>]*)>", rf'<svg id="{prefix}" class="tinygraph"\1>\n<style>{style}</style>', text, count=1)
