// What the live things share: controls, and the pictures of helpers/display/pictures.py, drawn here once
// more so that they move without Python. tests/test_live.py holds the two against each other.

const LEGEND = {
  special: "special token",
  unknown: "not in the vocabulary",
  padding: "padding, which the model is told to ignore",
};
const ROWS = {
  token: "token",
  id: "id",
  token_type: "token type",
  attention: "attention mask",
};
const WIDEST = 20; // positions that fit on a page

/** Make an element: its attributes, its style property by property, what it holds. */
export function make(tag, { style = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

// Controls. Each is { element, show(value) }, and calls `changed` with what the reader chose.

/** A slider with its name before it and its value behind it. `text` writes the value out. */
export function slider({ label, min, max, step, text }, changed) {
  const input = make("input", { type: "range", min, max, step });
  const shown = make("span", { class: "value", "aria-hidden": "true" });
  const show = (value) => {
    input.value = value;
    say();
  };
  const say = () => {
    shown.textContent = text(Number(input.value));
    input.setAttribute("aria-valuetext", shown.textContent); // a screen reader says this
  };
  input.addEventListener("input", () => {
    say();
    changed(Number(input.value));
  });
  const element = make("label", { class: "control" }, make("span", {}, label), input, shown);
  return { element, show };
}

/** A row of buttons of which one is chosen: radio buttons, so that the arrow keys go through it. */
export function choices({ label, options }, changed) {
  const name = `choice-${Math.random()}`; // several live things may be in one document
  const inputs = options.map(([, value]) => {
    const input = make("input", { type: "radio", name });
    input.addEventListener("change", () => changed(value));
    return input;
  });
  const buttons = options.map(([text], i) =>
    make("label", { class: "choice" }, inputs[i], make("span", {}, text)),
  );
  const element = make(
    "fieldset",
    { class: "control" },
    make("legend", {}, label),
    make("div", { class: "choices" }, ...buttons),
  );
  const show = (value) => options.forEach(([, one], i) => (inputs[i].checked = one === value));
  return { element, show };
}

/** A field to type in: one line, or several if `rows` says how many. */
export function field({ label, placeholder = null, rows = null }, changed) {
  const input = rows
    ? make("textarea", { rows, placeholder, spellcheck: "false" })
    : make("input", { type: "text", placeholder, spellcheck: "false", autocomplete: "off" });
  input.addEventListener("input", () => changed(input.value));
  const element = make("label", { class: "control" }, make("span", {}, label), input);
  const show = (value) => {
    if (input.value !== value) input.value = value; // the cursor stays where it is
  };
  return { element, show };
}

/**
 * Put controls above a picture, and draw it again whenever something changes.
 *
 * `controls` maps each name of the state to a function that makes its control from `changed`.
 * `draw` gets the state and the result, and gives the picture's parts and a sentence that is read
 * aloud. What it throws is shown in place of the picture. With `wait`, in milliseconds, the state
 * is handed on only when the reader pauses. The model may be `busy`, with words that say with what,
 * or `closed`, as long as there is nothing to answer.
 */
export function view({ model, el, controls, draw, wait = 0 }) {
  const picture = make("div", { class: "book-picture" });
  const busy = make("p", { class: "busy" });
  const spoken = make("p", { class: "spoken", role: "status", "aria-live": "polite" });
  let timer, speaking;

  const change = (name) => (value) => {
    model.set("state", { ...model.get("state"), [name]: value });
    clearTimeout(timer);
    if (wait) timer = setTimeout(() => model.save_changes(), wait);
    else model.save_changes();
  };
  const made = Object.entries(controls).map(([name, build]) => [name, build(change(name))]);

  let first = true;
  const redraw = () => {
    const state = model.get("state");
    for (const [name, control] of made) control.show(state[name]);
    let words;
    try {
      const result = model.get("result") ?? {};
      if (result.error) throw new Error(result.error);
      const drawn = draw(state, result);
      words = drawn.spoken;
      picture.replaceChildren(...drawn.parts.filter((part) => part !== null));
    } catch (error) {
      words = "";
      picture.replaceChildren(make("p", { role: "alert" }, error.message));
    }
    clearTimeout(speaking); // once the reader pauses, and not at first
    if (!first) speaking = setTimeout(() => (spoken.textContent = words), 400);
    first = false;
  };
  const hold = () => {
    busy.textContent = model.get("busy") ?? "";
    picture.setAttribute("aria-busy", busy.textContent !== "");
    for (const [, control] of made) {
      const inputs = control.element.querySelectorAll("input, textarea");
      for (const input of inputs) input.disabled = model.get("closed") ?? false;
    }
  };

  const root = make("div", { class: "book-live-view" });
  root.append(...made.map(([, control]) => control.element), busy, picture, spoken);
  // JupyterLab takes the arrow keys for its own, but from what has this attribute itself
  for (const input of root.querySelectorAll("[type=range], [type=radio]")) {
    input.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  el.append(root);
  redraw();
  hold();
  const listeners = [
    ["change:state", redraw],
    ["change:result", redraw],
    ["change:busy", hold],
    ["change:closed", hold],
  ];
  for (const [event, listener] of listeners) model.on(event, listener);
  return () => {
    clearTimeout(timer);
    clearTimeout(speaking);
    for (const [event, listener] of listeners) model.off(event, listener);
  };
}

// Pictures, in the order of helpers/display/pictures.py.

function scrolling(table, reachable = true) {
  return make("div", { class: "scroll", tabindex: reachable ? "0" : null }, table);
}

function heads(names) {
  return make("thead", {}, make("tr", {}, ...names.map((n) => make("th", { scope: "col" }, n))));
}

/** The tokens of each sequence with their numbers, a column for each position. */
export function token_rows(sequences) {
  const width = Math.max(...sequences.map((one) => one.token.length));
  const positions = Array.from({ length: width }, (_, i) =>
    make("th", { scope: "col", class: "number" }, String(i)),
  );
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "position"), ...positions));
  const bodies = sequences.map((one, number) => {
    const rows = Object.entries(ROWS)
      .filter(([column]) => one[column])
      .map(([column, name]) =>
        make(
          "tr",
          {},
          make("th", { scope: "row" }, name),
          ...one[column].map((value, i) =>
            make("td", { class: column === "token" ? `token ${one.kind[i]}` : "number" }, String(value)),
          ),
        ),
      );
    const title = make("th", { scope: "rowgroup", colspan: width + 1 }, `sequence ${number}`);
    if (sequences.length > 1) rows.unshift(make("tr", {}, title));
    return make("tbody", {}, ...rows);
  });
  return scrolling(make("table", { class: "tokens" }, head, ...bodies));
}

