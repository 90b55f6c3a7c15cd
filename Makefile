# Needs python3 (3.11 or later) and make; lint-api needs Node.js too. ARGS= is passed on, and so is every STET_* variable.
PYTHON ?= python3
BIN := .venv/bin
LINT := openapi/lint
PEERS := bench/peers
PIP := $(BIN)/python -m pip --disable-pip-version-check
EXPORT := $(BIN)/uv export -q --frozen --no-emit-project --no-default-groups --no-header
PARALLEL := -n 2 --dist loadfile
.DEFAULT_GOAL := help
.PHONY: help setup run test faults check format demo bench bench-quick openapi schema sbom requirements lint-api clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' Makefile
setup: .venv/.installed ## make .venv from the hashed requirements, with .venv/bin/stet
run: setup ## serve the API on this machine, with the reference incident
	$(BIN)/stet serve --reference $(ARGS)
test: setup ## run the test suite, on two processes
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)
faults: setup ## kill -9 worker, rebuild and server at random moments, 50 times, and verify
	$(BIN)/python -m tests.faults --minutes 9 $(ARGS)
check: setup ## lint, format, types, generated files, requirements, tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(PIP) check
	$(BIN)/stet openapi --check
	$(BIN)/python openapi/events.py --check
	$(BIN)/python migrations/dump.py --check
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)
format: setup ## format the code and repair what ruff can repair
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
demo: setup ## record the reference article over HTTP and check what it reads back
	$(BIN)/stet demo $(ARGS)
bench: setup $(PEERS)/.venv/.installed $(PEERS)/emmett/node_modules/.installed ## measure, side by side with its peers (about 20 minutes)
	$(BIN)/python -m bench $(ARGS)
bench-quick: setup ## tell whether a hot path has become much slower (1 minute)
	$(BIN)/python -m bench.quick $(ARGS)
openapi: setup ## write openapi/openapi.json, asyncapi.json, mapping.schema.json and events
	$(BIN)/stet openapi
	$(BIN)/python openapi/events.py
schema: setup ## write migrations/schema.sql
	$(BIN)/python migrations/dump.py $(ARGS)
sbom: setup ## write dist/sbom.cdx.json: what an installation is made of, as CycloneDX
	$(BIN)/python .ci/sbom.py dist/sbom.cdx.json
requirements: setup ## resolve pyproject.toml anew into the requirements files
	$(BIN)/uv lock -q
	$(EXPORT) -o requirements.txt
	$(EXPORT) --extra parquet --group build --group dev -o requirements-dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header $(PEERS)/requirements.in -o $(PEERS)/requirements.txt
lint-api: $(LINT)/node_modules/.installed ## lint openapi/openapi.json and openapi/asyncapi.json (Node.js)
	cd $(LINT) && npm run --silent spectral && npm run --silent redocly
clean: ## remove everything that the other targets made, except the data in .stet
	rm -rf .venv $(LINT)/node_modules $(PEERS)/.venv $(PEERS)/emmett/node_modules dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis
	find . \( -name .git -o -name .stet \) -prune -o -name __pycache__ -prune -exec rm -rf {} +

.venv/.installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "make: Python 3.11 or later is needed, and '$(PYTHON)' is not that. Install it, or name another: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "make: '$(PYTHON)' lacks venv or ensurepip. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(PIP) install -q --require-hashes -r requirements-dev.txt
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@
$(LINT)/node_modules/.installed: $(LINT)/package-lock.json $(LINT)/.npmrc
	@{ command -v npm && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'; } >/dev/null 2>&1 || { echo "make: the contract linters need Node.js 20.19 or 22.12 or later, with npm. Install them (Debian: apt install nodejs npm) and try again" >&2; exit 1; }
	cd $(LINT) && npm ci --silent
	@touch $@
$(PEERS)/.venv/.installed: $(PEERS)/requirements.txt
	$(PYTHON) -m venv --clear $(PEERS)/.venv
	$(PEERS)/.venv/bin/python -m pip --disable-pip-version-check install -q --require-hashes -r $(PEERS)/requirements.txt
	@touch $@
# Emmett is measured only where Node.js is.
$(PEERS)/emmett/node_modules/.installed: $(PEERS)/emmett/package-lock.json $(PEERS)/emmett/.npmrc
	@if command -v npm >/dev/null 2>&1; then cd $(PEERS)/emmett && npm ci --silent; else echo "make: no npm here: Emmett is left out"; mkdir -p $(@D); fi
	@touch $@
