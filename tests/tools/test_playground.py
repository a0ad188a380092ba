"""The playground page in Chromium, from disk and from a server, and the doctests of the package in Pyodide."""

import functools
import http.server
import json
import os
import shutil
import threading
import time
import urllib.parse
from pathlib import Path

import pytest

import tinygraph
from tinygraph.cli.expressions import parse
from tinygraph.playground.examples import EXAMPLES
from tinygraph.playground.inputs import numbers_of
from tinygraph.playground.session import Playground
from tinygraph.worksheets import by_hand, find_bug
from tools.playground import build

HOURGLASS = 180  # seconds; Python starts in 5 to 10, and in more on a machine that runs other tests
LOOP = "while True:\n    pass"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the page; one worker builds it for all workers."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("no npm: apt-get install npm")
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    base = tmp_path_factory.getbasetemp()
    mark = (base.parent if run else base) / f"playground-{run or 'alone'}"
    try:
        mark.mkdir()
    except FileExistsError:
        for _ in range(900):
            if (mark / "said.txt").exists():
                break
            time.sleep(0.5)
    else:
        try:
            said = "" if build.is_current() else f"{build.build()}"
        except build.BuildError as error:
            said = f"error: {error}"
        (mark / "saying.txt").write_text(said, encoding="utf-8")
        (mark / "saying.txt").rename(mark / "said.txt")
    said = (mark / "said.txt").read_text("utf-8")
    assert not said.startswith("error: "), said
    return build.TARGET