/** The first positions of each sequence, those that fit on a page. */
export function first_positions(sequences) {
  return sequences.map((one) =>
    Object.fromEntries(Object.entries(one).map(([name, row]) => [name, row?.slice(0, WIDEST)])),
  );
}

/** A remark where not all positions are drawn, else null. */
export function drawn_part(sequences) {
  const longest = Math.max(...sequences.map((one) => one.token.length));
  return longest > WIDEST ? `Drawn are the first ${WIDEST} positions of ${longest}.` : null;
}

/** What the marks of some tokens mean, or null where there is none. */
export function legend(sequences) {
  const ignored = sequences.every((one) =>
    one.kind.every((kind, i) => kind !== "padding" || !one.attention || one.attention[i] === 0),
  );
  const names = ignored ? LEGEND : { ...LEGEND, padding: "padding, which no mask hides" };
  const kinds = new Set(sequences.flatMap((one) => one.kind));
  const items = Object.keys(LEGEND).filter((kind) => kinds.has(kind));
  return items.length ? marks(items.map((kind) => [kind, names[kind]])) : null;
}

/** A list of marks and what each means. */
export function marks(items) {
  return make(
    "ul",
    { class: "legend" },
    ...items.map(([mark, text]) => make("li", {}, make("span", { class: mark }), text)),
  );
}

/** A row for each label: its name, its bar, its number. */
export function bars(labels, probabilities, reference = null) {
  const percent = (number) => `${(100 * number).toFixed(2)}%`;
  const largest = Math.max(...probabilities);
  const rows = labels.map((label, i) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, label),
      make(
        "td",
        { class: "bar" },
        make("span", { style: { width: percent(probabilities[i]) } }),
        reference && make("span", { class: "faint", style: { width: percent(reference[i]) } }),
      ),
      make(
        "td",
        { class: probabilities[i] === largest ? "number winner" : "number" },
        probabilities[i].toFixed(4),
      ),
    ),
  );
  const table = make("table", {}, heads(["label", "probability", "number"]), make("tbody", {}, ...rows));
  return scrolling(table, false);
}

/** A table with the attending tokens at its left and the others on top. */
export function matrix(cells, rows, columns) {
  const corner = make("th", { scope: "col", class: "corner" }, "from\u00a0↓ to\u00a0→");
  const tops = columns.map((token) => make("th", { scope: "col", class: "token" }, token));
  const body = rows.map((token, i) =>
    make("tr", {}, make("th", { scope: "row", class: "token" }, token), ...cells[i]),
  );
  return scrolling(
    make(
      "table",
      { class: "matrix" },
      make("thead", {}, make("tr", {}, corner, ...tops)),
      make("tbody", {}, ...body),
    ),
  );
}
