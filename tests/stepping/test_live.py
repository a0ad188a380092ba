"""The live player: its position and the clicked node are synchronized with Python."""

import builtins
import json
from importlib.resources import files

import pytest

from tests.engines import needed_engine
from tests.stepping.test_film import fan_out, lecture
from tinygraph import Stepper
from tinygraph.drawing import DrawOptions
from tinygraph.stepping.player import page_of


@pytest.fixture(autouse=True)
def _engine():
    needed_engine()


@pytest.fixture
def traitlets():
    pytest.importorskip("anywidget", reason="no anywidget: pip install '.[notebook]'")
    return pytest.importorskip("traitlets")


# --- in Python


def test_the_stepper_follows_the_player(traitlets):
    stepper = Stepper(lecture())
    stepper.goto(2)
    player = stepper.player(live=True)
    assert (player.index, player.node) == (2, None)
    player.index = 5
    assert (stepper.index, stepper.grad("b"), stepper.grad("c")) == (5, 6.0, None)
    player.set_state({"index": 3})  # a message from the browser
    assert (player.index, stepper.index, stepper.grad("b")) == (3, 3, None)
    for wrong in (-1, 7, "3", 1.5):
        with pytest.raises(traitlets.TraitError):
            player.index = wrong
    assert stepper.index == 3
    assert repr(player) == "<live player of stepper of J: 3 of 6 steps>"


def test_a_click_selects_a_node(traitlets):
    stepper = Stepper(fan_out())
    player = stepper.player(live=True, height=500)
    seen = []
    player.observe(lambda change: seen.append(change["new"]), "node")
    _, shown = page_of(stepper, DrawOptions())
    for node, key in shown.ids.items():
        player.set_state({"_box": key})
        assert player.node is node
    assert seen == list(shown.ids)
    player.set_state({"_box": "no box"})
    assert player.node is None
    state = player.get_state()
    assert json.dumps({key: state[key] for key in ("index", "_box", "_page", "_title", "_height")})
    assert state["_height"] == 500


def test_two_live_players_are_independent(traitlets):
    first, second = Stepper(lecture()), Stepper(fan_out())
    one, two = first.player(live=True), second.player(live=True)
    one.index, two.index = 4, 7
    assert (first.index, second.index) == (4, 7)


def test_without_the_package_the_static_player_remains(monkeypatch):
    importing = builtins.__import__

    def without(name, *rest, **options):
        if name == "anywidget":
            raise ImportError(name)
        return importing(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    stepper = Stepper(lecture())
    with pytest.raises(ModuleNotFoundError, match=r"needs the package anywidget: run `pip install '\.\[notebook\]'`"):
        stepper.player(live=True)
    assert stepper.player()._repr_html_().startswith("<iframe")


# --- in a browser, with a model of a few lines in place of a kernel

MODEL = """<!DOCTYPE html><meta charset="utf-8"><div id="cell"></div>
<script type="application/json" id="page">%s</script>
<script type="module">
  %s
  const values = {index: %d, _page: JSON.parse(document.getElementById("page").textContent), _height: 640,
    _title: "a player", _box: ""};
  const listeners = new Map();
  window.saved = [];
  window.model = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; listeners.get(`change:${name}`)?.forEach((call) => call()); },
    save_changes: () => saved.push({...values, _page: null}),
    on: (name, call) => listeners.set(name, [...(listeners.get(name) ?? []), call]),
    off: (name, call) => listeners.set(name, listeners.get(name).filter((other) => other !== call)),
  };
  window.listeners = listeners;
  window.clear = render({ model, el: document.getElementById("cell") });
</script>"""


def open_cell(browser, folder, stepper):
    page, shown = page_of(stepper, DrawOptions(theme="auto"))
    script = files("tinygraph.stepping").joinpath("assets", "live.js").read_text(encoding="utf-8")
    cell = folder / "cell.html"
    content = json.dumps(page).replace("<", "\\u003c")
    filled = MODEL % (content, script.replace("export default { render };", ""), stepper.index)
    cell.write_text(filled, encoding="utf-8")
    browser.get(cell.as_uri())
    in_frame(browser, "document.getElementById('count').value")
    return shown


def in_frame(browser, expression):
    browser.switch_to.frame(0)
    try:
        return browser.execute_script(f"return {expression}")
    finally:
        browser.switch_to.default_content()


def wait_for(browser, condition):
    """Wait until a condition is true: messages between windows are asynchronous."""
    script = f"""const done = arguments[arguments.length - 1], end = Date.now() + 10000;
      const look = () => {{
        if ({condition}) done(true); else if (Date.now() > end) done(false); else setTimeout(look, 20);
      }};
      look();"""
    assert browser.execute_async_script(script), condition


def position(browser):
    return int(in_frame(browser, "document.getElementById('count').value").partition(" / ")[0])


def test_the_player_moves_in_both_directions(browser, tmp_path):
    stepper = Stepper(lecture())
    shown = open_cell(browser, tmp_path, stepper)
    browser.switch_to.frame(0)
    browser.find_element("id", "step").click()
    browser.find_element("id", "step").click()
    browser.switch_to.default_content()
    wait_for(browser, "model.get('index') === 2")
    assert browser.execute_script("return saved.at(-1).index") == 2
    for k in (5, 0, 6):
        browser.execute_script("saved.length = 0; model.set('index', arguments[0])", k)
        browser.switch_to.frame(0)
        wait_for(browser, f"document.getElementById('count').value.startsWith('{k} / ')")
        browser.switch_to.default_content()
        assert browser.execute_script("return saved.length") == 0, "the model is not told what it knows"
    browser.execute_script("for (const k of [1, 2, 3, 4, 5, 2]) model.set('index', k)")
    browser.switch_to.frame(0)
    wait_for(browser, "document.getElementById('count').value.startsWith('2 / ')")
    browser.execute_script("for (let i = 0; i < 3; i++) document.getElementById('step').click()")
    browser.switch_to.default_content()
    wait_for(browser, "model.get('index') === 5")
    browser.execute_script("return new Promise((done) => setTimeout(done, 200))")
    both = position(browser), browser.execute_script("return model.get('index')")
    assert both == (5, 5), "no message goes in a circle"
    key = shown.ids[stepper.find("b")]
    browser.switch_to.frame(0)
    browser.execute_script(
        "document.getElementById(`${document.querySelector('#diagram > svg').id}-${arguments[0]}`)"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))",
        key,
    )
    browser.switch_to.default_content()
    wait_for(browser, f"model.get('_box') === '{key}'")
    assert [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"] == []


def test_a_position_that_was_set_before_the_page_was_there_is_not_lost(browser, tmp_path):
    stepper = Stepper(lecture())
    stepper.goto(1)
    open_cell(browser, tmp_path, stepper)
    wait_for(browser, "document.querySelector('iframe')")
    browser.execute_script("model.set('index', 4); document.querySelector('iframe').srcdoc += ' '")
    end = "document.getElementById('count')?.value.startsWith('4 / ')"
    browser.switch_to.frame(0)
    wait_for(browser, end)
    browser.switch_to.default_content()


def test_a_cleared_cell_leaves_no_listener(browser, tmp_path):
    open_cell(browser, tmp_path, Stepper(lecture()))
    browser.execute_script("clear()")
    assert browser.execute_script("return [...listeners.values()].flat().length") == 0
