"""What the original checkpoints printed in 2021, as the course notes record it."""

SENTENCES = ["I've been waiting for a HuggingFace course my whole life.", "I hate this so much!"]

# input_ids of the two sentences, without padding
IDS = [
    [101, 1045, 1005, 2310, 2042, 3403, 2005, 1037, 17662, 12172, 2607, 2026, 2878, 2166,
     1012, 102],
    [101, 1045, 5223, 2023, 2061, 2172, 999, 102],
]  # fmt: skip

# logits of distilbert-base-uncased-finetuned-sst-2-english, and their softmax
LOGITS = [[-1.5607, 1.6123], [4.1692, -3.3464]]
PROBABILITIES = [[4.0195e-02, 9.5980e-01], [9.9946e-01, 5.4418e-04]]

# "Let's do tokenization!", cut in the ways of notebook 2-3
SPLITS = {
    "spaces": ["Let's", "do", "tokenization!"],
    "punctuation": ["Let", "'s", "do", "tokenization", "!"],
    "characters": [*"Let's", *"do", *"tokenization!"],
}

# bert-base-cased: tokenize and convert_tokens_to_ids of "Using a Transformer network is simple"
CASED_TOKENS = ["Using", "a", "Trans", "##former", "network", "is", "simple"]
CASED_IDS = [7993, 170, 13809, 23763, 2443, 1110, 3014]

# and the call, which fits the sentence with a small t, and what decode made of its ids
CASED_CALL = {
    "input_ids": [101, 7993, 170, 11303, 1200, 2443, 1110, 3014, 102],
    "token_type_ids": [0] * 9,
    "attention_mask": [1] * 9,
}
CASED_DECODED = "Using a transformer network is simple"
