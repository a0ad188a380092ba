"use strict";
// The exercises of the page: fill in the next gradient, or find the bug in a wrong pass. The numbers and the hints come
// from Python, so that this script only compares numbers.
function byHand({ questions, mistakes, names, opponents }, page) {
  const $ = (id) => document.getElementById(id);
  const FILL = "fill", ANY = "any", WATCH = "watch";
  const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  let records = []; // of each question: the wrong answers that count, and "right" or "shown" when it is done
  let opponent = null, known = false, at = 0;

  const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });
  const group = Object.assign(document.createElement("optgroup"), { label: "Find the bug in a wrong pass" });
  if (opponents.length) group.append(option(ANY, "a surprise"), ...opponents.map(({ name }, i) => option(String(i), name)));
  $("exercise").append(option(FILL, "Fill in the gradients"), ...(opponents.length ? [group] : []), option(WATCH, "None: watch the steps"));

  const current = () => records.findIndex(({ done }) => !done);

  function start() {
    const chosen = $("exercise").value;
    known = chosen !== ANY;
    opponent = chosen === FILL || chosen === WATCH ? null : opponents[known ? Number(chosen) : Math.floor(Math.random() * opponents.length)];
    const count = chosen === FILL ? questions.length : opponent ? (known ? 1 : 2) : 0;
    records = Array.from({ length: count }, () => ({ wrong: 0, done: "", mistakes: [] }));
    document.body.classList.toggle("bug", opponent !== null);
    page.hide(chosen !== WATCH);
    page.use(opponent);
    say("", "");
    if (opponent || chosen === WATCH) page.show(opponent ? 1 : 0);
    ask();
  }

  // Show the current question.
  function ask() {
    const i = current(), done = i < 0, fills = !opponent && records.length > 0;
    const question = fills && !done ? questions[i] : null;
    $("asked").textContent = question ? question.ask : done ? "" : i === 0 ? "Which step is the first wrong one?" : "Which mistake does the pass make?";
    $("given").textContent = question ? question.given : opponent && i === 0 ? "Step through this pass. One of its steps is the first wrong one." : "";
    $("reply").hidden = !question;
    $("picking").hidden = !opponent || i !== 0;
    $("names").hidden = !opponent || i !== 1;
    $("reveal").hidden = done;
    $("again").hidden = records.length === 0 || (i === 0 && records[0].wrong === 0);
    if (fills) page.limit(done ? questions.at(-1).step : question.step - 1);
    page.mark(question?.box ?? null);
    if (question) $("answer").value = "";
    score();
    page.fit();
  }

  function score() {
    const right = records.filter(({ done, wrong }) => done === "right" && !wrong).length;
    const later = records.filter(({ done, wrong }) => done === "right" && wrong).length;
    const shown = records.filter(({ done }) => done === "shown").length, left = records.length - right - later - shown;
    const parts = [`${right} of ${records.length} right at the first answer`];
    if (later) parts.push(`${later} after a mistake`);
    if (shown) parts.push(`${shown} shown`);
    if (left) parts.push(`${left} to go`);
    $("score").value = records.length ? parts.join(", ") : "";
    const made = records.flatMap((record) => record.mistakes), times = new Map();
    for (const kind of made) times.set(kind, (times.get(kind) ?? 0) + 1);
    const lines = left ? [] : [...times].sort((one, two) => two[1] - one[1]);
    $("mistakes").replaceChildren(...lines.map(([kind, number]) => Object.assign(document.createElement("li"), { textContent: `${counted(number, "time")}: ${mistakes[kind]}` })));
  }

  function say(text, kind) {
    $("verdict").textContent = text;
    $("verdict").className = kind;
  }

  // Return the verdict on a number: the same as `GradientQuestion.judge`.
  function judge(question, { number, unit }, typed) {
    const answer = ANSWERS.numberOf(question.answer), away = Math.abs(number - answer);
    let wrong = null, nearest = Infinity;
    for (const [text, slack, kinds, hint] of question.wrong) {
      const other = ANSWERS.numberOf(text), distance = Math.abs(number - other);
      if (ANSWERS.fits(number, other, slack) && distance < nearest) [wrong, nearest] = [{ kinds, hint }, distance];
    }
    if (ANSWERS.fits(number, answer, question.slack) && !(wrong && nearest < away)) return { right: true, counts: true, kinds: [], text: `Right: ${question.symbol} = ${question.shown}.` };
    const start = `Not yet: ${question.symbol} is not ${typed}.`;
    if (wrong) return { right: false, counts: true, kinds: wrong.kinds, text: `${start} ${wrong.hint}` };
    if (Number.isFinite(number) && away <= unit) return { right: false, counts: false, kinds: [], text: `${typed} is rounded too much: write three digits, or a fraction.` };
    return { right: false, counts: true, kinds: [], text: `${start} ${question.advice}` };
  }

  function check() {
    const typed = $("answer").value.trim(), i = current();
    $("answer").focus();
    if (!typed) return say("Write a number.", "");
    const given = ANSWERS.read(typed);
    if (given.problem) return say(given.problem, "");
    const verdict = judge(questions[i], given, typed);
    settle(records[i], verdict.right, verdict.counts, verdict.kinds);
    say(verdict.text, verdict.right ? "right" : verdict.counts ? "wrong" : "");
    if (verdict.right) ask();
    else {
      $("answer").select();
      score();
      $("again").hidden = false;
    }
    page.fit();
  }

  function settle(record, right, counts = true, kinds = []) {
    if (right) record.done = "right";
    else if (counts) record.wrong += 1;
    record.mistakes.push(...kinds);
  }

  function pick() {
    const right = at === opponent.first;
    settle(records[0], right);
    if (right) say(`Right: step ${at} is wrong. ${opponent.correction}${known ? ` ${opponent.belief}` : ""}`, "right");
    else say(at < opponent.first ? (at ? `Step ${at} is right. Look at the steps after it.` : "Step to the first wrong step.") : `A step before step ${at} is already wrong.`, "wrong");
    ask();
    if (right && !known) $("names").firstChild.focus();
  }

  function name(mistake) {
    const right = mistake === opponent.name;
    settle(records[1], right);
    say(right ? `Right. ${opponent.belief}` : `It is not “${mistake}”. ${opponent.correction}`, right ? "right" : "wrong");
    ask();
    if (right) $("again").focus();
  }

  function reveal() {
    const i = current();
    records[i].done = "shown";
    if (!opponent) {
      say(`${questions[i].symbol} = ${questions[i].shown}.`, "");
      ask();
      if (current() >= 0) $("answer").focus();
      else $("again").focus();
      return;
    }
    if (i === 0) page.show(opponent.first);
    say(i === 0 ? `Step ${opponent.first} is the first wrong step. ${opponent.correction}${known ? ` ${opponent.belief}` : ""}` : `It is “${opponent.name}”. ${opponent.belief}`, "");
    ask();
  }

  // The page shows another state.
  function shown(k) {
    at = k;
    $("pick").textContent = k ? `Step ${k} is the first wrong one` : "The first wrong step is …";
    $("pick").setAttribute("aria-disabled", k === 0);
  }

  $("names").append(...names.map((mistake) => Object.assign(document.createElement("button"), { textContent: mistake, onclick: () => name(mistake) })));
  $("check").onclick = check;
  $("answer").addEventListener("keydown", (key) => {
    if (key.key !== "Enter") return;
    key.preventDefault();
    check();
  });
  $("pick").onclick = () => { if (at) pick(); };
  $("reveal").onclick = reveal;
  $("again").onclick = () => { start(); ($("reply").hidden ? $("exercise") : $("answer")).focus(); };
  $("exercise").onchange = start;
  $("hand").hidden = false;
  document.body.classList.add("by-hand");
  return { start, shown, judge: (i, text) => judge(questions[i], ANSWERS.read(text), text) };
}
