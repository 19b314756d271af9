"""*Then and now*: each call of the course notes that changed, the old one and the new one run.

The rows stand here and on the page ``book/then-and-now.md``; the last tests hold the two to each
other. Nothing is fetched. Where a call needs the Hub, a folder of the same name in the current
directory takes its place, so that the call is run as it is printed on the page.
"""

import ast
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

PAGE = Path(__file__).parents[2] / "book" / "then-and-now.md"

# A metric with one number, in the place and with the name that `evaluate.load` looks for.
METRIC = """
import datasets
import evaluate

class Glue(evaluate.Metric):
    def _info(self):
        features = {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
        return evaluate.MetricInfo(
            description="", citation="", features=datasets.Features(features)
        )

    def _compute(self, predictions, references):
        pairs = list(zip(predictions, references))
        return {"accuracy": sum(p == r for p, r in pairs) / len(pairs)}
"""

CARD = """---
configs:
- config_name: mrpc
  data_files:
  - split: train
    path: mrpc/train-*
---
"""


def nothing(names: dict, patch: pytest.MonkeyPatch) -> None:
    """Most calls need no preparation."""


def metric_in_folder(names, patch):
    Path("glue").mkdir()
    Path("glue", "glue.py").write_text(METRIC)


def hub_that_has_glue(names, patch):
    """Give the two answers that the Hub gives for ``glue``: a README is there, a script is not.

    The Hub redirects the old name to the new one. All that follows is the library's own.
    """
    import datasets.load
    from huggingface_hub import HfApi
    from huggingface_hub.errors import EntryNotFoundError

    def answer(self, repo_id, filename, **_):
        if filename != "README.md":
            raise EntryNotFoundError(filename)
        card = Path("bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c", "README.md").absolute()
        card.parent.mkdir(exist_ok=True)
        card.write_text(CARD)
        return str(card)

    patch.setattr(HfApi, "hf_hub_download", answer)
    patch.setattr(datasets.load, "_raise_if_offline_mode_is_enabled", lambda: None)


def glue_with_its_owner(names, patch):
    """A folder ``nyu-mll/glue``, laid out as the repository on the Hub is, with two rows."""
    folder = Path("nyu-mll", "glue")
    (folder / "mrpc").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    names["raw_datasets"]["train"].to_parquet(folder / "mrpc" / "train-0.parquet")


def saved_model(names, patch):
    names["model"].save_pretrained("directory_on_my_computer")


def saved_half_model(names, patch):
    from transformers import BertModel

    BertModel(names["tiny"]).half().save_pretrained("saved-in-float16")


def model_of_its_own(names, patch):
    """What a call switches on stays on: keep it away from the model that all rows use."""
    from transformers import BertModel

    names["model"] = BertModel(names["tiny"])


def tensorboard_in_name_only(names, patch):
    """TensorBoard itself is not installed; what counts is where the callback would write."""
    from transformers.integrations import integration_utils

    patch.setattr(integration_utils, "is_tensorboard_available", lambda: True)
    patch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=None))


def logs_go_there(_, names):
    from transformers.integrations import TensorBoardCallback

    return TensorBoardCallback().logging_dir == "logs"


def encoder_decoder(names, patch):
    """A very small T5 with random weights: what counts is that the call runs."""
    from transformers import AutoModelForSeq2SeqLM, T5Config

    config = T5Config(
        vocab_size=30522, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2,
        decoder_start_token_id=0, pad_token_id=0,
    )  # fmt: skip
    AutoModelForSeq2SeqLM.from_config(config).save_pretrained("checkpoint")
    names["checkpoint"] = "checkpoint"


def question_answerer(names, patch):
    from transformers import AutoModelForQuestionAnswering

    AutoModelForQuestionAnswering.from_config(names["tiny"]).save_pretrained("checkpoint")
    names["checkpoint"] = "checkpoint"


@dataclass(frozen=True)
class Gone:
    """A call that fails today: the error it gives, and the call that works in its place.

    In ``error``, "…" stands for words that are left out. ``check`` looks at what ``new`` gives,
    and at the names that it was run with.
    """

    old: str
    error: str
    new: str
    check: Callable[..., bool]
    before_old: Callable = nothing
    before_new: Callable = nothing


