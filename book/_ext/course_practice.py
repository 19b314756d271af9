"""Fold a solution below each exercise of a page, where no kernel runs `solution`.

The words and the code come from the exercise's own file, so the page can't show another solution
than the one that the tests run.
"""

import re

from docutils import nodes

from helpers.practice.exercises import CHECK, find_exercise
from helpers.words import words


def add_solutions(app, doctree):
    """Put a folded solution after each cell that checks an answer."""
    for cell in list(doctree.findall(is_code_cell)):
        found = CHECK.search(cell.astext())
        if found:
            exercise = find_exercise(found[1])
            box = nodes.admonition(classes=["dropdown"])
            box += nodes.title("", words("Solution"))
            code = exercise.solution.rstrip()  # Sphinx colors what is the same twice
            box += nodes.literal_block(code, code, language="python")
            if why := without_computed_values(words(exercise.right)):
                box += nodes.paragraph("", "", *with_code(why))
            cell.parent.insert(cell.parent.index(cell) + 1, box)


def is_code_cell(node):
    return isinstance(node, nodes.container) and "cell" in node.get("classes", [])


def without_computed_values(text):
    """Leave out sentences with a value that is computed in the notebook's kernel."""
    sentences = re.split(r"(?<=[.?:]) (?=[A-Z])", " ".join(text.split()))
    return " ".join(one for one in sentences if "{expected}" not in one)


def with_code(text):
    """Make nodes of text in which backticks mark code."""
    for number, part in enumerate(text.split("`")):
        yield nodes.literal(part, part) if number % 2 else nodes.Text(part)


def setup(app):
    app.connect("doctree-read", add_solutions)
