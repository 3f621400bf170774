# Concierge. Two commands matter: `make run` and `make test`; both set up what they need.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
STAMPS := .make
WIDGET := concierge/entrypoints/web/static/widget.js
WIDGET_SOURCES := $(shell find widget/src -type f 2>/dev/null) widget/build.mjs widget/package-lock.json

.PHONY: help run test check format bench eval peers web lock clean

help: ## Show what there is to do
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(STAMPS)/product $(WIDGET) ## Serve the product with the demo shop at http://localhost:8000
	@exec $(BIN)/concierge serve --demo

test: $(STAMPS)/dev $(WIDGET) ## Run all tests
	@cd widget && npm test --silent
	@$(BIN)/python -m pytest -n auto

check: $(STAMPS)/dev $(STAMPS)/node ## Check style, types, imports between rooms and the house rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/python tools/house_rules.py
	@$(BIN)/lint-imports --no-logo 2>/dev/null | tail -n 3 || ($(BIN)/lint-imports; exit 1)
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@cd widget && npm run --silent check

format: $(STAMPS)/dev ## Format the code and mend what can be mended by itself
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMPS)/dev $(WIDGET) ## Measure speed and memory, beside peers where `make peers` was run
	@$(BIN)/python -m benchmarks

eval: $(STAMPS)/dev ## Measure answers and retrieval on public data (CONCIERGE_EVAL_DATA), beside peers likewise; simulate learning
	@$(BIN)/python -m evals

peers: ## Install the systems that benchmarks compare with, in an environment of their own
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip --disable-pip-version-check --quiet install -r requirements-peers.txt

web: $(WIDGET) ## Build the widget

lock: ## Resolve the lock files anew (needs uv)
	@uv pip compile pyproject.toml --group build --universal --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links --python-version 3.11 --upgrade -o requirements.lock
	@uv pip compile pyproject.toml --group build --group dev -c requirements.lock --universal --generate-hashes \
		--no-annotate --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 -o requirements-dev.lock

clean: ## Remove what was built; the data stays
	@rm -rf .venv .make widget/node_modules concierge/entrypoints/web/static

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Concierge needs Python 3.11 or newer; set PYTHON=…")'
	@$(PYTHON) -m venv .venv

$(STAMPS)/product: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Concierge needs (about a minute, the first time) …"
	@$(PIP) install --require-hashes --no-deps -r requirements.lock
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/product
	@echo "Installing what checks and tests need …"
	@$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/node: widget/package-lock.json
	@command -v npm >/dev/null || { echo "Concierge needs Node 20 or newer to build its widget."; exit 1; }
	@cd widget && npm ci --silent --no-audit --no-fund
	@mkdir -p $(STAMPS) && touch $@

$(WIDGET): $(WIDGET_SOURCES) $(STAMPS)/node
	@cd widget && npm run --silent build
