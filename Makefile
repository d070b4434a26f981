# Two commands do everything: `make serve` and `make test`. They need git, make and Python 3.11+.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Which compiles the lock files.
UV := uv==0.13.9

# Two processes more than there are processors, because some tests wait for others to end; a process
# that has no tests left takes some from another.
WORKERS := $(shell n=`getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2`; echo $$((n + 2)))
IN_PARALLEL = $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: serve test coverage compose check locks benchmark clean FORCE

serve: .venv/serve ## Install, migrate, seed and serve on http://127.0.0.1:8000
	@$(BIN)/trade-missions serve --prepare

test: .venv/test ## Install the test set and run all tests
	@$(IN_PARALLEL) $(PYTEST_ARGS)

compose: ## Serve from containers, with PostgreSQL; makes the secrets that are missing
	@./compose.sh

# Watching each line doubles what a test costs, and what happens in other processes is not seen: so it
# is a run of its own, of the tests that call the program in their own process.
coverage: .venv/test ## What part of the program the tests run through
	@$(IN_PARALLEL) --cov --cov-report=term tests \
		$(patsubst %,--ignore=tests/%,faults clients install test_schemathesis.py test_docs_page.py \
		test_contributing.py) $(PYTEST_ARGS)

check: .venv/test ## Formatting, lints, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The second file is made on the first one's ground, so that both hold the same versions.
COMPILE = $(BIN)/locks/bin/uv pip compile pyproject.toml --universal --python-version 3.11 \
	--no-strip-extras --generate-hashes --no-annotate --no-header --quiet --extra build --extra parquet --extra png \
	$(LOCKS_ARGS)

locks: .venv/interpreter ## Make both lock files anew; what still fits stays (LOCKS_ARGS=--upgrade)
	@echo "Making an environment for $(UV)..."
	@rm -rf $(BIN)/locks && $(BIN)/python -m venv $(BIN)/locks
	@$(BIN)/locks/bin/python -m pip --quiet --disable-pip-version-check install $(UV)
	$(COMPILE) -o requirements.lock
	$(COMPILE) --extra test --constraint requirements.lock -o requirements-test.lock
	@rm -rf $(BIN)/locks

benchmark: .venv/peers/ready ## The service beside others that do the same (BENCHMARK_ARGS=--quick)
	@$(BIN)/trade-missions benchmark --python .venv/peers/bin/python $(BENCHMARK_ARGS)

# What is measured beside the service has an environment of its own: no lock names it.
.venv/peers/ready: pyproject.toml .venv/serve
	@echo "Installing what is measured beside the service..."
	@rm -rf .venv/peers && $(BIN)/python -m venv .venv/peers
	@.venv/peers/bin/python -m pip --quiet --disable-pip-version-check install ".[benchmark]"
	@touch $@

clean: ## Remove what was installed; the database stays
	rm -rf .venv

# What an interpreter says of itself: its version and where it is, outside of any environment.
ABOUT := import os, sys; print("%d.%d.%d" % sys.version_info[:3], os.path.realpath(sys.executable))
IS_NEW := import sys; sys.exit(sys.version_info < (3, 11))
NEEDED := Python 3.11 or later is needed
NAME_IT := make $(firstword $(MAKECMDGOALS) serve) PYTHON=python3.11
# Without PYTHON=… the environment that is there stays, as long as it does.
STAYS := $(if $(filter file default undefined,$(origin PYTHON)),yes)

# Looked at each time: an environment of another interpreter, or of none any more, is made anew.
.venv/interpreter: FORCE
	@if [ "$(STAYS)" ] && [ -f $@ ] && $(BIN)/python -c '$(IS_NEW)' 2>/dev/null; then exit 0; fi; \
	found=`$(PYTHON) -c '$(ABOUT)' 2>/dev/null`; \
	if [ -z "$$found" ]; then \
		echo "$(NEEDED), and \"$(PYTHON)\" does not run. Install one, or name it: $(NAME_IT)" >&2; \
		exit 1; \
	elif ! $(PYTHON) -c '$(IS_NEW)'; then \
		echo "$(NEEDED), and $(PYTHON) is Python $${found%% *}. Name another: $(NAME_IT)" >&2; \
		exit 1; \
	elif [ "`cat $@ 2>/dev/null`" = "$$found" ] && $(BIN)/python -c '' 2>/dev/null; then exit 0; fi; \
	echo "Making an environment in .venv (Python $${found%% *})..."; \
	rm -rf .venv && "$${found#* }" -m venv .venv && echo "$$found" > $@

# A stamp is newer than what it was made of, so that a second start installs nothing.
.venv/serve: requirements.lock pyproject.toml .venv/interpreter
	@echo "Installing `grep -c '^[a-z].*==' requirements.lock` packages..."
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(PIP) check
	@touch $@

.venv/test: requirements-test.lock .venv/serve
	@echo "Installing the test set (`grep -c '^[a-z].*==' requirements-test.lock` packages in all)..."
	@$(PIP) install --no-deps --require-hashes -r requirements-test.lock
	@$(PIP) check
	@touch $@
