"use strict";
// The worker that runs Python and Graphviz. It gets all files in its first message, and then answers one request at a time.
let given;
const packs = new Promise((resolve) => { given = resolve; });
self.importScripts = () => { throw new Error("this worker imports modules"); }; // Pyodide then uses import()
console.error = console.warn; // Pyodide reports the end of a worker here, which the page explains in a sentence

async function unpacked(text) {
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

async function start() {
  const files = {};
  await Promise.all(Object.entries(await packs).map(async ([name, text]) => { files[name] = await unpacked(text); }));
  const url = (name) => URL.createObjectURL(new Blob([files[name]], { type: "text/javascript" }));
  const [{ loadPyodide }, { default: createPyodideModule }, Viz] = await Promise.all(["pyodide.mjs", "pyodide.asm.mjs", "viz.js"].map((name) => import(url(name))));
  const types = { wasm: "application/wasm", zip: "application/zip", json: "application/json" };
  globalThis.fetch = async (asked) => { // Pyodide asks for its files here, and nothing reaches the network
    const name = String(asked?.url ?? asked).split("/").pop();
    if (!files[name]) throw new Error(`the playground has no file ${name}`);
    return new Response(files[name], { headers: { "Content-Type": types[name.split(".").pop()] ?? "text/plain" } });
  };
  const lockFileContents = new TextDecoder().decode(files["pyodide-lock.json"]);
  const [python, viz] = await Promise.all([
    loadPyodide({ indexURL: "https://embedded.invalid/", lockFileContents, createPyodideModule, _createPyodideModule: createPyodideModule }),
    Viz.instance(),
  ]);
  python.runPython("import sys; sys.dont_write_bytecode = True");
  for (const name of Object.keys(files).filter((name) => name.startsWith("wheels/"))) python.unpackArchive(files[name], "wheel");
  python.registerJsModule("graphviz_wasm", { layout: (dot) => viz.renderString(dot, { format: "svg" }) });
  const playground = python.runPython(`
import graphviz_wasm
from tinygraph.drawing.layout_engines import LayoutError, use_engine
from tinygraph.playground.session import Playground

def layout(dot):
    try:
        return graphviz_wasm.layout(dot)
    except Exception as error:
        raise LayoutError(f"Graphviz cannot lay out this graph: {error}") from None

use_engine(layout)
Playground()
`);
  postMessage({ ready: true });
  return playground;
}

const ready = start().catch((error) => { postMessage({ failed: `the page cannot start Python: ${error?.message ?? error}` }); });

onmessage = async ({ data }) => {
  if (data.packs) return given(data.packs);
  const playground = await ready;
  if (!playground) return;
  const { id, ...request } = data;
  postMessage({ id, running: true }); // the time limit begins now, and not while Python starts
  try {
    postMessage({ id, answer: JSON.parse(playground.answer(JSON.stringify(request))) });
  } catch (error) { // the answer of Python never raises for a program, so this is the end of this worker
    const deep = /call stack|recursion|memory access out of bounds/i.test(String(error));
    postMessage({ id, fatal: deep ? "a chain in this program is too deep for a browser, whose limit is about 1,000 links" : String(error?.message ?? error).slice(-300) });
  }
};
