# make demo, make test: each sets up .venv first when it is missing or out of date.
#   make demo PIP_ARGS="--index-url ..."   hands options to pip (a CPU-only torch index, say)
#   make venv PYTHON=python3.12            picks the interpreter
PYTHON   ?= python3
PIP_ARGS ?=
DIR      ?=

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.up-to-date

help:
	@echo 'make demo | test | test-all | lint | web | bench | view [DIR=...] | venv | clean    [PIP_ARGS=...] [PYTHON=...]'

.PHONY: help demo test test-all lint web bench view venv clean

demo: $(STAMP)
	$(BIN)/tbtrace demo

view: $(STAMP)
	$(BIN)/tbtrace view $(DIR)

test: $(STAMP)
	$(BIN)/python -m pytest -q -m "not slow"

test-all: $(STAMP)
	$(BIN)/python -m pytest -q

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_house.py

web: node_modules/.package-lock.json
	npm run --silent types
	npm run --silent lint
	npm run --silent test

bench: $(STAMP)
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

venv: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "tbtrace needs Python 3.11 to 3.13, not " + sys.version.split()[0] + ": make venv PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e ".[test]"
	touch $(STAMP)

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund
	touch $@

clean:
	rm -rf $(VENV) node_modules build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
