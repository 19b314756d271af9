// The batches of an epoch: choose their size, their order and how far they are padded.
// Python has made the batches in every way that the buttons offer, so the page needs no Python.
import { choices, fixed, make, marks, number, percent, row, scrolling, table, view, words } from "./parts.js";

const REAL = { background: "rgba(48, 122, 222, .75)", "border-radius": "0" };
const FILLED = {
  background:
    "repeating-linear-gradient(135deg, rgba(128, 128, 128, .45) 0 4px, transparent 4px 9px)",
  "border-radius": "0",
  "box-shadow": "inset 0 0 0 1px rgba(128, 128, 128, .6)",
};

function draw({ batch_size, order, padding }, outcomes) {
  const outcome = outcomes[`${batch_size}/${order}/${padding}`];
  if (outcome.error) throw new Error(outcome.error);
  const { batches, positions, shapes, largest, rows } = outcome;
  const bar = (part, look) =>
    make("span", { style: { width: `${fixed((100 * part) / largest, 2)}%`, ...look } });
  const lines = rows.map(([count, width, tokens, padded], i) =>
    row(
      String(i),
      make("td", { class: "number" }, `(${count}, ${width})`),
      make(
        "td",
        { class: "bar", style: { width: "22rem", border: "0" } },
        make("div", { style: { display: "flex" } }, bar(tokens, REAL), bar(padded, FILLED)),
      ),
      number(percent(padded / (tokens + padded), 0), false),
    ),
  );
  let summary = words(
    "{batches} batches, {positions} positions, {padding} of them padding. " +
      "Different shapes: {shapes}.",
    {
      batches,
      positions: positions.toLocaleString("en-US"),
      padding: percent(outcome.padding / positions, 0),
      shapes,
    },
  );
  if (batches > rows.length) {
    summary += ` ${words("Drawn are the first {count}.", { count: rows.length })}`;
  }
  const heads = [words("batch"), words("shape"), words("positions"), words("padding")];
  const parts = [
    make("p", { class: "note" }, summary),
    scrolling(table(heads, lines)),
    marks([
      [REAL, words("tokens")],
      [FILLED, words("hatched: padding")],
    ]),
  ];
  return { parts, spoken: summary };
}

export default {
  render({ model, el }) {
    const sizes = [4, 8, 16, 32, 64].map((size) => [String(size), size]);
    const orders = [[words("shuffled"), "shuffled"], [words("by length"), "by length"]];
    const widths = [[words("longest of its batch"), 0], [words("longest of all"), -1], ["512", 512]];
    const controls = {
      batch_size: (changed) => choices({ label: words("Batch size"), options: sizes }, changed),
      order: (changed) => choices({ label: words("Order"), options: orders }, changed),
      padding: (changed) => choices({ label: words("Padded to"), options: widths }, changed),
    };
    return view({ model, el, controls, draw });
  },
};
