# Needs Python >= 3.11, make and a package registry. Everything else is made here, in .venv.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
EVENTS := $(wildcard ../shared/data/oss-commits.jsonl.gz)
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --extra local --extra charts --group dev \
	--generate-hashes --no-header --no-annotate --no-emit-index-url

.DELETE_ON_ERROR:
.PHONY: help setup demo test lint types bench lock update-snapshots

help:  ## list what there is
	@sed -nE 's/^([a-z-]+):.*  ## (.*)$$/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target what; do \
		printf '%-24s%s\n' "$$target" "$$what"; done

setup: $(READY)  ## make .venv with the locked packages

demo: $(READY)  ## an analyst's story on real events: real server, real client, no account
	$(BIN)/insights-mcp demo $(if $(EVENTS),--events $(EVENTS))

test: lint types  ## everything that must hold: ruff, mypy, pytest
	$(BIN)/pytest -n auto

lint: $(READY)  ## ruff: rules and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

bench: $(READY)  ## the measured limits, as a table
	$(BIN)/python -m benchmarks

update-snapshots: $(READY)  ## rewrite the tool snapshots and README's tool table; then read the diff
	UPDATE_SNAPSHOTS=1 $(BIN)/pytest -n 0 tests/test_catalogue.py tests/test_house.py

lock:  ## resolve requirements.lock anew (needs uv)
	$(LOCK) --upgrade --quiet --output-file requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'insights-mcp needs Python 3.11 or newer: make PYTHON=python3.12 …' >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
