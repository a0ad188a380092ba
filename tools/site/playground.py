"""The playground in the site: its page, and a run button at each code block that needs no NumPy.

`python -m tools.playground` builds the page beforehand. Without it, the site has neither the page nor the buttons, and
a note tells how to build it.
"""

from __future__ import annotations

import doctest
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from typing import Any

from tinygraph.support.terminal import note
from tools.playground import build

FENCE = re.compile(r"^```pycon\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "<!-- playground -->"  # where a page links to the playground
NOTEBOOKS = {"tutorial": "tutorial", "lecture": "lecture"}  # notebook of a page or of the pages of a folder
FOLDER = "playground"  # folder of the site
MISSING = "This copy of the site was built without the playground."


@functools.cache
def is_built() -> bool:
    """Return whether the playground is built from the present files. If not, a note tells what to do."""
    if build.is_current():
        return True
    note("the site has no playground and no run buttons: build it first with `python -m tools.playground`, needs npm")
    return False


def add_files(config: Any, files: Any) -> None:
    """Add the files of the playground to the site."""
    from mkdocs.structure.files import File

    folder = build.TARGET / "site"
    for path in sorted(folder.rglob("*")) if is_built() else ():
        if path.is_file():
            name = f"{FOLDER}/{path.relative_to(folder).as_posix()}"
            files.append(File.generated(config, name, content=path.read_bytes()))


def with_link(markdown: str, up: str) -> str:
    """Return a page with a link to the playground, or with a sentence that explains why there is none."""
    link = f'<a class="md-button md-button--primary" href="{up}{FOLDER}/index.html">Open the playground</a>'
    return markdown.replace(MARK, link if is_built() else MISSING)


def with_buttons(markdown: str, original: str, name: str, up: str) -> str:
    """Return a page with a run button after each code block.

    Args:
        markdown: The page, with the same blocks as the original.
        original: The page before its examples were cleaned.
        name: Path of the page, such as "lecture/derivatives.md".
        up: Relative path from the page to the site.

    Returns:
        The page. A block that needs NumPy gets a link to the notebook of the page.
    """
    notebook = NOTEBOOKS.get(name.partition("/")[0].removesuffix(".md"))
    found = blocks_of(original)
    if notebook is None or not found or not is_built():
        return markdown
    verdicts = runnable(tuple(map(tuple, found)))
    numbers = iter(range(len(found)))

    def after(match: re.Match[str]) -> str:
        k = next(numbers)
        if verdicts[k]:
            return f'{match[0]}\n\n<div class="tinygraph-run" data-block="{k}"></div>\n'
        path = f"{'../' * (name.count('/') + 1)}examples/notebooks/{notebook}.ipynb"
        return f"{match[0]}\n\nThis block needs NumPy: run it in the [notebook]({path}).\n{{ .tinygraph-needs }}\n"

    markdown = FENCE.sub(after, markdown)
    data = json.dumps({"page": name, "blocks": found}).replace("<", "\\u003c").replace("&", "\\u0026")
    head = f'<link rel="stylesheet" href="{up}{FOLDER}/run.css">'
    script = f'<script type="application/json" id="tinygraph-blocks">{data}</script>'
    return f'{markdown}\n\n<div>{head}{script}<script src="{up}{FOLDER}/run.js" defer></script></div>\n'


def blocks_of(markdown: str) -> list[list[str]]:
    """Return the statements of each code block of a page."""
    parse = doctest.DocTestParser().get_examples
    return [[_plain(example.source) for example in parse(match["code"])] for match in FENCE.finditer(markdown)]


def _plain(source: str) -> str:
    return re.sub(r" *# doctest: \+.*$", "", source, flags=re.MULTILINE)


@functools.cache
def runnable(blocks: tuple[tuple[str, ...], ...]) -> list[bool]:
    """Return which blocks of a page run without NumPy. They run in a process in which NumPy cannot be imported."""
    command = [sys.executable, "-m", "tools.site.playground"]
    paths = os.pathsep.join(filter(None, [str(build.ROOT), os.environ.get("PYTHONPATH", "")]))
    with tempfile.TemporaryDirectory() as folder:  # a block can write a file
        done = subprocess.run(
            command, input=json.dumps(blocks), capture_output=True, text=True, check=True, cwd=folder,
            env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
    found: list[bool] = json.loads(done.stdout.splitlines()[-1])
    return found


def _run_without_numpy() -> None:
    """Read the blocks of a page from standard input, and print which of them run."""
    for name in ("numpy", "matplotlib", "torch", "jax"):
        sys.modules[name] = None  # type: ignore[assignment]
    from tinygraph.drawing import use_engine
    from tinygraph.playground.blocks import PageOfBlocks

    use_engine(lambda _: "<svg width='10pt' height='10pt' viewBox='0 0 10 10'></svg>")
    page = PageOfBlocks()
    outputs = [page.run_block(block) for block in json.loads(sys.stdin.read())]
    # A block that shows an error on purpose has another problem than a missing module or name.
    needed = ("needs NumPy", "There is nothing named", "needs matplotlib", "no module named")
    print()
    print(json.dumps([not (out.problem and any(part in out.problem.message for part in needed)) for out in outputs]))


if __name__ == "__main__":
    _run_without_numpy()
