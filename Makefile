PYTHON := .venv/bin/python

build:
	python3 -m venv .venv
	$(PYTHON) -m pip install -e ".[test,bench,lint]"

test:
	$(PYTHON) -m pytest

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	PATH="$(CURDIR)/.venv/bin:$$PATH" cython-lint segment
	$(PYTHON) -m mypy

bench:
	$(PYTHON) -m benchmarks.peers --check
	$(PYTHON) -m benchmarks.batch --check

.PHONY: build test lint bench
