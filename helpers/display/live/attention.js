// The attention of one head: type a sentence, and go through layers and heads.
// The weights come from Python in a notebook, and from model.js on the published page.
import { field, fixed, make, matrix, slider, view, WIDEST, words } from "./parts.js";

function draw({ layer, head }, { tokens, percents, largest, length }) {
  const cells = percents.map((row, i) =>
    row.map((percent) =>
      make(
        "td",
        {
          class: percent === largest[i] ? "number winner" : "number",
          style: { background: `rgba(48, 122, 222, ${fixed((0.7 * percent) / 100, 2)})` },
        },
        String(percent),
      ),
    ),
  );
  let note = words(
    "Per cent; each row adds up to 100, but for rounding. Bold: the largest of its row.",
  );
  if (length > WIDEST) {
    const drawn = { count: WIDEST, all: length };
    note += ` ${words("Drawn are the first {count} tokens of {all}.", drawn)}`;
  }
  return {
    parts: [matrix(cells, tokens, tokens), make("p", { class: "note" }, note)],
    spoken: words("layer {layer}, head {head}, {length} tokens", { layer, head, length }),
  };
}

export default {
  render({ model, el }) {
    const { layers, heads } = model.get("state");
    const level = (label, count) => (changed) =>
      slider({ label, min: 0, max: count - 1, step: 1, text: String }, changed);
    const controls = {
      text: (changed) => field({ label: words("Sentence"), placeholder: words("Type a sentence") }, changed),
      layer: level(words("Layer"), layers),
      head: level(words("Head"), heads),
    };
    return view({ model, el, controls, draw, wait: 150 });
  },
};
