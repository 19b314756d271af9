// The nearest sentence: type one, and see which of some others mean something similar.
// The similarities come from Python in a notebook, and from model.js on the published page.
import { field, fixed, make, number, row, scrolling, table, view, words } from "./parts.js";

function draw(state, { sentences, similarities, percents }) {
  const shown = similarities.map((one) => fixed(one, 2).replace("-0.00", "0.00"));
  const rows = sentences.map((sentence, i) =>
    row(
      sentence,
      make(
        "td",
        { class: "bar" },
        make("span", { style: { width: `${fixed(percents[i], 1)}%` } }),
      ),
      number(shown[i], i === 0), // the nearest comes first
    ),
  );
  const heads = [words("sentence"), words("similarity"), words("number")];
  const nearest = { similarity: shown[0], sentence: sentences[0] };
  const spoken = words("nearest, with {similarity}: {sentence}", nearest);
  return { parts: [scrolling(table(heads, rows))], spoken };
}

export default {
  render({ model, el }) {
    const controls = {
      text: (changed) => field({ label: words("Sentence"), placeholder: words("Type a sentence") }, changed),
    };
    return view({ model, el, controls, draw, wait: 150 });
  },
};
