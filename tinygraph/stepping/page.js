"use strict";
// The page shows state k of a walk: what the first k events have done. Going back is showing another k.
(() => {
  const { start, events, ledgers, arrows, colours } = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const svg = document.querySelector("#picture > svg");
  const drawn = (id) => $(`${svg.id}-${id}`);
  const items = [...document.querySelectorAll("#events li > a")];
  const happens = (kind, of) => new Map(events.flatMap((event, i) => (event.kind === kind ? [[event[of], i + 1]] : [])));
  const pulledAt = happens("backward", "arrow"), computedAt = happens("forward", "card");
  const lastWrite = new Map(events.flatMap((event, i) => (event.kind === "forward" ? [] : [[event.card, i + 1]])));
  const INTERVAL = 1200; // milliseconds between events

  // The texts of a card: its number, its gradient, and what holds only when all contributions have come.
  const cards = Object.entries(ledgers).map(([id, ledger]) => {
    const group = drawn(id);
    const texts = [...group.querySelectorAll("text")];
    const label = ledger.flows ? texts.findLastIndex((text) => text.textContent.trim() === "grad") : -1;
    const grad = label < 0 ? null : texts[label + 1];
    texts.filter((text) => text.getAttribute("fill") === colours.forward).forEach((text) => text.classList.add("value"));
    const late = texts.filter((text, i) => grad && i > label + 1 && text.getAttribute("fill") === colours.backward);
    return { id, ledger, group, grad, late, last: lastWrite.get(id) ?? 0, written: null, room: grad && roomOf(group, grad) };
  });
  const cardOf = new Map(cards.map((card) => [card.id, card]));
  const forward = arrows.map(({ id, head }) => ({ head, group: drawn(id) }));
  const backward = arrows.filter((arrow) => arrow.back).map((arrow) => ({ ...arrow, group: drawn(`${arrow.id}b`) ?? drawn(arrow.id) }));
  for (const { group } of backward) {
    for (const part of group.querySelectorAll("path, polygon, polyline")) {
      part.classList.add(part.getAttribute("stroke") === colours.backward ? "back" : "fore");
    }
  }

  function roomOf(group, text) {
    const box = group.getBBox(), own = text.getBBox();
    return Math.max(own.width, box.x + box.width - own.x - 7);
  }

  function write(card, number) {
    if (card.written === number) return; // measuring a text lays out the picture
    card.written = number;
    card.grad.textContent = number;
    card.grad.removeAttribute("textLength");
    if (card.grad.getComputedTextLength() > card.room) {
      card.grad.setAttribute("textLength", card.room);
      card.grad.setAttribute("lengthAdjust", "spacingAndGlyphs");
    }
  }

  // The arrows between a card and the root: along these its gradient came.
  function above(card) {
    const way = new Set(), seen = new Set([card]), edge = [card];
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

  function show(to, keep) {
    k = Math.min(Math.max(to, 0), events.length);
    const here = k ? events[k - 1] : null;
    const grads = new Map();
    for (const event of events.slice(0, k)) if (event.kind !== "forward") grads.set(event.card, event.after);
    const isComputed = (card) => (computedAt.get(card) ?? 0) <= k;
    for (const card of cards) {
      if (card.grad) write(card, grads.get(card.id) ?? "·");
      card.late.forEach((text) => text.classList.toggle("early", k < card.last));
      card.group.classList.toggle("uncomputed", !isComputed(card.id));
      card.group.classList.toggle("now", here !== null && here.card === card.id);
      card.group.classList.toggle("fed", here !== null && here.kind === "forward");
    }
    const way = here && here.kind === "backward" ? above(here.source) : new Set();
    for (const { group, head } of forward) {
      group.classList.toggle("uncomputed", !isComputed(head));
      group.classList.toggle("now", here !== null && here.kind === "forward" && here.card === head);
    }
    for (const { group, id } of backward) {
      group.classList.toggle("unpulled", (pulledAt.get(id) ?? 0) > k);
      group.classList.toggle("path", way.has(id));
      if (here?.kind === "backward") group.classList.toggle("now", here.arrow === id);
      else if (!group.classList.contains("forward")) group.classList.remove("now");
    }
    narrate(here);
    tell();
    $("slider").value = k;
    $("count").value = `${k} / ${events.length}`;
    // Not `disabled`, which would take the focus away from who steps with the keyboard.
    for (const id of ["first", "back"]) $(id).setAttribute("aria-disabled", k === 0);
    for (const id of ["step", "last"]) $(id).setAttribute("aria-disabled", k === events.length);
    items.forEach((item, i) => i + 1 === k ? item.setAttribute("aria-current", "step") : item.removeAttribute("aria-current"));
    if (here) {
      within($("events"), items[k - 1]);
      within($("picture"), cardOf.get(here.card).group);
    }
    if (!keep) remember();
  }

  function narrate(here) {
    const said = $("said");
    if (!here) {
      said.textContent = `Nothing has happened yet: ${events.length} events are to come.`;
    } else {
      said.replaceChildren(...[...items[k - 1].childNodes].map((part) => part.cloneNode(true)));
      if (here.kind === "forward") said.firstChild.className = "forward";
    }
    $("slider").setAttribute("aria-valuetext", `${k} of ${events.length}: ${said.textContent}`);
  }

  // The ledger of the card that is looked at, or of the one that is written.
  function tell() {
    const id = looked ?? (k ? events[k - 1].card : null);
    const panel = $("ledger");
    panel.hidden = id === null;
    if (id === null) return;
    const { ledger, grad } = cardOf.get(id);
    const line = (name, text, kind) => {
      const element = document.createElement(name);
      element.textContent = text;
      if (kind) element.className = kind;
      return element;
    };
    const parts = [line("h2", ledger.name)];
    if (ledger.none) {
      parts.push(line("p", ledger.none));
    } else if (grad && ledger.derivative) {
      const sum = grad.textContent;
      parts.push(line("p", `${ledger.derivative} = ${sum === "·" ? "· (nothing has arrived yet)" : sum}`, "sum"));
      const list = document.createElement("ul");
      list.append(...ledger.terms.map(([at, text]) => line("li", text, at > k ? "ahead" : "")));
      const left = ledger.terms.filter(([at]) => at > k).length;
      parts.push(list);
      if (left) parts.push(line("p", `${left} of ${ledger.terms.length} contributions (·) are still to come`, "way"));
      if (ledger.way) parts.push(line("p", ledger.way, "way"));
    }
    panel.replaceChildren(...parts);
  }

  function within(frame, element) {
    const outer = frame.getBoundingClientRect(), inner = element.getBoundingClientRect();
    if (inner.left < outer.left || inner.right > outer.right) frame.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
    if (inner.top < outer.top || inner.bottom > outer.bottom) frame.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2;
  }

  function remember() {
    try { history.replaceState(null, "", `#step=${k}`); } catch { /* a frame of a notebook has no address */ }
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
    if (k === events.length) show(0);
    $("play").textContent = "Pause";
    timer = setInterval(() => { show(k + 1); if (k === events.length) pause(); }, INTERVAL);
    show(k + 1);
    if (k === events.length) pause();
  }

  $("first").onclick = () => go(0);
  $("back").onclick = () => go(k - 1);
  $("step").onclick = () => go(k + 1);
  $("last").onclick = () => go(events.length);
  $("play").onclick = play;
  $("slider").max = events.length;
  $("slider").oninput = () => go(Number($("slider").value));
  items.forEach((item, i) => { item.onclick = (click) => { click.preventDefault(); go(i + 1); }; });
  window.addEventListener("hashchange", () => { const to = fromAddress(); if (to !== null) go(to); });
  document.addEventListener("keydown", (key) => {
    if (key.altKey || key.ctrlKey || key.metaKey || key.shiftKey) return;
    const slider = key.target === $("slider"), pressed = key.target instanceof HTMLElement && key.target.closest("button, a");
    const moves = { ArrowLeft: () => go(k - 1), ArrowRight: () => go(k + 1), Home: () => go(0), End: () => go(events.length), " ": play };
    const move = moves[key.key];
    if (!move || (key.key === " " ? pressed : slider)) return; // there the browser does it
    key.preventDefault();
    move();
  });
  for (const { id, ledger, group } of cards) {
    const look = (at) => () => { looked = at; tell(); };
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "img");
    group.setAttribute("aria-label", `${ledger.name}: why its gradient is what it is`);
    group.setAttribute("aria-describedby", "ledger");
    group.addEventListener("mouseenter", look(id));
    group.addEventListener("mouseleave", look(null));
    group.addEventListener("focus", look(id));
    group.addEventListener("blur", look(null));
  }
  svg.querySelectorAll("title").forEach((title) => title.remove()); // ids, which a reader would read out
  svg.querySelectorAll("g.edge").forEach((edge) => edge.setAttribute("aria-hidden", "true")); // the events say it
  $("controls").hidden = false;
  show(fromAddress() ?? start, true);
  if (parent !== window) { // in a frame: the page around it may give it the height that it needs
    const sayHeight = () => parent.postMessage({ tinygraphHeight: Math.ceil(document.body.getBoundingClientRect().bottom + 16) }, "*");
    new ResizeObserver(sayHeight).observe(document.body);
  }
})();
