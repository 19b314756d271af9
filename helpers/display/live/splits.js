// Several tokenizers side by side: type a text, and see how each of them splits it.
// The tokens come from Python in a notebook, and from tokenizer.js on the published page.
import { field, legend, make, number, row, scrolling, table, view, words } from "./parts.js";

/** A row of tokens, with a gap wherever a word ends. */
function pieces({ token, id, word, kind }) {
  return token.flatMap((text, i) => {
    const starts = i === 0 || word[i] === null || word[i] !== word[i - 1];
    const look = kind[i] === "text" ? ((word[i] ?? 0) % 2 ? "odd" : "even") : kind[i];
    const shown = [text, id[i] === null ? null : make("small", {}, String(id[i]))];
    const piece = make("span", { class: `token piece ${look}` }, ...shown);
    // the row may wrap at a space
    return starts && i ? [" ", piece] : [piece];
  });
}

function draw(state, { splits, missing = [] }) {
  const rows = splits.map((one) =>
    row(
      one.name,
      make("td", { class: "pieces" }, ...pieces(one)),
      number(String(one.token.length), false),
    ),
  );
  const heads = [words("split by"), words("tokens"), words("number")];
  const too_large = words("Too large for this page: {names}. Open the notebook in JupyterLab.", {
    names: missing.join(", "),
  });
  const parts = [
    scrolling(table(heads, rows, { class: "splits" })),
    legend(splits.flatMap((one) => one.kind)),
    missing.length ? make("p", { class: "note" }, too_large) : null,
  ];
  const counts = splits.map(({ name, token }) =>
    words("{name} {count} tokens", { name, count: token.length }),
  );
  return { parts, spoken: counts.join(", ") };
}

export default {
  render({ model, el }) {
    const controls = {
      text: (changed) => field({ label: words("Text"), placeholder: words("Type a text") }, changed),
    };
    return view({ model, el, controls, draw, wait: 120 });
  },
};
