"""A small Hub on loopback, tiny checkpoints and an adapter, for the tests of ``sources``.

The first part of a request's path names the way in which the stub behaves, so that one server is
enough: ``HF_ENDPOINT=http://127.0.0.1:PORT/500`` is a Hub that answers 500.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
import time
import warnings
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

LARGE = (".safetensors", ".parquet")  # what the Hub keeps as Git LFS

# Beside the files that are wanted: what the originals' repositories hold too.
DECOYS = ("pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "onnx/config.json", "README.md")

# A busy Hub refuses these and the list of files, each at the first request: one of each kind, since
# the client pauses for a second after each.
REFUSED_ONCE = ("/config.json", "/model.safetensors")


@dataclass
class HubStub:
    """A Hub with a few repositories, each at one revision.

    Parameters
    ----------
    repositories : dict of str to tuple of (str, Path)
        The revision and the folder of each repository, by its name with the organization.
    """

    repositories: dict[str, tuple[str, Path]]
    requests: list[tuple[str, str, str]] = field(default_factory=list)  # behavior, method, path
    times: list[float] = field(default_factory=list)  # when each of them came
    tokens: set[str] = field(default_factory=set)  # what came in the header Authorization
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> HubStub:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.stub = self
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def endpoint(self, behavior: str) -> str:
        """Give the HF_ENDPOINT of a Hub that behaves in this way."""
        return f"http://127.0.0.1:{self.server.server_port}/{behavior}"

    def seen(self, behavior: str) -> list[str]:
        """List the requests made to the Hub that behaves in this way."""
        return [f"{method} {path}" for way, method, path in self.requests if way == behavior]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        stub = self.server.stub
        self.behavior, _, path = urlsplit(self.path).path.lstrip("/").partition("/")
        self.wanted = path
        before = stub.seen(self.behavior).count(f"{self.command} {path}")
        refused = not before and ("/tree/" in path or path.endswith(REFUSED_ONCE))
        stub.requests.append((self.behavior, self.command, path))
        stub.times.append(time.monotonic())
        token = self.headers.get("Authorization", "")
        stub.tokens.add(token)
        if self.behavior == "stalled":
            stub.stopping.wait(60)
        elif self.behavior == "500":
            self.reply(500, b"out of order")
        elif self.behavior == "busy" and refused:
            self.reply(503, b"come back")
        elif self.behavior == "limited" and refused:
            self.reply(429, b"too many requests", {"Retry-After": "1"})
        elif self.behavior == "crowded" and not token:
            self.reply(429, b"too many requests")
        elif self.behavior == "expired" and token:
            self.reply(401, b"", {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif self.behavior in ("401", "403"):
            self.reply(int(self.behavior), b"")
        elif self.behavior == "gated":
            self.reply(401 if not token else 403, b"", {"X-Error-Code": "GatedRepo"})
        elif self.behavior == "portal":
            self.reply(200, b"<html>Welcome! Please log in.</html>")
        elif self.behavior == "404":
            self.reply(404, b"", {"X-Error-Code": "RepoNotFound"})
        else:
            self.route(path)

    def route(self, path: str) -> None:
        pattern = r"(api/models/|(?:api/)?datasets/)?([^/]+/[^/]+)/(tree|resolve)/([^/]+)/?(.*)"
        match = re.fullmatch(pattern, path)
        if match is None or match[2] not in self.server.stub.repositories:
            return self.reply(404, b"", {"X-Error-Code": "RepoNotFound"})
        revision, folder = self.server.stub.repositories[match[2]]
        if match[4] != revision or self.behavior == "no-revision":
            return self.reply(404, b"", {"X-Error-Code": "RevisionNotFound"})
        if match[3] == "tree":
            return self.reply(200, json.dumps([_entry(folder, path) for path in _files(folder)]))
        if not (folder / match[5]).is_file():
            return self.reply(404, b"", {"X-Error-Code": "EntryNotFound"})
        return self.send_file(folder / match[5], match[2], revision)

    def send_file(self, path: Path, repository: str, revision: str) -> None:
        data = path.read_bytes()
        etag = _git_id(data) if path.suffix not in LARGE else hashlib.sha256(data).hexdigest()
        headers = {"X-Repo-Commit": revision, "ETag": f'"{etag}"'}
        if self.behavior == f"wrong-{path.name}":
            data = flipped(data)
        if path.suffix not in LARGE:
            return self.reply(200, data, headers)
        # Like the Hub, offer the other way to the weights, which nobody should take.
        headers["X-Xet-Hash"] = hashlib.sha256(data).hexdigest()
        headers["X-Xet-Refresh-Route"] = f"/api/models/{repository}/xet-read-token/{revision}"
        half = len(data) // 2
        if self.behavior == "short":
            return self.reply(200, data[:half], headers)
        times = self.server.stub.seen(self.behavior).count(f"GET {self.wanted}")
        breaks_off = {"cut": True, "stalled-file": True, "hiccup": times == 1}
        if self.command == "GET" and self.behavior.startswith("slow"):
            return self.dribble(data, headers)
        if self.command == "GET" and breaks_off.get(self.behavior):
            self.reply(200, data[:half], headers, length=len(data))
            if self.behavior == "stalled-file":
                self.server.stub.stopping.wait(60)
            self.close_connection = True
            return None
        return self.reply(200, data, headers)

    def dribble(self, data: bytes, headers: dict) -> None:
        """Send a byte ten times a second, for as long as somebody listens."""
        self.reply(200, data[:1], headers, length=len(data))
        for byte in data[1:]:
            if self.server.stub.stopping.wait(0.1):
                break
            try:
                self.wfile.write(bytes([byte]))
            except OSError:
                break
        self.close_connection = True

    def reply(
        self, status: int, body: bytes | str, headers: dict | None = None, *, length: int = -1
    ) -> None:
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
            self.wfile.flush()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _entry(folder: Path, path: Path) -> dict:
    """Describe a file as the Hub's list of a repository's files does."""
    path = folder / path
    data = path.read_bytes()
    entry = {"type": "file", "path": path.relative_to(folder).as_posix(), "size": len(data)}
    if path.suffix not in LARGE:
        return entry | {"oid": _git_id(data)}
    digest = hashlib.sha256(data).hexdigest()
    # what Git itself holds of a large file
    pointer = (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n"
    ).encode()
    lfs = {"oid": digest, "size": len(data), "pointerSize": len(pointer)}
    return entry | {"oid": _git_id(pointer), "lfs": lfs, "xetHash": digest}


def _git_id(data: bytes) -> str:
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()


def flipped(data: bytes) -> bytes:
    """Turn every bit of 64 bytes in the middle of a file."""
    middle = len(data) // 2
    return data[:middle] + bytes(255 - b for b in data[middle : middle + 64]) + data[middle + 64 :]


def make_originals(folder: Path) -> dict[str, Path]:
    """Save small random checkpoints in the originals' architectures, with the originals' files.

    They are narrow, but have the originals' vocabulary, layers and heads: what a notebook looks up
    by its number is there.

    Parameters
    ----------
    folder : Path
        Where to make a folder for each.

    Returns
    -------
    dict of str to Path
        The folder of each, by the checkpoint's short name.
    """
    import torch
    from transformers import (
        BertConfig,
        BertForPreTraining,
        BertTokenizer,
        DistilBertConfig,
        DistilBertForMaskedLM,
        DistilBertForSequenceClassification,
        GPT2Config,
        GPT2LMHeadModel,
    )

    from helpers.sources.standins import encoder_folder

    torch.manual_seed(0)
    words = (encoder_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    bert = BertConfig(hidden_size=24, intermediate_size=24)
    labels = {0: "NEGATIVE", 1: "POSITIVE"}
    distilbert = DistilBertConfig(dim=24, hidden_dim=24, id2label=labels)
    models = {
        "bert-base-uncased": BertForPreTraining(bert),
        "distilbert-base-uncased-finetuned-sst-2-english": DistilBertForSequenceClassification(
            distilbert
        ),
        "distilbert-base-uncased": DistilBertForMaskedLM(DistilBertConfig(dim=24, hidden_dim=24)),
        "gpt2": GPT2LMHeadModel(GPT2Config(n_embd=24)),
    }
    for name, model in models.items():
        model.save_pretrained(folder / name)
        if name != "gpt2":
            shutil.copy(encoder_folder() / "vocab.txt", folder / name)
        for decoy in DECOYS:
            (folder / name / decoy).parent.mkdir(exist_ok=True)
            (folder / name / decoy).write_bytes(b"never to be asked for")
    vocabulary = {word: index for index, word in enumerate(words)}
    settings = {"do_lower_case": True, "model_max_length": 512}
    BertTokenizer(vocab=vocabulary, **settings).save_pretrained(folder / "bert-base-uncased")
    for name in models:
        if name.startswith("distilbert"):  # the originals have no tokenizer.json
            (folder / name / "tokenizer_config.json").write_text(json.dumps(settings))
    _byte_tokenizer().save_pretrained(folder / "gpt2")
    return {name: folder / name for name in models}


def _byte_tokenizer():
    """Give a tokenizer of GPT-2's kind, with bytes only: the original's merges are not here."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import GPT2Tokenizer

    symbols = [*sorted(ByteLevel.alphabet()), "<|endoftext|>"]
    return GPT2Tokenizer(vocab={symbol: index for index, symbol in enumerate(symbols)}, merges=[])


