"use strict";
// Run buttons of code blocks. Python loads at the first click, and not before.
(() => {
  const here = document.currentScript.src.replace(/run\.js.*$/, "");
  let engine = null;

  function loaded() {
    if (globalThis.tinygraphRuntime) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src: `${here}runtime.js`, onload: resolve });
      script.onerror = () => reject(new Error("the file runtime.js beside this page cannot be read"));
      document.head.append(script);
    });
  }

  function start() {
    const data = document.getElementById("tinygraph-blocks");
    if (!data) return;
    const { page, blocks } = JSON.parse(data.textContent);
    for (const place of document.querySelectorAll(".tinygraph-run")) addButton(place, page, blocks, Number(place.dataset.block));
  }

  function addButton(place, page, blocks, at) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Run", className: "md-button" });
    button.setAttribute("aria-label", `Run code block ${at + 1} and the blocks above it`);
    const output = Object.assign(document.createElement("div"), { className: "tinygraph-output", hidden: true });
    output.setAttribute("role", "status");
    button.onclick = async () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      button.setAttribute("aria-disabled", "true");
      output.hidden = false;
      output.textContent = engine?.isReady ? "Running …" : "Python starts in your browser …";
      try {
        await loaded();
        engine ??= new PlaygroundEngine();
        show(output, await engine.ask("block", { page, blocks, at }));
      } catch (error) { show(output, { problem: { message: `The code cannot run: ${error.message}.` } }); }
      button.setAttribute("aria-disabled", "false");
    };
    place.replaceChildren(button, output);
  }

  function show(output, { text = "", pictures = [], problem = null }) {
    const parts = [];
    if (text) parts.push(Object.assign(document.createElement("pre"), { textContent: text.replace(/\n$/, ""), tabIndex: 0 }));
    for (const picture of pictures) {
      const figure = document.createElement("div");
      figure.innerHTML = picture; // what tinygraph drew from the code of this page
      parts.push(figure);
    }
    if (problem) parts.push(Object.assign(document.createElement("p"), { className: "problem", textContent: problem.line ? `Line ${problem.line}: ${problem.message}` : problem.message }));
    if (!parts.length) parts.push(Object.assign(document.createElement("p"), { textContent: "Done. This block shows nothing." }));
    output.replaceChildren(...parts);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
