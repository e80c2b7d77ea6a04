# Two commands on a fresh machine: `make run` opens the app, `make test` runs the tests.
# `make run ARGS='-p hello --demo'` passes flags on; so do test, test-all and bench.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SOURCES := src tests bench docs
# A worker that has nothing left takes half of what another has: without that, tests that stand together,
# such as the seeds of the kill test, run one after another in one of them.
PARALLEL := -n auto --maxprocesses 4 --dist worksteal
# Without .pyc files every start costs seconds.
export UV_COMPILE_BYTECODE := 1

.PHONY: run test test-all check lint imports types bench docs lock build clean

run: $(VENV)/.installed
	@$(BIN)/chatglass $(ARGS)

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-all: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(PARALLEL) --run-slow $(ARGS)

check: lint imports types

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports

types: $(VENV)/.installed-dev
	$(BIN)/basedpyright

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m bench.run $(ARGS)

# docs/keys.md, docs/settings.md, docs/chatglass.1 and docs/pictures/, from the program itself.
docs: $(VENV)/.installed-dev
	$(BIN)/python docs/make.py
	$(BIN)/python docs/pictures.py

# Keeps what is pinned and still fits; `make lock ARGS=--upgrade` takes the newest of everything.
lock: $(VENV)/.installed-dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --custom-compile-command 'make lock' --extra dev pyproject.toml -o requirements.lock $(ARGS)

build: $(VENV)/.installed-dev
	$(BIN)/uv build --quiet --out-dir dist

clean:
	rm -rf $(VENV) build dist

# A stamp and not bin/python, which stands before pip is in: a start that was broken off goes on here.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'chatglass needs Python 3.11 or newer. Where it has another name: make PYTHON=python3.12 run' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Installing into $(VENV), once; this takes about half a minute.' >&2
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.uv: $(VENV)/.made
	@$(PIP_INSTALL) uv || echo 'uv is not to be had here.' >&2
	@touch $@

# The lock pins the tested set. For uv it constrains, so that `run` goes without the development
# extras. pip wants a hash of all it installs once one is named, and this project has none: so first
# the whole lock, then the project alone.
define install
	@{ [ -x $(BIN)/uv ] && $(BIN)/uv pip install --quiet --python $(BIN)/python -c requirements.lock -e $(1); } || { \
		echo 'Installing with pip, which takes longer.' >&2; \
		$(PIP_INSTALL) --require-hashes -r requirements.lock && $(PIP_INSTALL) --no-deps -e .; }
	@$(BIN)/python -m compileall -q src
endef

$(VENV)/.installed: $(VENV)/.uv pyproject.toml requirements.lock
	$(call install,.)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.uv pyproject.toml requirements.lock
	$(call install,'.[dev]')
	@touch $@ $(VENV)/.installed
