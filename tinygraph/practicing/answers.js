// Reading an answer, and deciding whether it is near enough: the same as `answers.py`.
const ANSWERS = (() => {
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(?:e([+-]?\d+))?$/i;
  const INFINITE = { inf: Infinity, infinity: Infinity, "∞": Infinity, nan: NaN };

  function part(text) {
    const found = /^[+-]?(inf|infinity|∞|nan)$/i.exec(text);
    if (found) return { number: (text[0] === "-" ? -1 : 1) * INFINITE[found[1].toLowerCase()], unit: 0 };
    const parts = NUMBER.exec(text);
    if (!parts) return null;
    const decimals = (parts[1].split(".")[1] ?? "").length;
    return { number: Number(text), unit: text.length < 30 ? Number(`5e${Number(parts[2] ?? 0) - decimals - 1}`) : 0 };
  }

  // Return the number that a text means, and half a unit of its last digit; or a sentence that tells what to write.
  function read(text) {
    const told = text.trim(), parts = text.replace(/[−–]/g, "-").replace(/\s+/g, "").split("/");
    const quoted = told.length > 60 ? `${told.slice(0, 57)}...` : told;
    if (parts.some((some) => /^[+-]?\d*,\d+$/.test(some))) return { problem: `Write a decimal point instead of a comma, such as 1.5, not “${quoted}”.` };
    const numbers = parts.map(part);
    if (numbers.length > 2 || numbers.includes(null)) return { problem: `“${quoted}” is not a number. Write a number such as 6, -0.5 or 1/3.` };
    return numbers.length === 1 ? numbers[0] : { number: numbers[0].number / numbers[1].number, unit: 0 };
  }

  // Python writes infinities and NaN as text.
  const numberOf = (text) => (typeof text === "number" ? text : part(text).number);
  const fits = (number, answer, slack) => (Number.isNaN(answer) || Number.isNaN(number) ? Number.isNaN(answer) && Number.isNaN(number)
    : number === answer || Math.abs(number - answer) <= slack);
  return { read, numberOf, fits };
})();
