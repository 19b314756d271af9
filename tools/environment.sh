#!/bin/sh
# Make the book's environment in .venv, or bring it up to date.
#
#     sh tools/environment.sh            what `make` calls
#     sh tools/environment.sh --check    print "again" if there is something to do
#
# PYTHON names the Python to use. Without it, the newest one here that suits is used.
set -eu

VENV=.venv
BIN=$VENV/bin
[ "${OS:-}" = Windows_NT ] && BIN=$VENV/Scripts
OLDEST=3.11
NEEDED=4 # GB on the disk; the environment takes 2.8, and pip unpacks beside it

say() { printf '%s\n' "$*" >&2; }

# Is a command a Python that can run the book?
suits() { "$1" -c "import sys; sys.exit(sys.version_info < (3, 11))" >/dev/null 2>&1; }

# Debian and Ubuntu package these two apart from Python.
has_venv() { "$1" -c "import ensurepip, venv" >/dev/null 2>&1; }

version() { "$1" -c "import platform; print(platform.python_version())" 2>/dev/null || echo "not a Python that runs"; }

find_python() {
  lacking=
  for candidate in python3.13 python3.12 python3.11 python3 python "$(uv python find ">=$OLDEST" 2>/dev/null || true)"; do
    if [ -z "$candidate" ] || ! suits "$candidate"; then continue; fi
    if has_venv "$candidate"; then
      command -v "$candidate"
      return
    fi
    lacking=$candidate
  done
  if [ -n "$lacking" ]; then
    say "The Python here, $lacking, has no module venv. On Debian and Ubuntu: apt-get install $lacking-venv"
  else
    say "This book needs Python $OLDEST or newer, and there is none here. To get one:"
    say "  Debian, Ubuntu:  sudo apt-get install python3 python3-venv"
    say "  Fedora:          sudo dnf install python3"
    say "  macOS:           brew install python@3.13, or the installer from python.org"
    say "  with uv:         uv python install 3.13"
    say "  with conda:      conda create -n book python=3.13, then conda activate book"
  fi
  say "Then run this again. Or name one: make PYTHON=/path/to/python"
  exit 1
}

choose_python() {
  if [ -z "${PYTHON:-}" ]; then
    find_python
  elif ! suits "$PYTHON"; then
    say "This book needs Python $OLDEST or newer; $PYTHON is $(version "$PYTHON")."
    exit 1
  elif ! has_venv "$PYTHON"; then
    say "$PYTHON has no module venv. On Debian and Ubuntu: apt-get install python3-venv"
    exit 1
  else
    command -v "$PYTHON"
  fi
}

# Does the environment work, with the Python that was asked for? A half-made one has no pip, nor has
# one whose Python was replaced by another version.
is_whole() {
  suits "$BIN/python" && "$BIN/python" -c "import pip" 2>/dev/null &&
    { [ -z "${PYTHON:-}" ] || [ "$(version "$PYTHON")" = "$(version "$BIN/python")" ]; }
}

check_space() {
  free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024 / 1024) }')
  if [ "$free" -lt "$NEEDED" ]; then
    say "This disk has $free GB left, and the installation needs about $NEEDED. It may not succeed."
  fi
}

if [ "${1:-}" = --check ]; then
  is_whole || echo again
  exit
fi

if ! is_whole; then
  python=$(choose_python)
  say "Python $(version "$python"): $python"
  [ -e "$VENV" ] && say "The environment in $VENV is unfinished or of another Python: it is made again."
  check_space
  "$python" -m venv --clear "$VENV"
fi

say "Installing what the book needs. The first time, that takes one to three minutes."
index=$("$BIN/python" tools/torch_index.py)
if ! "$BIN/python" -m pip install --quiet --disable-pip-version-check -c requirements.lock \
  ${index:+--extra-index-url "$index"} -e '.[dev]'; then
  say "The installation stopped. It needs a network, and $NEEDED GB on the disk. Run the same command again:"
  say "what is installed already stays."
  exit 1
fi
touch "$VENV/ready" # last: an interrupted installation is taken up again
