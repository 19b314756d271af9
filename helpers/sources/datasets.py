"""From a data set's name to its rows: the book's own paraphrase corpus, or GLUE's MRPC.

The call is that of 🤗 Datasets. By default it returns the corpus that comes with the book and needs
no network; with ``COURSE_SOURCE=hub`` it returns the original from the Hugging Face Hub.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from helpers.sources.checkpoints import announce
from helpers.sources.checksums import DATA, RESTORE, listed_sums, verify
from helpers.sources.hub import download

if TYPE_CHECKING:
    import pandas as pd
    from datasets import DatasetDict, Features

SPLITS = ("train", "validation", "test")

CORPUS = DATA / "paraphrases"
REVIEWS = DATA / "sentiment"

REPOSITORY = "nyu-mll/glue"
REVISION = "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c"
HUB_FILE = "mrpc/{split}-00000-of-00001.parquet"
STANDIN = "the book's own paraphrase corpus, pairs of sentences about invented news"


def load_dataset(path: str, name: str | None = None, *, source: str | None = None) -> DatasetDict:
    """Load a corpus of sentence pairs, and print where it comes from.

    The rows are held in memory: no cache is written, and two processes can't disturb each other.

    Parameters
    ----------
    path : str
        The data set's name on the Hub: "glue", or "nyu-mll/glue".
    name : str or None, default=None
        Which of its parts: "mrpc".
    source : str or None, default=None
        "bundled" for the book's own corpus that needs no network, "hub" for the original. None
        means what the environment variable ``COURSE_SOURCE`` says, or "bundled" if it isn't set.

    Returns
    -------
    datasets.DatasetDict
        The splits ``train``, ``validation`` and ``test`` with the columns ``sentence1``,
        ``sentence2``, ``label`` (0 for ``not_equivalent``, 1 for ``equivalent``) and ``idx``.

    Raises
    ------
    ValueError
        If the data set or the source is not a known one.
    CheckpointError
        If the data set can't be used: a wrong checksum, an unreachable Hub, a full disk.
    """
    if path not in ("glue", REPOSITORY) or name != "mrpc":
        raise ValueError(
            f"Expected 'glue' and 'mrpc', got {path!r} and {name!r}. Any other data set on the Hub "
            "needs the network: load it with load_dataset of 🤗 Datasets."
        )
    if announce("glue, mrpc", REVISION, STANDIN, source) == "hub":
        files = {split: HUB_FILE.format(split=split) for split in SPLITS}
        folder = download(REPOSITORY, REVISION, tuple(files.values()), kind="dataset")
        return _read({split: folder / file for split, file in files.items()})
    files = {split: f"{split}.parquet" for split in SPLITS}
    verify(CORPUS, listed_sums(CORPUS, files.values()), remedy=RESTORE)
    return _read({split: CORPUS / file for split, file in files.items()})


def pair_features() -> Features:
    """List the columns of MRPC and their types."""
    from datasets import ClassLabel, Features, Value

    return Features(
        {
            "sentence1": Value("string"),
            "sentence2": Value("string"),
            "label": ClassLabel(names=["not_equivalent", "equivalent"]),
            "idx": Value("int32"),
        }
    )


def film_reviews() -> pd.DataFrame:
    """Read the thousand sentences from film reviews that come with the book.

    ``helpers/sources/data/README.md`` names their source and license.

    Returns
    -------
    pandas.DataFrame
        The columns ``label``, NEGATIVE or POSITIVE, and ``text``, always in the same order.

    Raises
    ------
    CheckpointError
        If the file is missing or isn't the expected one.
    """
    import pandas as pd

    name = "held_out.csv"
    verify(REVIEWS, listed_sums(REVIEWS, [name]), remedy=RESTORE)
    return pd.read_csv(REVIEWS / name, keep_default_na=False)


def _read(files: dict[str, Path]) -> DatasetDict:
    from datasets import Dataset, DatasetDict, NamedSplit
    from pyarrow.parquet import read_table

    features = pair_features()
    return DatasetDict(
        {
            split: Dataset.from_dict(
                read_table(file, columns=list(features)).to_pydict(),
                features=features,
                split=NamedSplit(split),
            )
            for split, file in files.items()
        }
    )
