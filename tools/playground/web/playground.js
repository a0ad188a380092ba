"use strict";
// The page: it asks Python for a page with a player, and passes new numbers on to it. `window.playground` is for tests
// and for more modes, such as backpropagation by hand.
(() => {
  const $ = (id) => document.getElementById(id);
  const HINTS = {
    expression: "Name each step, one per line: u = b*c. Every other name becomes an input.",
    python: "tinygraph's names, such as Value, sigmoid and log, are there already. The last Value that you compute is drawn.",
  };
  const editor = new PlaygroundEditor($("code"), $("numbers"));
  const engine = new PlaygroundEngine({ onStatus: showStatus });
  const state = { step: 0, steps: 0, numbers: {}, examples: [], shown: "", busy: 0 };
  const listeners = [];
  const LAST = 1e6; // more than the number of steps: the page shows both passes, and a reader steps back

  function showStatus(status, text = "") {
    const texts = { starting: "Python starts in your browser …", ready: "Ready.", failed: text };
    $("status").textContent = texts[status];
    $("status").className = status;
  }

  const byHand = () => $("hand").checked; // the page asks for each gradient before it shows it

  const mode = () => document.querySelector("[name=mode]:checked").value;

  function setMode(value) {
    document.querySelector(`[name=mode][value=${value}]`).checked = true;
    $("hint").textContent = HINTS[value];
    $("code").dataset.mode = value;
  }

  // --- running

  async function run({ at = LAST, numbers = mode() === "expression" ? state.numbers : {} } = {}) {
    const asked = ++state.busy;
    $("run").setAttribute("aria-disabled", "true");
    $("player").classList.add("old");
    showProblem(null);
    const answer = await engine.ask("run", { mode: mode(), text: editor.text, numbers, at, by_hand: byHand() });
    if (asked !== state.busy) return; // a newer run is on its way
    $("run").setAttribute("aria-disabled", "false");
    $("printed").textContent = answer.printed;
    $("output").hidden = !answer.printed;
    showProblem(answer.problem);
    if (answer.problem) return;
    editor.text = answer.text;
    $("player").classList.remove("old");
    state.steps = answer.steps;
    state.step = byHand() ? 0 : Math.min(at, answer.steps);
    state.page = answer.page;
    $("player").srcdoc = answer.page;
    showInputs(answer.inputs);
    showValues(byHand() ? [] : answer.values); // the table would give the answers away
    remember();
    for (const listen of listeners) listen(answer);
  }

  function showProblem(problem) {
    $("problem").hidden = !problem;
    if (!problem) return editor.mark(0);
    $("problem").textContent = problem.line ? `Line ${problem.line}: ${problem.message}` : problem.message;
    editor.mark(problem.line, problem.column);
  }

  function showValues(rows) {
    const table = document.createElement("table");
    const cells = (names, kind) => names.map((text, i) => {
      const cell = document.createElement(i && kind === "td" ? "td" : "th");
      cell.textContent = text;
      cell.scope = kind === "td" ? "row" : "col";
      return cell;
    });
    const head = table.createTHead().insertRow();
    head.append(...cells(["name", "value", "gradient"], "th"));
    const body = table.createTBody();
    for (const { name, value, gradient } of rows) body.insertRow().append(...cells([name, value, gradient], "td"));
    $("values").hidden = !rows.length;
    $("values").replaceChildren(table);
  }

  // --- inputs

  function showInputs(inputs) {
    state.numbers = Object.fromEntries(inputs.map(({ name, value }) => [name, value]));
    const focused = document.activeElement?.closest("#inputs") ? document.activeElement.id : "";
    const legend = $("inputs").firstElementChild;
    const rows = inputs.flatMap(({ name, value, least, most, step }, i) => {
      const label = document.createElement("label");
      label.textContent = name;
      label.htmlFor = `number-${i}`;
      const slider = Object.assign(document.createElement("input"), { type: "range", id: `slider-${i}`, min: least, max: most, step: step, value: value });
      slider.setAttribute("aria-label", `${name}, slider`);
      const number = Object.assign(document.createElement("input"), { type: "number", id: `number-${i}`, step: "any", value: value });
      slider.oninput = () => {
        number.value = slider.value;
        if (byHand()) state.numbers[name] = Number(slider.value); // new questions come when the slider is released
        else drag(name, Number(slider.value));
      };
      slider.onchange = () => settle();
      number.onchange = () => {
        if (!Number.isFinite(number.valueAsNumber)) { number.value = state.numbers[name]; return; }
        state.numbers[name] = number.valueAsNumber;
        settle();
      };
      return [label, slider, number];
    });
    $("inputs").hidden = !inputs.length;
    $("inputs").replaceChildren(legend, ...rows);
    if (focused) $(focused)?.focus();
  }

  // Show other numbers in the same layout while a slider moves. Requests do not pile up: the newest waits for the last.
  let moving = false, waiting = false;
  async function drag(name, value) {
    state.numbers[name] = value;
    if (moving) { waiting = true; return; }
    moving = true;
    const asked = state.busy, from = performance.now();
    const answer = await engine.ask("move", { numbers: state.numbers });
    moving = false;
    if (asked === state.busy && answer.numbers) {
      state.renumber = { from };
      $("player").contentWindow.postMessage({ tinygraphNumbers: answer.numbers }, "*");
      showValues(answer.values);
    } else if (answer.again) { settle(); }
    if (waiting) { waiting = false; drag(name, state.numbers[name]); }
  }

  // Lay the diagram out again when the slider is released.
  const settle = () => run({ at: state.step, numbers: { ...state.numbers } });

  window.addEventListener("message", ({ source, data }) => {
    if (source !== $("player").contentWindow || !data) return;
    if (Number.isInteger(data.tinygraphStep)) state.step = data.tinygraphStep;
    if (typeof data.tinygraphNode === "string") state.node = data.tinygraphNode;
    if ("tinygraphRenumbered" in data) {
      state.moved = performance.now() - (state.renumber?.from ?? 0); // from the slider to the screen, in milliseconds
      if (!data.tinygraphRenumbered) settle();
    }
  });

  // --- the address: a link contains the program and its numbers

  function link() {
    const parts = new URLSearchParams({ mode: mode(), text: editor.text });
    if (byHand()) parts.append("hand", "1");
    if (mode() === "expression") for (const [name, value] of Object.entries(state.numbers)) parts.append("n", `${name}=${value}`);
    return `${location.href.split("#")[0]}#${parts}`;
  }

  function remember() {
    try { history.replaceState(null, "", link()); } catch { location.hash = link().split("#")[1]; }
  }

  function fromAddress() {
    const parts = new URLSearchParams(location.hash.slice(1));
    if (!parts.has("text")) return false;
    setMode(parts.get("mode") === "python" ? "python" : "expression");
    $("hand").checked = parts.get("hand") === "1";
    editor.text = parts.get("text");
    const pairs = parts.getAll("n").map((pair) => [pair.slice(0, pair.lastIndexOf("=")), Number(pair.slice(pair.lastIndexOf("=") + 1))]);
    state.numbers = Object.fromEntries(pairs.filter(([name, value]) => name && Number.isFinite(value)));
    return true;
  }

  // --- files

  async function save(format) {
    const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const answer = await engine.ask("export", { format: format === "png" ? "svg" : format, theme });
    if (answer.problem) return say(answer.problem.message);
    const { name, type, text } = answer.file;
    const blob = new Blob([text], { type });
    if (format === "png") download(name.replace(/svg$/, "png"), await png(blob));
    else download(name, blob);
  }

  // Draw an SVG file at twice its size.
  async function png(svg) {
    const image = new Image();
    image.src = URL.createObjectURL(svg);
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth * 2, image.naturalHeight * 2];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  function download(name, blob) {
    const anchor = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    state.saved = { name, size: blob.size, type: blob.type, blob };
    say(`Saved ${name}.`);
  }

  function say(text) {
    $("said").textContent = text;
    clearTimeout(state.saying);
    state.saying = setTimeout(() => { $("said").textContent = ""; }, 8000);
  }

  async function share() {
    remember();
    try {
      await navigator.clipboard.writeText(link());
      say("The link is copied.");
    } catch { say("Copy the address of this page: it contains your program."); }
  }

  // --- controls

  $("run").onclick = () => run();
  $("hand").onchange = () => run();
  $("share").onclick = share;
  $("export").onchange = () => { const format = $("export").value; $("export").value = ""; if (format) save(format); };
  $("code").addEventListener("keydown", (key) => {
    if (key.key === "Enter" && (key.ctrlKey || key.metaKey)) { key.preventDefault(); run(); }
  });
  for (const radio of document.querySelectorAll("[name=mode]")) {
    radio.onchange = () => { // each mode keeps its own text
      state.texts = { ...state.texts, [$("code").dataset.mode]: { text: editor.text, numbers: state.numbers } };
      const first = state.examples.find((example) => example.mode === mode());
      const { text, numbers } = state.texts[mode()] ?? first ?? { text: "", numbers: {} };
      setMode(mode());
      [editor.text, state.numbers] = [text, numbers];
      run();
    };
  }
  $("examples").onchange = () => {
    const example = state.examples[$("examples").value];
    $("examples").value = "";
    if (!example) return;
    setMode(example.mode);
    [editor.text, state.numbers] = [example.text, { ...example.numbers }];
    run();
  };
  window.addEventListener("hashchange", () => { if (fromAddress()) run(); });

  async function begin() {
    setMode("expression");
    const shared = fromAddress();
    if (shared) run();
    const { examples, version } = await engine.ask("start");
    state.examples = examples;
    $("version").textContent = `tinygraph ${version}`;
    $("examples").append(...examples.map(({ title }, i) => new Option(title, i)));
    if (!shared) {
      [editor.text, state.numbers] = [examples[0].text, { ...examples[0].numbers }];
      run();
    }
  }

  window.playground = { ask: (kind, request) => engine.ask(kind, request), engine, editor, run, state, onRun: (listen) => listeners.push(listen) };
  begin();
})();