def make_mrpc(folder: Path, *, rows: dict[str, int] | None = None) -> Path:
    """Save the book's pairs under the names of GLUE's files, other files of GLUE's beside them.

    Parameters
    ----------
    folder : Path
        Where to make the folder.
    rows : dict of str to int, optional
        How many of a split, the first ones. Of a split that isn't named, all.

    Returns
    -------
    Path
        The folder.
    """
    from datasets import Dataset

    from helpers.sources.datasets import CORPUS, SPLITS

    (folder / "glue" / "mrpc").mkdir(parents=True)
    for split in SPLITS:
        pairs = Dataset.from_parquet(str(CORPUS / f"{split}.parquet"))
        pairs = pairs.select(range((rows or {}).get(split, len(pairs))))
        pairs.to_parquet(folder / "glue" / "mrpc" / f"{split}-00000-of-00001.parquet")
    for decoy in ("README.md", "glue.py", "sst2/train-00000-of-00001.parquet"):
        (folder / "glue" / decoy).parent.mkdir(exist_ok=True)
        (folder / "glue" / decoy).write_bytes(b"never to be asked for")
    return folder / "glue"


def make_adapter(folder: Path, *, seed: int = 0) -> Path:
    """Save a random sentiment adapter in float16, with its list of checksums beside it.

    Parameters
    ----------
    folder : Path
        An empty folder; the adapter comes to lie in ``sentiment`` in it.
    seed : int, default=0
        Another seed gives another adapter.

    Returns
    -------
    Path
        The adapter's folder.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file, save_file

    from helpers.sources.standins import sentiment_base

    adapter = folder / "sentiment"
    torch.manual_seed(seed)
    config = LoraConfig(
        task_type="SEQ_CLS",
        r=2,
        target_modules=["q_lin", "k_lin", "v_lin", "out_lin"],
        modules_to_save=["pre_classifier", "classifier"],
        init_lora_weights=False,  # random, where training would start from an adapter that is zero
    )
    with warnings.catch_warnings():
        # peft 0.21.2 asks transformers 5.23 for an attribute by its old name
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`")
        get_peft_model(sentiment_base()[0], config).save_pretrained(adapter)
    weights = adapter / "adapter_model.safetensors"
    halves = {name: tensor.half() for name, tensor in load_file(weights).items()}
    save_file(halves, weights, metadata={"format": "pt"})
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  sentiment/{path.name}\n"
        for path in sorted(adapter.iterdir())
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))
    return adapter
