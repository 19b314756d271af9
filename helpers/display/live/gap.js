// A gap in a text: what a masked and a causal language model put there. Python answers; the
// published page has no such model, and shows the stored picture.
import { bars, field, make, marks, row, scrolling, view, words } from "./parts.js";

const LOOKS = { yes: "special", no: "padding", gap: "asked" };

function draw(state, { models }) {
  const parts = models.flatMap(({ name, tokens, seen, candidates, probabilities }) => {
    const cells = tokens.map((token, i) => make("td", { class: `token ${LOOKS[seen[i]]}` }, token));
    const text = make("table", { class: "tokens" }, make("tbody", {}, row(words("sees"), ...cells)));
    return [make("p", { class: "step" }, name), scrolling(text), bars(candidates, probabilities)];
  });
  const items = [
    ["special", words("seen by the model")],
    ["asked", words("the gap")],
  ];
  if (models.some(({ seen }) => seen.includes("no"))) {
    items.push(["padding", words("hatched: not seen")]);
  }
  const best = ({ candidates }) => candidates[0];
  return { parts: [...parts, marks(items)], spoken: models.map(best).join(", ") };
}

export default {
  render({ model, el }) {
    const controls = {
      text: (changed) =>
        field(
          {
            label: words("Text"),
            placeholder: words("Type a text with [MASK], or its beginning"),
          },
          changed,
        ),
    };
    return view({ model, el, controls, draw, wait: 250 });
  },
};
