"""Token kinds: the role that a token plays where it is, for each way to build a tokenizer."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import AddedToken, PreTrainedTokenizerFast

from helpers.text.token_kinds import TOKEN_KINDS, token_kinds
from helpers.text.tokens import pieces, token_table

END = "<|endoftext|>"
TEXTS = ["low lower lowest", "new newer newest"]


def byte_level(*, unk_token=None, ends_texts=False, **options):
    """Make a tokenizer like GPT-2's: one special token that plays all the roles."""
    backend = Tokenizer(models.BPE(unk_token=unk_token))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(TEXTS, trainer)
    if ends_texts:
        backend.post_processor = processors.TemplateProcessing(
            single=f"$A {END}", special_tokens=[(END, backend.token_to_id(END))]
        )
    roles = {"unk_token": END, "bos_token": END, "eos_token": END, "pad_token": END}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **(roles | options))


def words(vocabulary=("[PAD]", "[UNK]", "[CLS]", "low", "new"), *, named=True, template=True):
    """Make a tokenizer of whole words."""
    numbers = {word: number for number, word in enumerate(vocabulary)}
    backend = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if template:
        backend.post_processor = processors.TemplateProcessing(
            single="[CLS] $A", special_tokens=[("[CLS]", numbers["[CLS]"])]
        )
    roles = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"} if named else {}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **roles)


def unigram():
    """Make a tokenizer like T5's, whose pieces have the mark of a word's beginning."""
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁low", -1.0), ("▁", -2.0)]
    backend = Tokenizer(models.Unigram([*vocabulary, ("er", -2.0)], unk_id=2))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def initials(tokenizer, inputs):
    """Give the kinds of each row in a short form: t, s, u and p."""
    table = token_table(tokenizer, inputs)
    assert set(table["kind"]) <= set(TOKEN_KINDS)
    return ["".join(kind[0] for kind in rows["kind"]) for _, rows in table.groupby("sequence")]


@pytest.mark.parametrize("unk_token", [None, END], ids=["as GPT-2", "with an unknown token"])
@pytest.mark.parametrize("form", [None, "np", "pt"], ids=["lists", "numpy", "torch"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_a_token_with_all_the_roles_is_what_it_is_where_it_is(unk_token, form, side):
    tokenizer = byte_level(unk_token=unk_token, padding_side=side)
    inputs = tokenizer([f"low{END}new", "low"], padding=True, return_tensors=form)
    typed, padded = initials(tokenizer, inputs)
    assert typed == "tst"
    assert padded == ("tpp" if side == "right" else "ppt")
    # the same without what the tokenizer recorded, as after a collator
    assert initials(tokenizer, dict(inputs)) == [typed, padded]
    del inputs["attention_mask"]
    assert initials(tokenizer, inputs) == [typed, padded]
    # with nothing but the ids, padding is at either end
    assert initials(tokenizer, dict(inputs)) == [typed, padded]


def test_bytes_spell_everything():
    tokenizer = byte_level()
    assert set(initials(tokenizer, tokenizer("🤗 naïve"))[0]) == {"t"}


def test_a_model_without_an_unknown_token_has_no_unknown_text():
    backend = Tokenizer(models.BPE({"[UNK]": 0, "a": 1, "b": 2}, []))  # leaves out what it can't
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]")
    assert initials(tokenizer, tokenizer("abc[UNK]")) == ["tts"]


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_end_that_the_tokenizer_adds_is_special_and_padding_beside_it_is_not(side):
    tokenizer = byte_level(ends_texts=True, padding_side=side)
    inputs = tokenizer(["low new", "low"], padding=True)
    assert inputs["input_ids"][1].count(tokenizer.eos_token_id) > 1
    short = {"right": "tsp", "left": "pts"}[side]
    assert initials(tokenizer, inputs)[1].replace("pp", "p") == short
    assert initials(tokenizer, dict(inputs))[1].replace("pp", "p") == short


def test_an_end_that_no_mask_hides_is_not_padding():
    tokenizer = byte_level(ends_texts=True)
    inputs = tokenizer("low", return_attention_mask=True)
    assert initials(tokenizer, inputs) == initials(tokenizer, dict(inputs)) == ["ts"]
    seen = {"input_ids": [*inputs["input_ids"], tokenizer.pad_token_id], "attention_mask": [1] * 3}
    assert initials(tokenizer, seen) == ["tss"]


def test_padding_of_which_the_tokenizer_knows_stays_padding_under_another_mask():
    tokenizer = byte_level()
    inputs = tokenizer(["low new", "low"], padding=True)
    expected = initials(tokenizer, inputs)
    assert "p" in expected[1]
    inputs["attention_mask"] = [[1] * len(row) for row in inputs["input_ids"]]
    assert initials(tokenizer, inputs) == expected


def test_an_id_that_is_unknown_and_the_end_is_unknown_in_the_text_only():
    backend = Tokenizer(models.WordLevel({END: 0, "low": 1}, unk_token=END))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, 0)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token=END, eos_token=END, pad_token=END
    )
    inputs = tokenizer(["low fish", "low"], padding=True)
    assert initials(tokenizer, inputs) == ["tus", "tsp"]


