"""Notebooks from pages: `python -m tools.site.notebooks` runs the tutorial, the lecture and the steps, and stores them.

The text of a page becomes text cells, its examples become code cells, and its diagrams and players become cells that
show them. A notebook runs without the repository: its first cell installs tinygraph if necessary, and the plots are in
a cell. A test checks that the notebooks match their pages, and their outputs match a run.
"""

from __future__ import annotations

import ast
import copy
import doctest
import html
import os
import re
import sys
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

import nbformat

from tools.site.hooks import FENCE, PICTURE

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "notebooks"
INTRODUCTION = "This notebook is made from {pages} of the documentation. Run its cells from the top."
INSTALL = """\
# Is tinygraph not installed, for example on Colab? Then set REPOSITORY to the address of its repository, which begins
# with git+https://, or to the path of your copy, and run this cell again.
REPOSITORY = "../.."

from importlib.util import find_spec
from pathlib import Path

if find_spec("tinygraph") is None:
    if REPOSITORY.startswith("git+"):
        source = REPOSITORY
    elif (Path(REPOSITORY) / "pyproject.toml").is_file():
        source = Path(REPOSITORY).resolve().as_uri()
    else:
        raise FileNotFoundError(f"{REPOSITORY!r} is not a copy of tinygraph: change REPOSITORY in the first cell")
    %pip install --quiet "tinygraph-autodiff[notebook] @ {source}"\
"""
PLOTS = """\
# The code of the plots in this notebook, which needs matplotlib. You do not need to read it.
from types import ModuleType

plots = ModuleType("plots")
exec(
    r'''
{code}
''',
    plots.__dict__,
)\
"""


def notebook(title: str, pages: list[Path]) -> nbformat.NotebookNode:
    """Return a notebook of the pages in order."""
    texts = [page.read_text("utf-8") for page in pages]
    said = "a page" if len(pages) == 1 else f"{len(pages)} pages"
    cells = [_text(f"# {title}\n\n{INTRODUCTION.format(pages=said)}"), _hidden(INSTALL)]
    pictures = [match["expression"] for text in texts for match in PICTURE.finditer(text)]
    if used := sorted(set(re.findall(r"\bplots\.(\w+)", " ".join(pictures)))):
        cells.append(_hidden(PLOTS.format(code=code_of(used))))
    for page, text in zip(pages, texts, strict=True):
        cells += _cells(text, page)
    return _made(cells)


def _made(cells: list[nbformat.NotebookNode]) -> nbformat.NotebookNode:
    for k, cell in enumerate(cells):
        cell["id"] = f"cell-{k}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def code_of(names: Collection[str]) -> str:
    """Return the part of `tools/site/plots.py` that defines the given names, and what these definitions use."""
    text = (ROOT / "tools" / "site" / "plots.py").read_text("utf-8")
    tree = ast.parse(text)
    bodies = {
        name: node
        for node in tree.body
        for name in (
            [node.name]
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
            else [alias.asname or alias.name for alias in node.names]
            if isinstance(node, (ast.Import, ast.ImportFrom))
            else []
        )
    }
    needed: set[str] = set()
    waiting = {"annotations", *names}
    while waiting:
        needed |= waiting
        used: set[str] = set()
        for name in waiting:
            found = [x for x in ast.walk(bodies[name]) if isinstance(x, ast.Name)]
            used |= {x.id for x in found} - {x.id for x in found if isinstance(x.ctx, ast.Store)}
        waiting = (used & bodies.keys()) - needed
    parts = dict.fromkeys(node for name, node in bodies.items() if name in needed)
    lines = text.splitlines()
    imports, definitions = [], []
    for node in parts:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found = [alias for alias in node.names if (alias.asname or alias.name) in needed]
            imports.append(ast.unparse(type(node)(**{**vars(node), "names": found})))
        else:
            start = min([node.lineno, *[decorator.lineno for decorator in node.decorator_list]])
            definitions.append("\n".join(lines[start - 1 : node.end_lineno]))
    return "\n\n\n".join(["\n".join(imports), *definitions])


def steps() -> nbformat.NotebookNode:
    """Return the notebook about stepping, which has no page: its stored cells, without outputs."""
    stored = nbformat.read(FOLDER / "stepping.ipynb", as_version=4)
    cells = [cell for cell in stored.cells if not cell.source.startswith(INSTALL.partition("\n")[0])]
    made = [_text(cell.source) if cell.cell_type == "markdown" else _code(cell.source) for cell in cells]
    return _made([made[0], _hidden(INSTALL), *made[1:]])


def run(made: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """Return a notebook with the outputs of its cells, which run in the given folder."""
    import nbclient

    done = copy.deepcopy(made)
    resources = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(
        done, timeout=120, kernel_name="python3", resources=resources, coalesce_streams=True
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(ROOT)})
    done.metadata = made.metadata  # without the version of Python
    for cell in done.cells:
        cell.metadata.pop("execution", None)  # the times
        for output in cell.get("outputs", ()):
            if output.output_type == "error":  # without the paths of this machine
                output.traceback = [f"{output.ename}: {output.evalue}"]
    return done


def content_of(output: nbformat.NotebookNode) -> dict[str, object]:
    """Return what an output of a cell shows, without what depends on fonts and on the layout engine.

    A drawing is represented by its texts in alphabetical order, a player by its steps, and a plot only by its kind.
    """
    if output.output_type == "stream":
        return {output.name: output.text}
    if output.output_type == "error":
        return {output.ename: output.evalue}
    found: dict[str, object] = dict(output.data)
    for kind, value in output.data.items():
        if kind == "image/svg+xml":
            found[kind] = sorted(re.findall(r"<text[^>]*>([^<]*)</text>", value))
        elif kind == "image/png":
            found[kind] = "a plot"
        elif "<iframe" in value:
            found[kind] = re.findall(r"<li><a .*?</li>", html.unescape(value))
        elif "<svg" in value:
            found[kind] = sorted(re.findall(r"<text[^>]*>([^<]*)</text>", value)), value.partition("<svg")[0]
    return found


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


def _hidden(source: str) -> nbformat.NotebookNode:
    """Return a code cell that JupyterLab and Colab show collapsed."""
    cell = _code(source)
    cell.metadata |= {"jupyter": {"source_hidden": True}, "cellView": "form"}
    return cell


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
        "stepping": steps(),
    }


if __name__ == "__main__":
    for name, made in notebooks().items():
        path = FOLDER / f"{name}.ipynb"
        with tempfile.TemporaryDirectory() as folder:  # a cell must not need the repository
            nbformat.write(run(made, Path(folder)), path)
        print(f"{path.relative_to(ROOT)}: {len(made.cells)} cells, {path.stat().st_size:,} bytes", file=sys.stderr)
