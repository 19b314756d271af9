// Runs a live thing on the published page, where no Python answers: its model keeps the values as
// anywidget's does, and asks a module of this folder for the results.

// Which module answers. A kind that isn't here computes its picture itself. Only pages with a kind
// that "model" answers may compile WebAssembly: see book/_ext/course_policy.py.
const ANSWERS = {
  encoding: "tokenizer",
  padding: "tokenizer",
  splits: "tokenizer",
  pipeline: "model",
  nearest: "model",
  attention: "model",
};

export class PageModel {
  #values;
  #listeners = new Map();
  #asked = 0;

  /** `answer`, if there is one, gives the result for a state, and may take its time. */
  constructor(values, answer = null) {
    this.#values = values;
    this.answer = answer;
  }

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    if (JSON.stringify(value) === JSON.stringify(this.#values[name])) return;
    this.#values[name] = value;
    for (const listener of this.#listeners.get(`change:${name}`) ?? []) listener();
  }

  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  off(event, listener) {
    const others = (this.#listeners.get(event) ?? []).filter((one) => one !== listener);
    this.#listeners.set(event, others);
  }

  async save_changes() {
    if (!this.answer) return;
    const number = ++this.#asked;
    let result;
    try {
      result = await this.answer(this.get("state"), (busy) => this.set("busy", busy));
    } catch (error) {
      result = { error: error.message };
    }
    if (number !== this.#asked) return; // the reader has typed more
    this.set("busy", "");
    this.set("result", result);
  }
}

/** Put the live thing in the place of its stored picture. */
export async function start(place) {
  const kind = place.dataset.live;
  const { default: live } = await import(`./${kind}.js`);
  const { learn } = await import("./parts.js");
  const { page = {}, words = {}, ...values } = JSON.parse(place.dataset.state);
  learn(words);
  const model = new PageModel(values);
  const el = document.createElement("div");
  if (kind in ANSWERS) {
    const { prepare } = await import(`./${ANSWERS[kind]}.js`);
    model.answer = await prepare({ kind, page, model, el });
  }
  live.render({ model, el });
  place.replaceChildren(el);
}
