"""Pages, docstrings, comments and messages avoid words that readers stumbled over; each has a plain replacement."""

import ast
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted((ROOT / "tinygraph").rglob("*.py"))
SOURCES = [path for name in ("tinygraph", "tools", "tests", "examples") for path in sorted((ROOT / name).rglob("*.py"))]
WITH_MESSAGES = [*MODULES, *sorted((ROOT / "examples").rglob("*.py"))]
ASSETS = [path for name in ("page.*", "*.json") for path in sorted((ROOT / "tinygraph").rglob(name))]

INSTEAD = {
    r"to the bit": "bit for bit",
    r"rolled up": "vectorized",
    r"anew": "again",
    r"seldom": "rarely",
    r"oneself|one writes": "you",
    r"nobody": "name who acts",
    r"autopsy|ledger": "the field's term",
    r"(?:colour|behaviour|neighbour|favour|honour)\w*": "-or",
    r"(?:label|model|travel)l(?:ed|ing)": "one l",
    r"centre[sd]?|licence|learnt|grey|artefacts?|judgement|programme": "the American spelling",
    r"whilst|amongst|towards": "while, among, toward",
    r"analysed?|analysing": "analyze",
    r"(?:general|initial|maxim|minim|normal|optim|organ|parametr|real|recogn|regular|serial|special|standard|summar|vector|"
    r"visual)is(?:e[sdr]?|ing|ations?)": "-ize",
    r"mends?|mended": "fix",
    r"whole numbers?": "integer",
    r"entry by entry|number by number": "elementwise",
    r"gone through|gone over": "traversed",
    r"a node a line|a line a node|an event a line|one line an event": "one node per line",
    r"\w+\((?:e?s)\)": "a real plural",
    r"stands? on (?:its|a) kink": "is at a kink",
    r"(?<!there )is no(?= (?!longer|more|less))": "is not a",
    r"(?:is|are) said|it says": "shows, reports",
    r"goes by|comes of|hangs on|does not go with": "a plain verb",
    r"of (?:its|their) own": "separate, custom",
    r"(?:ms|µs|bytes|rows|calls|steps|seconds|lines|MiB) an? (?:node|line|op|step|second|call|chunk|iteration)": "per",
    r"adjoints?(?!:)|wiring|wired": "pullback; shape and reduction ops",
    r"(?-i:walks?)(?!:|\.py)": "traversal, walkthrough",
    r"laws? (?:of|over)(?! large)": "invariant, property-based test",
    r"brings|brought": "installs",
    r"aloud": "explicitly",
    r"the house": "the package",
}
IN_CODE = INSTEAD | {  # the pages of the lecture need some of these
    r"slopes?": "local derivative",
    r"pictures?": "diagram, figure",
    r"cards?": "node, box",
    r"events?": "step",
    r"holds?|held|stands?(?! for)|says": "contains, is, shows",
    r"goes through|went through": "traverses",
    r"by (?:itself|themselves)": "automatically, alone",
    r"(?-i:nans?)": "NaN",
}
IN_MESSAGES = {words: plain for words, plain in IN_CODE.items() if plain != "NaN"}  # a message can quote a value
INDEX = re.compile(r"pip install [^`\n]*tinygraph-autodiff")


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _prose(text: str) -> str:
    """Return a page without its code, whose output may quote a message, and without the name of the option `nan`."""
    text = re.sub(r"^ +nan: (?=[A-Z])", "", text, flags=re.MULTILINE)
    text = re.sub(r"^( *)(```|~~~).*?^\1\2", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`", "", text)


def _comments(path: Path) -> str:
    """Return the comments of a module; the lines of one comment are joined."""
    text, last = "", 0
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                text += ("\n" if token.start[0] == last + 1 else "\n\n") + token.string.lstrip("# ")
                last = token.start[0]
    return text


def _docstrings(path: Path) -> str:
    """Return the docstrings of a module, without their examples."""
    found = [
        ast.get_docstring(node) or ""
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    return "\n\n".join(re.sub(r"^ *>>>.*?(?:\n\s*\n|\Z)", "", text, flags=re.MULTILINE | re.DOTALL) for text in found)


def _messages(path: Path) -> str:
    """Return the other strings of a module that contain a space: messages, help texts and labels."""
    tree = ast.parse(path.read_text("utf-8"))
    parts = {
        part
        for node in ast.walk(tree)
        for part in (node.values if isinstance(node, ast.JoinedStr) else [getattr(node, "value", None)])
        if isinstance(node, ast.JoinedStr | ast.Expr)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            found.append(node.value)
    return "\n\n".join(text for text in found if " " in text.strip())


def _stumbles(prose: str, instead: dict[str, str] = INSTEAD) -> list[str]:
    prose = re.sub(r"(?<!\n) *\n *(?!\n)", " ", prose)  # a phrase can continue on the next line
    return [
        f"{found[0]!r}: write {plain}"
        for words, plain in instead.items()
        for found in re.finditer(rf"(?<!\w)(?:{words})(?!\w)", prose, re.IGNORECASE)
    ]


@pytest.mark.parametrize("path", PAGES, ids=_short)
def test_a_page_uses_plain_words(path):
    assert not _stumbles(_prose(path.read_text("utf-8")))


@pytest.mark.parametrize("path", SOURCES, ids=_short)
def test_docstrings_use_plain_words(path):
    assert not _stumbles(_prose(_docstrings(path)), IN_CODE)


@pytest.mark.parametrize("path", SOURCES, ids=_short)
def test_comments_use_plain_words(path):
    assert not _stumbles(_prose(_comments(path)), IN_CODE)


@pytest.mark.parametrize("path", WITH_MESSAGES, ids=_short)
def test_messages_use_plain_words(path):
    assert not _stumbles(_prose(_messages(path)), IN_MESSAGES)


@pytest.mark.parametrize("path", ASSETS, ids=_short)
def test_the_html_page_uses_plain_words(path):
    assert not _stumbles(path.read_text("utf-8"), IN_MESSAGES)


def test_a_word_that_is_not_plain_is_found():
    text = "It is equal to the bit, seldom with 2 operand(s).\n\n```pycon\n>>> seldom\n```\n"
    assert _stumbles(_prose(text)) == [
        "'to the bit': write bit for bit",
        "'seldom': write rarely",
        "'operand(s)': write a real plural",
    ]
    assert _stumbles("The name is\nno node. There is no node.") == ["'is no': write is not a"]


def test_a_comment_of_two_lines_is_read_as_one(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('x = "seldom"  # equal to\n# the bit\n', "utf-8")
    assert _stumbles(_prose(_comments(path)), IN_CODE) == ["'to the bit': write bit for bit"]


@pytest.mark.parametrize("path", [*PAGES, *MODULES, *sorted((ROOT / "examples").rglob("*.py"))], ids=_short)
def test_no_text_installs_from_an_index(path):
    """The distribution is not published, so a command must work from a clone."""
    assert not INDEX.findall(path.read_text("utf-8"))


def test_a_message_is_found_and_a_docstring_is_none(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('"""A docstring."""\nx = f"{1} is seldom"\ny = "no docstring"\nz = "word"\n', "utf-8")
    assert _messages(path) == "… is seldom\n\nno docstring"
