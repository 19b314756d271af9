// Two sentences: does a model take them to mean the same? Python answers; the published page
// doesn't have the model, and shows the stored picture.
import { bars, field, make, view, words } from "./parts.js";

function draw(state, { labels, probabilities, swapped, truncated }) {
  const cut = words("The pair was longer than the model can read, and was cut.");
  const best = labels[probabilities.indexOf(Math.max(...probabilities))];
  const parts = [
    truncated ? make("p", { class: "note" }, cut) : null,
    bars(labels, probabilities, swapped),
    make("p", { class: "note" }, words("Thin gray bars: the second sentence first.")),
  ];
  return { parts, spoken: `${best} ${Math.max(...probabilities).toFixed(4)}` };
}

export default {
  render({ model, el }) {
    const controls = {
      first: (changed) =>
        field({ label: words("First"), placeholder: words("Type a sentence") }, changed),
      second: (changed) =>
        field({ label: words("Second"), placeholder: words("Type another one") }, changed),
    };
    return view({ model, el, controls, draw, wait: 250 });
  },
};
