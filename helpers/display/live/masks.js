// Attention masks: choose a kind of attention, type sentences, see who may look at whom.
import { choices, field, make, marks, matrix, view } from "./parts.js";

/** helpers.text.attention_mask. */
export function attention_mask(kind, rows, columns) {
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => kind !== "causal" || j <= i),
  );
}

const words = (text) => text.split(/\s+/u).filter((word) => word);

function cell(allowed) {
  if (!allowed) return make("td", { class: "padding" }, make("span", { class: "unseen" }, "no"));
  return make(
    "td",
    { class: "special" },
    make("span", { "aria-hidden": "true" }, "●"),
    make("span", { class: "unseen" }, "yes"),
  );
}

function draw({ kind, text, target }) {
  const columns = words(text);
  const rows = kind === "cross" ? words(target) : columns;
  if (!rows.length || !columns.length) {
    throw new Error("Type a sentence: an empty text has no tokens, and nothing to attend to.");
  }
  const mask = attention_mask(kind, rows.length, columns.length);
  const items = [["special", "● may attend"]];
  if (mask.some((row) => !row.every(Boolean))) items.push(["padding", "hatched: may not"]);
  const spoken = `${kind}: ${mask.flat().filter(Boolean).length} of ${mask.flat().length} allowed`;
  return { parts: [matrix(mask.map((row) => row.map(cell)), rows, columns), marks(items)], spoken };
}

export default {
  render({ model, el }) {
    const kinds = ["bidirectional", "causal", "cross"].map((kind) => [kind, kind]);
    const controls = {
      kind: (changed) => choices({ label: "Attention", options: kinds }, changed),
      text: (changed) => field({ label: "Sentence", placeholder: "Type a sentence" }, changed),
      target: (changed) => field({ label: "Written (cross)", placeholder: "And the other one" }, changed),
    };
    return view({ model, el, controls, draw });
  },
};