def removed(task):
    return f"KeyError: The task {task} has been removed from transformers."


WRITES = "AutoModelForSeq2SeqLM.from_pretrained(checkpoint).generate(**inputs, max_new_tokens=20)"


def is_text_ids(result, _):
    return result.shape[0] == 2 and result.shape[1] > 1


GONE = [
    *(
        Gone(
            f'pipeline("{task}")',
            removed(task),
            WRITES,
            is_text_ids,
            before_new=encoder_decoder,
        )
        for task in ("summarization", "translation", "text2text-generation")
    ),
    Gone(
        'pipeline("question-answering")',
        removed("question-answering"),
        "AutoModelForQuestionAnswering.from_pretrained(checkpoint)(**inputs)",
        lambda result, _: result.start_logits.shape == result.end_logits.shape == (2, 16),
        before_new=question_answerer,
    ),
    Gone(
        'torch.load("directory_on_my_computer/pytorch_model.bin")',
        "FileNotFoundError: No such file or directory",
        'safetensors.torch.load_file("directory_on_my_computer/model.safetensors")',
        lambda result, _: "classifier.weight" in result,
        before_old=saved_model,
    ),
    Gone(
        "BertConfig().gradient_checkpointing",
        "AttributeError: 'BertConfig' object has no attribute 'gradient_checkpointing'",
        "model.activation_checkpointing_enable()",
        lambda _, names: names["model"].is_activation_checkpointing,
        before_new=model_of_its_own,
    ),
    Gone(
        "model(torch.tensor(ids))",
        "RuntimeError: The size of tensor a (14) must match the size of tensor b",
        "model(torch.tensor([ids]))",
        lambda result, _: result.logits.shape == (1, 2),
    ),
    Gone(
        "bert(torch.tensor(ids))",
        "ValueError: not enough values to unpack (expected 2, got 1)",
        "bert(torch.tensor([ids]))",
        lambda result, _: result.last_hidden_state.shape == (1, 14, 8),
    ),
    Gone(
        'tokenizer(sequences, padding=True, return_tensors="tf")',
        "ValueError: tf is not a valid TensorType, please select one of ['pt', 'np', 'mlx']",
        'tokenizer(sequences, padding=True, return_tensors="pt")',
        lambda result, _: result["input_ids"].shape == (2, 16),
    ),
    Gone(
        'load_dataset("glue", "mrpc")',
        "HfUriError: Invalid HF URI … Repository id must be 'namespace/name', got 'glue'.",
        'load_dataset("nyu-mll/glue", "mrpc")',
        lambda result, _: result["train"].num_rows == 2,
        before_old=hub_that_has_glue,
        before_new=glue_with_its_owner,
    ),
    Gone(
        'tokenizer(train["sentence1"], train["sentence2"], padding=True)',
        "ValueError: text input must be of type `str` (single example), `list[str]`",
        'tokenizer(train["sentence1"][:], train["sentence2"][:], padding=True)',
        lambda result, _: len(result["input_ids"]) == 2,
    ),
    Gone(
        "from datasets import load_metric",
        "ImportError: cannot import name 'load_metric' from 'datasets'",
        'evaluate.load("glue", "mrpc")',
        lambda result, _: (
            result.compute(predictions=[0, 1], references=[1, 1]) == {"accuracy": 0.5}
        ),
        before_new=metric_in_folder,
    ),
    Gone(
        "from transformers import AdamW",
        "ImportError: cannot import name 'AdamW' from 'transformers'",
        "from torch.optim import AdamW",
        lambda result, _: result is None,
    ),
    Gone(
        'TrainingArguments("test-trainer", evaluation_strategy="epoch")',
        "TypeError: … got an unexpected keyword argument 'evaluation_strategy'",
        'TrainingArguments("test-trainer", eval_strategy="epoch")',
        lambda result, _: result.eval_strategy == "epoch",
    ),
    Gone(
        'TrainingArguments("test-trainer", logging_dir="logs")',
        "TypeError: … got an unexpected keyword argument 'logging_dir'",
        'os.environ["TENSORBOARD_LOGGING_DIR"] = "logs"',
        logs_go_there,
        before_new=tensorboard_in_name_only,
    ),
    Gone(
        "Trainer(model, training_args, tokenizer=tokenizer)",
        "TypeError: … got an unexpected keyword argument 'tokenizer'",
        "Trainer(model, training_args, processing_class=tokenizer)",
        lambda result, _: type(result.data_collator).__name__ == "DataCollatorWithPadding",
    ),
]


