"""What the original checkpoints printed in 2021, as the course notes record it."""

SENTENCES = ["I've been waiting for a HuggingFace course my whole life.", "I hate this so much!"]

# input_ids of the two sentences, without padding
IDS = [
    [101, 1045, 1005, 2310, 2042, 3403, 2005, 1037, 17662, 12172, 2607, 2026, 2878, 2166,
     1012, 102],
    [101, 1045, 5223, 2023, 2061, 2172, 999, 102],
]  # fmt: skip

# attention_mask of the two, padded, as the notes print it, with entries missing: the ids of the
# first are 16, and the second has 8 tokens. As lists, they print 15 entries and 14.
SHORT_MASK = [[1] * 15, [1] * 6 + [0] * 9]
MASK_LENGTHS = (15, 14)

# the answers of its pipeline
SCORES = [0.9598047137260437, 0.9994558095932007]

# the corners of its last_hidden_state, and the shape
HIDDEN_STATES = [
    [-0.1798, 0.2333, 0.6321, -0.3017, 0.5008, 0.1481],
    [0.2758, 0.6497, 0.3200, -0.0760, 0.5136, 0.1329],
    [0.9046, 0.0985, 0.2950, 0.3352, -0.1407, -0.6464],
    [0.1466, 0.5661, 0.3235, -0.3376, 0.5100, -0.0561],
    [0.7500, 0.0487, 0.1738, 0.4684, 0.0030, -0.6084],
    [0.0519, 0.3729, 0.5223, 0.3584, 0.6500, -0.3883],
    [-0.2937, 0.7283, -0.1497, -0.1187, -1.0227, -0.0422],
    [-0.2206, 0.9384, -0.0951, -0.3643, -0.6605, 0.2407],
    [-0.1536, 0.8987, -0.0728, -0.2189, -0.8528, 0.0710],
    [-0.3017, 0.9002, -0.0200, -0.1082, -0.8412, -0.0861],
    [-0.3338, 0.9674, -0.0729, -0.1952, -0.8181, -0.0634],
    [-0.3454, 0.8824, -0.0426, -0.0993, -0.8329, -0.1065],
]
HIDDEN_SHAPE = (2, 16, 768)

# what torch.tensor(ids), without a batch, ended in: the line of modeling_distilbert.py
FAILED_LINE = 103

# logits of distilbert-base-uncased-finetuned-sst-2-english, and their softmax
LOGITS = [[-1.5607, 1.6123], [4.1692, -3.3464]]
PROBABILITIES = [[4.0195e-02, 9.5980e-01], [9.9946e-01, 5.4418e-04]]

# "Let's do tokenization!", cut in the ways of notebook 2-3
SPLITS = {
    "spaces": ["Let's", "do", "tokenization!"],
    "punctuation": ["Let", "'s", "do", "tokenization", "!"],
    "characters": [*"Let's", *"do", *"tokenization!"],
}

# bert-base-cased: the size of its vocabulary, in config.json; bert-base-chinese: its width, and the
# size of its own
CASED_VOCABULARY = 28996
CHINESE_WIDTH = 768
CHINESE_VOCABULARY = 21128

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

# Chapter 3, bert-base-uncased: a pair, and a batch of pairs with padding=True. In one of the notes'
# two tables, and in their printed batch, the types of the first sentence are one 0 short, which
# leaves too few of them; the other table has them as here.
PAIR = ("My name is Sylvain.", "I work at Hugging Face.")
PAIR_CALL = {
    "input_ids": [101, 2026, 2171, 2003, 25353, 22144, 2378, 1012, 102, 1045, 2147, 2012, 17662,
                  2227, 1012, 102],
    "token_type_ids": [0] * 9 + [1] * 7,
    "attention_mask": [1] * 16,
}  # fmt: skip
PAIR_TOKENS = ["[CLS]", "my", "name", "is", "sy", "##lva", "##in", ".", "[SEP]",
               "i", "work", "at", "hugging", "face", ".", "[SEP]"]  # fmt: skip

PAIRS = (["My name is Sylvain.", "Going to the cinema."],
         ["I work at Hugging Face.", "This movie is great."])  # fmt: skip
PAIRS_CALL = {
    "input_ids": [
        PAIR_CALL["input_ids"],
        [101, 2183, 2000, 1996, 5988, 1012, 102, 2023, 3185, 2003, 2307, 1012, 102, 0, 0, 0],
    ],
    "token_type_ids": [PAIR_CALL["token_type_ids"], [0] * 7 + [1] * 6 + [0] * 3],
    "attention_mask": [[1] * 16, [1] * 13 + [0] * 3],
}
SECOND_PAIR_TOKENS = ["[CLS]", "going", "to", "the", "cinema", ".", "[SEP]",
                      "this", "movie", "is", "great", ".", "[SEP]", *["[PAD]"] * 3]  # fmt: skip

# MRPC: its splits, its first row, the columns after the preparation, the shapes of five batches
MRPC_ROWS = {"train": 3668, "validation": 408, "test": 1725}
MRPC_FIRST = {
    "idx": 0,
    "label": 1,
    "sentence1": 'Amrozi accused his brother , whom he called " the witness " , of deliberately '
    "distorting his evidence .",
    "sentence2": 'Referring to him as only " the witness " , Amrozi accused his brother of '
    "deliberately distorting his evidence .",
}
MRPC_COLUMNS = ["attention_mask", "input_ids", "labels", "token_type_ids"]
MRPC_SHAPES = [(16, 77), (16, 80), (16, 80), (16, 90), (16, 73)]

# The settings of a Trainer to which one says nothing
TRAINER_DEFAULTS = {
    "num_train_epochs": 3.0,
    "per_device_train_batch_size": 8,
    "learning_rate": 5e-5,
    "logging_steps": 500,
    "eval_strategy": "no",
}

# How many tokens back each kind of model looks: RNN, LSTM, BERT, GPT, Transformer-XL and XLNet
LOOKS_BACK = [(10, 40), (50, 100), 512, 1024, (3000, 5000)]

# The library that the notes were written for: transformers_version in their config.json
TRANSFORMERS = "Transformers 4.8"
