# Needs Python 3.11 or newer and make; everything else goes into .venv.

PYTHON ?= python3
PORT ?= 8080
SPEED ?=
MINUTES ?= 60
EDITS ?= 20000

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
HASHED := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --constraint constraints.txt

# The tests and the soak start thousands of processes: none should compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test lint lock hashes audit docs release faults soak clean

help: ## Say what there is to make
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install into .venv what it takes to run
	@echo "Installed: try '$(BIN)/revq --help' or 'make demo'."

demo: $(INSTALLED) ## Replay real edits and serve their page (PORT=8080 SPEED=...)
	$(BIN)/revq demo --port $(PORT) $(if $(SPEED),--speed $(SPEED))

test: lint ## Check the style and the types, run all tests
	$(BIN)/pytest -n 4

lint: $(INSTALLED_DEV) ## Check the style and the types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

lock: $(BIN)/python ## Pin the newest versions that pyproject.toml allows, with hashes for a release
	rm -rf $(VENV)/lock
	$(BIN)/python -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[train,dev]'
	$(VENV)/lock/bin/python -m pip freeze --exclude-editable > constraints.txt
	$(MAKE) hashes
	rm -rf $(VENV)/lock

hashes: $(BIN)/python ## Pin what a release installs, as constraints.txt has it, with hashes
	$(PIP) install --quiet uv
	$(BIN)/uv $(HASHED) --output-file deploy/requirements.txt pyproject.toml
	$(BIN)/uv $(HASHED) --output-file deploy/requirements-all.txt pyproject.toml \
		$(addprefix --extra ,cassandra kafka mariadb oauth otel postgresql)
	echo hatchling | $(BIN)/uv $(HASHED) --output-file deploy/requirements-build.txt -

audit: $(BIN)/python ## Ask PyPI, then OSV, for known holes in what is pinned
	$(BIN)/python -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip --disable-pip-version-check install --quiet pip-audit==2.10.1
	$(VENV)/audit/bin/python scripts/audit.py

docs: $(INSTALLED_DEV) ## Build the documentation into build/docs; a dead link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

release: $(INSTALLED_DEV) ## Build wheel, sdist, SBOM and checksums into dist/; install and try them
	$(BIN)/python scripts/release.py

faults: $(INSTALLED_DEV) ## Lose nothing of EDITS (20000) in each trouble; needs Kafka and MariaDB
	REVQ_FAULT_EDITS=$(EDITS) $(BIN)/pytest -s tests/faults

soak: $(INSTALLED_DEV) ## Run the whole system with faults for MINUTES (60)
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

clean: ## Remove what make and the tests have made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || { echo "There is no '$(PYTHON)' here: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Revision Quality needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1): name a newer one with make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "'$(PYTHON)' cannot make virtual environments: on Debian and Ubuntu, run 'apt-get install python3-venv'." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV); this takes a minute, once."
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(INSTALLED_DEV): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV), with what training and the tests need; this takes a minute, once."
	$(PIP) install --quiet --constraint constraints.txt --editable '.[train,dev]'
	@touch $@ $(INSTALLED)
