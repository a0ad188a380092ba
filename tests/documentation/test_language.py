"""The pages and docstrings avoid words that readers stumbled over; each has a plain word in its place."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted((ROOT / "tinygraph").rglob("*.py"))

INSTEAD = {
    r"to the bit": "bit for bit",
    r"rolled up": "vectorized",
    r"anew": "again",
    r"seldom": "rarely",
    r"oneself|one writes": "you",
    r"nobody": "name who acts",
    r"autopsy|ledger": "the field's term",
    r"colour\w*": "color",
    r"licence": "license",
    r"learnt": "learned",
    r"vectoris\w+|normalis\w+|standardis\w+|serialis\w+|specialis\w+|optimis\w+": "-ize",
    r"mends?|mended": "fix",
    r"whole numbers?": "integer",
    r"entry by entry|number by number": "elementwise",
    r"gone through|gone over": "traversed",
    r"a node a line|a line a node|an event a line|one line an event": "one node per line",
    r"\w+\((?:e?s)\)": "a real plural",
    r"stands? on (?:its|a) kink": "is at a kink",
}
INDEX = re.compile(r"pip install [^`\n]*tinygraph-autodiff")


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _prose(text: str) -> str:
    """Return a page without its code, whose output may quote a message."""
    text = re.sub(r"^( *)(```|~~~).*?^\1\2", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`", "", text)


def _docstrings(path: Path) -> str:
    """Return the docstrings of a module, without their examples."""
    found = [
        ast.get_docstring(node) or ""
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    return "\n".join(re.sub(r"^ *>>>.*?(?:\n\s*\n|\Z)", "", text, flags=re.MULTILINE | re.DOTALL) for text in found)


def _stumbles(prose: str) -> list[str]:
    return [
        f"{found[0]!r}: write {plain}"
        for words, plain in INSTEAD.items()
        for found in re.finditer(rf"(?<!\w)(?:{words})(?!\w)", prose, re.IGNORECASE)
    ]


@pytest.mark.parametrize("path", PAGES, ids=_short)
def test_a_page_uses_plain_words(path):
    assert not _stumbles(_prose(path.read_text("utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=_short)
def test_docstrings_use_plain_words(path):
    assert not _stumbles(_prose(_docstrings(path)))


def test_a_word_that_is_not_plain_is_found():
    text = "It is equal to the bit, seldom with 2 operand(s).\n\n```pycon\n>>> seldom\n```\n"
    assert _stumbles(_prose(text)) == [
        "'to the bit': write bit for bit",
        "'seldom': write rarely",
        "'operand(s)': write a real plural",
    ]


@pytest.mark.parametrize("path", [*PAGES, *MODULES, *sorted((ROOT / "examples").rglob("*.py"))], ids=_short)
def test_no_text_installs_from_an_index(path):
    """The distribution is not published, so a command must work from a clone."""
    assert not INDEX.findall(path.read_text("utf-8"))
