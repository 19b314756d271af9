// The tokenizer explorer: type a text, or a pair, and see all that the tokenizer gives for it.
// The numbers come from Python in a notebook, and from tokenizer.js on the published page.
import { field, sequences_legend, token_rows, view, words } from "./parts.js";

function draw(state, { sequences }) {
  const spoken = words("{count} tokens", { count: sequences[0].token.length });
  return { parts: [token_rows(sequences), sequences_legend(sequences)], spoken };
}

export default {
  render({ model, el }) {
    const controls = {
      text: (changed) => field({ label: words("Text"), placeholder: words("Type a text") }, changed),
      pair: (changed) =>
        field(
          { label: words("Second text"), placeholder: words("For a pair, type another one") },
          changed,
        ),
    };
    return view({ model, el, controls, draw, wait: 120 });
  },
};
