"""The pairs of sentences, from the book's own folder and from a stub of the Hub."""

import shutil

import hub_contents
import hub_stub
import pytest
from processes import run, start

from helpers.sources import datasets
from helpers.sources.checksums import LIST, CheckpointError
from helpers.sources.datasets import (
    CORPUS,
    REPOSITORY,
    REVISION,
    SPLITS,
    film_reviews,
    load_dataset,
)

pytestmark = pytest.mark.usefixtures("own_settings")

PRINTS = """\
glue, mrpc
  source: bundled with the book: a stand-in, not the original
  what:   the book's own paraphrase corpus, pairs of sentences about invented news
  For the original, set COURSE_SOURCE=hub before you start Python.
"""

# In a process of its own, and where a connection is an error.
LOAD = """
import socket
def refuse(*arguments):
    raise AssertionError("a connection was asked for")
socket.socket.connect = socket.getaddrinfo = refuse
from helpers.sources.datasets import load_dataset
pairs = load_dataset("glue", "mrpc")
print({split: len(rows) for split, rows in pairs.items()})
"""

LOAD_FROM_HUB = """
from helpers.sources.datasets import load_dataset
from helpers.sources.checksums import CheckpointError
try:
    pairs = load_dataset("glue", "mrpc")
    print({split: len(rows) for split, rows in pairs.items()})
    print(pairs["train"].features["label"].names, pairs["train"][0]["sentence1"])
except CheckpointError as error:
    print(f"error: {error}")
"""


@pytest.fixture(scope="module")
def pairs():
    return load_dataset("glue", "mrpc", source="bundled")


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    mrpc = hub_contents.make_mrpc(tmp_path_factory.mktemp("mrpc"))
    with hub_stub.HubStub({REPOSITORY: (REVISION, mrpc)}) as stub:
        yield stub


def test_pairs_have_the_columns_and_splits_of_mrpc(pairs):
    from datasets import ClassLabel, DatasetDict, Value

    assert isinstance(pairs, DatasetDict)
    assert list(pairs) == ["train", "validation", "test"]
    for split, rows in pairs.items():
        assert dict(rows.features) == {
            "sentence1": Value("string"),
            "sentence2": Value("string"),
            "label": ClassLabel(names=["not_equivalent", "equivalent"]),
            "idx": Value("int32"),
        }
        assert rows.split == split
        assert rows["idx"][:] == list(range(len(rows)))


def test_pairs_are_what_datasets_itself_reads_from_the_folder(pairs, tmp_path):
    """A reader who copies the folder gets the same with `load_dataset(folder)`."""
    import datasets

    folder = str(CORPUS)
    found = datasets.load_dataset(folder, cache_dir=str(tmp_path))
    assert list(found) == list(pairs)
    for split in found:
        assert found[split].features == pairs[split].features
        assert found[split].to_dict() == pairs[split].to_dict()


def test_where_the_pairs_come_from_is_printed(capsys):
    load_dataset("glue", "mrpc")
    load_dataset("nyu-mll/glue", "mrpc")
    assert capsys.readouterr() == (2 * PRINTS, "")


def test_pairs_can_be_mapped_and_formatted(pairs):
    rows = pairs["validation"].map(
        lambda batch: {"length": [len(text) for text in batch["sentence1"]]}, batched=True
    )
    rows = rows.remove_columns("sentence2").rename_column("label", "labels").with_format("torch")
    assert rows[0]["length"] == len(pairs["validation"][0]["sentence1"])
    assert set(rows[0]) == {"sentence1", "labels", "idx", "length"}


def test_two_processes_at_once_load_without_network_cache_or_noise(tmp_path):
    """HF_HOME is below a file, where not even root can make a folder."""
    (tmp_path / "file").touch()
    settings = {"HF_HOME": str(tmp_path / "file" / "hf"), "HF_HUB_OFFLINE": "0"}
    both = [start(LOAD, **settings) for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=90)
        assert (process.returncode, err) == (0, "")
        assert out.startswith(PRINTS)


@pytest.mark.parametrize("asked", [("glue", "sst2"), ("glue",), ("imdb", "mrpc")])
def test_another_data_set_is_an_error_that_says_where_it_is(asked):
    with pytest.raises(ValueError, match=r"Expected 'glue' and 'mrpc'.*load_dataset of 🤗"):
        load_dataset(*asked)


def test_an_unknown_source_is_an_error(monkeypatch):
    monkeypatch.setenv("COURSE_SOURCE", "hug")
    with pytest.raises(ValueError, match="COURSE_SOURCE to be 'bundled' or 'hub', got 'hug'"):
        load_dataset("glue", "mrpc")


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    copy = tmp_path / CORPUS.name
    shutil.copytree(CORPUS, copy)
    shutil.copy(CORPUS.parent / LIST, tmp_path)
    monkeypatch.setattr(datasets, "CORPUS", copy)
    load_dataset("glue", "mrpc")
    data = (copy / "test.parquet").read_bytes()
    (copy / "test.parquet").write_bytes(data + b" ")
    with pytest.raises(CheckpointError, match=r"test\.parquet is not the one"):
        load_dataset("glue", "mrpc")
    (copy / "test.parquet").unlink()
    with pytest.raises(CheckpointError, match=r"test\.parquet: No such file"):
        load_dataset("glue", "mrpc")
    (tmp_path / LIST).write_text("")
    with pytest.raises(CheckpointError, match=r"a line for paraphrases/train\.parquet.*install"):
        load_dataset("glue", "mrpc")