@pytest.fixture
def address(built):
    """Serve the folder of the site on this machine, and return its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=os.fspath(built / "site"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Page:
    """The playground in the browser."""

    def __init__(self, driver, address, *, width=1300, theme="light"):
        self.driver = driver
        driver.switch_to.default_content()
        driver.get("about:blank")
        driver.get_log("browser"), driver.get_log("performance")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = [{"name": "prefers-color-scheme", "value": theme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        driver.get(address)
        self.wait("return window.playground && playground.state.steps")

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, script, *arguments):
        end = time.time() + HOURGLASS
        while time.time() < end:
            if found := self.js(script, *arguments):
                return found
            time.sleep(0.03)
        said = self.js("return ['status', 'problem'].map((x) => document.getElementById(x).textContent)")
        raise AssertionError(f"{script}: {said} {self.driver.get_log('browser')}")

    def run(self, mode, text, numbers=None):
        """Type a program, run it, and return the problem or "" after the answer."""
        self.js(
            """const [mode, text, numbers] = arguments, radio = document.querySelector(`[name=mode][value=${mode}]`);
            radio.checked = true; document.getElementById('code').dataset.mode = mode;
            playground.editor.text = text; playground.state.numbers = numbers; window.answered = false;
            playground.run().then(() => { window.answered = true; });""",
            mode, text, numbers or {},
        )  # fmt: skip
        self.wait("return window.answered")
        return self.js("const p = document.getElementById('problem'); return p.hidden ? '' : p.textContent")

    @property
    def values(self):
        """The table: name, value and gradient of each node."""
        rows = self.js(
            """return [...document.querySelectorAll('#values tbody tr')]
            .map((row) => [...row.cells].map((cell) => cell.textContent))"""
        )
        return {name: (value, gradient) for name, value, gradient in rows}

    def inside(self, script, *arguments):
        """Run a script in the frame of the player."""
        self.driver.switch_to.frame("player")
        try:
            return self.driver.execute_script(script, *arguments)
        finally:
            self.driver.switch_to.default_content()

    def wait_inside(self, script, *arguments):
        end = time.time() + HOURGLASS
        while time.time() < end:
            if found := self.inside(script, *arguments):
                return found
            time.sleep(0.03)
        raise AssertionError(script)

    def save(self, format):
        """Choose a file of the menu, and return its name and its content."""
        self.js(
            """playground.state.saved = null; const menu = document.getElementById('export');
            menu.value = arguments[0]; menu.dispatchEvent(new Event('change'));""",
            format,
        )
        self.wait("return playground.state.saved")
        return self.js(
            """const { name, blob } = playground.state.saved;
            return blob.arrayBuffer().then((bytes) => [name, [...new Uint8Array(bytes)]])"""
        )

    def requests(self):
        """Return the addresses that the browser asked for, except for data inside of the page."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return [url for url in found if not url.startswith(("data:", "blob:", "about:"))]

    def complaints(self):
        return [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


def shown_by_the_package(example):
    playground = Playground()
    numbers = numbers_of(example.text, example.numbers) if example.mode == "expression" else {}
    answer = playground.answered({"kind": "run", "mode": example.mode, "text": example.text, "numbers": numbers})
    return {row["name"]: (row["value"], row["gradient"]) for row in answer["values"]}


def unlabeled(page):
    """Return the controls without an accessible name."""
    return page.js(
        """const named = (x) => x.getAttribute('aria-label') || x.title || x.labels?.length || x.textContent.trim();
        return [...document.querySelectorAll('button, input, select, textarea, iframe')]
        .filter((x) => !x.closest('[hidden]') && !named(x)).map((x) => x.id)"""
    )


def test_the_page_from_disk(built, browser, tmp_path):
    assert (built / "playground.html").stat().st_size < build.LARGEST
    file = shutil.copyfile(built / "playground.html", tmp_path / "playground.html")  # alone, without other files
    page = Page(browser, file.as_uri())
    assert page.values["b"] == ("3", "6"), "a reader finds dJ/db = 6"
    assert page.js("return playground.state.examples.length") == len(EXAMPLES)
    assert not unlabeled(page)

    # Two steps back, and a click on a box, whose breakdown stays when the pointer leaves.
    page.wait_inside("return document.getElementById('count').value === '9 / 9'")
    for _ in range(2):
        page.inside("document.getElementById('back').click()")
    assert page.inside("return document.getElementById('count').value") == "7 / 9"
    page.wait("return playground.state.step === 7")
    told = page.inside(
        """const nodes = [...document.querySelectorAll('#diagram g[aria-label]')];
        const box = nodes.find((g) => g.getAttribute('aria-label').startsWith('b:'));
        box.focus(); box.dispatchEvent(new MouseEvent('mouseenter')); box.dispatchEvent(new MouseEvent('mouseleave'));
        return document.getElementById('breakdown').textContent"""
    )
    assert told.startswith("bdJ/db = ·"), "the contribution of b has not arrived at step 7"

    # Every example of the lecture, in both modes, has the package's gradients.
    for example in EXAMPLES:
        assert page.run(example.mode, example.text, example.numbers) == ""
        assert page.values == shown_by_the_package(example), example.title

    # A slider changes every number in the same layout, and the player keeps its step.
    first = EXAMPLES[0]
    page.run("expression", first.text, first.numbers)
    page.wait_inside("return document.getElementById('count').value === '9 / 9'")
    page.inside("document.getElementById('back').click()")
    page.wait("return playground.state.step === 8")
    page.js(
        """playground.state.moved = null; const slider = document.getElementById('slider-0');
        slider.value = 7; slider.dispatchEvent(new Event('input'))"""
    )
    page.wait("return playground.state.moved")
    assert page.values["c"] == ("2", "21")
    assert page.values["J"] == ("57", "1")
    texts = page.inside("return [...document.querySelectorAll('#diagram text')].map((t) => t.textContent.trim())")
    assert {"57", "7", "14", "19"} <= set(texts)
    assert page.inside("return document.getElementById('count').value") == "8 / 9"
    page.js("document.getElementById('slider-0').dispatchEvent(new Event('change'))")
    page.wait("return location.hash.includes('n=b%3D7')")
    page.wait_inside("return document.getElementById('count')?.value === '8 / 9'")

    # Files.
    saved = {kind: page.save(kind) for kind in ("svg", "png", "animation", "worksheet", "python")}
    assert [name for name, _ in saved.values()] == ["J.svg", "J.png", "J-steps.svg", "J-worksheet.html", "J.py"]
    assert bytes(saved["png"][1][:8]) == b"\x89PNG\r\n\x1a\n"
    assert b"@keyframes" in bytes(saved["animation"][1])
    assert b"57" in bytes(saved["svg"][1])
    assert b"'b': 7" in bytes(saved["python"][1])
    assert b"<html" in bytes(saved["worksheet"][1])

    # Errors at their line.
    assert page.run("expression", "u = b*c\nJ = 3*(a + u", {}) == "Line 2: '(' was never closed."
    assert page.js("return document.querySelector('#numbers .wrong').textContent") == "2"
    said = page.run("python", "x = Value(2.0)\ny = x * undefind\n")
    assert (
        said == "Line 2: There is nothing named 'undefind' yet: write undefind = Value(1.0) first, or correct the name."
    )
    assert "needs NumPy" in page.run("python", "import numpy as np")
    assert "901 nodes" in page.run("python", "x = Value(1)\nfor i in range(900): x = x * 0.5")

    # An endless loop, and a chain that is too deep for the stack: one sentence each, and a new worker.
    assert page.js("return playground.engine.limit") == 10_000
    page.js("playground.engine.limit = 1500")
    said = page.run("python", LOOP)
    assert said == "The program was stopped, because it took longer than 1.5 s: look for a loop that never ends."
    page.js("playground.engine.limit = 100000")
    said = page.run("python", "x = Value(1)\nfor i in range(50000): x = x * 0.5")
    assert said.startswith("The program was stopped: a chain in this program is too deep for a browser, whose limit")
    assert page.run("python", "x = Value(3.0)\ny = x * x * x") == ""
    assert page.values["x"] == ("3", "27")
    assert page.requests() == [file.as_uri()]
    assert not page.complaints()


def test_a_shared_link_on_a_phone_with_the_keyboard_alone(built, browser, address):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    text = "p = x*y\nJ = p**2"
    parts = [("mode", "expression"), ("text", text), ("n", "x=2"), ("n", "y=-1.5")]
    page = Page(browser, f"{address}/index.html#{urllib.parse.urlencode(parts)}", width=400, theme="dark")
    x, y = tinygraph.Value(2.0), tinygraph.Value(-1.5)
    J = (x * y) ** 2
    J.backward()
    assert page.values["x"] == ("2", f"{x.grad:.4g}")
    assert page.js("return document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than a phone"
    assert page.inside("return document.documentElement.scrollWidth <= innerWidth")
    dark = "return getComputedStyle(document.body).backgroundColor"
    assert page.js(dark) == page.inside(dark) == "rgb(13, 17, 23)"

    # From the first control to the player with Tab, without a trap in the editor.
    reached = []
    for _ in range(30):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(page.js("return document.activeElement.id || document.activeElement.name"))
        if reached[-1] == "player":
            break
    assert [*dict.fromkeys(reached)][:7] == ["mode", "examples", "code", "run", "hand", "share", "export"]
    assert reached[-1] == "player"
    page.js("document.getElementById('slider-0').focus()")
    ActionChains(browser).send_keys(Keys.ARROW_RIGHT).perform()
    page.wait("return location.hash.includes('n=x%3D2.1')")
    page.js("document.getElementById('code').focus()")
    ActionChains(browser).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys("J = a*a").perform()
    ActionChains(browser).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()
    page.wait("return document.querySelector('#values tbody tr')?.cells[0].textContent === 'a'")
    assert page.values["a"] == ("1", "2")
    assert {url.partition("#")[0] for url in page.requests()} == {f"{address}/index.html", f"{address}/runtime.js"}
    assert not page.complaints()


@pytest.mark.parametrize(("width", "theme"), [(400, "dark"), (1300, "light")])
def test_by_hand_from_a_link_to_the_score(built, browser, address, width, theme):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    text = "u = b*c\nv = a + u\nJ = 3*v + u"
    parts = [("mode", "expression"), ("hand", "1"), ("text", text), ("n", "a=5"), ("n", "b=3"), ("n", "c=2")]
    page = Page(browser, f"{address}/index.html#{urllib.parse.urlencode(parts)}", width=width, theme=theme)
    page.wait_inside("return document.getElementById('asked')?.textContent")
    assert page.js("return document.getElementById('values').hidden"), "the table would give the answers away"
    assert page.js("return document.documentElement.scrollWidth <= innerWidth")
    hand = by_hand(parse(text, {"a": 5.0, "b": 3.0, "c": 2.0}))
    first, again = [question.answer for question in hand.questions], "return document.getElementById('score').value"
    typed = [*map(str, first)]
    typed[4:4] = ["3"]  # the contribution alone: it must be added to the part that is already there
    browser.switch_to.frame("player")
    browser.find_element("id", "answer").click()
    for answer in typed:
        ActionChains(browser).send_keys(answer, Keys.ENTER).perform()
    browser.switch_to.default_content()
    assert page.inside(again) == "6 of 7 right at the first answer, 1 after a mistake"
    mistakes = page.inside("return document.getElementById('mistakes').textContent")
    assert mistakes == "1 time: replaced the gradient instead of adding to it"

    # An opponent: its first wrong step.
    page.inside(
        """const menu = document.getElementById('exercise');
        menu.value = [...menu.options].find((x) => x.textContent === '= for +=').value;
        menu.dispatchEvent(new Event('change'))"""
    )
    wrong = find_bug(hand.questions.steps.walk.root, "= for +=")
    step = next(k for k in range(1, 9) if find_bug(wrong.root, "= for +=").pick(k).right)
    page.inside("for (let k = 1; k < arguments[0]; k++) document.getElementById('step').click()", step)
    page.inside("document.getElementById('pick').click()")
    assert page.inside("return document.getElementById('verdict').className") == "right"

    # A slider asks again when it is released, and without the exercise, the table is shown.
    page.js(
        """const slider = document.getElementById('slider-0');
        slider.value = 4; slider.dispatchEvent(new Event('input')); slider.dispatchEvent(new Event('change'))"""
    )
    page.wait("return location.hash.includes('n=b%3D4') && location.hash.includes('hand=1')")
    page.wait_inside("return document.getElementById('score')?.value.startsWith('0 of 7')")
    page.js("document.getElementById('hand').click()")
    page.wait("return !location.hash.includes('hand=1')")
    assert page.values["b"] == ("4", "8")
    assert not page.complaints()


def test_a_run_button_loads_python_at_the_first_click_only(built, browser, address):
    from tools.site.playground import blocks_of, with_buttons

    markdown = (
        "```pycon\n>>> from tinygraph import Value, draw\n>>> x = Value(3.0, 'x')\n\n```\n\n"
        "```pycon\n>>> import numpy as np\n\n```\n\n"
        "```pycon\n>>> y = x * x\n>>> y\nValue(9.0, op='mul')\n>>> draw(y)\n\n```\n"
    )
    assert len(blocks_of(markdown)) == 3
    made = with_buttons(markdown, markdown, "tutorial.md", "")
    assert made.count('class="tinygraph-run"') == 2
    assert made.count("This block needs NumPy: run it in the [notebook](../examples/notebooks/tutorial.ipynb)") == 1
    shown = made.replace("playground/run.", "run.")
    (built / "site" / "try.html").write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{shown}", encoding="utf-8")
    try:
        browser.switch_to.default_content()
        browser.get("about:blank")
        browser.get_log("performance")
        browser.get(f"{address}/try.html")
        script = "return document.querySelectorAll('.tinygraph-run button').length"
        assert browser.execute_script(script) == 2
        assert "runtime.js" not in str(browser.get_log("performance"))
        browser.execute_script("[...document.querySelectorAll('.tinygraph-run button')].at(-1).click()")
        end = time.time() + HOURGLASS
        while time.time() < end and not browser.execute_script(
            "return document.querySelector('.tinygraph-output svg')"
        ):
            time.sleep(0.1)
        output = "[...document.querySelectorAll('.tinygraph-output')].at(-1)"
        assert browser.execute_script(f"return {output}.querySelector('pre').textContent") == "Value(9.0, op='mul')"
        assert browser.execute_script(f"return {output}.querySelectorAll('svg').length") == 1
    finally:
        (built / "site" / "try.html").unlink()


def test_the_doctests_that_need_no_numpy_run_in_pyodide(built):
    found = build.doctests()
    failed = {name: counts for name, counts in found.items() if counts[1]}
    assert not failed
    assert len(found) >= 130


def test_the_npm_packages_are_pinned_with_hashes():
    lock = json.loads((build.HERE / "package-lock.json").read_text("utf-8"))
    wanted = json.loads((build.HERE / "package.json").read_text("utf-8"))["dependencies"]
    packages = {name.removeprefix("node_modules/"): entry for name, entry in lock["packages"].items() if name}
    assert {name: packages[name]["version"] for name in wanted} == wanted
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())


def test_without_npm_the_build_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(build.BuildError, match="the program npm is not installed: apt-get install npm"):
        build.build(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_changed_file_makes_the_build_old(monkeypatch, tmp_path):
    (tmp_path / "fingerprint.txt").write_text(build.fingerprint(), encoding="utf-8")
    assert build.is_current(tmp_path)
    monkeypatch.setattr(build, "HERE", Path(__file__).parent)
    assert not build.is_current(tmp_path)
