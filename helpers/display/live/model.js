// The book's encoder in the browser, with the adapter that makes it the sentiment model: what Python
// answers in a notebook, this module answers on the published page, once the reader has asked for it.
import { make, WIDEST, words } from "./parts.js";
import { softmax } from "./softmax.js";
import { encode, sequence, tokenizer, truncate } from "./tokenizer.js";

const VENDOR = new URL("../vendor/", import.meta.url);
const LABELS = ["NEGATIVE", "POSITIVE"];
const MODEL = "models/encoder.onnx.gz";
const RUNTIME = "onnxruntime/ort-wasm-simd-threaded.wasm.gz";

let session; // one for all that is on a page

/** Fetch a compressed file, and report again and again how many bytes have come. */
async function bytes(path, { signal, arrived }) {
  const response = await fetch(new URL(path, VENDOR), { signal });
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const parts = [];
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    arrived(value.length);
  }
  let whole = new Blob(parts);
  const [first, second] = new Uint8Array(await whole.slice(0, 2).arrayBuffer());
  // some servers say that a .gz is compressed, and then the browser has unpacked it already
  if (first === 0x1f && second === 0x8b) {
    whole = new Response(whole.stream().pipeThrough(new DecompressionStream("gzip")));
  }
  return new Uint8Array(await whole.arrayBuffer());
}

/** Load the model, and what runs it. `signal` stops it; `arrived` is told the size of each piece. */
export async function load(options) {
  if (session) return;
  const [ort, wasm, model] = await Promise.all([
    import(new URL("onnxruntime/ort.wasm.bundle.min.mjs", VENDOR)),
    bytes(RUNTIME, options),
    bytes(MODEL, options),
    tokenizer(),
  ]);
  ort.env.wasm.numThreads = 1; // more would need headers that not every server sends
  ort.env.wasm.wasmBinary = wasm.buffer;
  const made = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  session = { ort, made };
}

/**
 * Run the model on one text. `adapter` is 1 for the sentiment model, 0 for the plain encoder;
 * `wanted` chooses among its outputs, or means all of them.
 */
async function run(text, adapter, wanted = null) {
  const bert = await tokenizer();
  const whole = encode(bert, text);
  const encoded = truncate(whole);
  const { ort, made } = session;
  const row = (numbers) =>
    new ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), [1, numbers.length]);
  const inputs = {
    input_ids: row(encoded.ids),
    attention_mask: row(encoded.ids.map(() => 1)),
    adapter: new ort.Tensor("float32", [adapter], []),
  };
  const outputs = await made.run(inputs, wanted ?? made.outputNames);
  const truncated = whole.ids.length > encoded.ids.length;
  return { outputs, sequence: sequence(bert, { ...encoded, types: null }), truncated };
}

/** The logits of one text, and the tokens that they belong to. */
export async function classify(text) {
  const { outputs, sequence, truncated } = await run(text, 1, ["logits"]);
  const logits = [...outputs.logits.data];
  return {
    sequences: [sequence], // DistilBERT has no token types
    labels: LABELS,
    logits,
    probabilities: softmax(logits),
    truncated,
  };
}

/** The vector of one text, of length 1. */
export async function vector(text) {
  const { outputs } = await run(text, 0, ["vector"]);
  return outputs.vector.data;
}

/** The tokens of one text, and the attention weights of each layer, (heads, seq, seq) in one row. */
export async function attend(text) {
  const { outputs, sequence } = await run(text, 0);
  const layers = session.made.outputNames.filter((name) => name.startsWith("attention_"));
  return { tokens: sequence.token, layers: layers.map((name) => outputs[name].data) };
}

/** A function that keeps what it gave for the last few texts. */
function remembering(answer, size) {
  const kept = new Map();
  return async (text) => {
    if (!kept.has(text)) kept.set(text, await answer(text));
    if (kept.size > size) kept.delete(kept.keys().next().value);
    return kept.get(text);
  };
}
const remembered = { vector: remembering(vector, 100), attend: remembering(attend, 1) };

