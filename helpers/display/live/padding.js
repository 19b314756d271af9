// Padding and truncation: set the three arguments, and see what becomes of a batch of texts.
// The numbers come from Python in a notebook, and from tokenizer.js on the published page.
import {
  choices,
  drawn_part,
  field,
  first_positions,
  make,
  sequences_legend,
  token_rows,
  view,
  words,
} from "./parts.js";

const python = (value) => ({ true: "True", false: "False" })[value] ?? (value === "max_length" ? "'max_length'" : value);

function draw(state, { sequences, setting, lengths, cut, padded, notes }) {
  const given = Object.entries(setting)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${python(value)}`);
  const remarks = notes.map((note) => [note]);
  const part = drawn_part(Math.max(...lengths));
  if (part) remarks.push([part]);
  let summary = words("Tokens cut: {cut}. Tokens of padding: {padded}.", { cut, padded });
  if (new Set(lengths).size === 1) {
    const shape = `(${lengths.length}, ${lengths[0]})`;
    summary = `${words("Shape {shape}.", { shape })} ${summary}`;
  } else {
    const remedy =
      setting.padding === "max_length"
        ? words("padding='max_length' cuts nothing: set truncation=True too.")
        : words("Set padding=True, so that the shorter ones are filled up.");
    const others = lengths.slice(0, -1).join(", ");
    const rows = words("{others} and {last}", { others, last: lengths.at(-1) });
    const why = words("the rows have {rows} tokens.", { rows });
    remarks.push([make("strong", {}, words("No tensor:")), ` ${why} ${remedy}`]);
  }
  const parts = [
    make("p", { class: "step" }, make("code", {}, `tokenizer(${["texts", ...given].join(", ")})`)),
    make("p", { class: "note" }, summary),
    ...remarks.map((remark) => make("p", { class: "note", role: "alert" }, ...remark)),
    token_rows(first_positions(sequences)),
    sequences_legend(sequences),
  ];
  return { parts, spoken: summary };
}

export default {
  render({ model, el }) {
    const yes_no = [["False", false], ["True", true]];
    const lengths = [4, 6, 8, 12, 16, 20, 32].map((length) => [String(length), length]);
    const controls = {
      texts: (changed) =>
        field({ label: words("Texts"), placeholder: words("One text a line"), rows: 3 }, changed),
      padding: (changed) =>
        choices({ label: "padding", options: [...yes_no, ["'max_length'", "max_length"]] }, changed),
      truncation: (changed) => choices({ label: "truncation", options: yes_no }, changed),
      max_length: (changed) =>
        choices({ label: "max_length", options: [[words("not given"), null], ...lengths] }, changed),
    };
    return view({ model, el, controls, draw, wait: 120 });
  },
};
