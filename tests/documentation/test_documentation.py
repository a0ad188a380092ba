"""The documentation is correct: commands run, names exist, links work, and the site builds and opens offline.

The doctests of the pages check what the examples print. `test_fresh_environments` runs every command after an install.
"""

import codeop
import doctest
import importlib.util
import os
import re
import subprocess
import sys
import time
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import tinygraph
from tests.engines import needed_engine
from tinygraph.engine.more_ops.table import TABLE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
HOUSE = Path(tinygraph.__file__).parent
WITH_PUBLIC_NAMES = (
    "bridges", "checking", "datasets", "drawing", "logistic", "misconceptions", "nn", "testing", "worksheets",
)  # fmt: skip
SETTING_UP = re.compile(r"venv|pip |python$|pytest|ruff|mypy|-m tools\.|mkdocs|git |jupyter")  # run elsewhere


DRAWING = ("index.md", "tutorial.md", "draw.md", "step.md", "reference/drawing.md", "reference/stepping.md")


def _navigation():
    """Yield the path, the section and the title of each page in mkdocs.yml; a title that is not written is None."""
    section = None
    for line in (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2].splitlines():
        title, page = re.fullmatch(r" *- (?:(.+?): ?)??([\w/-]+\.md)?", line).groups()
        if page is None:
            section = line.strip(" -:")
        else:
            yield DOCS / page, section if line.startswith("   ") else None, title


NAVIGATION = list(_navigation())


def _name(path):
    return path.relative_to(ROOT).as_posix()


# --- citation


def test_the_citations_name_the_version_and_the_title():
    file = (ROOT / "CITATION.cff").read_text("utf-8")
    fields = dict(re.findall(r"^([\w-]+): *\"?(.*?)\"?$", file, re.MULTILINE))
    assert {"cff-version", "message", "title", "authors"} <= fields.keys()  # the ones that CFF 1.2.0 requires
    page = (DOCS / "cite.md").read_text("utf-8")
    bibtex = dict(re.findall(r"^  (\w+) += \{(.*)\},$", page[: page.index("## The work")], re.MULTILINE))
    assert fields["version"] == bibtex["version"] == tinygraph.__version__
    assert (fields["title"], fields["license"]) == (bibtex["title"], bibtex["license"])


# --- names


def _resolved(name):
    """Return the object with a dotted name of the package; raise AttributeError or ImportError if it does not exist."""
    module, parts = "tinygraph", name.removeprefix("tinygraph.").split(".")
    while parts and importlib.util.find_spec(f"{module}.{parts[0]}"):
        module += f".{parts.pop(0)}"
        if not hasattr(importlib.import_module(module), "__path__"):
            break
    found = importlib.import_module(module)
    for part in parts:
        found = getattr(found, part)
    return found


def test_the_fifteen_minutes_name_what_there_is():
    text = (DOCS / "how-it-works.md").read_text("utf-8")
    rooms = {path.stem for path in HOUSE.rglob("*.py")} | {path.name for path in HOUSE.iterdir() if path.is_dir()}
    named = re.findall(r"`(\w+)\.(\w+(?:\.\w+)*)`", text)
    things = [(room, thing) for room, thing in named if room in rooms and thing != "py"]
    assert len(things) > 20
    for room, thing in things:
        files = [path.relative_to(HOUSE.parent).with_suffix("") for path in HOUSE.rglob(f"{room}.py")]
        modules = [importlib.import_module(".".join(file.parts)) for file in files] or [_resolved(room)]
        assert any(hasattr(module, thing.partition(".")[0]) for module in modules), f"{room}.{thing}"


def test_the_fifteen_minutes_name_every_file():
    text = (DOCS / "how-it-works.md").read_text("utf-8")
    files = {path for path in HOUSE.rglob("*.py") if not path.name.startswith("__")}
    assert {path.name for path in files if f"[`{path.name}`]" not in text} == set()


