PYTHON := .venv/bin/python

build:
	python3 -m venv .venv
	$(PYTHON) -m pip install -e ".[test,bench,lint]"

kernels:
	$(PYTHON) -m pip install -q "setuptools>=77" "cython>=3.1"
	$(PYTHON) setup.py build_ext --inplace

share:
	$(PYTHON) -m docs.make_completions
	$(PYTHON) -m docs.make_man_page

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

.PHONY: build kernels share test lint bench
