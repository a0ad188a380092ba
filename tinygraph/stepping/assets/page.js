"use strict";
// The page shows one state of a pass at a time. State k is the result of the first k steps, so a step back shows state k - 1.
(() => {
  const { start, breakdowns, arrows, colors, appear, hide, hand, ...data } = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const svg = document.querySelector("#diagram > svg");
  const drawn = (id) => $(`${svg.id}-${id}`);
  let steps, items, pulledAt, computedAt, lastWrite; // of the pass that the page shows
  let most; // the last state that a reader may see
  const INTERVAL = 1200; // milliseconds between steps

  // A box shows the value and the gradient of its node, and notes that are correct only after all contributions.
  const boxes = Object.entries(breakdowns).map(([id, breakdown]) => {
    const group = drawn(id);
    return { id, breakdown, group, grad: group.querySelector(".grad"), late: group.querySelectorAll(".late") };
  });
  const boxOf = new Map(boxes.map((box) => [box.id, box]));
  const forward = arrows.map(({ id, head }) => ({ head, group: drawn(id) }));
  const backward = arrows.filter((arrow) => arrow.back).map((arrow) => ({ ...arrow, group: drawn(`${arrow.id}b`) ?? drawn(arrow.id) }));
  for (const { group } of backward) {
    for (const part of group.querySelectorAll("path, polygon, polyline, text")) {
      part.classList.add(part.getAttribute(part.localName === "text" ? "fill" : "stroke") === colors.backward ? "back" : "fore");
    }
  }

  // Return the ids of the arrows along which the gradient reaches the given box from the root.
  function above(box) {
    const way = new Set(), seen = new Set([box]), edge = [box];
    while (edge.length) {
      const at = edge.pop();
      for (const arrow of backward) {
        if (arrow.tail !== at) continue;
        way.add(arrow.id);
        if (!seen.has(arrow.head)) { seen.add(arrow.head); edge.push(arrow.head); }
      }
    }
    return way;
  }

  let k = 0, timer = 0, looked = null;
  let practice = null; // the exercises, if the page has some

  // Show another pass: its steps, and the sentences of each step as HTML.
  function use(list, told) {
    steps = list;
    most = steps.length;
    const happens = (kind, of) => new Map(steps.flatMap((step, i) => (step.kind === kind ? [[step[of], i + 1]] : [])));
    [pulledAt, computedAt] = [happens("backward", "arrow"), happens("forward", "box")];
    lastWrite = new Map(steps.flatMap((step, i) => (step.kind === "forward" ? [] : [[step.box, i + 1]])));
    if (told) $("steps").innerHTML = told.map((text, i) => `<li><a href='#step=${i + 1}'>${text}</a></li>`).join("");
    items = [...document.querySelectorAll("#steps li > a")];
    items.forEach((item, i) => { item.onclick = (click) => { click.preventDefault(); go(i + 1); }; });
    $("slider").max = steps.length;
  }

  function show(to, keep, quiet = keep) {
    k = Math.min(Math.max(to, 0), most);
    const here = k ? steps[k - 1] : null;
    const grads = new Map();
    for (const step of steps.slice(0, k)) if (step.kind !== "forward") grads.set(step.box, step.after);
    const isComputed = (box) => (computedAt.get(box) ?? 0) <= k;
    for (const box of boxes) {
      if (box.grad) box.grad.textContent = grads.get(box.id) ?? "·";
      box.late.forEach((text) => text.classList.toggle("early", k < (lastWrite.get(box.id) ?? 0)));
      box.group.classList.toggle("uncomputed", !isComputed(box.id));
      box.group.classList.toggle("now", here !== null && here.box === box.id);
      box.group.classList.toggle("fed", here !== null && here.kind === "forward");
    }
    for (const [id, at] of Object.entries(appear)) drawn(id).classList.toggle("uncomputed", at > k && computedAt.size > 0);
    const way = here && here.kind === "backward" ? above(here.source) : new Set();
    for (const { group, head } of forward) {
      group.classList.toggle("uncomputed", !isComputed(head));
      group.classList.toggle("now", here !== null && here.kind === "forward" && here.box === head);
    }
    for (const { group, id } of backward) {
      group.classList.toggle("unpulled", (pulledAt.get(id) ?? 0) > k);
      group.classList.toggle("path", way.has(id));
      if (here?.kind === "backward") group.classList.toggle("now", here.arrow === id);
      else if (!group.classList.contains("forward")) group.classList.remove("now");
    }
    narrate(here);
    if (document.body.classList.contains("slide") && $("stage").scrollHeight > innerHeight) fit(); // a long sentence
    tell();
    $("slider").value = k;
    $("count").value = `${k} / ${steps.length}`;
    // The buttons do not use `disabled`, which would take the focus away from a reader who steps with the keyboard.
    for (const id of ["first", "back"]) $(id).setAttribute("aria-disabled", k === 0);
    for (const id of ["step", "last"]) $(id).setAttribute("aria-disabled", k === most);
    items.forEach((item, i) => {
      if (i + 1 === k) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
      item.parentNode.classList.toggle("later", i + 1 > k);
    });
    if (here) {
      within($("steps"), items[k - 1]);
      const parts = [here.box, here.source].filter((id) => boxOf.has(id)).map((id) => boxOf.get(id).group);
      if (parts.length) within($("diagram"), ...parts);
    }
    practice?.shown(k);
    if (!keep) remember();
    if (!quiet && parent !== window) parent.postMessage({ tinygraphStep: k }, "*"); // for a live player
  }

  function narrate(here) {
    const message = $("message");
    if (!here) {
      message.textContent = `At the start of ${steps.length} steps.`;
    } else {
      message.replaceChildren(...[...items[k - 1].childNodes].map((part) => part.cloneNode(true)));
      if (here.kind === "forward") message.firstChild.className = "forward";
    }
    $("slider").setAttribute("aria-valuetext", `${k} of ${steps.length}: ${message.textContent}`);
  }

  // Show the breakdown of the box that has the pointer or the focus. If there is no such box, use the box that the current step writes.
  function tell() {
    const id = looked ?? (k ? steps[k - 1].box : null);
    const panel = $("breakdown");
    panel.hidden = !boxOf.has(id);
    if (panel.hidden) return;
    const { breakdown, grad } = boxOf.get(id);
    const line = (name, text, kind) => {
      const element = document.createElement(name);
      element.textContent = text;
      if (kind) element.className = kind;
      return element;
    };
    const parts = [line("h2", breakdown.name)];
    if (breakdown.none) {
      parts.push(line("p", breakdown.none));
    } else if (grad && breakdown.derivative) {
      const sum = grad.textContent;
      parts.push(line("p", `${breakdown.derivative} = ${sum === "·" ? "· (nothing has arrived yet)" : sum}`, "sum"));
      const list = document.createElement("ul");
      list.append(...breakdown.terms.map(([at, text]) => line("li", text, at > k ? "ahead later" : "")));
      const left = breakdown.terms.filter(([at]) => at > k).length;
      parts.push(list);
      if (left) parts.push(line("p", `not arrived yet (·): ${left} of ${breakdown.terms.length} ${breakdown.terms.length === 1 ? "contribution" : "contributions"}`, "way later"));
      if (breakdown.way) parts.push(line("p", breakdown.way, "way"));
    }
    panel.replaceChildren(...parts);
  }

  // Return the id of the box that has the focus: a click keeps its breakdown when the pointer leaves.
  function focused() {
    return boxes.find(({ group }) => group === document.activeElement)?.id ?? null;
  }

  // Scroll a frame so that it shows the given elements. If there is not enough room, the first element is in the middle.
  function within(frame, ...elements) {
    const outer = frame.getBoundingClientRect(), all = elements.map((element) => element.getBoundingClientRect());
    const scrolled = (low, high) => {
      let [from, to] = [Math.min(...all.map((part) => part[low])), Math.max(...all.map((part) => part[high]))];
      if (to - from > outer[high] - outer[low]) [from, to] = [all[0][low], all[0][high]];
      return from < outer[low] || to > outer[high] ? (from + to - outer[low] - outer[high]) / 2 : 0;
    };
    frame.scrollLeft += scrolled("left", "right");
    frame.scrollTop += scrolled("top", "bottom");
  }

  function remember() {
    try { history.replaceState(null, "", `#step=${k}`); } catch { /* a notebook frame has no address */ }
  }

  function fromAddress() {
    const found = /^#step=(\d+)$/.exec(location.hash);
    return found ? Number(found[1]) : null;
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    $("play").textContent = "Play";
  }

  function go(to) { pause(); show(to); }

  function play() {
    if (timer) return pause();
    if (k === most) show(0);
    $("play").textContent = "Pause";
    timer = setInterval(() => { show(k + 1); if (k === most) pause(); }, INTERVAL);
    show(k + 1);
    if (k === most) pause();
  }

  // --- the size of the diagram: it fits the window, and a reader can enlarge it

  const [WIDTH, HEIGHT] = ["width", "height"].map((side) => svg[side].baseVal.value); // in pixels
  const LEAST = 0.62, MOST = 3, DEEPEST = 8; // smallest and largest scale that fits a narrow and a wide window; largest zoom
  const TEXT = 1080 / 18; // a slide has 1080 lines if its smallest text has 18 pixels
  let zoom = 1, scale = 1, chosen = false; // true after the reader has chosen a zoom

  function fit() {
    const figure = $("diagram"), slide = document.body.classList.contains("slide");
    const across = figure.clientWidth / WIDTH;
    const others = [...$("stage").children].filter((part) => part !== figure);
    const styles = getComputedStyle(document.body);
    const free = innerHeight - others.reduce((sum, part) => sum + outer(part), parseFloat(styles.paddingTop) + 12);
    const room = Math.max(free, slide ? 0 : 160);
    scale = Math.min(across, room / HEIGHT, MOST);
    if (innerWidth < 600 && !slide) scale = Math.max(scale, Math.min(LEAST, room / HEIGHT)); // a phone scrolls the diagram
    // A slide of a wide diagram shows a part that can be read, and follows the steps.
    const needed = Math.max(innerHeight / TEXT, 12) / (smallest * scale);
    if (slide && !chosen) zoom = needed > 1.1 ? needed : 1;
    figure.style.height = `${Math.ceil(slide ? Math.min(HEIGHT * scale * zoom, room) : HEIGHT * scale)}px`;
    resize();
  }

  function outer(part) {
    const style = getComputedStyle(part);
    return part.getBoundingClientRect().height + (parseFloat(style.marginTop) || 0) + (parseFloat(style.marginBottom) || 0);
  }

  // The size of the smallest text in pixels, at the natural size of the diagram.
  const sizes = [...svg.querySelectorAll("text[font-size]")].map((text) => parseFloat(text.getAttribute("font-size")));
  const smallest = Math.min(...sizes, 100) * WIDTH / svg.viewBox.baseVal.width;

  function resize() { svg.style.width = `${WIDTH * scale * zoom}px`; }

  // Zoom in or out, and keep the given point of the window in place.
  function zoomTo(to, x, y) {
    const figure = $("diagram"), frame = figure.getBoundingClientRect(), before = svg.getBoundingClientRect();
    x ??= frame.left + frame.width / 2;
    y ??= frame.top + frame.height / 2;
    const [across, down] = [(x - before.left) / before.width, (y - before.top) / before.height];
    zoom = Math.min(Math.max(to, 1), DEEPEST);
    chosen = true;
    if (document.body.classList.contains("slide")) fit();
    else resize();
    const after = svg.getBoundingClientRect();
    figure.scrollLeft += after.left + across * after.width - x;
    figure.scrollTop += after.top + down * after.height - y;
  }

  const spread = (touches) => Math.hypot(touches[0].clientX - touches[1].clientX, touches[0].clientY - touches[1].clientY);
  let pinched = null; // the distance of two fingers when they touch, and the zoom at this moment
  $("diagram").addEventListener("wheel", (wheel) => {
    if (!wheel.ctrlKey) return; // a touchpad reports a pinch as a wheel with this key
    wheel.preventDefault();
    zoomTo(zoom * Math.exp(-wheel.deltaY / 100), wheel.clientX, wheel.clientY);
  }, { passive: false });
  $("diagram").addEventListener("touchstart", (touch) => {
    pinched = touch.touches.length === 2 ? { distance: spread(touch.touches), zoom } : null;
  }, { passive: true });
  $("diagram").addEventListener("touchmove", (touch) => {
    if (!pinched || touch.touches.length !== 2) return;
    touch.preventDefault();
    const [one, two] = touch.touches;
    zoomTo(pinched.zoom * spread(touch.touches) / pinched.distance, (one.clientX + two.clientX) / 2, (one.clientY + two.clientY) / 2);
  }, { passive: false });
  window.addEventListener("resize", fit);

  // --- other numbers, for a page around this one whose inputs can be dragged: the layout stays

  const shownTexts = (group) => [...group.querySelectorAll("text")].filter((text) => text.textContent.trim());
  const labels = new Map();
  const labelOf = (id) => labels.get(id) ?? labels.set(id, drawn(id) ? shownTexts(drawn(id)) : []).get(id);

  // Show other numbers. Return false if the message belongs to another graph, or needs other lines of text.
  function renumber({ texts, steps: actions, told, breakdowns: reasons }) {
    const same = !practice && actions.length === steps.length && actions.every(({ kind, box, arrow }, i) => kind === steps[i].kind && box === steps[i].box && arrow === steps[i].arrow);
    if (!same || !boxes.every(({ id }) => id in reasons)) return false;
    const changes = Object.entries(texts).map(([id, lines]) => [labelOf(id), lines]);
    if (changes.some(([label, lines]) => label.length !== lines.length)) return false;
    for (const [label, lines] of changes) label.forEach((text, i) => { text.textContent = lines[i]; });
    actions.forEach((action, i) => { steps[i] = action; });
    told.forEach((sentences, i) => { items[i].innerHTML = sentences; });
    for (const box of boxes) box.breakdown = reasons[box.id];
    show(k, true, true);
    return true;
  }

  // --- the future, and slides

  function setHidden(hidden) {
    document.body.classList.toggle("hide", hidden);
    $("future").setAttribute("aria-pressed", hidden);
  }

  const asked = new URLSearchParams(location.search);
  document.body.classList.toggle("slide", asked.has("slide"));
  setHidden(hide || asked.has("hide"));
  $("future").onclick = () => setHidden(!document.body.classList.contains("hide"));

  $("larger").onclick = () => zoomTo(zoom * 1.25);
  $("smaller").onclick = () => zoomTo(zoom / 1.25);
  $("fit").onclick = () => zoomTo(1);
  $("first").onclick = () => go(0);
  $("back").onclick = () => go(k - 1);
  $("step").onclick = () => go(k + 1);
  $("last").onclick = () => go(most);
  $("play").onclick = play;
  $("slider").oninput = () => go(Number($("slider").value));
  window.addEventListener("hashchange", () => { const to = fromAddress(); if (to !== null) go(to); });
  document.addEventListener("keydown", (key) => {
    if (key.target instanceof HTMLElement && key.target.matches("input[type=text], select")) return;
    const zooms = { "+": zoom * 1.25, "=": zoom * 1.25, "-": zoom / 1.25, 0: 1 };
    if (key.altKey || key.ctrlKey || key.metaKey || (key.shiftKey && key.key !== "+")) return;
    if (key.key in zooms) return zoomTo(zooms[key.key]);
    const slider = key.target === $("slider"), pressed = key.target instanceof HTMLElement && key.target.closest("button, a");
    const moves = { ArrowLeft: () => go(k - 1), ArrowRight: () => go(k + 1), Home: () => go(0), End: () => go(most), " ": play };
    const move = moves[key.key];
    if (!move || (key.key === " " ? pressed : slider)) return; // the browser handles these keys
    key.preventDefault();
    move();
  });
  for (const { id, breakdown, group } of boxes) {
    const look = (at) => () => { looked = at ?? focused(); tell(); };
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "img");
    group.setAttribute("aria-label", `${breakdown.name}: breakdown of its gradient`);
    group.setAttribute("aria-describedby", "breakdown");
    group.addEventListener("mouseenter", look(id));
    group.addEventListener("mouseleave", look(null));
    group.addEventListener("focus", look(id));
    group.addEventListener("blur", look(null));
    group.addEventListener("click", () => { if (parent !== window) parent.postMessage({ tinygraphNode: id }, "*"); });
  }
  svg.querySelectorAll("title").forEach((title) => title.remove()); // the titles contain ids, which a screen reader would read out
  svg.querySelectorAll("g.edge").forEach((edge) => edge.setAttribute("aria-hidden", "true")); // the list of steps has the same content
  document.body.classList.add("live");
  $("controls").hidden = false;
  use(data.steps);
  const told = items.map((item) => item.innerHTML);
  practice = hand && byHand(hand, {
    show: go,
    limit: (to) => { most = to; go(to); },
    use: (pass) => { looked = null; use(pass?.steps ?? data.steps, pass?.told ?? told); fit(); },
    hide: setHidden,
    mark: (box) => boxes.forEach(({ id, group }) => group.classList.toggle("asked", id === box)),
    fit,
  });
  fit();
  if (practice) practice.start();
  else show(fromAddress() ?? start, true);
  if (parent !== window) { // a page in a frame reports its height, so that the surrounding page can adapt
    const reportHeight = () => parent.postMessage({ tinygraphHeight: Math.ceil(document.body.getBoundingClientRect().bottom + 16) }, "*");
    new ResizeObserver(reportHeight).observe(document.body);
    window.addEventListener("message", ({ source, data }) => {
      if (source !== parent) return;
      if (data?.tinygraphNumbers) return parent.postMessage({ tinygraphRenumbered: renumber(data.tinygraphNumbers) }, "*");
      const to = data?.tinygraphGoto;
      if (!Number.isInteger(to)) return;
      pause();
      show(to, false, true); // an answer could overtake the next message, and undo it
    });
    parent.postMessage({ tinygraphReady: true }, "*");
  }
})();
