# Needs Python 3.11 or newer and make; everything else goes into .venv.

PYTHON ?= python3
PORT ?= 8080
SPEED ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.PHONY: help install demo test lint lock clean

help: ## Say what there is to make
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install into .venv what it takes to run
	@echo "Installed: try '$(BIN)/revq --help' or 'make demo'."

demo: $(INSTALLED) ## Replay real edits and serve their page (PORT=8080 SPEED=...)
	$(BIN)/revq demo --port $(PORT) $(if $(SPEED),--speed $(SPEED))

test: lint ## Check the style and the types, run all tests
	$(BIN)/pytest

lint: $(INSTALLED_DEV) ## Check the style and the types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

lock: $(BIN)/python ## Write the newest versions that pyproject.toml allows into constraints.txt
	rm -rf $(VENV)/lock
	$(BIN)/python -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[train,dev]'
	$(VENV)/lock/bin/python -m pip freeze --exclude-editable > constraints.txt
	rm -rf $(VENV)/lock

clean: ## Remove what make and the tests have made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

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
