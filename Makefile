# Every target sets up what it needs, once: a .venv with what requirements.lock pins, and for tests requirements-test.lock
# too (hashes checked), with pip alone. docs/development.md says what each target needs and how long it takes.

PYTHON ?= python3
PYTHONS ?=
VENV ?= .venv
WORKERS ?= 2
TESTS ?=
PYTEST_FLAGS ?=
DEMO_FLAGS ?=
BENCH_FLAGS ?=
SECONDS ?= 60
KILLS ?= 200
SEEDS ?= 1000
FIRST ?= 1
CLUSTER_FLAGS ?=
WHEELHOUSE_FLAGS ?=

BIN := $(VENV)/bin
READY := $(VENV)/.installed
READY_FOR_TESTS := $(VENV)/.test-installed
PYTHON_CODE := src tests docs/site $(wildcard fuzz benchmarks mutation)
# Twice quiet: a machine's own pip settings make it warn in every line. What can't be installed is still said.
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest
LOCKS := requirements.lock requirements-test.lock docs/requirements.lock mutation/requirements.lock fuzz/requirements.lock \
  deploy/requirements.lock deploy/release/requirements.lock \
  benchmarks/peers/requirements.lock benchmarks/peers/package-lock.json

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-system test-browser vendor-check test-kills test-pythons test-cluster simulate lint docs docs-tables messages verify-page vectors bench bench-large bench-peers bench-page bench-decade bench-state fuzz mutants lock dist wheelhouse clean

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## run the whole story on this machine and leave it in build/demo
	rm -rf build/demo
	mkdir -p build
	$(BIN)/tallystick demo build/demo $(DEMO_FLAGS)

test: $(READY_FOR_TESTS) ## run every test, on short schedules (WORKERS=2 processes; TESTS=… of them; PYTEST_FLAGS for more)
	$(PYTEST) --junitxml=build/junit/test$(VENV).xml -n $(WORKERS) --dist worksteal $(PYTEST_FLAGS) $(TESTS)

test-all: $(READY_FOR_TESTS) ## run every test, on long schedules: more seeds, kills, spoiled notes, random examples
	TALLYSTICK_TESTS=long $(PYTEST) --junitxml=build/junit/test-all.xml -n $(WORKERS) --dist worksteal $(PYTEST_FLAGS) $(TESTS)

test-system: $(READY_FOR_TESTS) test-cluster ## run what needs Debian's or npm's packages, and install those
	tests/system/install build/node
	NODE=$(CURDIR)/build/node/20/bin/node $(PYTEST) --junitxml=build/junit/system.xml -n $(WORKERS) --dist worksteal \
	  -m system --ignore=tests/browser $(PYTEST_FLAGS)
	NODE=$(CURDIR)/build/node/newest/bin/node $(PYTEST) --junitxml=build/junit/newest-node.xml -n $(WORKERS) \
	  --dist worksteal -m system $(PYTEST_FLAGS) \
	  tests/journeys/test_second_implementation.py

test-browser: $(READY_FOR_TESTS) ## look at every page in Debian's Chromium, and use them; pictures into build/screens
	tests/browser/install build/browser
	rm -rf build/screens
	$(PYTEST) --junitxml=build/junit/browser.xml -m system -n $(WORKERS) --dist worksteal $(PYTEST_FLAGS) tests/browser

vendor-check: ## download again what the pages bring that others wrote, and compare it (npm)
	tests/system/check_vendored.py

# The service over SQLite and over PostgreSQL, and batches of commands to a ledger and to a service.
test-kills: $(READY_FOR_TESTS) ## kill the service, and batches of commands, KILLS=200 times each under load
	TALLYSTICK_TESTS=long TALLYSTICK_KILLS=$(KILLS) $(PYTEST) --junitxml=build/junit/kills.xml --durations=0 \
	  tests/faults/test_kill_serving.py tests/faults/test_outbox_kills.py $(PYTEST_FLAGS)

test-pythons: ## run the tests, simulation apart, on every Python there is (PYTHONS='/a/bin/python3.12 …' for others)
	@mkdir -p build && tests/system/pythons $(PYTHONS) >build/pythons
	@failed=; while read -r version python; do \
	  echo "Python $$version: $$python"; \
	  $(MAKE) --no-print-directory test VENV=.venv-$$version PYTHON=$$python \
	    TESTS='--ignore=tests/simulation $(TESTS)' </dev/null || failed="$$failed $$version"; \
	done <build/pythons; test -z "$$failed" || { echo "failed on$$failed" >&2; exit 1; }

