"""Hooks of mkdocs: they run each page like a doctest, and draw its diagrams from the results.

A page asks for a diagram in a comment, `<!-- picture: draw(J) | The graph of J -->`: an expression with the names of
the page and of `plots`, and a caption. The expression can be a diagram, a Stepper (which becomes a player), a plot, or
`animation(stepper)`, which becomes an animated SVG.

`<!-- op table: public -->` becomes the reference of ops. `<!-- operators: Value -->` and `<!-- methods: Value -->`
become tables of a class, `<!-- benchmarks: ratios -->` becomes a table of measured times, and
`<!-- help: tinygraph fit -->` the help of that command. A link to a file of the project
that is not a page copies the file into the site.
"""

from __future__ import annotations

import contextlib
import doctest
import functools
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PICTURE = re.compile(r"^(?P<indent> *)<!-- picture: (?P<expression>.+?) \| (?P<caption>.+?) -->$", re.MULTILINE)
OUTSIDE = re.compile(
    r"\]\(((?:\.\./)+(?:examples|tests|tools|tinygraph|shared)?[\w/.-]*\.(?:py|ipynb|json|toml|css|js))\)"
)
FENCE = re.compile(r"^```pycon\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
OP_TABLE = re.compile(r"^<!-- op table: (?P<which>public|private) -->$", re.MULTILINE)
CLASS_TABLE = re.compile(r"^<!-- (?P<what>operators|methods|functions): (?P<kind>\w+) -->$", re.MULTILINE)
BENCHMARKS = re.compile(r"^<!-- benchmarks: (?P<which>machine|bounds|ratios|growth) -->$", re.MULTILINE)
HELP = re.compile(r"^<!-- help: (?P<command>[\w -]+) -->$", re.MULTILINE)
MATH = re.compile(
    r"^```.*?^```|`[^`\n]+`|\$\$(?P<block>.+?)\$\$|(?<![\\\w$])\$(?P<inline>[^$\n]+?)\$(?![\w$])",
    re.DOTALL | re.MULTILINE,
)
ROOT = Path(__file__).parents[2]


def pictures(markdown: str, name: str) -> Iterator[tuple[re.Match[str], Any]]:
    """Run a page, and yield the position and the object of each diagram."""
    names: dict[str, Any] = {}
    examples = doctest.DocTestParser().get_examples(markdown, name)
    for match in PICTURE.finditer(markdown):
        line = markdown.count("\n", 0, match.start())
        while examples and examples[0].lineno < line:
            example = examples.pop(0)
            if doctest.SKIP in example.options:
                continue
            with contextlib.redirect_stdout(io.StringIO()):
                try:
                    exec(compile(example.source, name, "single"), names)
                except Exception:
                    if example.exc_msg is None:
                        raise
        import tinygraph
        from tools.site import plots

        pen = {"plots": plots, "draw": functools.partial(tinygraph.draw, theme="auto"), "animation": Animation}
        yield match, eval(compile(match["expression"], name, "eval"), {**names, **pen})


class Animation:
    """The animated SVG of a Stepper."""

    def __init__(self, stepper: Any) -> None:
        self.stepper = stepper

    def svg(self) -> str:
        """Return the SVG element."""
        with tempfile.TemporaryDirectory() as folder:
            path: Path = self.stepper.save(Path(folder) / "animation.svg")
            return path.read_text(encoding="utf-8").partition("\n")[2]


def files_of(picture: Any) -> dict[str, bytes]:
    """Return a diagram as files, by file extension."""
    from tools.site import plots

    if isinstance(picture, plots.Plot):
        return {f"-{theme}.svg": picture.svg(theme) for theme in ("light", "dark")}
    if hasattr(picture, "svg"):
        return {".svg": picture.svg().encode()}
    if hasattr(picture, "save"):
        with tempfile.TemporaryDirectory() as folder:
            return {".html": picture.save(Path(folder) / "page.html").read_bytes()}
    raise TypeError(f"{picture!r} is not a diagram: use a drawing, a Stepper or a plot")


def html(files: dict[str, str], caption: str, width: str) -> str:
    """Return HTML that shows a diagram. A wide diagram shrinks to three quarters and scrolls; a click opens it."""
    if ".html" in files:
        return f'<iframe class="player" src="{files[".html"]}" title="{caption}" loading="lazy"></iframe>'
    source = files.get(".svg") or files["-light.svg"]
    image = f'<img src="{source}" alt="{caption}" style="min-width: calc({width} * .75)">'
    if "-dark.svg" in files:
        dark = f'<source media="(prefers-color-scheme: dark)" srcset="{files["-dark.svg"]}">'
        image = f"<picture>{dark}{image}</picture>"
    return f'<figure class="drawing"><a href="{source}">{image}</a><figcaption>{caption}</figcaption></figure>'


def on_files(files: Any, config: Any) -> None:
    """Add the playground to the site, if it is built."""
    sys.path[:0] = [str(ROOT)] * (str(ROOT) not in sys.path)
    from tools.site import playground

    playground.add_files(config, files)


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Draw the diagrams of a page, and remove the parts of its examples that only the test needs."""
    sys.path[:0] = [str(ROOT)] * (str(ROOT) not in sys.path)
    from tools.site import playground

    original = markdown
    stem, up = page.file.src_uri.removesuffix(".md").replace("/", "-"), "../" * page.file.dest_uri.count("/")

    def show(picture: Any, name: str, caption: str) -> str:
        return _shown(picture, f"drawn/{stem}-{name}", up, caption, config, files)

    drawn: dict[str, str] = {}
    for match, picture in pictures(markdown, page.file.src_uri):
        drawn[match[0]] = match["indent"] + show(picture, str(len(drawn) + 1), match["caption"])
    markdown = PICTURE.sub(lambda match: drawn[match[0]], markdown)
    markdown = OP_TABLE.sub(lambda match: _op_table(match["which"], show), markdown)
    markdown = CLASS_TABLE.sub(lambda match: _class_table(match["what"], match["kind"]), markdown)
    markdown = BENCHMARKS.sub(lambda match: _benchmarks(match["which"]), markdown)
    markdown = HELP.sub(lambda match: f"```text\n{_help(match['command'])}\n```", markdown)
    markdown = MATH.sub(_formula, markdown)
    markdown = re.sub(r" *# doctest: \+.*$", "", markdown, flags=re.MULTILINE)
    markdown = re.sub(r"^<BLANKLINE>$", "", markdown, flags=re.MULTILINE).replace("\n\n```\n", "\n```\n")
    markdown = playground.with_link(playground.with_buttons(markdown, original, page.file.src_uri, up), up)
    return OUTSIDE.sub(lambda link: f"]({up}{_taken_in(page, link[1], config, files)})", markdown)


def _shown(picture: Any, stem: str, up: str, caption: str, config: Any, files: Any) -> str:
    """Write the files of a diagram into the site, and return HTML that shows them."""
    from mkdocs.structure.files import File

    names, width = {}, ""
    for end, content in files_of(picture).items():
        files.append(File.generated(config, stem + end, content=content))
        names[end] = f"{up}{stem}{end}"
        found = re.search(rb'<svg[^>]* width="([\d.]+)(pt)?"', content)
        width = found[1].decode() + ("pt" if found[2] else "px") if found else "100%"
    return html(names, caption, width)


def _op_table(which: str, show: Callable[..., str]) -> str:
    from tools.site import optable

    return optable.table(which, show)


def _class_table(what: str, kind: str) -> str:
    from tools.site import methods

    return {"operators": methods.operators, "methods": methods.methods, "functions": methods.functions}[what](kind)


def _benchmarks(which: str) -> str:
    from tools.site import benchmarks

    return benchmarks.table(which)


def _help(command: str) -> str:
    """Return the help of a command."""
    environment = {**os.environ, "COLUMNS": "88", "NO_COLOR": "1"}
    arguments = [sys.executable, "-m", *command.split(), "--help"]
    return subprocess.run(
        arguments, capture_output=True, text=True, check=True, env=environment, cwd=ROOT
    ).stdout.strip()


def _formula(match: re.Match[str]) -> str:
    """Return TeX as MathML, which browsers show without a script; code stays unchanged."""
    from latex2mathml.converter import convert

    block, inline = match["block"], match["inline"]
    if block is None and inline is None:
        return match[0]
    return convert(block or inline, display="block" if block else "inline")


def _taken_in(page: Any, link: str, config: Any, files: Any) -> str:
    """Copy a file of the project into the site, and return its link."""
    from mkdocs.structure.files import File

    path = Path(os.path.normpath((ROOT / "docs" / page.file.src_uri).parent / link))
    name = f"files/{path.relative_to(ROOT).as_posix()}"
    if files.get_file_from_path(name) is None:
        files.append(File.generated(config, name, content=path.read_bytes()))
    return name
