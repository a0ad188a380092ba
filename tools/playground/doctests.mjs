// Run the doctests of the package in Pyodide: `node doctests.mjs MODULES PROGRAM WHEEL ...`. The last line is JSON.
import fs from "node:fs";
import { started } from "./node.mjs";

const [modules, program, ...wheels] = process.argv.slice(2);
const python = await started(modules, wheels);
console.log(python.runPython(fs.readFileSync(program, "utf8")));