simulate: $(READY_FOR_TESTS) ## run the ledger against everything that can fail, SEEDS=1000 worlds from FIRST=1 on
	PYTHONPATH=tests $(BIN)/python -m simulation --seeds $(SEEDS) --first $(FIRST) --processes $(WORKERS)

# Real servers on loopback: Patroni, etcd, HAProxy and three PostgreSQL, from Debian's packages.
test-cluster: $(READY_FOR_TESTS) ## kill, pause, cut off and restart machines and writers of a real cluster, under load
	deploy/patroni/install
	$(PYTEST) --junitxml=build/junit/cluster.xml -s tests/cluster $(CLUSTER_FLAGS)

lint: $(READY_FOR_TESTS) ## check style, format, types, who imports whom, and the locks
	$(BIN)/ruff check $(PYTHON_CODE)
	$(BIN)/ruff format --check $(PYTHON_CODE)
	$(BIN)/mypy $(PYTHON_CODE)
	$(BIN)/lint-imports
	! grep -n '://' $(LOCKS)

# Built from a copy, into which the reference's pages are made from the modules that there are.
docs: $(VENV)/.docs-installed ## make the pages and the API reference, into build/docs/html; a warning is an error
	rm -rf build/docs
	mkdir -p build/docs
	cp -r docs build/docs/source
	$(BIN)/sphinx-apidoc -q -M -T -o build/docs/source/reference src/tallystick
	$(BIN)/sphinx-build -q -W --keep-going -c docs/site -d build/docs/doctrees build/docs/source build/docs/html

docs-tables: $(READY_FOR_TESTS) ## write the tables in docs/ from the rulebook and from the arithmetic of scale.md, and docs/openapi.json from the routes
	$(BIN)/python docs/site/command_tables.py
	$(BIN)/python docs/site/scale_tables.py
	$(BIN)/python docs/site/openapi.py

messages: $(READY_FOR_TESTS) ## bring the catalogue of the pages' texts up to date, and say what isn't translated
	PYTHONPATH=tests $(BIN)/python -m support.messages

verify-page: $(READY_FOR_TESTS) ## write the verifier's page from its modules (web/static/verify.html, and names.mjs beside them)
	$(BIN)/python -m tallystick.web.verify_page

vectors: $(READY_FOR_TESTS) ## write the frozen entries and the corpus of logs anew (tests/vectors), from stories that are told
	$(BIN)/python tests/vectors/make_entries.py
	$(BIN)/python tests/vectors/make_editions.py

bench: $(READY_FOR_TESTS) ## measure in interleaved rounds, into build/bench.json (BENCH_FLAGS=--quick tries it out)
	PYTHONPATH=tests $(BIN)/python benchmarks/run.py $(BENCH_FLAGS)

bench-large: $(READY_FOR_TESTS) ## write, open, audit and export ten million lines once, into build/bench-large.json (an hour)
	PYTHONPATH=tests $(BIN)/python benchmarks/large.py $(BENCH_FLAGS)

bench-page: $(READY_FOR_TESTS) ## write tables and plots of docs/performance.md from build/bench.json
	PYTHONPATH=tests $(BIN)/python benchmarks/page.py

bench-peers: ## download what `make bench` measures beside us if it is there, into build/peers, never into .venv (npm, pip)
	benchmarks/peers/install build/peers $(PYTHON)

bench-decade: $(READY_FOR_TESTS) ## ten years of 17 cities: the state's size, into build/decade.json (BENCH_FLAGS=--scale=0.1)
	mkdir -p build
	PYTHONPATH=tests $(BIN)/python benchmarks/decade.py $(BENCH_FLAGS)

bench-state: $(READY_FOR_TESTS) ## ten million lines in statements: what the state keeps of them, into build/state.json
	mkdir -p build
	PYTHONPATH=tests $(BIN)/python benchmarks/many_lines.py $(BENCH_FLAGS)

fuzz: $(VENV)/.fuzz-installed ## feed every reader with what nobody thought of (SECONDS=60 in all)
	$(BIN)/python fuzz/run.py --seconds $(SECONDS)

mutants: $(VENV)/.mutation-installed ## plant a fault at a time in what is pure, and see that a test fails (half an hour)
	$(BIN)/mutmut run --max-children $(WORKERS)
	$(BIN)/python mutation/report.py

