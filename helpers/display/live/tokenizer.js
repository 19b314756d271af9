// The tokenizer of bert-base-uncased in the browser: what Python answers in a notebook, this module
// answers on the published page. It loads its 0.5 MB when the reader first changes something.

const VENDOR = new URL("../vendor/", import.meta.url);
const LONGEST = 512; // positions that a BERT can read
const PADDING = 0;
const UNKNOWN = 100;
const SPECIAL = new Set([101, 102, 103]); // [CLS], [SEP], [MASK]
const SEPARATOR = 102;

// Chinese characters beyond the first 65,536, which the package takes for letters of one word
const RARE_CHINESE = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;
const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/u; // as Python's splitlines

let loading;
let loaded = false;

async function load() {
  const [{ Tokenizer }, response] = await Promise.all([
    import(new URL("tokenizers/tokenizers.min.mjs", VENDOR)),
    fetch(new URL("models/tokenizer.json", VENDOR)),
  ]);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const made = new Tokenizer(await response.json(), {});
  loaded = true;
  return made;
}

/** The tokenizer, loaded once. After a failure, the next call tries again. */
export async function tokenizer() {
  loading ??= load();
  try {
    return await loading;
  } catch (error) {
    loading = undefined;
    throw new Error(`The tokenizer could not be loaded (${error.message}). Is the network gone?`);
  }
}

/** Ids and token types of a text, or of a pair if there is a second one. */
export function encode(tokenizer, text, pair = "") {
  const apart = (one) => one.replace(RARE_CHINESE, " $& ");
  const encoded = tokenizer.encode(apart(text), {
    text_pair: pair ? apart(pair) : null,
    return_token_type_ids: true,
  });
  return { ids: encoded.ids, types: encoded.token_type_ids };
}

/** One row of a batch as the pictures take it, filled up to a length. */
export function sequence(tokenizer, { ids, types }, length = 0) {
  const padding = Array(Math.max(length - ids.length, 0)).fill(PADDING);
  const all = [...ids, ...padding];
  return {
    token: all.map((id) => tokenizer.id_to_token(id)),
    id: all,
    token_type: types && [...types, ...padding],
    attention: [...ids.map(() => 1), ...padding],
    kind: all.map(kind),
  };
}

function kind(id) {
  if (id === PADDING) return "padding";
  if (id === UNKNOWN) return "unknown";
  return SPECIAL.has(id) ? "special" : "text";
}

/** Cut the text, not its last special token. */
export function truncate({ ids, types }, length = LONGEST) {
  if (ids.length <= length) return { ids, types };
  const cut = [...ids.slice(0, length - 1), SEPARATOR];
  return { ids: cut, types: types?.slice(0, length) };
}

const ANSWERS = {
  encoding(tokenizer, { text, pair }) {
    return { sequences: [sequence(tokenizer, encode(tokenizer, text, pair))] };
  },

  // helpers/display/live.py: padding_result
  padding(tokenizer, { texts, padding, truncation, max_length }) {
    const batch = texts.split(LINE_END).filter((line) => line.trim());
    if (!batch.length) {
      throw new Error("texts must hold at least one text; got none. Type a sentence.");
    }
    const whole = batch.map((text) => encode(tokenizer, text));
    const rows = truncation ? whole.map((row) => truncate(row, max_length ?? LONGEST)) : whole;
    const kept = rows.map((row) => row.ids.length);
    let length = 0;
    if (padding === true) length = Math.max(...kept);
    if (padding === "max_length") length = max_length ?? LONGEST;
    const lengths = kept.map((one) => Math.max(one, length));
    const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);
    const notes = [];
    if (padding === true && !truncation && max_length !== null) {
      notes.push(
        "`max_length` is ignored when `padding`=`True` and there is no truncation strategy. " +
          "To pad to max length, use `padding='max_length'`.",
      );
    }
    return {
      sequences: rows.map((row) => sequence(tokenizer, row, length)),
      setting: { padding, truncation, max_length },
      lengths,
      cut: sum(whole.map((row) => row.ids.length)) - sum(kept),
      padded: sum(lengths) - sum(kept),
      notes,
    };
  },
};

/** Give what answers for one live thing. `busy` shows the reader what he waits for. */
export function prepare({ kind }) {
  return async (state, busy) => {
    if (!loaded) busy("Loading the tokenizer …");
    return ANSWERS[kind](await tokenizer(), state);
  };
}
