"""What the notebooks of the book import, from five rooms.

``helpers.sources``
    From a name to a folder, a data set or a metric.
``helpers.text``
    From text to numbers to answers.
``helpers.training``
    The training loop, its history, its evaluation.
``helpers.display``
    Pictures, plots and explorers.

Import from the room: ``from helpers.text import softmax``. ``display`` may use ``text`` and
``training``, ``training`` may use ``text``, and ``sources`` and ``text`` use no other room.
"""
