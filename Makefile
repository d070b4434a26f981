# Two commands do everything: `make serve` and `make test`. They need git, make and Python 3.11+.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: serve test compose check benchmark clean

serve: .venv/serve ## Install, migrate, seed and serve on http://127.0.0.1:8000
	@$(BIN)/trade-missions serve --prepare

test: .venv/test ## Install the test set and run all tests
	@$(BIN)/python -m pytest -n auto $(PYTEST_ARGS)

compose: ## Serve from containers, with PostgreSQL; makes the secrets that are missing
	@./compose.sh

check: .venv/test ## Formatting, lints, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmark: .venv/test ## Reads against the usual way, on SQLite
	$(BIN)/python -m benchmarks.compare

clean: ## Remove what was installed; the database stays
	rm -rf .venv

# A stamp is newer than what it was made of, so that a second start installs nothing.
.venv/pip:
	$(PYTHON) -m venv .venv
	touch $@

.venv/serve: requirements.lock pyproject.toml | .venv/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.venv/test: requirements-test.lock .venv/serve
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-test.lock
	touch $@
