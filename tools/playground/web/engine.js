"use strict";
// Ask Python in a worker. A worker that needs too long or fails is replaced by a new one.
class PlaygroundEngine {
  constructor({ limit = 10_000, onStatus = () => {} } = {}) {
    this.limit = limit;
    this.onStatus = onStatus;
    this.pending = new Map(); // requests without an answer, by id
    this.count = 0;
    this.start();
  }

  start() {
    const { worker, packs } = globalThis.tinygraphRuntime;
    this.isReady = false;
    this.onStatus("starting");
    const url = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
    this.worker = new Worker(url);
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => { event.preventDefault(); this.fail(`the worker failed: ${event.message}`); };
    this.worker.postMessage({ packs });
    for (const [id, { request }] of this.pending) this.worker.postMessage({ id, ...request }); // those that wait
  }

  ask(kind, request = {}) {
    const id = ++this.count;
    return new Promise((resolve) => {
      this.pending.set(id, { request: { kind, ...request }, resolve, timer: 0 });
      this.worker.postMessage({ id, kind, ...request });
    });
  }

  receive({ id, ready, failed, running, answer, fatal }) {
    if (failed) return this.onStatus("failed", failed);
    if (ready) { this.isReady = true; return this.onStatus("ready"); }
    const entry = this.pending.get(id);
    if (!entry) return;
    if (running) {
      entry.timer = setTimeout(() => this.replace(id, `The program was stopped, because it took longer than ${this.limit / 1000} s: look for a loop that never ends.`), this.limit);
      return;
    }
    if (fatal) return this.replace(id, `The program was stopped: ${fatal}.`);
    clearTimeout(entry.timer);
    this.pending.delete(id);
    entry.resolve(answer);
  }

  // End the worker, answer the request that it could not answer, and start a new worker for the others.
  replace(id, message) {
    const entry = this.pending.get(id);
    this.pending.delete(id);
    for (const { timer } of this.pending.values()) clearTimeout(timer);
    this.worker.terminate();
    this.start();
    clearTimeout(entry?.timer);
    entry?.resolve({ stopped: true, printed: "", problem: { message, line: 0, column: 0 } });
  }

  fail(message) {
    const first = this.pending.keys().next().value;
    if (this.isReady && first !== undefined) this.replace(first, message);
    else this.onStatus("failed", message);
  }
}
