// The questions of a notebook: choose an answer, hear why it is right or not, and choose again.
// What was chosen stays in the reader's own browser.
import { make, words } from "./parts.js";

/** Text in which backticks mark code. */
const text = (said) =>
  said.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));

/** The answers that were checked, by question, kept in this browser alone. */
function memory(notebook) {
  const name = `book-quiz:${notebook}`;
  const read = () => {
    try {
      return JSON.parse(localStorage.getItem(name)) ?? {};
    } catch {
      return {}; // storage is off, or holds something else
    }
  };
  const write = (kept) => {
    try {
      if (Object.keys(kept).length) localStorage.setItem(name, JSON.stringify(kept));
      else localStorage.removeItem(name);
    } catch {
      // without storage, the answers last as long as the page
    }
  };
  let kept = read();
  const change = (now) => {
    kept = now;
    write(kept);
  };
  return {
    chosen: (question) => kept[question],
    keep: (question, choice) => change({ ...kept, [question]: choice }),
    clear: () => change({}),
  };
}

/** One question with its number: { element, right(), clear() }. `checked` is called after each check. */
function questionForm({ question, choices }, number, kept, checked) {
  const group = `quiz-${Math.random()}`;
  const inputs = choices.map(() => {
    const input = make("input", { type: "radio", name: group });
    input.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab takes arrow keys itself
    return input;
  });
  const labels = choices.map((choice, i) =>
    make("label", {}, inputs[i], make("span", {}, ...text(choice.text))),
  );
  const said = make("p", { class: "verdict", role: "status" });
  const button = make("button", { type: "button" }, words("Check"));
  let right = false;

  const clear = () => {
    right = false;
    for (const input of inputs) input.checked = false;
    said.replaceChildren();
    said.className = "verdict";
  };
  const show = (i) => {
    right = choices[i].right;
    said.className = right ? "verdict right" : "verdict wrong";
    const verdict = right ? words("✓ Right.") : words("✗ Not this one.");
    said.replaceChildren(make("strong", {}, `${verdict} `), ...text(choices[i].why));
  };
  button.addEventListener("click", () => {
    const i = inputs.findIndex((input) => input.checked);
    if (i < 0) {
      said.className = "verdict";
      said.textContent = words("Choose an answer first.");
      return;
    }
    kept.keep(question, choices[i].text);
    show(i);
    checked();
  });
  // a new choice has not been checked yet
  for (const input of inputs) input.addEventListener("change", () => said.replaceChildren());

  const before = choices.findIndex((choice) => choice.text === kept.chosen(question));
  if (before >= 0) {
    inputs[before].checked = true;
    show(before);
  }
  const legend = make("legend", {}, `${number}. `, ...text(question));
  const element = make("div", { class: "question" }, make("fieldset", {}, legend, ...labels), button, said);
  return { element, right: () => right, clear };
}

export default {
  render({ model, el }) {
    const { questions } = model.get("result");
    const kept = memory(model.get("state").notebook);
    const count = make("p", { class: "count", role: "status" });
    const forms = [];
    const tell = () => {
      const right = forms.filter((form) => form.right()).length;
      count.textContent = words("{right} of {all} right.", { right, all: questions.length });
    };
    forms.push(...questions.map((one, i) => questionForm(one, i + 1, kept, tell)));
    const clear = make("button", { type: "button", class: "clear" }, words("Clear my answers"));
    clear.addEventListener("click", () => {
      kept.clear();
      for (const form of forms) form.clear();
      tell();
    });
    const foot = make("div", { class: "foot" }, count, clear);
    el.append(make("div", { class: "book-live-view book-quiz" }, ...forms.map((form) => form.element), foot));
    tell();
  },
};