def test_what_the_stub_serves_is_another_corpus_than_the_books(pairs):
    """What holds only for the book's corpus is to be false in the notebooks' run on the stub."""
    served = {split: hub_contents.news_pairs(split) for split in SPLITS}
    assert sum(map(len, served.values())) == 60
    for split, rows in served.items():
        own = pairs[split].to_pandas()
        assert not {row["sentence1"] for row in rows} & set(own["sentence1"])
        assert {row["label"] for row in rows} == {0, 1}
        equivalent = sum(row["label"] for row in rows) / len(rows)
        assert abs(equivalent - own["label"].mean()) > 0.2
        lengths = [len(row[name].split()) for row in rows for name in ("sentence1", "sentence2")]
        assert min(lengths) < own["sentence1"].str.split().str.len().min()
        assert max(lengths) > own["sentence1"].str.split().str.len().max()


def test_the_hub_gives_the_original_at_its_pinned_revision_and_then_its_cache_does(hub):
    settings = {"COURSE_SOURCE": "hub", "HF_ENDPOINT": hub.endpoint("good")}
    status, out, err = run(LOAD_FROM_HUB, **settings)
    assert status == 0, err
    assert out.splitlines() == [
        "glue, mrpc",
        "  source: the Hugging Face Hub",
        "  what:   the original, revision bcdcba79",
        str({split: len(hub_contents.news_pairs(split)) for split in SPLITS}),
        f"['not_equivalent', 'equivalent'] {hub_contents.news_pairs('train')[0]['sentence1']}",
    ]
    files = {f"mrpc/{split}-00000-of-00001.parquet" for split in SPLITS}
    seen = hub.seen("good")
    asked = {request.partition(f"/resolve/{REVISION}/")[2] for request in seen} - {""}
    assert asked == files
    for request in seen:
        assert (
            request.partition(" ")[2]
            .removeprefix("api/")
            .startswith(
                (
                    f"datasets/{REPOSITORY}/tree/{REVISION}",
                    f"datasets/{REPOSITORY}/resolve/{REVISION}",
                )
            )
        )

    # The second time nothing is asked.
    assert run(LOAD_FROM_HUB, **settings)[1] == out
    assert len(hub.seen("good")) == len(seen)


@pytest.mark.parametrize(
    ("behavior", "why"),
    [
        ("404", "it has no such repository (404)"),
        ("no-revision", f"it has no revision {REVISION} (404)"),
        ("500", "it answered 500"),
        ("stalled", "no answer within 1 s"),
    ],
)
def test_a_hub_that_fails_leads_to_an_error_with_the_way_back(hub, behavior, why):
    settings = {"COURSE_SOURCE": "hub", "HF_ENDPOINT": hub.endpoint(behavior)}
    status, out, err = run(LOAD_FROM_HUB, **settings, HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert status == 0, err
    error = out.partition("error: ")[2]
    assert error.startswith(f"Couldn't download {REPOSITORY} from the Hub: {why}")
    assert "set COURSE_SOURCE=bundled" in error


def test_the_reviews_are_a_thousand_with_both_labels():
    reviews = film_reviews()
    assert reviews["label"].value_counts().to_dict() == {"POSITIVE": 507, "NEGATIVE": 493}
    assert reviews["text"].str.len().min() > 0


def test_missing_or_changed_reviews_are_an_error_that_says_what_to_do(monkeypatch, tmp_path):
    (tmp_path / "sentiment").mkdir()
    shutil.copy(datasets.REVIEWS.parent / LIST, tmp_path)
    monkeypatch.setattr(datasets, "REVIEWS", tmp_path / "sentiment")
    with pytest.raises(CheckpointError, match=r"held_out\.csv: No such file.*git checkout"):
        film_reviews()
    (tmp_path / "sentiment" / "held_out.csv").write_text("label,text\n")
    with pytest.raises(CheckpointError, match=r"held_out\.csv is not the one"):
        film_reviews()


def test_a_damaged_parquet_from_the_hub_is_named(hub):
    settings = {"COURSE_SOURCE": "hub"}
    endpoint = hub.endpoint("wrong-train-00000-of-00001.parquet")
    for _ in range(2):  # the second time from the cache
        status, out, err = run(LOAD_FROM_HUB, **settings, HF_ENDPOINT=endpoint)
        assert status == 0, err
        assert "train-00000-of-00001.parquet is not the file that the Hub lists" in out
        assert "Delete" in out
