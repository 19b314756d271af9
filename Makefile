# What you can do here. CI calls these targets and nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/ready
NOTEBOOKS := notebooks
SITE := _build/html
HAND_OUT := _build/transformers-hands-on.zip
PDF := _build/transformers-hands-on.pdf
HANDOUTS := _build/handouts
SLOWEST := tests/sources/test_hub.py tests/site/test_browser.py
SLOW := tests/faults/test_faults.py tests/notebooks/test_lab.py tests/training/test_accelerate_script.py \
  tests/sources/test_adapters.py tests/sources/test_checkpoints.py tests/tools/test_readme_install.py
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/sanitize.cfg --nbval-cell-timeout=1800
LAB_SETTINGS := $(VENV)/share/jupyter/lab/settings

# One thread a process: as fast for models this small, and two processes don't fight for two cores.
export OMP_NUM_THREADS := 1
# glibc gives blocks over 32 MiB back to the system at once, and gets them anew, page by page, at the next
# step of a training. The gradient of the word vectors is one. If it keeps them, a step takes 4 to 14% less time.
export MALLOC_MMAP_THRESHOLD_ := 1073741824
export MALLOC_TRIM_THRESHOLD_ := 2147483648
export HF_HUB_DISABLE_TELEMETRY := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: help book vendor pdf links audit test compare lab notebooks handouts grade lint format faults bench adapter \
  corpus trainings reviews words canary lock clean

help:  ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

book: $(READY) vendor  ## Build the site and say where it is
	@$(BIN)/python -m tools.pairs  # the site shows the .ipynb: stop if an edited .md isn't in it yet
	@rm -rf $(SITE)  # Sphinx leaves deleted pages and pictures there
	$(BIN)/jupyter-book build . --toc book/_toc.yml -W -n --keep-going --quiet || { \
	  rm -rf $(SITE) _build/.doctrees; exit 1; }  # the next run would skip the pages with warnings, and pass
	@test -s $(SITE)/index.html
	$(BIN)/python -m tools.hand_out $(SITE) $(HAND_OUT)
	@echo "The book is at file://$(CURDIR)/$(SITE)/index.html"
	@echo "To hand it out: $(HAND_OUT)"

pdf: book  ## Print the whole book as one PDF, with the browser (Chromium)
	$(BIN)/python -m tools.print_book $(SITE) $(PDF)
	@echo "The PDF is at $(PDF)"

links: book  ## List the links that lead out of the book
	$(BIN)/python -m tools.list_links $(SITE)

audit: book  ## Score every page with Lighthouse (20 minutes; fetches Lighthouse the first time)
	$(BIN)/python -m tools.audit $(SITE)

vendor: $(READY)  ## Fetch and make, once, what runs on the pages with no kernel
	@$(BIN)/python -m tools.vendor

test: $(READY) vendor lint  ## Check everything: helpers, notebooks, site
	@# One run for tests and notebooks, what takes longest first: so both processes end together.
	$(BIN)/python -m pytest $(SLOWEST) $(shell ls -dr $(NOTEBOOKS)/*/*/) $(SLOW) \
	  $(filter-out $(SLOWEST) $(SLOW),$(wildcard tests/*/test_*.py tests/test_*.py)) \
	  $(NBVAL) -n 2 --dist loadfile --no-loadscope-reorder

compare: $(READY)  ## Run notebooks again and compare their results: CHAPTERS="1 2", or all
	$(BIN)/python -m pytest $(wildcard $(addprefix $(NOTEBOOKS)/*/,$(addsuffix -*/,$(or $(CHAPTERS),[0-9])))) \
	  $(NBVAL) -n 2 --dist loadfile

canary: $(READY)  ## Say what an upgrade of the packages would change: CHAPTERS="1 2", or all; PRE=1
	@# It writes _build/canary/index.html, and _build/canary/requirements.lock with what was tested.
	@# Its status 1: differences; 2: it couldn't install. make shows it as "Error 1" or "Error 2".
	$(BIN)/python -m tools.canary $(CHAPTERS) $(if $(PRE),--pre)