def test_the_code_that_the_fifteen_minutes_quote_stands_in_the_house():
    def bare(code):  # pages format code differently
        return re.sub(r"#.*|[\s,()]", "", code)

    text = (DOCS / "how-it-works.md").read_text("utf-8")
    house = bare("\n".join(path.read_text("utf-8") for path in HOUSE.rglob("*.py")))
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    assert all(bare(block) in house for block in blocks)


def test_every_public_name_is_in_the_reference():
    named = {
        name
        for page in DOCS.glob("reference/*.md")
        for name in re.findall(r"^::: (\S+)", page.read_text("utf-8"), re.M)
    }
    assert all(_resolved(name) is not None for name in named)
    described = {id(_resolved(name)) for name in named}
    missing = []
    for module in ("tinygraph", *(f"tinygraph.{name}" for name in WITH_PUBLIC_NAMES)):
        exported = importlib.import_module(module)
        names = set(exported.__all__) | (set(tinygraph._LATER) if exported is tinygraph else set())
        for name in names - {"__version__", *WITH_PUBLIC_NAMES}:
            value = getattr(exported, name)
            if not isinstance(value, tinygraph.engine.op.Op) and id(value) not in described:
                missing.append(f"{module}.{name}")
    assert missing == []


def test_every_op_is_in_the_list_of_ops():
    page = (DOCS / "reference" / "ops.md").read_text("utf-8")
    assert {"public", "private"} == set(re.findall("<!-- op table: (\\w+) -->", page))
    ops = {name for name in tinygraph.__all__ if isinstance(getattr(tinygraph, name), tinygraph.engine.op.Op)}
    assert ops <= TABLE.keys()


# --- the REPL


@pytest.mark.parametrize("path", [*PAGES, ROOT / "README.md"], ids=_name)
def test_a_real_repl_takes_the_lines_of_an_example_one_by_one(path):
    """An indented block must end with a bare `...`, because the REPL would otherwise wait for more lines."""
    for block in re.findall(r"^( *)>>> (.*\n(?:\1\.\.\.(?: .*)?\n)*)", path.read_text("utf-8"), re.MULTILINE):
        typed = re.sub(r"^ *\.\.\. ?| *# doctest:.*", "", block[1], flags=re.MULTILINE)
        assert codeop.compile_command(typed.removesuffix("\n")) is not None, typed


# --- commands


def _commands():
    for path in TEXTS:
        for block in re.findall(r"^```sh\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            for line in block.strip().splitlines():
                command = line.partition(" #")[0]
                if not SETTING_UP.search(command):
                    yield pytest.param(command, id=f"{path.stem}: {command[:60]}")


@pytest.mark.parametrize("command", list(_commands()))
def test_a_command_runs_as_it_is_written(command, tmp_path):
    if re.search(r"draw|doctor|--out|examples/", command):
        needed_engine()
    if "jax_network" in command:
        pytest.importorskip("jax", reason="no jax: pip install --group oracles")
    for folder in ("examples", "docs", "tests", "tools"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "table.csv").write_bytes((HOUSE / "datasets" / "breast_cancer.csv").read_bytes())
    here = Path(sys.executable).parent
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(here)
    environment = {**os.environ, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}"}
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=tmp_path, env=environment, input="q\n", capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("path", [path for path in TEXTS if "+SKIP" in path.read_text("utf-8")], ids=_name)
def test_examples_that_write_a_file_or_need_an_extra_run_too(path, tmp_path, monkeypatch, request):
    needed_engine()
    if "import dask" in path.read_text("utf-8"):
        pytest.importorskip("dask.array", reason="no dask: pip install '.[dask]'")
    if "import matplotlib" in path.read_text("utf-8"):
        pytest.importorskip("matplotlib", reason="no matplotlib: pip install '.[plot]'")
    if "import torch" in path.read_text("utf-8"):
        pytest.importorskip("torch", reason="no torch: pip install torch")
    if "import jax" in path.read_text("utf-8"):
        jax = pytest.importorskip("jax", reason="no jax: pip install --group oracles")
        request.addfinalizer(partial(jax.config.update, "jax_enable_x64", jax.config.jax_enable_x64))
    monkeypatch.chdir(tmp_path)
    text = path.read_text("utf-8").replace("# doctest: +SKIP", "")
    test = doctest.DocTestParser().get_doctest(text, {}, path.name, str(path), 0)
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test).failed == 0


