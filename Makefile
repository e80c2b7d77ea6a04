# Two commands on a fresh machine: `make run` opens the app, `make test` runs the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Without .pyc files every start costs seconds.
export UV_COMPILE_BYTECODE := 1

.PHONY: run test test-all check bench lock clean

run: $(VENV)/.installed
	@$(BIN)/chatglass $(ARGS)

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -n 2 $(ARGS)

test-all: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -n 2 --run-slow $(ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check src tests bench
	$(BIN)/ruff format --check src tests bench
	$(BIN)/lint-imports
	$(BIN)/basedpyright

bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench.run $(ARGS)

lock: $(VENV)/.installed-dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--extra dev pyproject.toml -o requirements.lock

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'chatglass needs Python 3.11 or newer; name one with: make PYTHON=python3.12 run'; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo 'This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv'; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.uv: $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || echo 'uv is not to be had; going on with pip, which is slower'
	@touch $@

# $(1): what to install. The lock pins the tested set; it is used as constraints, so that an extra installs its own.
define install
	@if [ -x $(BIN)/uv ]; then $(BIN)/uv pip install --quiet --python $(BIN)/python -c requirements.lock -e $(1); \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e $(1) && $(BIN)/python -m compileall -q $(VENV)/lib src; fi
endef

$(VENV)/.installed: $(VENV)/.uv pyproject.toml requirements.lock
	$(call install,.)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.uv pyproject.toml requirements.lock
	$(call install,'.[dev]')
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist
