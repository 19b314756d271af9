// Attention masks: choose a kind of attention, type sentences, see who may look at whom.
import { choices, field, make, marks, matrix, view, words } from "./parts.js";

/** helpers.text.attention_mask. */
export function attention_mask(kind, rows, columns) {
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => kind !== "causal" || j <= i),
  );
}

const split = (text) => text.split(/\s+/u).filter((word) => word);

function cell(allowed) {
  if (!allowed) return make("td", { class: "padding" }, make("span", { class: "unseen" }, words("no")));
  return make(
    "td",
    { class: "special" },
    make("span", { "aria-hidden": "true" }, "●"),
    make("span", { class: "unseen" }, words("yes")),
  );
}

const names = () => ({
  bidirectional: words("bidirectional"),
  causal: words("causal"),
  cross: words("cross"),
});

function draw({ kind, text, target }) {
  const columns = split(text);
  const rows = kind === "cross" ? split(target) : columns;
  if (!rows.length || !columns.length) {
    throw new Error(
      words("Type a sentence: an empty text has no tokens, and nothing to attend to."),
    );
  }
  const mask = attention_mask(kind, rows.length, columns.length);
  const items = [["special", words("● may attend")]];
  if (mask.some((row) => !row.every(Boolean))) items.push(["padding", words("hatched: may not")]);
  const cells = mask.flat();
  const spoken = words("{kind}: {allowed} of {all} allowed", {
    kind: names()[kind],
    allowed: cells.filter(Boolean).length,
    all: cells.length,
  });
  return { parts: [matrix(mask.map((row) => row.map(cell)), rows, columns), marks(items)], spoken };
}

export default {
  render({ model, el }) {
    const kinds = Object.entries(names()).map(([kind, name]) => [name, kind]);
    const controls = {
      kind: (changed) => choices({ label: words("Attention"), options: kinds }, changed),
      text: (changed) => field({ label: words("Sentence"), placeholder: words("Type a sentence") }, changed),
      target: (changed) =>
        field({ label: words("Written (cross)"), placeholder: words("And the other one") }, changed),
    };
    return view({ model, el, controls, draw });
  },
};