# The time in what is built is that of the newest commit, so that anybody can build the same bytes from it.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),1767225600)
dist: export SOURCE_DATE_EPOCH := $(SOURCE_DATE_EPOCH)
dist: $(VENV)/.dist-installed ## build wheel, sdist and a bill of materials (CycloneDX), into dist; the same bytes everywhere
	rm -rf dist build/dist
	mkdir -p build/dist
	umask 022 && $(BIN)/python -m build --no-isolation --outdir dist . >build/dist/log
	sed "s/^dynamic = .*/version = \"$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' src/tallystick/__init__.py)\"/" \
	  pyproject.toml >build/dist/pyproject.toml
	PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements deploy/requirements.lock --pyproject build/dist/pyproject.toml \
	  --output-reproducible -o dist/tallystick.cdx.json
	cd dist && sha256sum tallystick* >SHA256SUMS

# For this machine's Python and system, unless WHEELHOUSE_FLAGS='--platform … --python-version …' says another.
wheelhouse: dist ## put all that a machine without a network needs to install it into dist/wheelhouse
	mkdir -p dist/wheelhouse
	$(BIN)/python -m pip download -qq --disable-pip-version-check --only-binary :all: --no-deps --require-hashes \
	  -r deploy/requirements.lock -d dist/wheelhouse $(WHEELHOUSE_FLAGS)
	cp dist/*.whl dist/tallystick.cdx.json deploy/requirements.lock deploy/release/install dist/wheelhouse
	cd dist/wheelhouse && sha256sum *.whl *.json requirements.lock install >SHA256SUMS

# pip does the installing everywhere; uv is fetched only here, because it alone resolves for all systems at once. Tests
# are resolved first, and what every other lock shares with them has the same version there.
RESOLVE = $(BIN)/uv pip compile --quiet --no-config --upgrade --universal --generate-hashes --no-header --no-annotate
lock: $(BIN)/pip ## resolve the dependencies again, into every lock
	$(PIP_INSTALL) 'uv>=0.9'
	$(RESOLVE) --all-extras --group build --group test --group lint pyproject.toml -o requirements-test.lock
	$(RESOLVE) --extra serve --extra fast --group build -c requirements-test.lock pyproject.toml -o requirements.lock
	$(RESOLVE) --python-version 3.11 -c requirements-test.lock docs/requirements.in -o docs/requirements.lock
	$(RESOLVE) --python-version 3.11 -c requirements-test.lock mutation/requirements.in -o mutation/requirements.lock
	$(RESOLVE) --python-version 3.11 -c requirements-test.lock fuzz/requirements.in -o fuzz/requirements.lock
	$(RESOLVE) --all-extras -c requirements-test.lock pyproject.toml -o deploy/requirements.lock
	$(RESOLVE) --python-version 3.11 -c requirements-test.lock deploy/release/requirements.in -o deploy/release/requirements.lock
	$(RESOLVE) --python-version 3.11 benchmarks/peers/requirements.in -o benchmarks/peers/requirements.lock
	cd benchmarks/peers && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund --silent
	! grep -n '://' $(LOCKS)

clean: ## remove every .venv, build and every cache
	rm -rf .venv .venv-3.* build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests $(wildcard benchmarks examples) -name __pycache__ -type d -prune -exec rm -rf {} +

# What was interrupted on the way has no pip yet, and is made again.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Tallystick needs Python 3.11 or newer, and '$(PYTHON)' is not: try make PYTHON=python3.12" >&2; exit 2; }
	@echo "Setting up $(VENV) (once, some 20 seconds) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 2; }

# Bytecode is left to the first import: most of what is installed is never imported.
$(READY): requirements.lock pyproject.toml | $(BIN)/pip
	@$(PIP_INSTALL) --no-compile --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-compile --no-deps --no-build-isolation -e .
	@touch $@

$(READY_FOR_TESTS): requirements-test.lock $(READY)
	@echo "Adding to $(VENV) what the tests need (once, some 20 seconds) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements-test.lock
	@touch $@

# The tests' packages too: a module can be described only where all that it imports is there.
$(VENV)/.docs-installed: docs/requirements.lock $(READY_FOR_TESTS)
	$(PIP_INSTALL) --require-hashes -r docs/requirements.lock
	@touch $@

$(VENV)/.mutation-installed: mutation/requirements.lock $(READY_FOR_TESTS)
	$(PIP_INSTALL) --require-hashes -r mutation/requirements.lock
	@touch $@

$(VENV)/.fuzz-installed: fuzz/requirements.lock $(READY_FOR_TESTS)
	$(PIP_INSTALL) --require-hashes -r fuzz/requirements.lock
	@touch $@

$(VENV)/.dist-installed: deploy/release/requirements.lock | $(BIN)/pip
	$(PIP_INSTALL) --require-hashes -r deploy/release/requirements.lock
	@touch $@
