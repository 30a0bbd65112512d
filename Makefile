# Every target sets up what it needs, once: a .venv from requirements.lock (hashes checked), with pip alone.

PYTHON ?= python3
WORKERS ?= 2
PYTEST_FLAGS ?=
DEMO_FLAGS ?=
BENCH_FLAGS ?=
SECONDS ?= 60
SEEDS ?= 1000
FIRST ?= 1
CLUSTER_FLAGS ?=

BIN := .venv/bin
READY := .venv/.installed
PYTHON_CODE := src tests $(wildcard fuzz benchmarks mutation)

.DEFAULT_GOAL := help
.PHONY: help demo test simulate test-cluster lint bench fuzz mutants lock clean

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## run the whole story on this machine and leave it in build/demo
	rm -rf build/demo
	mkdir -p build
	$(BIN)/tallystick demo build/demo $(DEMO_FLAGS)

test: $(READY) ## run every test (WORKERS=2 processes; PYTEST_FLAGS for more)
	$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_FLAGS)

simulate: $(READY) ## run the ledger against everything that can fail, SEEDS=1000 worlds from FIRST=1 on
	PYTHONPATH=tests $(BIN)/python -m simulation --seeds $(SEEDS) --first $(FIRST) --processes $(WORKERS)

# Real servers on loopback: Patroni, etcd, HAProxy and three PostgreSQL, from Debian's packages.
test-cluster: $(READY) ## kill, pause, cut off and restart machines and writers of a real cluster, under load
	deploy/patroni/install
	$(BIN)/python -m pytest -s tests/cluster $(CLUSTER_FLAGS)

lint: $(READY) ## check style, format, types, who imports whom, and the lock
	$(BIN)/ruff check $(PYTHON_CODE)
	$(BIN)/ruff format --check $(PYTHON_CODE)
	$(BIN)/mypy $(PYTHON_CODE)
	$(BIN)/lint-imports
	! grep -n '://' requirements.lock

bench: $(READY) ## measure, into build/bench.json
	mkdir -p build
	PYTHONPATH=tests $(BIN)/python benchmarks/run.py $(BENCH_FLAGS)

fuzz: .venv/.fuzz-installed ## feed every reader with what nobody thought of (SECONDS=60 in all)
	$(BIN)/python fuzz/run.py --seconds $(SECONDS)

mutants: .venv/.mutation-installed ## plant a fault at a time in what is pure, and see that a test fails (half an hour)
	$(BIN)/mutmut run --max-children $(WORKERS)
	$(BIN)/python mutation/report.py

# pip does the installing everywhere; uv is fetched only here, because it alone resolves for all systems at once.
lock: .venv/bin/python ## resolve the dependencies again into requirements.lock
	$(BIN)/python -m pip install --quiet 'uv>=0.9'
	$(BIN)/uv pip compile --quiet --no-config --upgrade --universal --generate-hashes --no-header --no-annotate \
	  --all-extras --group build --group test --group lint pyproject.toml -o requirements.lock
	! grep -n '://' requirements.lock

clean: ## remove .venv, build and every cache
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests $(wildcard benchmarks examples) -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Tallystick needs Python 3.11 or newer, and '$(PYTHON)' is not: try make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 2; }

$(READY): requirements.lock pyproject.toml | .venv/bin/python
	@echo "Setting up .venv from requirements.lock (once) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.mutation-installed: mutation/requirements.lock $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r mutation/requirements.lock
	@touch $@

.venv/.fuzz-installed: fuzz/requirements.lock $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r fuzz/requirements.lock
	@touch $@