@dataclass(frozen=True)
class Changed:
    """A call that still runs, and gives or does something else.

    ``show`` turns what the call gives into the text that the page shows under *Today*.
    """

    call: str
    then: str
    today: str
    show: Callable[..., str] = repr
    before: Callable = nothing


def files(_):
    return " ".join(sorted(path.name for path in Path("directory_on_my_computer").iterdir()))


def gradient(result):
    return re.search(r"grad_fn=<\w+>", repr(result))[0]


CHANGED = [
    Changed(
        'pipeline("sentiment-analysis")',
        "distilbert-base-uncased-finetuned-sst-2-english",
        "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        show=lambda chosen: chosen,
    ),
    Changed(
        "print(model(**inputs))", "grad_fn=<AddmmBackward>", "grad_fn=<AddmmBackward0>", gradient
    ),
    Changed(
        "softmax(model(**inputs).logits, dim=-1)",
        "grad_fn=<SoftmaxBackward>",
        "grad_fn=<SoftmaxBackward0>",
        gradient,
    ),
    Changed(
        "print(encoder(**inputs))",
        "grad_fn=<NativeLayerNormBackward>",
        "grad_fn=<NativeLayerNormBackward0>",
        gradient,
    ),
    Changed(
        'model.save_pretrained("directory_on_my_computer")',
        "config.json pytorch_model.bin",
        "config.json model.safetensors",
        files,
    ),
    Changed(
        'AutoModel.from_pretrained("saved-in-float16").dtype',
        "torch.float32",
        "torch.float16",
        before=saved_half_model,
    ),
    Changed(
        'AdamW(model.parameters()).defaults["weight_decay"]',
        "0.0",
        "0.01",
    ),
    Changed(
        'raw_datasets["train"].column_names',
        "['idx', 'label', 'sentence1', 'sentence2']",
        "['sentence1', 'sentence2', 'label', 'idx']",
    ),
    Changed(
        'tokenized_datasets["train"].column_names',
        "['attention_mask', 'input_ids', 'labels', 'token_type_ids']",
        "['labels', 'input_ids', 'token_type_ids', 'attention_mask']",
    ),
    Changed(
        'raw_datasets["train"].features["idx"]',
        "Value(dtype='int32', id=None)",
        "Value('int32')",
    ),
    Changed(
        'raw_datasets["train"].features["label"]',
        "ClassLabel(num_classes=2, names=['not_equivalent', 'equivalent'], …)",
        "ClassLabel(names=['not_equivalent', 'equivalent'])",
    ),
    Changed('type(raw_datasets["train"]["sentence1"]).__name__', "'list'", "'Column'"),
    Changed(
        'TrainingArguments("test-trainer").report_to',
        "every tracker that is installed",
        "[]",
    ),
]

# What the notes print as the config.json of bert-base-cased, less `_name_or_path`,
# `architectures` and `transformers_version`, which are not settings of the architecture.
NOTES_CONFIG = {
    "attention_probs_dropout_prob": 0.1, "gradient_checkpointing": False, "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1, "hidden_size": 768, "initializer_range": 0.02,
    "intermediate_size": 3072, "layer_norm_eps": 1e-12, "max_position_embeddings": 512,
    "model_type": "bert", "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 0,
    "position_embedding_type": "absolute", "type_vocab_size": 2, "use_cache": True,
    "vocab_size": 28996,
}  # fmt: skip


