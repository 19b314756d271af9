// The tokenizer explorer: type a text, or a pair, and see all that the tokenizer gives for it.
// The numbers come from Python in a notebook, and from tokenizer.js on the published page.
import { field, sequences_legend, token_rows, view } from "./parts.js";

function draw(state, { sequences }) {
  const tokens = sequences[0].token.length;
  return { parts: [token_rows(sequences), sequences_legend(sequences)], spoken: `${tokens} tokens` };
}

export default {
  render({ model, el }) {
    const controls = {
      text: (changed) => field({ label: "Text", placeholder: "Type a text" }, changed),
      pair: (changed) =>
        field({ label: "Second text", placeholder: "For a pair, type another one" }, changed),
    };
    return view({ model, el, controls, draw, wait: 120 });
  },
};
