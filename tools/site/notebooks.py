"""Notebooks from pages: `python -m tools.site.notebooks` writes the tutorial and the lecture.

The text of a page becomes text cells, its examples become code cells, and its diagrams and players become cells that
show them. A test checks that the notebooks match their pages.
"""

from __future__ import annotations

import doctest
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

from tools.site.hooks import FENCE, PICTURE

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "notebooks"
INTRODUCTION = """\
This notebook is made from {pages} of the documentation. Run its cells from the top, in this folder. The
extra `cli` installs a layout engine for diagrams, and `plot` installs matplotlib."""
PLOTS = 'import sys\n\nsys.path.append("../..")\nfrom tools.site import plots'


def notebook(title: str, pages: list[Path]) -> nbformat.NotebookNode:
    """Return a notebook of the pages in order."""
    texts = [page.read_text("utf-8") for page in pages]
    said = "a page" if len(pages) == 1 else f"{len(pages)} pages"
    cells = [_text(f"# {title}\n\n{INTRODUCTION.format(pages=said)}")]
    if any("plots." in match["expression"] for text in texts for match in PICTURE.finditer(text)):
        cells.append(_code(PLOTS))
    for page, text in zip(pages, texts, strict=True):
        cells += _cells(text, page)
    for k, cell in enumerate(cells):
        cell["id"] = f"cell-{k}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _cells(markdown: str, page: Path) -> Iterator[nbformat.NotebookNode]:
    """Yield the cells of a page; a code cell ends after an output."""
    marks = re.compile(f"{FENCE.pattern}|{PICTURE.pattern}", re.MULTILINE | re.DOTALL)
    at = 0
    for match in marks.finditer(markdown):
        yield from _texts(markdown[at : match.start()], page)
        at = match.end()
        if match["expression"]:
            yield _code(_picture(match["expression"]))
            continue
        lines: list[str] = []
        for example in doctest.DocTestParser().get_examples(match["code"]):
            source = re.sub(r" *# doctest: \+.*$", "", example.source, flags=re.MULTILINE)
            if example.exc_msg is not None and lines:
                yield _code("".join(lines))
                lines = []
            lines.append(source)
            if example.want:
                yield _code("".join(lines), raises=example.exc_msg is not None)
                lines = []
        if lines:
            yield _code("".join(lines))
    yield from _texts(markdown[at:], page)


def _picture(expression: str) -> str:
    return f"{expression}.player()" if expression.startswith("Stepper(") else expression


def _texts(text: str, page: Path) -> Iterator[nbformat.NotebookNode]:
    """Yield text cells, with links relative to the notebook's folder."""

    def link(match: re.Match[str]) -> str:
        return f"](../../{Path(os.path.normpath(page.parent / match[1])).relative_to(ROOT).as_posix()}{match[2] or ''})"

    text = re.sub(r"\]\((?!https?:)([\w./-]+)(#[\w-]+)?\)", link, text)
    if text.strip():
        yield _text(text.strip())


def _text(source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(source)


def _code(source: str, raises: bool = False) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell(source.strip())
    if raises:
        cell.metadata["tags"] = ["raises-exception"]
    return cell


def lecture() -> list[Path]:
    """Return the pages of the lecture, in the order of the site."""
    site = (ROOT / "mkdocs.yml").read_text("utf-8")
    return [ROOT / "docs" / name for name in re.findall(r"lecture/(?!index)[\w-]+\.md", site)]


def notebooks() -> dict[str, nbformat.NotebookNode]:
    """Return the notebooks by name."""
    return {
        "tutorial": notebook("Your first backward pass", [ROOT / "docs" / "tutorial.md"]),
        "lecture": notebook("The lecture, section by section", lecture()),
    }


if __name__ == "__main__":
    for name, made in notebooks().items():
        path = FOLDER / f"{name}.ipynb"
        nbformat.write(made, path)
        print(f"{path.relative_to(ROOT)}: {len(made.cells)} cells", file=sys.stderr)
