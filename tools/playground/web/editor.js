"use strict";
// A text area with line numbers and a mark on the line of an error.
class PlaygroundEditor {
  constructor(area, numbers) {
    [this.area, this.numbers] = [area, numbers];
    this.marked = 0;
    area.addEventListener("input", () => { this.mark(0); });
    area.addEventListener("scroll", () => { numbers.scrollTop = area.scrollTop; });
    area.addEventListener("keydown", (key) => this.pressed(key));
    this.draw();
  }

  get text() { return this.area.value; }

  set text(text) { if (text !== this.area.value) { this.area.value = text; this.mark(0); } }

  draw() {
    const count = this.area.value.split("\n").length;
    this.numbers.replaceChildren(...Array.from({ length: count }, (_, i) => {
      const line = document.createElement("span");
      line.textContent = i + 1;
      line.classList.toggle("wrong", i + 1 === this.marked);
      return line;
    }));
    this.area.style.height = "auto";
    this.area.style.height = `${Math.min(this.area.scrollHeight + 2, 420)}px`;
    this.numbers.scrollTop = this.area.scrollTop;
  }

  // Mark a line, and put the cursor at the column; 0 removes the mark.
  mark(line, column = 0) {
    this.marked = line;
    this.draw();
    this.area.toggleAttribute("aria-invalid", Boolean(line));
    if (line && column) {
      const before = this.text.split("\n").slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
      const at = Math.min(before + column - 1, this.text.length);
      this.area.setSelectionRange(at, Math.min(at + 1, this.text.length));
    }
  }

  // Tab indents like an editor; Escape and then Tab leaves the text area, so that the keyboard is not trapped.
  pressed(key) {
    if (key.key === "Escape") { this.leaves = true; return; }
    if (key.key === "Tab" && !key.shiftKey && !this.leaves && this.area.dataset.mode === "python") {
      key.preventDefault();
      this.area.setRangeText("    ", this.area.selectionStart, this.area.selectionEnd, "end");
      this.area.dispatchEvent(new Event("input"));
    }
    if (key.key !== "Tab") this.leaves = false;
  }
}
