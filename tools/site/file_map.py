"""Update the map of folders and files in docs/how-it-works.md: `python -m tools.site.file_map`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tinygraph"
PAGE = ROOT / "docs" / "how-it-works.md"
READ_FIRST = ("ops", "op", "graph", "autodiff", "value")  # files of the engine, in this order


def main() -> None:
    """Replace the text between the comment `<!-- map: … -->` and the next heading."""
    page = PAGE.read_text(encoding="utf-8")
    start = page.index("\n", page.index("<!-- map:")) + 1
    end = page.index("\n## ", start)
    PAGE.write_text(f"{page[:start]}\n{''.join(map(_entry, layers()))}{page[end:]}", encoding="utf-8")


def layers() -> list[str]:
    """Return the layers from bottom to top, as the layout test lists them."""
    found = re.search(r"LAYERS = (\(.*?\))", (ROOT / "tests" / "test_layout.py").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return [name for name in ast.literal_eval(found[1]) if not name.startswith("__")]


def _entry(layer: str) -> str:
    folder = PACKAGE / layer
    if not folder.is_dir():
        return f"- **[`{layer}.py`](../tinygraph/{layer}.py)**: {_first_line(PACKAGE / f'{layer}.py')}\n"
    return "".join(
        _lines(path.parent, len(path.parent.relative_to(folder).parts) * "    ")
        for path in sorted(folder.rglob("__init__.py"))
    )


def _lines(folder: Path, indent: str) -> str:
    """Return the entry of one folder: its description, and a link to each file."""
    files = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    files.sort(key=lambda path: READ_FIRST.index(path.stem) if path.stem in READ_FIRST else len(READ_FIRST))
    links = " · ".join(f"[`{path.name}`](../{path.relative_to(ROOT).as_posix()})" for path in files)
    name = folder.relative_to(PACKAGE).as_posix()
    return f"{indent}- **`{name}/`**: {_first_line(folder / '__init__.py')}  \n{indent}  {links}\n"


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


if __name__ == "__main__":
    main()