# --- links and diagrams


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_a_link_leads_to_a_file(path):
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'(?:src|srcset)="([^"]+)"', text)]:
        if not urlsplit(link).scheme and not link.startswith("#"):
            assert (path.parent / link.partition("#")[0]).exists(), link


def _pages_linked_from(text, path):
    links = re.findall(r"\]\(([\w./-]+\.md)(?:#[\w-]+)?\)", text)
    return {Path(os.path.normpath(path.parent / link)) for link in links}


def test_reference_and_how_to_pages_link_to_each_other():
    how_to = {path for path, section, _ in NAVIGATION if section == "How to"}
    reference = {path for path, section, _ in NAVIGATION if section == "Reference"}
    assert min(len(how_to), len(reference)) > 10
    links = {path: _pages_linked_from(path.read_text("utf-8"), path) for path in how_to | reference}
    assert [path.name for path in reference if not links[path] & how_to] == []
    assert [path.name for path in how_to if not links[path] & reference] == []
    for path in reference:
        for line in re.findall(r"^How to: (?:.+\n)+", path.read_text("utf-8"), re.MULTILINE):
            for page in _pages_linked_from(line, path):
                assert path in links[page], f"{page.name} does not link to {path.name}"


def test_the_title_in_the_navigation_is_the_title_of_the_page():
    assert {path for path, _, _ in NAVIGATION} == set(PAGES)
    for path, _, title in NAVIGATION:
        assert title in (None, re.search(r"^# (.+)$", path.read_text("utf-8"), re.MULTILINE)[1]), path.name


@pytest.mark.parametrize("name", DRAWING)
def test_a_page_about_drawing_is_found_by_the_word_visualization(name):
    assert "visualization" in (DOCS / name).read_text("utf-8")


def test_no_page_holds_a_pasted_picture():
    for path in PAGES:
        assert not re.search(r"<img|<picture|!\[", path.read_text("utf-8")), path.name


# --- notebooks


def _notebooks():
    pytest.importorskip("nbformat", reason="no nbformat: pip install --group docs")
    pytest.importorskip("matplotlib", reason="no matplotlib: pip install '.[plot]'")
    from tools.site import notebooks

    return notebooks.notebooks()


NOTEBOOKS = ["tutorial", "lecture", "stepping"]


def _stored(name):
    nbformat = pytest.importorskip("nbformat", reason="no nbformat: pip install --group docs")
    return nbformat.read(ROOT / "examples" / "notebooks" / f"{name}.ipynb", as_version=4)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_what_its_pages_are(name):
    made, stored = _notebooks()[name], _stored(name)
    for cell in stored.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    assert stored == made, "write them again: python -m tools.site.notebooks"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_stored_outputs_of_a_notebook_are_those_of_a_run_without_the_repository(name, tmp_path):
    pytest.importorskip("nbclient", reason="no nbclient: pip install --group oracles")
    pytest.importorskip("ipykernel", reason="no ipykernel: pip install --group oracles")
    needed_engine()
    made = _notebooks()[name]
    from tools.site.notebooks import content_of, run

    kinds = set()
    for cell, stored in zip(run(made, tmp_path).cells, _stored(name).cells, strict=True):
        outputs = [content_of(output) for output in cell.get("outputs", ())]
        assert outputs == [content_of(output) for output in stored.get("outputs", ())], cell.source
        kinds |= {kind for output in outputs for kind in output}
    assert {"text/html"} | ({"image/svg+xml"} if name != "stepping" else set()) <= kinds, "players and drawings"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_where_it_is_alone(name):
    """Its first code cell installs tinygraph, and no cell needs a file of the repository or names this machine."""
    stored = _stored(name)
    install, *others = [cell.source for cell in stored.cells if cell.cell_type == "code"]
    assert 'find_spec("tinygraph") is None' in install
    assert "tinygraph-autodiff[notebook] @ {source}" in install
    for cell in others:
        assert not re.search(r"\.\./|from tools|import tools|pip install", cell), cell
    outputs = str([cell.get("outputs") for cell in stored.cells])
    assert not re.search(r"/root/|/tmp/|/home/|/Users/|site-packages", outputs)
    assert "<plots.Plot object" not in outputs


