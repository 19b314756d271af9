// What the live things share: controls, and the pictures of helpers/display/pictures, drawn here once
// more so that they move without Python. tests/display/test_live.py compares the two.

const catalog = {}; // from English to the reader's language: empty for English

/** Add texts to the catalog. */
export const learn = (texts) => Object.assign(catalog, texts);

/**
 * helpers.words.words: a text in the reader's language, with the values in place of their names. It
 * is written here in English, as strings: helpers/display/live_widget.py finds them.
 */
export function words(text, values = {}) {
  return (catalog[text] ?? text).replace(/\{(\w+)\}/gu, (name, key) => values[key] ?? name);
}

export const WIDEST = 20; // positions that fit on a page

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

/** Pass the reader's changes on to the model, after a pause of `wait` milliseconds. */
function changes(model, wait) {
  let unsaved = {};
  let timer;
  const save = () => {
    unsaved = {};
    model.save_changes();
  };
  const change = (name) => (value) => {
    unsaved[name] = value;
    model.set("state", { ...model.get("state"), ...unsaved });
    clearTimeout(timer);
    if (wait) timer = setTimeout(save, wait);
    else save();
  };
  // A slow kernel sends back an earlier state. Put the reader's changes back, and say if there are any.
  const restore = () => {
    const state = model.get("state");
    if (Object.entries(unsaved).every(([name, value]) => state[name] === value)) return false;
    model.set("state", { ...state, ...unsaved });
    return true;
  };
  return { change, restore, stop: () => clearTimeout(timer) };
}

/** A sentence for screen readers, spoken once the reader pauses. The first drawing is silent. */
function announcer() {
  const element = make("p", { class: "spoken", role: "status", "aria-live": "polite" });
  let first = true;
  let timer;
  const say = (sentence) => {
    clearTimeout(timer);
    if (!first) timer = setTimeout(() => (element.textContent = sentence), 400);
    first = false;
  };
  return { element, say, stop: () => clearTimeout(timer) };
}

/** Draw the picture, or show the error instead. Return the sentence for screen readers. */
function redraw(model, draw, picture) {
  try {
    const result = model.get("result") ?? {};
    if (result.error) throw new Error(result.error);
    const { parts, spoken } = draw(model.get("state"), result);
    picture.replaceChildren(...parts.filter((part) => part !== null));
    return spoken;
  } catch (error) {
    picture.replaceChildren(make("p", { role: "alert" }, error.message));
    return "";
  }
}

/**
 * Put controls above a picture, and draw it again whenever something changes.
 *
 * `controls` maps each name of the state to a function that makes its control from `changed`.
 * `draw` gets the state and the result, and returns the picture's parts and a sentence for screen
 * readers. With `wait`, in milliseconds, the state is passed on only when the reader pauses. While
 * the model is `busy`, which is a text, the text is shown; while it is `closed`, nobody can type.
 */
