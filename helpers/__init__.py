"""What the notebooks of the book import, from five rooms.

``helpers.sources``
    From a name to a folder, a data set or a metric.
``helpers.text``
    From text to numbers to answers.
``helpers.training``
    The training loop, its history, its evaluation.
``helpers.display``
    Pictures, plots and explorers.
``helpers.practice``
    Exercises and questions with their checks.

Import from the room: ``from helpers.text import softmax``. A sixth room, ``helpers.words``, holds
the words that the others show, in the reader's language. CONTRIBUTING.md has a picture of who may
use which room.
"""
