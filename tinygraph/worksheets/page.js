"use strict";
// Each blank of the diagram becomes an input. An answer is checked on Enter, or when all answers are checked.
(() => {
  const questions = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);

  // The text of a blank is "(3) ______". The line is replaced by an input of the same size.
  const blanks = new Map([...document.querySelectorAll("#diagram svg text")].flatMap((text) => {
    const found = /^\((\d+)\)\s*_+$/.exec(text.textContent.trim());
    return found ? [[Number(found[1]), text]] : [];
  }));
  for (const question of questions) {
    const text = blanks.get(question.number);
    const whole = text.getBBox();
    text.textContent = `(${question.number})`;
    const used = text.getComputedTextLength() + 3;
    const frame = document.createElementNS(text.namespaceURI, "foreignObject");
    const area = { x: whole.x + used, y: whole.y - 1, width: Math.max(whole.width - used, 20), height: whole.height + 2 };
    for (const [name, value] of Object.entries(area)) frame.setAttribute(name, value);
    const input = document.createElement("input");
    Object.assign(input, { type: "text", autocomplete: "off", spellcheck: false, id: `blank-${question.number}`, title: question.label });
    input.style.height = `${area.height}px`;
    input.setAttribute("aria-label", `blank ${question.number}: ${question.label}`);
    input.setAttribute("aria-describedby", "message");
    frame.append(input);
    text.parentNode.append(frame);
    question.input = input;
    question.state = "";
    input.addEventListener("input", () => { mark(question, ""); count(); });
    input.addEventListener("keydown", (key) => {
      if (key.key !== "Enter") return;
      key.preventDefault();
      if (check(question) === "right") next(question);
    });
    // A click on a link of the message also leaves the input. A second check would replace the link before the click.
    input.addEventListener("change", () => { if (input.value.trim() && !question.state) check(question); });
  }

  function mark(question, state) {
    question.state = state;
    question.input.className = state;
    if (state) question.input.setAttribute("aria-invalid", state === "wrong");
    else question.input.removeAttribute("aria-invalid");
  }

  function check(question) {
    const given = ANSWERS.read(question.input.value);
    if (question.input.value.trim() === "") mark(question, "");
    else mark(question, !given.problem && ANSWERS.fits(given.number, ANSWERS.numberOf(question.answer), question.slack) ? "right" : "wrong");
    tell(question, given);
    count();
    return question.state;
  }

  function tell(question, given) {
    const message = $("message");
    message.className = question.state;
    if (!question.state) message.textContent = `Blank ${question.number}, ${question.label}: write a number.`;
    else if (question.state === "right") message.textContent = `Right: ${question.symbol} = ${question.shown}.`;
    else if (given.problem) message.textContent = given.problem;
    else {
      message.textContent = `Not yet: ${question.symbol} is not ${question.input.value.trim()}. Look at `;
      question.steps.forEach((step, i) => {
        const link = document.createElement("a");
        link.href = `#step-${step}`;
        link.textContent = `step ${step}`;
        link.onclick = (click) => { click.preventDefault(); look(step); };
        message.append(i ? ", " : "", link);
      });
      message.append(".");
    }
  }

  function look(step) {
    const item = $(`step-${step}`);
    $("below").hidden = item.hidden = false;
    item.scrollIntoView({ block: "nearest" });
    item.focus({ preventScroll: true });
  }

  function count() {
    const right = questions.filter((question) => question.state === "right").length;
    $("score").value = `${right} of ${questions.length} right`;
  }

  function next(question) {
    const open = [...questions.slice(question.number), ...questions].find((other) => other.state !== "right");
    if (open) open.input.focus();
    else $("message").textContent = `All ${questions.length} answers are right.`;
  }

  $("check").onclick = () => {
    questions.forEach(check);
    const wrong = questions.filter((question) => question.state === "wrong"), open = questions.filter((question) => !question.state);
    const message = $("message");
    message.className = wrong.length || open.length ? "" : "right";
    const empty = open.length ? `, and ${open.length} to fill in` : "";
    message.textContent = wrong.length || open.length ? `${wrong.length} wrong${empty}.` : `All ${questions.length} answers are right.`;
  };
  $("answers").onclick = () => {
    for (const question of questions) {
      question.input.value = question.shown;
      mark(question, "");
    }
    $("message").className = "";
    $("message").textContent = "The blanks show the answers.";
    count();
  };
  $("again").onclick = () => {
    for (const question of questions) {
      question.input.value = "";
      mark(question, "");
    }
    $("message").className = $("message").textContent = "";
    document.querySelectorAll("#steps li").forEach((item) => { item.hidden = true; });
    $("below").hidden = true;
    count();
    questions[0].input.focus();
  };
  document.querySelectorAll("#diagram svg title").forEach((title) => title.remove()); // the tooltips contain ids
  $("controls").hidden = false;
  count();
  if (parent !== window) { // a page in a frame reports its height, so that the surrounding page can adapt
    const reportHeight = () => parent.postMessage({ tinygraphHeight: Math.ceil(document.body.getBoundingClientRect().bottom + 16) }, "*");
    new ResizeObserver(reportHeight).observe(document.body);
  }
})();
