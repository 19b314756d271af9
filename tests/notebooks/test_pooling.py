"""Mean pooling divides by the number of real tokens, wherever the book does it.

The cosine can't notice a wrong divisor, for it ignores how long a vector is: so the notebooks print
the same with one. Here the vectors themselves are compared.
"""

import ast
import functools
import re
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import jupytext
import pytest
import torch
from repository import ROOT, texts

# where a mean over tokens is taken: a sum over places, divided
POOLING = re.compile(r"\.sum\((?:dim=|axis=)?1\)\s*/|\.mean\((?:dim=|axis=)?1\)")
BY_THE_MASK = re.compile(r"/\s*(?:mask|real)\.sum\((?:dim=|axis=)?1\)")
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
HIDDEN = torch.arange(30, dtype=torch.float32).reshape(2, 5, 3) + 1
EXPECTED = torch.stack([HIDDEN[0].mean(dim=0), HIDDEN[1, :2].mean(dim=0)])


@functools.cache
def code(path: Path) -> str:
    """Read a Python file, or the code of a notebook."""
    if path.suffix == ".py":
        return path.read_text()
    cells = jupytext.read(path, fmt="md:myst").cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")


def functions(tree: ast.AST) -> list[ast.FunctionDef]:
    """List the functions in a tree, itself first if it is one."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@functools.cache
def pooling_functions() -> list[tuple[Path, str]]:
    """Find each function that takes a mean over places, in notebooks, helpers and tools."""
    found = []
    for folder in ("notebooks", "helpers", "tools"):
        for path, text in texts(".md", ".py").items():
            ours = folder == path.relative_to(ROOT).parts[0] and path.name != "README.md"
            if ours and POOLING.search(text):
                source = code(path)
                for node in functions(ast.parse(source)):
                    text = ast.get_source_segment(source, node)
                    inside = [ast.get_source_segment(source, one) for one in functions(node)[1:]]
                    if any(POOLING.search(one) for one in inside):
                        continue  # the function inside is the one that pools
                    if POOLING.search(text) or "pool" in node.name:
                        found.append((path, node.name))
    return found


def function(path: Path, name: str) -> str:
    """Read the source of one function."""
    source = code(path)
    named = [node for node in functions(ast.parse(source)) if node.name == name]
    sources = [ast.get_source_segment(source, node) for node in named]
    (text,) = [text for text in sources if POOLING.search(text)] or sources
    return text


def pooled(path: Path, name: str) -> torch.Tensor:
    """Run the function on a padded batch, with a tokenizer and a model that give it."""
    inputs = {"attention_mask": MASK, "input_ids": MASK}

    def model(**_):
        return SimpleNamespace(last_hidden_state=HIDDEN)

    names = {"torch": torch, "tokenizer": lambda *_, **__: inputs}
    exec(compile(function(path, name), str(path), "exec"), names)
    given = {"hidden": HIDDEN, "mask": MASK, "model": model, "texts": ["a", "b"]}
    return names[name](*[given[argument] for argument in signature(names[name]).parameters])


def test_the_places_are_those_known_here():
    """A new one is to be tested, too."""
    names = {(path.stem, name) for path, name in pooling_functions()}
    assert names == {
        ("1-1-nlp-and-the-pipeline", "mean_pool"),
        ("2-2-models", "sentence_vectors"),
        ("3-2-the-trainer", "sentence_vectors"),  # of length 1, so the divisor changes nothing
        ("export", "forward"),  # tests/display/test_live_model.py compares what it gives
        ("sample_paraphrases", "untouched_cosines"),
    }


def test_each_divides_by_the_mask():
    """The one in tools, too, which keeps only the cosines, so that nothing can be compared."""
    for path, name in pooling_functions():
        assert BY_THE_MASK.search(function(path, name)), f"{path}: {name}"


@pytest.mark.parametrize(
    ("notebook", "name"),
    [("1-1-nlp-and-the-pipeline", "mean_pool"), ("2-2-models", "sentence_vectors")],
)
def test_padding_counts_for_nothing(notebook, name):
    (path,) = ROOT.glob(f"notebooks/en/*/{notebook}.md")
    assert torch.allclose(pooled(path, name), EXPECTED)