const ANSWERS = {
  pipeline: ({ text }) => classify(text),

  async nearest({ text }, { sentences }) {
    const typed = await vector(text);
    const similarities = new Map();
    for (const sentence of sentences) {
      const other = await remembered.vector(sentence);
      similarities.set(sentence, typed.reduce((sum, one, i) => sum + one * other[i], 0));
    }
    const ordered = [...sentences].sort((a, b) => similarities.get(b) - similarities.get(a));
    const numbers = ordered.map((one) => similarities.get(one));
    const percents = numbers.map((one) => 100 * Math.max(one, 0));
    return { sentences: ordered, similarities: numbers, percents };
  },

  async attention({ text, layer, head }) {
    const { tokens, layers } = await remembered.attend(text);
    const { length } = tokens;
    const percents = tokens.map((_, i) => {
      const start = (head * length + i) * length;
      const row = layers[layer].slice(start, start + length);
      return Array.from(row, (weight) => Math.round(100 * weight));
    });
    return {
      tokens: tokens.slice(0, WIDEST),
      percents: percents.slice(0, WIDEST).map((row) => row.slice(0, WIDEST)),
      largest: percents.slice(0, WIDEST).map((row) => Math.max(...row)),
      length,
    };
  },
};

/** What to say where nothing is typed. */
function empty(kind) {
  if (kind === "attention") return words("Type a sentence: an empty text has no tokens of its own.");
  return words("text must hold at least one word; got an empty text. Type a sentence.");
}

/** How near the copy comes to PyTorch's model, as tools/measure.py has measured it. */
const NEAR = {
  pipeline: (measured) =>
    words(
      "Of {sentences} held-out sentences it gives {same_label} the label that PyTorch gives; " +
        "{near} probabilities differ from PyTorch's by at most 0.05.",
      measured,
    ),
  nearest: (measured) =>
    words(
      "Its similarities of {pairs} pairs of sentences differ from PyTorch's by at most {cosine}.",
      measured,
    ),
  attention: (measured) =>
    words(
      "Of {weights} attention weights, {attention} differ from PyTorch's by at most one per cent.",
      measured,
    ),
};

const json = async (url) => (await fetch(url)).json();
const megabytes = (bytes) => words("{number} MB", { number: (bytes / 1e6).toFixed(0) });

/**
 * The box that offers to load the model: a button, then a bar that can be canceled. `loaded` is
 * called once the model runs.
 */
function gate({ what, total }, loaded) {
  const button = make("button", { type: "button" }, words("Load the model, {size}", { size: megabytes(total) }));
  const bar = make("progress", {
    role: "progressbar",
    "aria-label": words("Loading the model"),
    max: total,
    value: 0,
  });
  const count = make("span");
  const cancel = make("button", { type: "button" }, words("Cancel"));
  const loading = make("p", { class: "loading", hidden: true }, bar, count, cancel);
  const status = make("p", { role: "status", "aria-live": "polite" });
  const said = make("p", {}, what);
  const box = make("div", { class: "book-live-gate" }, said, make("p", {}, button), loading, status);

  let controller;
  const show = (arrived) => {
    bar.value = arrived;
    const sizes = { arrived: megabytes(arrived), total: megabytes(total) };
    count.textContent = words("{arrived} of {total}", sizes);
    bar.setAttribute("aria-valuetext", count.textContent);
  };
  const wait = (waiting) => {
    loading.hidden = !waiting;
    button.disabled = waiting;
  };
  const start = async () => {
    controller = new AbortController();
    let sum = 0;
    const arrived = (more) => {
      sum += more;
      show(sum);
    };
    show(0);
    wait(true);
    cancel.focus();
    status.textContent = words("Loading the model.");
    try {
      await load({ signal: controller.signal, arrived });
      box.replaceChildren(said, status);
      status.textContent = words(
        "The model runs in your browser now. Nothing that you type leaves it.",
      );
      loaded();
    } catch (error) {
      const stopped = controller.signal.aborted;
      controller.abort(); // the other file, too
      wait(false);
      button.focus();
      status.textContent = stopped
        ? words("Canceled. Nothing was kept.")
        : words("The model could not be loaded ({error}). Is the network gone? Try again.", {
            error: error.message,
          });
    }
  };
  button.addEventListener("click", start);
  cancel.addEventListener("click", () => controller.abort());
  return box;
}

/** Put the button above the live thing, and give what answers for it. */
export async function prepare({ kind, page, model, el }) {
  const [sizes, measured] = await Promise.all([
    json(new URL("sizes.json", VENDOR)),
    json(new URL("measured.json", import.meta.url)),
  ]);
  const copy = words(
    "The model can run here, in your browser: a copy in 8-bit numbers, with what runs it.",
  );
  const loaded = () => {
    model.set("closed", false);
    model.save_changes(); // its own numbers in place of the stored ones
    el.querySelector("input")?.focus();
  };
  el.append(gate({ what: `${copy} ${NEAR[kind](measured)}`, total: sizes[MODEL] + sizes[RUNTIME] }, loaded));
  model.set("closed", true); // nothing to type in before

  return (state) => {
    if (!state.text.trim()) throw new Error(empty(kind));
    return ANSWERS[kind](state, page);
  };
}