def run(code: str, names: dict):
    """Run a line of code; give the value of its last expression, or None if it ends with none."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<then and now>", "exec"), names)
    return (
        eval(compile(ast.Expression(last.value), "<then and now>", "eval"), names) if last else None
    )


@pytest.fixture(scope="module")
def shared(sentiment):
    """The names that the calls use, as the notes use them, on the bundled stand-ins."""
    import os

    import datasets
    import evaluate
    import safetensors.torch
    import torch
    import transformers

    from helpers.sources.checkpoints import resolve

    tokenizer, model = sentiment
    tiny = transformers.BertConfig(
        vocab_size=30522,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    sequences = ["I've been waiting for a HuggingFace course my whole life.", "So have I!"]
    label = datasets.ClassLabel(names=["not_equivalent", "equivalent"])
    train = datasets.Dataset.from_dict(
        {
            "sentence1": ["It rains.", "It rains."],
            "sentence2": ["There is rain.", "A cat sleeps."],
            "label": [1, 0],
            "idx": [0, 1],
        },
        features=datasets.Features(
            {
                "sentence1": datasets.Value("string"),
                "sentence2": datasets.Value("string"),
                "label": label,
                "idx": datasets.Value("int32"),
            }
        ),
    )
    raw = datasets.DatasetDict({"train": train})
    bert = transformers.AutoTokenizer.from_pretrained(resolve("bert-base-uncased"))
    tokenized = raw.map(
        lambda rows: bert(rows["sentence1"], rows["sentence2"], truncation=True), batched=True
    )
    tokenized = tokenized.remove_columns(["sentence1", "sentence2", "idx"])
    tokenized = tokenized.rename_column("label", "labels")
    tokenized.set_format("torch")
    names = {
        name: getattr(transformers, name)
        for name in (
            "AutoModel", "AutoModelForQuestionAnswering", "AutoModelForSeq2SeqLM", "BertConfig",
            "Trainer", "TrainingArguments", "pipeline",
        )
    }  # fmt: skip
    return names | {
        "os": os,
        "torch": torch,
        "safetensors": safetensors,
        "evaluate": evaluate,
        "load_dataset": datasets.load_dataset,
        "AdamW": torch.optim.AdamW,
        "softmax": torch.nn.functional.softmax,
        "tokenizer": tokenizer,
        "model": model,
        "bert": transformers.BertModel(tiny),
        "encoder": model.distilbert,
        "sequences": sequences,
        "inputs": tokenizer(sequences, padding=True, return_tensors="pt"),
        "ids": tokenizer.convert_tokens_to_ids(tokenizer.tokenize(sequences[0])),
        "raw_datasets": raw,
        "train": train,
        "tokenized_datasets": tokenized,
        "tiny": tiny,
    }  # fmt: skip


@pytest.fixture
def names(shared, tmp_path, monkeypatch):
    """The same names, in an empty current directory and with empty caches."""
    import datasets
    import evaluate
    from transformers import TrainingArguments

    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    # What is in the cache, both libraries take from there when they can't reach the Hub.
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", tmp_path / "metrics")
    monkeypatch.setattr(evaluate.config, "HF_MODULES_CACHE", tmp_path / "modules")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")
    return shared | {"training_args": TrainingArguments("test-trainer")}


@pytest.mark.parametrize("row", GONE, ids=lambda row: row.old)
def test_the_old_call_fails_as_the_page_says_and_the_new_one_works(row, names, monkeypatch):
    kind, message = row.error.split(": ", 1)
    with monkeypatch.context() as patch:
        row.before_old(names, patch)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - its type is compared by name
            run(row.old, dict(names))
    assert type(caught.value).__name__ == kind
    said = str(caught.value)
    for words in message.split("…"):
        assert words.strip() in said

    row.before_new(names, monkeypatch)
    assert row.check(run(row.new, names), names)


@pytest.mark.parametrize("row", CHANGED, ids=lambda row: row.call)
def test_a_call_that_changed_gives_what_the_page_says(row, names, monkeypatch):
    row.before(names, monkeypatch)
    names = dict(names)
    if row.call == 'pipeline("sentiment-analysis")':
        # It would fetch its checkpoint from the Hub: ask which one, by the library's own table.
        from transformers.pipelines import check_task

        names["pipeline"] = lambda task: check_task(task)[1]["default"]["model"][0]
    assert row.show(run_shown(row.call, names)) == row.today
    assert row.today != row.then


def run_shown(call, names):
    """Run a call; of ``print(x)``, give x."""
    return run(re.sub(r"^print\((.*)\)$", r"\1", call), names)


def test_the_new_name_of_glue_gets_past_the_place_where_the_old_one_fails(names, monkeypatch):
    """With the same two answers, the library goes on to ask the Hub for more."""
    hub_that_has_glue(names, monkeypatch)
    with pytest.raises(ConnectionError, match="offline mode is enabled"):
        run('load_dataset("nyu-mll/glue", "mrpc")', dict(names))


def test_a_data_set_that_is_a_script_is_refused(names):
    """What GLUE was in 2021, a script that the library ran, is not loaded from a folder either."""
    Path("glue").mkdir()
    Path("glue", "glue.py").write_text("")
    with pytest.raises(RuntimeError, match="Dataset scripts are no longer supported"):
        run('load_dataset("glue", "mrpc")', dict(names))


def test_the_fields_of_the_configuration_that_the_page_names(names):
    """Of the notes' fields, two are gone; the others have the values that they had."""
    config = run("BertConfig(vocab_size=28996)", dict(names))
    config.save_pretrained("saved")
    saved = json.loads(Path("saved", "config.json").read_text())
    gone = {"gradient_checkpointing", "position_embedding_type"}
    assert NOTES_CONFIG.keys() - saved.keys() == gone
    assert {key: saved[key] for key in NOTES_CONFIG.keys() - gone} == {
        key: value for key, value in NOTES_CONFIG.items() if key not in gone
    }
    text = PAGE.read_text()
    assert "_name_or_path" not in saved
    for name in (*gone, "_name_or_path"):
        assert f"`{name}`" in text


