# Everything runs in .venv, which the first target that needs it makes.
# Needs: make and Python 3.11 or newer with pip. No compiler.

VENV ?= .venv
BIN := $(VENV)/bin

# The first of these that is Python 3.11 or newer (a name may exist and still not run).
SUPPORTED := import sys; sys.exit(sys.version_info < (3, 11))
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.14 python
PYTHON ?= $(firstword $(foreach name,$(CANDIDATES),$(shell $(name) -c '$(SUPPORTED)' >/dev/null 2>&1 && echo $(name))))

PYTEST_ARGS ?=
COVERAGE_ARGS ?= tests/unit
BENCH_ARGS ?=
PYTHONS_ARGS ?=
MUTANTS_ARGS ?=
FAULTS_ARGS ?=
DOCS ?=

.DEFAULT_GOAL := help
.PHONY: help venv install demo test coverage lint format types imports docs wheel pythons readers engines pages mutants faults bench hooks clean

help:  ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "brnn needs Python 3.11 or newer, and none was found; name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c '$(SUPPORTED)' || { echo "brnn needs Python 3.11 or newer; $(PYTHON) is not one" >&2; exit 1; }
# Some systems ship Python without ensurepip: there the system's pip fills the new environment.
	@$(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || \
	{ $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }
	@touch $@

$(VENV)/.installed: pyproject.toml brnn/_version.py | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml brnn/_version.py | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.installed

venv: $(VENV)/.installed  ## make .venv with brnn in it
install: $(VENV)/.installed-dev  ## the same, with the tools of a developer

demo: $(VENV)/.installed  ## store a photograph in short-term memory: demo.h5 and demo.png
	$(BIN)/python simulations/image_normalization.py -o demo.h5 --plot demo.png --force

test: $(VENV)/.installed-dev  ## run the tests on all cores (PYTEST_ARGS="-k rcf" for some, "-n 0" on one)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

coverage: $(VENV)/.installed-dev  ## how much of the code the unit tests run (COVERAGE_ARGS="tests" for all tests)
	@rm -rf .coverage
	$(BIN)/python -m coverage run -m pytest -n auto --dist loadfile --no-loadscope-reorder $(COVERAGE_ARGS)
	@$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --sort=cover --skip-covered

lint: $(VENV)/.installed-dev  ## ruff: rules and layout
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(VENV)/.installed-dev  ## let ruff lay out the code and mend what it can
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

types: $(VENV)/.installed-dev  ## mypy
	$(BIN)/mypy

imports: $(VENV)/.installed-dev  ## import-linter: a module imports only what stands below it
	$(BIN)/lint-imports --no-logo --no-cache

docs: $(VENV)/.installed-dev  ## make the documentation site in docs/_build: runs all (minutes; DOCS=quick runs nothing)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/python docs/architecture_picture.py
	$(if $(filter quick,$(DOCS)),,$(BIN)/python -m pytest -q -n 0 tests/unit/test_docs.py)
	BRNN_DOCS=$(DOCS) $(BIN)/python -m sphinx -q -n -W --keep-going -b html docs docs/_build
	$(BIN)/python docs/check_site.py docs/_build

wheel: $(VENV)/.installed-dev  ## build the wheel and try it in a new environment elsewhere
	$(BIN)/python .ci/check_wheel.py

pythons: $(VENV)/.made  ## unit tests on other Pythons, and with the oldest packages (PYTHONS_ARGS=--quick)
	$(BIN)/python .ci/check_pythons.py $(PYTHONS_ARGS)

engines: $(VENV)/.installed-dev  ## every model in XPPAUT, libroadrunner and PyRates, by brnn export
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pyrates>=1.2.3'
	$(BIN)/python -m pytest -n auto -rsx tests/readers/engines.py $(PYTEST_ARGS)

pages: $(VENV)/.installed-dev  ## the page without a server of every model, in Chromium, beside Python
	BRNN_PAGES=all $(BIN)/python -m pytest -n 0 -rsP tests/system/test_explore_alone.py -k integrates $(PYTEST_ARGS)

readers: $(VENV)/.installed-dev  ## files of brnn in other programs: every command of docs/readers.md
	@test -x .venvs/readers/bin/python || $(BIN)/python -m venv .venvs/readers
	.venvs/readers/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/readers/requirements.txt
	@! command -v npm >/dev/null || npm install --silent --no-audit --no-fund --prefix .venvs/readers jsfive >/dev/null
# A wheel that has the HDF5 library 1.8 in it; its Python part is for 3.6 and stays unused.
	@test -d .venvs/readers/hdf5-1.8/h5py || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--only-binary :all: --python-version 36 --implementation cp --abi cp36m --platform manylinux1_x86_64 \
		--target .venvs/readers/hdf5-1.8 h5py==2.7.1 || true
	READERS_PYTHON=.venvs/readers/bin/python READERS_HDF5=.venvs/readers/hdf5-1.8/h5py/.libs READERS_MODULES=.venvs/readers/node_modules \
		$(BIN)/python -m pytest -n 0 -rsP tests/readers/programs.py $(PYTEST_ARGS)

mutants: $(VENV)/.installed-dev  ## plant errors: do tests notice? (MUTANTS_ARGS="--seed 1 --minutes 30", "--help")
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[mutants]'
	$(BIN)/python .ci/mutants.py $(MUTANTS_ARGS)

faults: $(VENV)/.installed-dev  ## kills, hostile inputs, full disks, damaged caches (FAULTS_ARGS="--seed 1 --inputs 300")
	$(BIN)/python .ci/faults $(FAULTS_ARGS)

bench: $(VENV)/.installed  ## measure (BENCH_ARGS="--help" for the choices)
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

hooks: $(VENV)/.installed-dev  ## check every commit with pre-commit
	$(BIN)/pre-commit install

clean:  ## remove all that was made here, .venv included
	rm -rf $(VENV) .venvs build dist docs/_build docs/generated *.egg-info demo.h5 demo.png .pytest_cache .coverage .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
