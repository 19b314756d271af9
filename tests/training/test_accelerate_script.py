"""The script of notebook 3-4: one process trains as our loop does, two train as one does."""

import ast
import csv
import importlib.util
import io
import json
import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest
from processes import run_code, run_loaded

from helpers.training.context import own_accelerator
from helpers.training.loop import linear_schedule, train

SCRIPT = Path(__file__).parents[2] / "notebooks" / "en" / "3-fine-tuning" / "train.py"
STEPS = 20

# Run in processes that know of each other.
TINY = """
import json, sys
sys.path.insert(0, sys.argv.pop(1))
from test_accelerate_script import train_tiny

accelerator, result = train_tiny(sys.argv[1:])
if accelerator.is_main_process:
    print(json.dumps(result), flush=True)
accelerator.end_training()
"""


def train_tiny(options):
    """Train the very small model with the script's own function; give the Accelerator, too."""
    import torch
    from accelerate import Accelerator
    from torch.utils.data import DataLoader

    script = load_script()
    args = script.parse(options)
    accelerator = Accelerator(gradient_accumulation_steps=args.gradient_accumulation)
    rows = tiny_rows()
    loader = DataLoader(
        rows, batch_size=args.batch_size, shuffle=True,
        generator=torch.Generator().manual_seed(args.seed),
    )  # fmt: skip
    eval_loader = DataLoader(rows[:37], batch_size=args.batch_size)
    metric = script.Scores(2)
    return accelerator, script.train(accelerator, tiny_model(), loader, eval_loader, metric, args)


