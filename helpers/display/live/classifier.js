// The sentiment model in the browser: what Python answers in a notebook, this module answers on the
// published page, once the reader has asked for its megabytes.
import { make } from "./parts.js";
import { softmax } from "./softmax.js";
import { encode, sequence, tokenizer, truncate } from "./tokenizer.js";

const VENDOR = new URL("../vendor/", import.meta.url);
const LABELS = ["NEGATIVE", "POSITIVE"];
const MODEL = "models/sentiment.onnx";
const RUNTIME = "onnxruntime/ort-wasm-simd-threaded.wasm";

let session; // one for all that is on a page

/** Fetch a file, and tell again and again how many bytes have come. */
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
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * Load what runs the model, and the model. `signal` stops it; `arrived` hears of each piece how many
 * bytes it has.
 */
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

/** The logits of one text, and the tokens that they belong to. */
export async function classify(text) {
  const words = await tokenizer();
  const whole = encode(words, text);
  const { ids } = truncate(whole);
  const { ort, made } = session;
  const row = (numbers) =>
    new ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), [1, numbers.length]);
  const { logits } = await made.run({ input_ids: row(ids), attention_mask: row(ids.map(() => 1)) });
  const scores = [...logits.data];
  return {
    sequences: [sequence(words, { ids, types: null })], // DistilBERT has no token types
    labels: LABELS,
    logits: scores,
    probabilities: softmax(scores),
    truncated: whole.ids.length > ids.length,
  };
}

const megabytes = (number) => `${(number / 1e6).toFixed(0)} MB`;

/** Put the button above the live thing, and give what answers for it. */
export async function prepare({ model, el }) {
  const [sizes, measured] = await Promise.all(
    [new URL("sizes.json", VENDOR), new URL("measured.json", import.meta.url)].map(
      async (url) => (await fetch(url)).json(),
    ),
  );
  const total = sizes[MODEL] + sizes[RUNTIME];
  const words = make(
    "p",
    {},
    "The model can run here, in your browser: a copy in 8-bit numbers, with what runs it. " +
      `Of ${measured.sentences} held-out sentences it gives ${measured.same_label} the label that ` +
      `PyTorch gives; ${measured.near} probabilities lie within 0.05 of PyTorch's.`,
  );
  const button = make("button", { type: "button" }, `Load the model, ${megabytes(total)}`);
  const bar = make("progress", { role: "progressbar", "aria-label": "Loading the model", max: total, value: 0 });
  const count = make("span");
  const cancel = make("button", { type: "button" }, "Cancel");
  const loading = make("p", { class: "loading", hidden: true }, bar, count, cancel);
  const status = make("p", { role: "status", "aria-live": "polite" });
  const gate = make("div", { class: "book-live-gate" }, words, make("p", {}, button), loading, status);
  el.append(gate);
  model.set("closed", true); // nothing to type in before

  let controller;
  const show = (arrived) => {
    bar.value = arrived;
    count.textContent = `${megabytes(arrived)} of ${megabytes(total)}`;
    bar.setAttribute("aria-valuetext", count.textContent);
  };
  const wait = (waiting) => {
    loading.hidden = !waiting;
    button.disabled = waiting;
  };
  button.addEventListener("click", async () => {
    controller = new AbortController();
    let arrived = 0;
    show(arrived);
    wait(true);
    cancel.focus();
    status.textContent = "Loading the model.";
    try {
      await load({
        signal: controller.signal,
        arrived: (more) => {
          arrived += more;
          show(arrived);
        },
      });
      gate.replaceChildren(words, status);
      status.textContent = "The model runs in your browser now. Nothing that you type leaves it.";
      model.set("closed", false);
      model.save_changes(); // its own numbers in the place of the stored ones
      el.querySelector("input")?.focus();
    } catch (error) {
      const stopped = controller.signal.aborted;
      controller.abort(); // the other file, too
      wait(false);
      button.focus();
      status.textContent = stopped
        ? "Cancelled. Nothing was kept."
        : `The model could not be loaded (${error.message}). Is the network gone? Try again.`;
    }
  });
  cancel.addEventListener("click", () => controller.abort());

  return (state) => {
    if (!state.text.trim()) {
      throw new Error("text must hold at least one word; got an empty text. Type a sentence.");
    }
    return classify(state.text);
  };
}
