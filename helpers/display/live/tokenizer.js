// Tokenizers in the browser: what Python answers in a notebook, this module answers on the published
// page. The 0.5 MB of bert-base-uncased are loaded when the reader first changes something.

import { words } from "./parts.js";

const VENDOR = new URL("../vendor/", import.meta.url);
const LONGEST = 512; // positions that a BERT can read
const PADDING = "[PAD]";

// Chinese characters beyond the first 65,536, which the package takes for letters of one word
const RARE_CHINESE = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;
const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/u; // as Python's splitlines

/**
 * The package's tokenizer, whose model keeps the tokens of each word apart: it returns a list for
 * each word, where the package's own joins them. `state` is what a tokenizer.json holds.
 */
async function build(state) {
  const { Tokenizer } = await import(new URL("tokenizers/tokenizers.min.mjs", VENDOR));
  const made = new Tokenizer(state, {});
  const { model } = made;
  const { type, split } = state.pre_tokenizer ?? {};
  // the package ignores that a Metaspace splits before each ▁
  const parts = (text) => (type === "Metaspace" && split ? text.match(/▁?[^▁]+|▁/gu) : [text]);
  const { vocab, tokens_to_ids, unk_token_id } = model;
  made.model = Object.assign((texts) => texts.flatMap(parts).map((word) => model([word])), {
    vocab,
    tokens_to_ids,
    unk_token_id,
  });
  return made;
}

async function load() {
  const response = await fetch(new URL("models/tokenizer.json", VENDOR));
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return build(await response.json());
}

let loading;
let loaded = false;

/** The tokenizer of bert-base-uncased, loaded once. After a failure, the next call tries again. */
export async function tokenizer() {
  loading ??= load();
  try {
    const made = await loading;
    loaded = true;
    return made;
  } catch (error) {
    loading = undefined;
    throw new Error(
      words("The tokenizer could not be loaded ({error}). Is the network gone?", {
        error: error.message,
      }),
    );
  }
}

/**
 * The tokens of a text, or of a pair if there is a second one: for each its id, its token type,
 * which word it belongs to (null where the tokenizer added it), whether it is a special token that
 * was typed, and its kind.
 */
export function encode(tokenizer, text, pair = "") {
  const { model, post_processor } = tokenizer;
  const split = (one) =>
    tokenizer
      .encode_text(one.replace(RARE_CHINESE, " $& "))
      .flatMap((item, word) =>
        // a special token that somebody typed comes by itself, the tokens of a word as a list
        typeof item === "string"
          ? [{ token: item, word, typed: true }]
          : item.map((token) => ({ token, word, typed: false })),
      );
  const [first, second] = [split(text), pair ? split(pair) : null];
  const { tokens, token_type_ids } = post_processor
    ? post_processor(first, second, true)
    : { tokens: [...first, ...(second ?? [])] };
  const all = tokens.map((one) => (typeof one === "string" ? { token: one, word: null, typed: false } : one));
  const ids = all.map(({ token }) => model.tokens_to_ids.get(token) ?? model.unk_token_id);
  return {
    ids,
    types: token_type_ids ?? ids.map(() => 0),
    words: all.map(({ word }) => word),
    typed: all.map(({ typed }) => typed),
    kinds: ids.map((id) => kind(tokenizer, id)),
  };
}

/** The role of a token that isn't padding: that is a matter of the mask, not of the token. */
function kind(tokenizer, id) {
  if (id === tokenizer.model.unk_token_id) return "unknown";
  return tokenizer.all_special_ids.includes(id) ? "special" : "text";
}

/** One row of a batch as the pictures take it, filled up to a length. */
export function sequence(tokenizer, { ids, types, kinds }, length = 0) {
  const missing = Math.max(length - ids.length, 0);
  const filled = (row, value) => [...row, ...Array(missing).fill(value)];
  const all = filled(ids, tokenizer.token_to_id(PADDING));
  return {
    token: all.map((id) => tokenizer.id_to_token(id)),
    id: all,
    token_type: types && filled(types, 0),
    attention: filled(ids.map(() => 1), 0),
    kind: filled(kinds, "padding"),
  };
}

/** Cut the text, not its last special token. */
export function truncate(encoded, length = LONGEST) {
  if (encoded.ids.length <= length) return encoded;
  const cut = (row) => [...row.slice(0, length - 1), row.at(-1)];
  return Object.fromEntries(Object.entries(encoded).map(([name, row]) => [name, cut(row)]));
}

const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

const ANSWERS = {
  async encoding({ text, pair }) {
    const one = await tokenizer();
    return { sequences: [sequence(one, encode(one, text, pair))] };
  },

  // helpers/display/live_results.py: padding_result
  async padding({ texts, padding, truncation, max_length }) {
    const batch = texts.split(LINE_END).filter((line) => line.trim());
    if (!batch.length) {
      throw new Error(words("texts must hold at least one text; got none. Type a sentence."));
    }
    const one = await tokenizer();
    const whole = batch.map((text) => encode(one, text));
    const rows = truncation ? whole.map((row) => truncate(row, max_length ?? LONGEST)) : whole;
    const kept = rows.map((row) => row.ids.length);
    let length = 0;
    if (padding === true) length = Math.max(...kept);
    if (padding === "max_length") length = max_length ?? LONGEST;
    const lengths = kept.map((count) => Math.max(count, length));
    const notes = [];
    if (padding === true && !truncation && max_length !== null) {
      notes.push(
        "`max_length` is ignored when `padding`=`True` and there is no truncation strategy. " +
          "To pad to max length, use `padding='max_length'`.",
      );
    }
    return {
      sequences: rows.map((row) => sequence(one, row, length)),
      setting: { padding, truncation, max_length },
      lengths,
      cut: sum(whole.map((row) => row.ids.length)) - sum(kept),
      padded: sum(lengths) - sum(kept),
      notes,
    };
  },

  // helpers/display/live_results.py: splits_result; `tokenizers` is what tokenizers_for_page gave
  async splits({ text }, { tokenizers }) {
    if (!text.trim()) {
      throw new Error(words("Type a sentence: an empty text has no tokens of its own."));
    }
    const there = Object.entries(tokenizers).filter(([, given]) => given !== null);
    const splits = there.map(async ([name, given]) => {
      const one = await (given === "bert-base-uncased" ? tokenizer() : built(given));
      const { ids, words, typed, kinds } = encode(one, text);
      const tokens = ids.map((id) => one.id_to_token(id));
      // helpers.text.pieces knows the text, and so a typed [UNK] from a word that is unknown
      const kind = kinds.map((found, i) => (typed[i] ? "special" : found));
      return { name, token: tokens, id: ids, word: words, kind };
    });
    const missing = Object.keys(tokenizers).filter((name) => tokenizers[name] === null);
    return { splits: await Promise.all(splits), missing };
  },
};

const tokenizers = new Map(); // by what they are built from

function built(state) {
  if (!tokenizers.has(state)) tokenizers.set(state, build(state));
  return tokenizers.get(state);
}

/** Give what answers for one live thing. `busy` shows the reader why it takes a moment. */
export function prepare({ kind, page }) {
  return async (state, busy) => {
    if (!loaded) busy(words("Loading the tokenizer …"));
    return ANSWERS[kind](state, page);
  };
}