def load_script():
    """Import the script, which lies in no package, and what lies beside it."""
    if str(SCRIPT.parent) not in sys.path:
        sys.path.append(str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("train_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tiny_model():
    """Give a very small BERT without dropout, the same each time."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=32, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )
    )  # fmt: skip


def tiny_rows(number: int = 160):
    """Draw rows whose label can be learned: it says from which half of the ids they are."""
    import torch

    generator = torch.Generator().manual_seed(1)
    return [
        {
            "input_ids": torch.randint(
                1 + 25 * (i % 2), 25 + 25 * (i % 2), (8,), generator=generator
            ),
            "labels": torch.tensor(i % 2),
        }
        for i in range(number)
    ]


def together(processes: int, code: str, *arguments) -> str:
    """Run a piece of code in processes that know of each other, and give what they printed."""
    return together_and_said(processes, code, *arguments)[0]


def together_and_said(processes: int, code: str, *arguments) -> tuple[str, str]:
    """Give what they wrote to standard error as well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # what torchrun sets, too
    group = {"WORLD_SIZE": processes, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    ranks = [{**group, "RANK": rank, "LOCAL_RANK": rank} for rank in range(processes)]

    def run_rank(rank: dict[str, object]) -> tuple[str, str]:
        settings = {name: str(value) for name, value in rank.items()}
        status, out, err = run_loaded(
            run_code, code, *arguments, ACCELERATE_USE_CPU="true", **settings
        )
        assert status == 0, err[-2000:]
        return out, err

    with ThreadPoolExecutor() as pool:
        printed, said = zip(*pool.map(run_rank, ranks), strict=True)
    return "".join(printed), "".join(said)


def tiny(processes: int, *options: str) -> dict:
    """Train the very small model with the script's own function."""
    if processes == 1:
        import torch

        with own_accelerator(torch.device("cpu"), "no"):  # nothing of it stays in this process
            return train_tiny(options)[1]
    printed = together(processes, TINY, Path(__file__).parent, *options)
    return json.loads(printed)  # one line, from one process


@pytest.mark.parametrize(("batch_size", "accumulate"), [(8, 1), (4, 2)])
def test_one_process_has_the_losses_of_our_own_loop(batch_size, accumulate):
    import torch
    from torch.utils.data import DataLoader

    options = ["--epochs", "1", "--batch-size", str(batch_size), "--learning-rate", "1e-3"]
    script = tiny(1, *options, "--gradient-accumulation", str(accumulate))

    model = tiny_model()
    loader = DataLoader(
        tiny_rows(), batch_size=batch_size, shuffle=True,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    schedule = linear_schedule(optimizer, loader, epochs=1, accumulate=accumulate)
    ours = train(
        model, loader, optimizer, schedule=schedule, accumulate=accumulate, clip=1.0,
        watch=lambda *_: None,
    )  # fmt: skip

    assert script["steps"] == len(ours.losses) == STEPS
    groups = [
        script["losses"][i : i + accumulate] for i in range(0, STEPS * accumulate, accumulate)
    ]
    means = [sum(group) / len(group) for group in groups]
    assert means == pytest.approx(ours.losses, abs=1e-4)
    assert abs(means[-1] - means[0]) > 1e-3  # it moved


def test_two_processes_train_as_one_and_count_each_row_once():
    one = tiny(1, "--epochs", "2", "--batch-size", "16", "--learning-rate", "1e-3")
    two = tiny(2, "--epochs", "2", "--batch-size", "8", "--learning-rate", "1e-3")
    assert (one["processes"], two["processes"]) == (1, 2)
    assert one["steps"] == two["steps"] == STEPS
    assert two["losses"] == pytest.approx(one["losses"], abs=1e-4)
    assert two["evaluations"] == one["evaluations"]
    # of 37 rows; with the 40 that plain gather gives, this would be no whole number
    rows = 37 * two["evaluations"][-1]["accuracy"]
    assert rows == pytest.approx(round(rows), abs=1e-9)
    assert 0 < round(rows) < 37


# What the processes of a prepared loader give together, by plain gather and by the other one.
GATHER = """
from accelerate import Accelerator
from torch.utils.data import DataLoader

accelerator = Accelerator()
gathered, for_metrics = [], []
for rows in accelerator.prepare(DataLoader(range(21), batch_size=4)):
    gathered += accelerator.gather(rows).tolist()
    for_metrics += accelerator.gather_for_metrics(rows).tolist()
accelerator.print(gathered)
accelerator.print(for_metrics)
accelerator.end_training()
"""


def test_plain_gather_counts_some_rows_twice_in_two_processes():
    """What *Then and now* says of it."""
    gathered, for_metrics = map(json.loads, together(2, GATHER).splitlines())
    assert sorted(gathered) == sorted([*range(21), 0, 1, 2])
    assert sorted(for_metrics) == [*range(21)]


def test_the_script_trains_and_saves_in_two_processes(tmp_path):
    """The real script, on a few rows; what it saves can be loaded.

    Notebook 3-4 starts it with torchrun, and its outputs are compared.
    """
    from transformers import AutoModelForSequenceClassification

    options = ["--rows", "12", "--epochs", "1", "--batch-size", "2"]
    options += ["--output", str(tmp_path / "saved")]
    out, said = together_and_said(2, FEW_ROWS, SCRIPT, *options)
    (line,) = out.splitlines()
    result = json.loads(line)
    assert (result["processes"], result["steps"], len(result["losses"])) == (2, 3, 3)
    assert [scores["epoch"] for scores in result["evaluations"]] == [0, 1]  # 0: untrained
    assert result["evaluations"][0].keys() == {"epoch", "accuracy", "f1"}
    assert "stand-in" in said  # said, and by one process
    assert said.count("stand-in") == 2
    saved = {path.name for path in (tmp_path / "saved").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= saved
    assert not list((tmp_path / "saved").glob("*.bin"))
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved")
    assert model.config.id2label == {0: "not_equivalent", 1: "equivalent"}
    assert model.config.label2id == {"not_equivalent": 0, "equivalent": 1}


# The real script, on a validation set of five rows.
FEW_ROWS = """
import os, runpy, sys
import helpers.sources.datasets

load = helpers.sources.datasets.load_dataset

def five(*names):
    data = load(*names)
    for split in ("validation", "test"):
        data[split] = data[split].select(range(5))
    return data

helpers.sources.datasets.load_dataset = five
del sys.argv[0]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "expected a whole number of 1 or more, got '0'"),
        (["--batch-size", "many"], "expected a whole number of 1 or more, got 'many'"),
        (["--mixed-precision", "float8"], "invalid choice: 'float8'"),
        (["--epoch-count", "3"], "unrecognized arguments: --epoch-count 3"),
    ],
)
def test_a_wrong_option_is_a_clear_error(options, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        load_script().parse(options)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_without_options_it_trains_as_the_notes_do():
    args = load_script().parse([])
    expected = SimpleNamespace(
        epochs=3, batch_size=8, learning_rate=5e-5, mixed_precision="no",
        gradient_accumulation=1, no_dropout=False, seed=0, rows=None, output=None, resume=False,
        train=None, validation=None, text=None, text_pair=None, label=None, metric=None,
        checkpoint="bert-base-uncased",
    )  # fmt: skip
    assert vars(args) == vars(expected)


@pytest.mark.parametrize("script", [SCRIPT, SCRIPT.with_name("progress.py")], ids=lambda p: p.stem)
def test_every_statement_that_uses_accelerate_is_marked(script):
    """What the marks are for: without these lines it is a plain script."""
    source = script.read_text()
    lines = source.splitlines()
    for part in ast.walk(ast.parse(source)):
        if not isinstance(part, ast.stmt) or isinstance(part, ast.FunctionDef):
            continue
        end = part.body[0].lineno - 1 if hasattr(part, "body") else part.end_lineno
        shown = "\n".join(lines[part.lineno - 1 : end])
        if re.search(r"accelerator\.\w|Accelerator\(", shown):
            assert "# Accelerate" in shown, shown


# --- A file of the reader's own ---

THREE = [("a fine film", "good"), ("an awful film", "bad"), ("a plain film", "so-so")]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory, bert_tokenizer):
    """A very small encoder with the book's tokenizer, in a folder."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 32}
    BertModel(BertConfig(num_attention_heads=2, **small)).save_pretrained(folder)
    bert_tokenizer.save_pretrained(folder)
    return folder


def write_csv(path: Path, rows, header=("review", "stars")) -> Path:
    """Write a file as a spreadsheet does."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def run_script(script, *options) -> dict:
    """Run the whole script in this process, and give what it printed."""
    import torch

    out = io.StringIO()
    with own_accelerator(torch.device("cpu"), "no"), redirect_stdout(out):
        script.main([str(option) for option in options])
    (line,) = out.getvalue().splitlines()
    return json.loads(line)


def test_it_trains_on_three_labels_of_ones_own_and_a_pipeline_names_them(
    tmp_path, checkpoint, capsys
):
    from transformers import pipeline

    rows = write_csv(tmp_path / "rows.csv", THREE * 30)
    others = write_csv(tmp_path / "others.csv", THREE * 3)
    options = ["--train", rows, "--validation", others, "--text", "review", "--label", "stars"]
    options += ["--checkpoint", checkpoint, "--epochs", 4, "--learning-rate", 0.03]
    options += ["--no-dropout", "--output", tmp_path / "saved"]
    result = run_script(load_script(), *options)
    assert result["losses"][-1] < result["losses"][0] / 2
    assert result["evaluations"][-1] == {"epoch": 4, "accuracy": 1.0, "f1": 1.0}
    said = capsys.readouterr().err
    assert "train: 90 rows (bad 30, good 30, so-so 30)" in said
    assert re.search(r"about \d+ seconds?: 48 steps of [\d.e-]+ s\n", said)
    assert json.loads((tmp_path / "saved" / "training.json").read_text())["result"] == result

    classify = pipeline("text-classification", model=str(tmp_path / "saved"), device="cpu")
    for text, label in THREE:
        assert classify(text)[0]["label"] == label


def test_a_resumed_training_has_the_losses_of_an_uninterrupted_one(tmp_path, checkpoint):
    """With dropout, so that the random numbers have to go on as well."""
    rows = write_csv(tmp_path / "rows.csv", THREE * 8)
    options = ["--train", rows, "--text", "review", "--label", "stars", "--epochs", 3]
    options += ["--checkpoint", checkpoint, "--gradient-accumulation", 2, "--batch-size", 4]
    whole = run_script(load_script(), *options, "--output", tmp_path / "whole")

    script, measured = load_script(), []
    evaluate = script.evaluate

    def stop_in_the_third_epoch(*arguments):
        if len(measured) == 3:
            raise KeyboardInterrupt
        measured.append(evaluate(*arguments))
        return measured[-1]

    script.evaluate = stop_in_the_third_epoch
    options += ["--output", tmp_path / "parts"]
    with pytest.raises(KeyboardInterrupt):
        run_script(script, *options)
    assert [path.name for path in (tmp_path / "parts").glob("state*")] == ["state-2"]
    with pytest.raises(SystemExit):  # or the state would be lost
        run_script(load_script(), *options)

    resumed = run_script(load_script(), *options, "--resume")
    assert resumed == whole
    losses = whole["losses"]
    assert len(set(losses)) == len(losses) == 3 * 6
    saved = {path.name for path in (tmp_path / "parts").iterdir()}
    assert saved == {path.name for path in (tmp_path / "whole").iterdir()}
    assert not any(name.startswith("state") for name in saved)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "parts")]
    assert weights[0] == weights[1]
    assert run_script(load_script(), *options, "--resume") == whole  # nothing is left to do


# Run in processes that know of each other, and stop as the third epoch is measured.
INTERRUPTED = """
import importlib, os, sys

sys.path.insert(0, os.path.dirname(sys.argv.pop(1)))
script = importlib.import_module("train")
evaluate, calls = script.evaluate, []

def stop(*arguments):
    calls.append(1)
    if len(calls) == 4:
        raise KeyboardInterrupt
    return evaluate(*arguments)

if sys.argv.pop(1) == "stop":
    script.evaluate = stop
try:
    script.main(sys.argv[1:])
except KeyboardInterrupt:
    os._exit(0)  # as killed
"""


def test_two_processes_resume_as_one_does(tmp_path, checkpoint):
    rows = write_csv(tmp_path / "rows.csv", THREE * 8)
    options = ["--train", rows, "--text", "review", "--label", "stars", "--epochs", "3"]
    options += ["--checkpoint", checkpoint, "--batch-size", "2", "--output"]
    whole = together(2, INTERRUPTED, SCRIPT, "no", *options, tmp_path / "whole")
    assert together(2, INTERRUPTED, SCRIPT, "stop", *options, tmp_path / "parts") == ""
    parts = together(2, INTERRUPTED, SCRIPT, "no", *options, tmp_path / "parts", "--resume")
    assert json.loads(parts) == json.loads(whole)
    assert json.loads(whole)["processes"] == 2


def refused(capsys, *options) -> str:
    """Run the script, which stops with the status 2 and one line; give the line."""
    with pytest.raises(SystemExit) as exit_:
        run_script(load_script(), *options)
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("train.py: ")
    return line


def test_it_resumes_the_same_training_only(tmp_path, checkpoint, capsys):
    rows = write_csv(tmp_path / "rows.csv", THREE * 4)
    options = ["--train", rows, "--text", "review", "--label", "stars", "--epochs", 1]
    options += ["--checkpoint", checkpoint, "--output", tmp_path / "saved", "--resume"]
    run_script(load_script(), *options)
    capsys.readouterr()
    options[options.index("--epochs") + 1] = 2
    with pytest.raises(SystemExit):
        run_script(load_script(), *options)
    assert "; epochs was 1 then, and is 2 now." in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_it_never_writes_over_what_is_not_its_own(kind, tmp_path, capsys):
    mine = tmp_path / "mine"
    if kind == "folder":
        mine.mkdir()
        (mine / "thesis.txt").write_text("years of work")
    else:
        mine.write_text("years of work")
    line = refused_after_reading(capsys, tmp_path, "--output", mine)
    assert "Expected --output to be a new or empty folder, or one from train.py" in line
    assert "years of work" in (mine / "thesis.txt" if kind == "folder" else mine).read_text()


def refused_after_reading(capsys, tmp_path, *options) -> str:
    """Run the script on a file without faults; give the line with which it stops."""
    rows = write_csv(tmp_path / "rows.csv", THREE * 4)
    files = ["--train", rows, "--validation", rows, "--text", "review", "--label", "stars"]
    with pytest.raises(SystemExit) as exit_:
        run_script(load_script(), *files, *options)
    assert exit_.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert len([line for line in said if line.startswith("train.py: ")]) == 1
    return said[-1]


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_is_one_line_from_one_process(processes):
    printed, said = together_and_said(processes, STOPS, SCRIPT, "--train", "nowhere.csv")
    assert printed == "2\n" * processes
    assert said.count("train.py: Expected --train to name a file") == 1
    assert "Traceback" not in said


STOPS = """
import os, runpy, sys

del sys.argv[0]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as exit_:
    sys.stdout.write(f"{exit_.code}\\n")
"""
