# Everything that is done with this repository. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --warn-undefined-variables

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sheetbend
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3

# Outside the checkout, so that a fresh clone on the same machine starts from what is compiled already.
CARGO_TARGET_DIR ?= $(CACHE)/target
export CARGO_TARGET_DIR
# What maturin builds pyo3 with, said to clippy and the tests of the crates too: else each of them would build pyo3, and
# all that depends on it, anew. So nothing links with libpython, and no test of a crate may run an interpreter.
export PYO3_BUILD_EXTENSION_MODULE := 1
export PYO3_CONFIG_FILE := $(CARGO_TARGET_DIR)/pyo3-config.txt

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Debian packages (as root), and .venv from requirements/dev.txt
	@PYTHON=$(PYTHON) scripts/bootstrap

.PHONY: build
build: setup ## the package with its Rust extension, in .venv
	@scripts/develop

.PHONY: demo
demo: build ## a server and a stock PySpark client that reads through it
	@$(BIN)/python scripts/demo.py

.PHONY: test
test: lint test-rust test-python ## lint, and every test but the slow ones

.PHONY: test-rust
test-rust: setup ## Rust tests
	cargo test --workspace --locked

.PHONY: test-python
test-python: build ## Python tests, from a PySpark client to real sources
	$(BIN)/python -m pytest -m "not slow"

.PHONY: test-slow
test-slow: build ## the tests that take long
	$(BIN)/python -m pytest -m slow

.PHONY: lint
lint: setup ## formatting, clippy, ruff, mypy
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

.PHONY: format
format: setup ## formats Rust and Python
	cargo fmt --all
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: docs
docs: build ## the tables of docs/sources.md from the sources' own OPTIONS, and docs/functions.md
	$(BIN)/python scripts/gen_docs.py
	$(BIN)/python -m tests.spark.functions.table

.PHONY: fuzz
fuzz: build ## each fuzz target for FUZZ_SECONDS (60); the first time builds the engine once more
	@scripts/fuzz

.PHONY: deny
deny: ## licences and advisories of the crates; needs cargo-deny
	cargo deny --locked check

.PHONY: release
release: setup ## the wheel that is shipped, in dist/
	$(BIN)/maturin build --release --locked --out dist

.PHONY: bench
bench: release ## the figures, from the release wheel in a venv of its own
	@scripts/bench

.PHONY: lock
lock: setup ## requirements/*.txt from pyproject.toml
	@scripts/lock

.PHONY: clean
clean: ## what was built in the checkout; CARGO_TARGET_DIR stays
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache python/sheetbend/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