def test_the_first_cell_of_a_notebook_installs_a_copy_or_explains_what_to_set(tmp_path, monkeypatch):
    pytest.importorskip("nbformat", reason="no nbformat: pip install --group docs")
    from importlib import util

    from tools.site.notebooks import INSTALL

    monkeypatch.setattr(util, "find_spec", lambda _: None)
    monkeypatch.chdir(tmp_path)
    ran = []
    code = re.sub(r'%pip install --quiet "(.*)"', r'ran.append(f"\1")', INSTALL)
    with pytest.raises(FileNotFoundError, match="is not a copy of tinygraph: change REPOSITORY in the first cell"):
        exec(code, {"ran": ran})
    exec(code.replace('"../.."', repr(str(ROOT))), {"ran": ran})
    exec(code.replace('"../.."', '"git+https://example.org/tinygraph.git"'), {"ran": ran})
    assert ran == [
        f"tinygraph-autodiff[notebook] @ {ROOT.as_uri()}",
        "tinygraph-autodiff[notebook] @ git+https://example.org/tinygraph.git",
    ]


# --- the site


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site in strict mode; one worker builds it for all workers."""
    pytest.importorskip("mkdocs", reason="no mkdocs: pip install --group docs")
    needed_engine()
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if run else base) / f"site-{run or 'alone'}"
    said = folder / "said.txt"
    try:
        folder.mkdir()
    except FileExistsError:
        for _ in range(600):
            if said.exists():
                break
            time.sleep(0.5)
    else:
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder / "site")]
        environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
        (folder / "saying.txt").write_text(f"{built.returncode}\n{built.stderr}", encoding="utf-8")
        (folder / "saying.txt").rename(said)
    code, _, text = said.read_text("utf-8").partition("\n")
    assert code == "0", text
    assert "WARNING" not in text, text
    return folder / "site"


class _Links(HTMLParser):
    """The links of a page, the files that it fetches, and its anchors."""

    def __init__(self, text):
        super().__init__()
        self.links, self.fetched, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        stylesheet = tag == "link" and found.get("rel") in ("stylesheet", "icon", "preconnect")
        self.fetched += [found[key] for key in ("src", "srcset") if found.get(key)]
        self.fetched += [found["href"]] if stylesheet else []


def test_no_link_of_the_site_is_dead_and_nothing_is_fetched_from_elsewhere(site):
    pages = {path: _Links(path.read_text("utf-8")) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(pages) > 30
    dead = []
    for path, page in pages.items():
        for link in [*page.links, *page.fetched]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                elsewhere = parts.scheme != "data"  # a data URL contains what it names
                dead += [(path.name, link)] if elsewhere and link in page.fetched else []
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                dead.append((path.name, link))
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                dead += [] if "=" in parts.fragment else [(path.name, link)]
    assert dead == []


@pytest.mark.parametrize(
    ("page", "path", "names"),
    [
        ("value", "tinygraph.engine.value.Value", "data grad op name constant args partials forward backward detach"),
        ("tensor", "tinygraph.tensor.tensor.Tensor", "data grad op name shape T transpose forward backward detach"),
        ("tensor", "tinygraph.tensor.functions.reductions", "sum mean max min var std prod"),
        ("stepping", "tinygraph.stepping.stepper.Stepper", "step back goto run_until grad explain save apply"),
    ],
)
def test_the_reference_of_a_class_lists_its_own_and_its_inherited_members(site, page, path, names):
    text = (site / "reference" / f"{page}.html").read_text("utf-8")
    assert {f"{path}.{name}" for name in names.split()} <= _Links(text).anchors
    assert "_unknown" not in text, "a private parameter"


def test_every_page_links_to_the_glossary(site):
    pages = [
        path for path in site.rglob("*.html") if not {"drawn", "playground"} & {*path.parts} and path.name != "404.html"
    ]
    assert len(pages) > 30
    for path in pages:
        links = {(path.parent / link).resolve() for link in _Links(path.read_text("utf-8")).links if "://" not in link}
        assert site / "glossary.html" in links, path.name


def resize(browser, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_opens_from_disk_and_fits_a_wide_and_a_narrow_window(site, browser, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    pages = [
        path
        for path in sorted(site.rglob("*.html"))
        if not {"drawn", "playground"} & {*path.parts} and path.name != "404.html"
    ]
    assert len(pages) > 30
    for path in pages:
        browser.get_log("browser")
        resize(browser, 1300)
        browser.get(path.as_uri())
        for width in (1300, 400):
            resize(browser, width)
            wide, dark = browser.execute_script(
                "return [document.documentElement.scrollWidth, document.body.dataset.mdColorScheme === 'slate']"
            )
            assert wide <= width, path.name
            assert dark == (scheme == "dark"), path.name
        errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        assert errors == [], path.name


FIRST_HITS = {
    "visualization": "Draw a graph",
    "automatic differentiation": "What is automatic differentiation?",
    "partial derivative": "Derivatives on the graph",
    "zero_grad": "zero_grad",  # the method, whose description shows why a training loop does not need it
    "no_grad": "Do I need zero_grad, no_grad or retain_graph?",
    "requires_grad": "Value has no option requires_grad= or label=",
    "mini-batch": "Train on mini-batches",
    "learning rate": "The learning rate",
    "Jupyter": "JupyterLab",
    "FAQ": "FAQ and troubleshooting",
    "cite": "How to cite",
}
# The first result is a page with its matching sections. If the page itself does not match, its score is 0.
FIRST_HIT = """
const item = document.querySelector(".md-search-result__item")
const found = [...(item?.querySelectorAll("article") ?? [])].filter(article => Number(article.dataset.mdScore))
found.sort((a, b) => b.dataset.mdScore - a.dataset.mdScore)
return found[0]?.querySelector("h1, h2").textContent.trim()
"""


def test_the_first_hit_of_a_search_is_useful(site, browser):
    from selenium.webdriver.support.wait import WebDriverWait

    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get((site / "index.html").as_uri())
    field = browser.find_element("css selector", "[data-md-component=search-query]")
    ready = "return !document.querySelector('.md-search-result__meta').textContent.startsWith('Init')"
    field.click()
    WebDriverWait(browser, 30).until(lambda _: browser.execute_script(ready))
    hits = {}
    for query, title in FIRST_HITS.items():
        field.clear()
        field.send_keys(query)
        until = time.monotonic() + 10
        while (hit := browser.execute_script(FIRST_HIT)) != title and time.monotonic() < until:
            time.sleep(0.1)
        hits[query] = hit
    assert hits == FIRST_HITS


def test_a_player_on_a_page_takes_its_height(site, browser):
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get((site / "tutorial.html").as_uri())
    frame = browser.find_element("css selector", "iframe.player")
    browser.execute_script("arguments[0].scrollIntoView()", frame)

    def height():
        return browser.execute_script("return arguments[0].getBoundingClientRect().height", frame)

    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, 10).until(lambda _: frame.get_attribute("style"))
    browser.switch_to.frame(frame)
    needed = browser.execute_script("return document.body.getBoundingClientRect().bottom")
    browser.switch_to.default_content()
    assert needed <= height() <= needed + 40
