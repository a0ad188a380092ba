"""The documentation is true: commands run, names exist, links lead somewhere, and it builds and opens offline.

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
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import tinygraph
from tinygraph.drawing import EngineNotFoundError
from tinygraph.drawing.layout_engines import find_engine

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
HOUSE = Path(tinygraph.__file__).parent
SETTING_UP = re.compile(r"venv|pip |python$|pytest|ruff|mypy|-m tools\.|mkdocs|git |jupyter")  # run elsewhere


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _needs_an_engine():
    try:
        find_engine()
    except EngineNotFoundError:
        pytest.skip("no Graphviz engine: pip install '.[render]'")


# --- names


def _resolved(name):
    """What a dotted name of the package stands for; AttributeError or ImportError where there is no such thing."""
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
    def bare(code):  # a page is formatted in its own way
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
    rows = {name for name in tinygraph.__all__ if name in tinygraph.engine.ops.TABLE} | {"power", "pow"}
    last = {name.rpartition(".")[2] for name in named}
    assert set(tinygraph.__all__) - rows <= last


# --- what is typed


@pytest.mark.parametrize("path", [*PAGES, ROOT / "README.md"], ids=_name)
def test_a_real_repl_takes_the_lines_of_an_example_one_by_one(path):
    """An indented block is closed by a bare `...`, or the REPL would wait for more."""
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
    if re.search(r"draw|doctor|--html|examples/", command):
        _needs_an_engine()
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
def test_examples_that_write_a_file_or_need_an_extra_run_too(path, tmp_path, monkeypatch):
    _needs_an_engine()
    if "import dask" in path.read_text("utf-8"):
        pytest.importorskip("dask.array", reason="no dask: pip install '.[dask]'")
    if "import matplotlib" in path.read_text("utf-8"):
        pytest.importorskip("matplotlib", reason="no matplotlib: pip install '.[plot]'")
    monkeypatch.chdir(tmp_path)
    text = path.read_text("utf-8").replace("# doctest: +SKIP", "")
    test = doctest.DocTestParser().get_doctest(text, {}, path.name, str(path), 0)
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test).failed == 0


# --- links and pictures


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_a_link_leads_to_a_file(path):
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'(?:src|srcset)="([^"]+)"', text)]:
        if not urlsplit(link).scheme and not link.startswith("#"):
            assert (path.parent / link.partition("#")[0]).exists(), link


def test_no_page_holds_a_pasted_picture():
    for path in PAGES:
        assert not re.search(r"<img|<picture|!\[", path.read_text("utf-8")), path.name


# --- notebooks


def _notebooks():
    pytest.importorskip("nbformat", reason="no nbformat: pip install --group docs")
    pytest.importorskip("matplotlib", reason="no matplotlib: pip install '.[plot]'")
    from tools.site import notebooks

    return notebooks.notebooks()


@pytest.mark.parametrize("name", ["tutorial", "lecture"])
def test_a_notebook_is_what_its_pages_are(name):
    made = _notebooks()[name]
    import nbformat

    stored = nbformat.read(ROOT / "examples" / "notebooks" / f"{name}.ipynb", as_version=4)
    assert stored == made, "write them again: python -m tools.site.notebooks"


@pytest.mark.parametrize("name", ["tutorial", "lecture"])
def test_a_notebook_runs_and_shows_its_pictures(name, execute, tmp_path):
    _needs_an_engine()
    pytest.importorskip("matplotlib", reason="no matplotlib: pip install '.[plot]'")
    folder = tmp_path / "examples" / "notebooks"
    folder.mkdir(parents=True)
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    shown = execute(ROOT / "examples" / "notebooks" / f"{name}.ipynb", folder)
    kinds = [kind for outputs in shown for out in outputs for kind in out.get("data", {})]
    assert "image/svg+xml" in kinds, "pictures"
    assert "text/html" in kinds, "players"


# --- the site


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built strictly; by one of the workers, for all of them."""
    pytest.importorskip("mkdocs", reason="no mkdocs: pip install --group docs")
    _needs_an_engine()
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
    """What a page refers to, what it fetches, and its anchors."""

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
                dead += [(path.name, link)] if link in page.fetched else []
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                dead.append((path.name, link))
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                dead += [] if "=" in parts.fragment else [(path.name, link)]
    assert dead == []


def resize(browser, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_opens_from_disk_and_fits_a_wide_and_a_narrow_window(site, browser, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    pages = [path for path in sorted(site.rglob("*.html")) if "drawn" not in path.parts and path.name != "404.html"]
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
