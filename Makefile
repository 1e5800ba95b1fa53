# Each target makes the environment that it needs, in .venv; a second run finds it
# ready. The Python to make it from: `make test PYTHON=python3.12`.

SHELL := bash
PYTHON ?= python3
WORKERS ?= 2
TESTS ?=
PYTEST_ARGS ?=
ROWS ?=
CLANG ?= clang
LONG ?=

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(addprefix $(VENV)/.,bench docs examples test)
EXAMPLES := $(sort $(wildcard examples/plot_*.py))
KERNELS := skrnn/_engine/cpu/kernels/source/_kernels.c
# They run by themselves: what TensorFlow keeps of each compiled network is in the way of
# the others, and new workers begin without it.
FIRST := $(wildcard tests/engine tests/inspection tests/networks tests/persistence \
	tests/reference tests/scikeras)
# Those that need no TensorFlow.
KERNEL_TESTS := $(wildcard tests/engine/cpu/test_kernel_*.py) \
	tests/engine/cpu/test_fused_step.py tests/engine/cpu/test_initial_states.py
ARM_HEADERS := /usr/aarch64-linux-gnu/include
WARNINGS := -Wall -Wextra -Wpedantic -Werror
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -g
# The one left out limits the address space, of which AddressSanitizer takes terabytes.
SANITIZED_TESTS := $(filter-out %/test_kernel_memory.py,$(KERNEL_TESTS)) \
	tests/test_tampered_states.py

# XLA translates in a third less time, and JAX keeps what it has translated: most tests
# train the same few networks, in two processes.
QUICK_JAX := JAX_COMPILATION_CACHE_DIR=$(CURDIR)/build/jax \
	JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 \
	JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1 \
	XLA_FLAGS=--xla_backend_optimization_level=0

# TensorFlow greets on stderr; only warnings and errors are worth a reader's time.
export TF_CPP_MIN_LOG_LEVEL ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1
export LONG
# Where it is set, every worker and process compiles the modules anew.
export PYTHONDONTWRITEBYTECODE :=
# Three lines come before TensorFlow reads the level above.
QUIETLY := 2> >(grep --line-buffered -vE \
	'absl::InitializeLog|oneDNN custom operations|cuda drivers' >&2)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two installs into one environment would step on each other.
.NOTPARALLEL:
.PHONY: help demo test faults jax clang sanitize lint types docs layout gallery examples wheel bench performance clean

help: ## Show the targets
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) \
		| awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

demo: $(VENV)/.examples ## Train a few networks on real data, in about a minute
	@$(BIN)/python examples/demo.py $(QUIETLY)

test: $(VENV)/.test ## Run the tests and doctests (PYTEST_ARGS="-k lstm", TESTS=tests/test_x.py)
	@status=0; for part in $(if $(TESTS),'$(TESTS)','-m not(jax) $(FIRST)' '$(FIRST:%=--ignore=%)'); do \
		$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS) $$part; \
		found=$$?; [ $$found = 0 -o $$found = 5 ] || status=$$found; \
	done; exit $$status

faults: $(VENV)/.test ## Run the tests under load and faults, and a fuzz (LONG=1: for hours)
	$(BIN)/python -m pytest -n $(WORKERS) --dist load $(PYTEST_ARGS) tests/faults

jax: $(VENV)/.test ## Train on Keras' JAX backend, and run scikit-learn's checks of an estimator
	rm -rf build/jax
	KERAS_BACKEND=jax $(QUICK_JAX) $(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_ARGS) \
		tests/test_contract.py -k GRUClassifier
	$(QUICK_JAX) $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS) \
		-m jax tests/engine

clang: $(VENV)/.test ## Compile the kernels with clang (for aarch64 too) and run their tests
	rm -rf build/clang && mkdir -p build/clang
	cp -r pyproject.toml conftest.py skrnn tests build/clang
	rm -f build/clang/skrnn/_engine/cpu/kernels/_kernels.*.so
	cd build/clang && CC=$(CLANG) LDSHARED="$(CLANG) -shared" CFLAGS="$(WARNINGS)" \
		$(CURDIR)/$(BIN)/python -c "from setuptools import setup; setup()" \
		build_ext --inplace
	cd build/clang && PYTHONPATH=$(CURDIR)/build/clang \
		$(CURDIR)/$(BIN)/python -m pytest $(PYTEST_ARGS) $(KERNEL_TESTS)
	@if [ -d $(ARM_HEADERS) ]; then set -x; \
		$(CLANG) --target=aarch64-linux-gnu -isystem $(ARM_HEADERS) -O3 $(WARNINGS) \
			-I"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
			-c $(KERNELS) -o /dev/null; \
	else echo "not compiled for aarch64, whose headers are missing: $(ARM_HEADERS)"; fi

sanitize: $(VENV)/.test ## Run the kernels' tests under AddressSanitizer and UBSan
	@CC="$(CC)" SANITIZERS="$(SANITIZERS)" PYTHON=$(CURDIR)/$(BIN)/python \
		bash tests/faults/sanitize.sh -n $(WORKERS) $(PYTEST_ARGS) $(SANITIZED_TESTS)

lint: $(VENV)/.test ## Check style, format and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(VENV)/.test ## Check types
	$(BIN)/mypy

docs: $(VENV)/.docs ## Build the documentation in docs/_build/html, gallery included
	$(BIN)/sphinx-build -W --keep-going docs docs/_build/html

layout: $(VENV)/.docs ## Check in Chromium that the pages that were built fit their columns
	$(BIN)/python docs/_sphinx/layout.py

gallery: $(VENV)/.test ## Check what the pages of the gallery print, as they were built if they are
	$(if $(wildcard docs/gallery/*.rst),GALLERY=built) $(BIN)/python -m pytest \
		-n $(WORKERS) $(PYTEST_ARGS) tests/gallery

examples: $(VENV)/.examples ## Run every example of the gallery, without windows
	@for script in $(EXAMPLES); do \
		echo "== $$script"; MPLBACKEND=Agg $(BIN)/python $$script || exit; \
	done $(QUIETLY)

wheel: $(VENV)/.test ## Build a wheel for Linux in dist, and use it in an empty folder
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation \
		--wheel-dir build/wheel .
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/auditwheel repair --strip \
		--wheel-dir dist build/wheel/*.whl
	WHEEL=$$(echo dist/*.whl) $(BIN)/python -m pytest $(PYTEST_ARGS) \
		tests/test_packaging.py -k manylinux

bench: $(VENV)/.test ## Print how good the defaults are on real data (docs/quality/output.txt)
	@$(BIN)/python benchmarks/quality.py --output docs/quality/output.txt $(QUIETLY)

performance: $(VENV)/.bench ## Print how fast it is, beside its peers (an hour; ROWS="import grid")
	@$(BIN)/python benchmarks/performance.py $(if $(ROWS),--rows $(ROWS)) $(QUIETLY)

clean: ## Remove what was built, but not .venv
	rm -rf build dist docs/_build docs/gallery docs/reference/generated
	rm -rf docs/sg_execution_times.rst .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find skrnn tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} + \
		2>/dev/null || true

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"skrnn needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The kernels are compiled once, whatever is installed beside them.
$(VENV)/.kernels: pyproject.toml $(wildcard skrnn/_engine/cpu/kernels/source/*.[ch]) $(VENV)/.made
	@echo "Compiling skrnn's kernels: a minute"
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

$(STAMPS): $(VENV)/.%: pyproject.toml $(VENV)/.kernels
	@echo "Installing skrnn[$*] in $(VENV): some minutes the first time"
	CC=false LDSHARED=false $(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@