lab: $(READY)  ## Open the book's first page, and its notebooks, in JupyterLab
	@mkdir -p $(LAB_SETTINGS)
	@cp tools/lab_settings.json $(LAB_SETTINGS)/overrides.json
	-@$(BIN)/python -m tools.pairs  # JupyterLab shows the .md of a pair, and refuses if the .ipynb is newer
	env -u OMP_NUM_THREADS $(BIN)/python -m jupyterlab --notebook-dir=. \
	  --LabApp.default_url='/lab/tree/book/welcome.md?file-browser-path=/notebooks/en' \
	  --ServerApp.contents_manager_class=tools.lab.NotebookContents $(ARGS)

notebooks: $(READY)  ## Run every .md and store its cells and outputs in the .ipynb
	$(BIN)/python -m tools.run_notebooks

handouts: $(READY)  ## Write the notebooks for a class: with open exercises, and with solutions
	@$(BIN)/python -m tools.pairs  # they come from the .ipynb: stop if an edited .md isn't in it yet
	$(BIN)/python -m tools.handouts $(HANDOUTS)

grade: $(READY)  ## Run the checks of students' notebooks, write a table: FOLDER=..., or OUT=grades.csv too
	@test -n '$(FOLDER)' || { echo "Expected FOLDER=..., the folder with the notebooks." >&2; exit 2; }
	$(BIN)/python -m tools.grade '$(FOLDER)' --out '$(or $(OUT),grades.csv)'

lint: $(READY)  ## Check style (notebooks too), types, JavaScript and words
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tools.lint_javascript
	$(BIN)/python -m tools.lint_words

format: $(READY)  ## Fix the code's style, in notebooks too
	$(BIN)/ruff check --fix . --exclude '*.ipynb'
	$(BIN)/ruff format . --exclude '*.ipynb'
	@# an .ipynb is never edited: fix its .md, and 'make notebooks' runs it again
	find $(NOTEBOOKS) -name '*.md' | xargs -r -n 1 $(BIN)/jupytext --quiet --pipe '$(BIN)/ruff format --config $(NOTEBOOKS)/ruff.toml -'

faults: $(READY)  ## Plant faults one at a time and see the checks go red, in notebooks that train too
	BOOK_ALL_FAULTS=1 $(BIN)/python -m pytest tests/faults -n 2

adapter: $(READY)  ## Train an adapter again: NAME=sentiment (15 minutes), masked or causal (45)
	@case '$(NAME)' in \
	  sentiment) env -u OMP_NUM_THREADS $(BIN)/python -m tools.train_sentiment ;; \
	  masked|causal) $(BIN)/python -m tools.train_language $(NAME) ;; \
	  *) echo "Expected NAME=sentiment, NAME=masked or NAME=causal, got NAME='$(NAME)'." >&2; exit 2 ;; \
	esac

words: $(READY)  ## Collect the words that the helpers show, and compile their translations
	$(BIN)/python -m tools.catalog

corpus: $(READY)  ## Draw the paraphrase corpus again, and measure it (2 minutes)
	$(BIN)/python -m tools.sample_paraphrases

reviews: $(READY)  ## Draw the rated film sentences of 3-5 again
	$(BIN)/python -m tools.sample_film_reviews

trainings: $(READY)  ## Train on it with five seeds, with frozen layers, and from random weights (20 minutes)
	$(BIN)/python -m tools.train_paraphrases

bench: $(READY)  ## Measure what is faster than what (15 minutes)
	env -u OMP_NUM_THREADS $(BIN)/python -m tools.benchmark

lock:  ## Resolve the dependencies afresh and write down the versions
	@# on the oldest Python that the book runs on, Debian's 3.11.2: some packages ask for a later 3.11
	rm -rf _build/lock
	$(or $(PYTHON),python3.11) -m venv _build/lock
	_build/lock/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	_build/lock/bin/pip freeze --all --exclude pip --exclude wheel --exclude-editable | sed 's/+cpu$$//' > requirements.lock
	rm -rf _build/lock

clean:  ## Remove the environment and all that was built
	rm -rf $(VENV) _build book/_vendor .pytest_cache .ruff_cache .mypy_cache *.egg-info

# The environment: made again if it is missing, half made, or of another Python than PYTHON names.
export PYTHON
$(READY): pyproject.toml requirements.lock $(shell PYTHON='$(PYTHON)' sh tools/environment.sh --check)
	@sh tools/environment.sh

.PHONY: again
