"""What mkdocs runs: each page is executed like a doctest, and its pictures are drawn from what it made.

A page asks for a picture in a comment, `<!-- picture: draw(J) | The graph of J -->`: an expression in the names of the
page, and what it shows. It may be a drawing, a Stepper (which becomes a player), or a function of a theme ("light",
"dark") that returns a matplotlib figure.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PICTURE = re.compile(r"^(?P<indent> *)<!-- picture: (?P<expression>.+?) \| (?P<caption>.+?) -->$", re.MULTILINE)
ROOT = Path(__file__).parents[2]


def pictures(markdown: str, name: str) -> Iterator[tuple[re.Match[str], Any]]:
    """Run a page, and yield each of its pictures where it stands, with the object it is made of."""
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
        yield match, eval(compile(match["expression"], name, "eval"), names)


def files_of(picture: Any) -> dict[str, bytes]:
    """A picture as files, by how they end."""
    if hasattr(picture, "svg"):
        return {".svg": picture.svg().encode()}
    if hasattr(picture, "save"):
        with tempfile.TemporaryDirectory() as folder:
            return {".html": picture.save(Path(folder) / "page.html").read_bytes()}
    if isinstance(picture, Callable):  # type: ignore[arg-type]
        return {f"-{theme}.svg": _plotted(picture(theme)) for theme in ("light", "dark")}
    raise TypeError(f"{picture!r} is no picture: a drawing, a Stepper, or a function of a theme")


def _plotted(figure: Any) -> bytes:
    import matplotlib
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "tinygraph"
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    return buffer.getvalue()


def html(files: dict[str, str], caption: str) -> str:
    """The files of a picture on a page."""
    if ".html" in files:
        return f'<iframe class="player" src="{files[".html"]}" title="{caption}" loading="lazy"></iframe>'
    if ".svg" in files:
        return f'<figure class="drawing"><img src="{files[".svg"]}" alt="{caption}"></figure>'
    return (
        f'<figure class="drawing"><picture><source media="(prefers-color-scheme: dark)" srcset="{files["-dark.svg"]}">'
        f'<img src="{files["-light.svg"]}" alt="{caption}"></picture></figure>'
    )


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Draw the pictures of a page, and show its examples without what only the test needs."""
    from mkdocs.structure.files import File

    sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "docs" / "building")) if path not in sys.path]
    up = "../" * page.file.dest_uri.count("/")
    drawn: dict[str, str] = {}
    for match, picture in pictures(markdown, page.file.src_uri):
        stem = f"drawn/{page.file.src_uri.removesuffix('.md').replace('/', '-')}-{len(drawn) + 1}"
        names = {}
        for end, content in files_of(picture).items():
            files.append(File.generated(config, stem + end, content=content))
            names[end] = f"{up}{stem}{end}"
        drawn[match[0]] = match["indent"] + html(names, match["caption"])
    markdown = PICTURE.sub(lambda match: drawn[match[0]], markdown)
    markdown = re.sub(r" *# doctest: \+.*$", "", markdown, flags=re.MULTILINE)
    return re.sub(r"^<BLANKLINE>$", "", markdown, flags=re.MULTILINE).replace("\n\n```\n", "\n```\n")
