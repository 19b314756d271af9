// The pipeline, step by step: type a sentence, and see tokens, ids, logits and probabilities.
// The numbers come from Python in a notebook, and from model.js on the published page.
import {
  bars,
  field,
  make,
  row,
  scrolling,
  sequences_legend,
  table,
  token_rows,
  view,
  words,
} from "./parts.js";

function draw(state, { sequences, labels, logits, probabilities, truncated }) {
  const cut = words("The text was longer than the model can read, and was cut.");
  const cells = logits.map((logit) => make("td", { class: "text number" }, logit.toFixed(4)));
  const best = probabilities.indexOf(Math.max(...probabilities));
  const parts = [
    make("p", { class: "step" }, words("1. Tokenizer: text to tokens to ids")),
    truncated ? make("p", { class: "note" }, cut) : null,
    token_rows(sequences),
    sequences_legend(sequences),
    make("p", { class: "step" }, words("2. Model: ids to logits")),
    scrolling(table([words("label"), ...labels], [row(words("logit"), ...cells)]), false),
    make("p", { class: "step" }, words("3. Post-processing: logits to probabilities")),
    bars(labels, probabilities),
  ];
  return { parts, spoken: `${labels[best]} ${probabilities[best].toFixed(4)}` };
}

export default {
  render({ model, el }) {
    const controls = {
      text: (changed) => field({ label: words("Sentence"), placeholder: words("Type a sentence") }, changed),
    };
    return view({ model, el, controls, draw, wait: 150 });
  },
};