@pytest.mark.parametrize(("width", "positions", "named"), [(24, 512, 24), (768, 512, 512)])
def test_the_second_number_of_the_first_error(width, positions, named):
    """It is the model's width, or its number of positions if that is smaller."""
    import torch
    from transformers import DistilBertConfig, DistilBertModel

    sizes = {"vocab_size": 20, "n_layers": 1, "dim": width, "max_position_embeddings": positions}
    model = DistilBertModel(DistilBertConfig(**sizes))
    with pytest.raises(RuntimeError, match=rf"tensor a \(14\) must match .* tensor b \({named}\)"):
        model(torch.arange(14))
    assert "or its number of positions if that is smaller" in " ".join(PAGE.read_text().split())


def test_a_relative_position_embedding_is_no_longer_built(names):
    from transformers import BertModel

    assert not hasattr(names["BertConfig"](), "position_embedding_type")
    tiny = names["tiny"].to_dict() | {"position_embedding_type": "relative_key"}
    model = BertModel(names["BertConfig"](**tiny))
    assert not [name for name, _ in model.named_parameters() if "distance" in name]


def test_the_name_between_announces_its_removal(names):
    from transformers import BertModel

    with pytest.warns(FutureWarning, match="will be removed in v6"):
        BertModel(names["tiny"]).gradient_checkpointing_enable()


def test_no_tensorflow_class_is_left():
    import transformers

    assert not [name for name in dir(transformers) if re.match("TF[A-Z]", name)]


def tables(text):
    """Every table of a Markdown page: its header, and the code in the cells of its rows."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        header, _, *rows = block.strip().splitlines()
        cells = [re.split(r"\s*(?<!\\)\|\s*", row.strip("| ")) for row in rows]
        found.append((re.split(r"\s*\|\s*", header.strip("| ")), cells))
    return found


def code(cell):
    """Give the text of a cell that is all code, or the cell as it is."""
    match = re.fullmatch(r"(`+)(.*?)\1", cell)
    return match[2].strip() if match else cell


def rows_under(header):
    return [
        tuple(code(cell) for cell in row)
        for found, rows in tables(PAGE.read_text())
        if found == header
        for row in rows
    ]


def test_the_page_lists_the_calls_that_fail_and_no_others():
    on_page = rows_under(["Then", "What it says today", "Now"])
    assert on_page == [(row.old, row.error, row.new) for row in GONE]


def test_the_page_lists_the_calls_that_changed_and_no_others():
    on_page = rows_under(["Call", "Then", "Today"])
    assert on_page == [(row.call, row.then, row.today) for row in CHANGED]


def test_the_page_has_no_third_kind_of_table():
    headers = [header for header, _ in tables(PAGE.read_text())]
    assert {tuple(header) for header in headers} == {
        ("Then", "What it says today", "Now"),
        ("Call", "Then", "Today"),
    }