export function view({ model, el, controls, draw, wait = 0 }) {
  const picture = make("div", { class: "book-picture" });
  const busy = make("p", { class: "busy" });
  const spoken = announcer();
  const { change, restore, stop } = changes(model, wait);
  const made = Object.entries(controls).map(([name, build]) => [name, build(change(name))]);
  const root = make("div", { class: "book-live-view" });
  root.append(...made.map(([, control]) => control.element), busy, picture, spoken.element);
  const inputs = [...root.querySelectorAll("input, textarea")];

  const show = () => {
    if (restore()) return; // changing the state calls this function again
    for (const [name, control] of made) control.show(model.get("state")[name]);
    spoken.say(redraw(model, draw, picture));
  };
  const hold = () => {
    busy.textContent = model.get("busy") ?? "";
    picture.setAttribute("aria-busy", busy.textContent !== "");
    for (const input of inputs) input.disabled = model.get("closed") ?? false;
  };
  for (const input of inputs) {
    // JupyterLab handles arrow keys itself, except on an element with this attribute
    if (/^(range|radio)$/u.test(input.type)) input.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  el.append(root);
  show();
  hold();
  const listeners = { "change:state": show, "change:result": show, "change:busy": hold, "change:closed": hold };
  for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
  return () => {
    stop();
    spoken.stop();
    for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
  };
}

// Pictures, drawn as helpers/display/pictures draws them.

/** A box that scrolls, within reach of the keyboard unless what it holds is always narrow. */
export function scrolling(table, reachable = true) {
  return make("div", { class: "scroll", tabindex: reachable ? "0" : null }, table);
}

/** A table with a name above each column. */
export function table(names, rows, attributes = {}) {
  const heads = names.map((name) => make("th", { scope: "col" }, name));
  const head = make("thead", {}, make("tr", {}, ...heads));
  return make("table", attributes, head, make("tbody", {}, ...rows));
}

/** A row with its name before it. */
export function row(name, ...cells) {
  return make("tr", {}, make("th", { scope: "row" }, name), ...cells);
}

/** A number, bold if it is the largest of its kind. */
export function number(text, largest) {
  return make("td", { class: largest ? "number winner" : "number" }, text);
}

/** Write a number as Python's format does: a tie goes to the even digit. */
export function fixed(value, digits) {
  const exact = value.toFixed(digits + 25);
  const end = exact.length - 25;
  const cut = exact.slice(0, end).replace(/\.$/u, "");
  const tie = /^50*$/u.test(exact.slice(end));
  return tie && Number(cut.at(-1)) % 2 === 0 ? cut : value.toFixed(digits);
}

/** Write a number between 0 and 1 in per cent. */
export const percent = (share, digits) => `${fixed(100 * share, digits)}%`;

/** The tokens of each sequence with their numbers, a column for each position. */
export function token_rows(sequences) {
  const width = Math.max(...sequences.map((one) => one.token.length));
  const positions = Array.from({ length: width }, (_, i) =>
    make("th", { scope: "col", class: "number" }, String(i)),
  );
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, words("position")), ...positions));
  const names = {
    token: words("token"),
    id: words("id"),
    token_type: words("token type"),
    attention: words("attention mask"),
  };
  const bodies = sequences.map((one, number) => {
    const rows = Object.entries(names)
      .filter(([column]) => one[column])
      .map(([column, name]) =>
        row(
          name,
          ...one[column].map((value, i) =>
            make("td", { class: column === "token" ? `token ${one.kind[i]}` : "number" }, String(value)),
          ),
        ),
      );
    const title = make("th", { scope: "rowgroup", colspan: width + 1 }, words("sequence {number}", { number }));
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
export function drawn_part(all) {
  if (all <= WIDEST) return null;
  return words("Drawn are the first {count} positions of {all}.", { count: WIDEST, all });
}

/** What the marks of some kinds of tokens mean, or null where there is none. */
export function legend(kinds, ignored = true) {
  const names = {
    special: words("special token"),
    unknown: words("not in the vocabulary"),
    padding: ignored
      ? words("padding, which the model is told to ignore")
      : words("padding, which no mask hides"),
  };
  const items = Object.entries(names).filter(([kind]) => kinds.includes(kind));
  return items.length ? marks(items) : null;
}

/** The legend below some sequences: a mask may hide the padding, or not. */
export function sequences_legend(sequences) {
  const ignored = sequences.every((one) =>
    one.kind.every((kind, i) => kind !== "padding" || !one.attention || one.attention[i] === 0),
  );
  return legend(sequences.flatMap((one) => one.kind), ignored);
}

/** A list of marks and what each means. A mark is the name of a class, or a style. */
export function marks(items) {
  const look = (mark) => (typeof mark === "string" ? { class: mark } : { style: mark });
  return make(
    "ul",
    { class: "legend" },
    ...items.map(([mark, text]) => make("li", {}, make("span", look(mark)), text)),
  );
}

/** A row for each label: its name, its bar, its number. */
export function bars(labels, probabilities, reference = null) {
  const largest = Math.max(...probabilities);
  const bar = (share, attributes = {}) =>
    make("span", { ...attributes, style: { width: percent(share, 2) } });
  const rows = labels.map((label, i) =>
    row(
      label,
      make(
        "td",
        { class: "bar" },
        bar(probabilities[i]),
        reference && bar(reference[i], { class: "faint" }),
      ),
      number(probabilities[i].toFixed(4), probabilities[i] === largest),
    ),
  );
  return scrolling(table([words("label"), words("probability"), words("number")], rows), false);
}

/** A table with the attending tokens at its left and the others on top. */
export function matrix(cells, rows, columns) {
  const corner = make("th", { scope: "col", class: "corner" }, words("from\u00a0↓ to\u00a0→"));
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