def test_padding_that_was_typed_is_a_special_token():
    tokenizer = words()
    assert initials(tokenizer, tokenizer("low [PAD] new")) == ["stst"]
    inputs = tokenizer(["low [PAD]", "low new new"], padding=True)
    assert initials(tokenizer, inputs) == ["stsp", "sttt"]
    assert initials(tokenizer, dict(inputs)) == ["stsp", "sttt"]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ([1, 1, 1, 1], "sttp"),  # a mask that forgets the padding
        ([True, True, True, False], "sttp"),
        ([1, 0, 1, 0], "sttp"),  # a word hidden by hand is no padding
        ([0, 0, 0, 0], "sttp"),
    ],
)
def test_padding_is_where_the_mask_hides_it(mask, expected):
    tokenizer = words()
    inputs = {"input_ids": tokenizer("low new")["input_ids"] + [tokenizer.pad_token_id]}
    assert initials(tokenizer, inputs | {"attention_mask": mask}) == [expected]


@pytest.mark.parametrize("mask", [None, [0, 0]])
def test_a_row_may_be_nothing_but_padding(mask):
    inputs = {"input_ids": [0, 0]} | ({} if mask is None else {"attention_mask": mask})
    assert initials(words(), inputs) == ["pp"]


def test_an_unknown_word_is_not_a_typed_unknown_token():
    tokenizer = words()
    text = "low fish [UNK] new"
    assert [piece.kind[0] for piece in pieces(tokenizer, text)] == list("stust")
    assert initials(tokenizer, tokenizer("fish")) == ["su"]
    assert initials(tokenizer, dict(tokenizer("fish"))) == ["su"]


@pytest.mark.parametrize("text", ["low", "low lower"])
def test_pieces_with_the_mark_of_a_word_are_text(text):
    tokenizer = unigram()
    (kinds,) = initials(tokenizer, tokenizer(text))
    assert kinds == "t" * (len(kinds) - 1) + "s"
    assert initials(tokenizer, tokenizer("low 🤗")) == ["ttus"]
    assert initials(tokenizer, tokenizer(["low low", "low"], padding=True)) == ["tts", "tsp"]


def test_a_tokenizer_without_named_special_tokens():
    plain = words(named=False, template=False)
    assert plain.all_special_ids == []
    assert plain.unk_token_id is None
    assert initials(plain, plain("low fish")) == ["tu"]  # its model has an unknown token
    assert [piece.kind for piece in pieces(plain, "fish [UNK]")] == ["unknown", "text"]  # typed
    # it adds a token, although nobody told transformers its name
    adds = words(named=False)
    assert initials(adds, adds("low new")) == ["stt"]
    # padded by hand, with an id that is a word elsewhere
    inputs = {"input_ids": [[3, 3, 3], [3, 4, 3]], "attention_mask": [[1, 1, 1], [1, 1, 0]]}
    assert initials(plain, inputs) == ["ttt", "ttp"]


def test_added_words_are_text_and_added_special_tokens_are_special():
    tokenizer = words()
    tokenizer.add_tokens(["fish"])
    tokenizer.add_tokens([AddedToken("<|user|>", special=True)], special_tokens=True)
    for inputs in [tokenizer("low fish <|user|>"), dict(tokenizer("low fish <|user|>"))]:
        assert initials(tokenizer, inputs) == ["stts"]


def test_ids_that_were_changed_afterwards_speak_for_themselves(bert_tokenizer):
    inputs = bert_tokenizer("one two")
    assert initials(bert_tokenizer, inputs) == ["stts"]
    inputs["input_ids"][:2] = inputs["input_ids"][1::-1]  # swap [CLS] and "one"
    assert initials(bert_tokenizer, inputs) == ["tsts"]


def test_a_slow_tokenizer_has_nothing_but_its_ids():
    class Slow:
        pad_token_id, unk_token_id, all_special_ids, added_tokens_decoder = 0, 1, [0, 1, 2], {}
        bos_token_id = eos_token_id = sep_token_id = mask_token_id = None
        cls_token_id = 2

    assert token_kinds(Slow(), [2, 1, 3, 0]) == ["special", "unknown", "text", "padding"]
