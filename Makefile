# Two commands need nothing but Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Two processes, each with a Kafka and a registry of its own: most tests wait for a broker.
PYTEST ?= --numprocesses 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types bench profile dashboards chaos soak sbom advisories lock clean

help: ## say what each target does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# A stamp for each lock: set-up runs again only when the lock or the project's own description changed.
$(VENV)/.run: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "loyaltystream needs Python 3.11 or newer; $$($(PYTHON) --version) is $$(command -v $(PYTHON)). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

setup: $(VENV)/.dev ## make .venv with everything that development needs

demo: $(VENV)/.run ## the whole story on a real Kafka: 20,000 events, a SIGKILL, an audit
	@$(BIN)/loyaltystream demo $(DEMO)

test: $(VENV)/.dev ## lint, types and all tests (starts its own Kafka and registry)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pytest $(PYTEST)

lint: $(VENV)/.dev ## ruff, with what it can mend mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.dev ## mypy, strict
	@$(BIN)/mypy

bench: $(VENV)/.dev ## events/s, CPU and memory of INGEST beside a bare copy loop (minutes)
	@$(BIN)/python -m tests.bench $(BENCH)

chaos: $(VENV)/.dev ## faults on a real broker for half an hour: kills, outages, full disks; docs/chaos.md
	@$(BIN)/python -m tests.chaos --minutes 30 --injections 120 --markdown docs/chaos.md $(CHAOS)

soak: $(VENV)/.dev ## 500 faults and more, about two hours; the report goes to docs/soak.md
	@$(BIN)/python -m tests.chaos --injections 500 --markdown docs/soak.md $(CHAOS)

dashboards: $(VENV)/.dev ## write dashboards, rules and alerts of deploy/ from tests/observing
	@$(BIN)/python -m tests.observing

profile: $(VENV)/.dev ## what each step of both stages costs an event, and a rejected one, beside json.loads and fastavro
	@$(BIN)/python -m tests.bench.steps $(PROFILE)
	@$(BIN)/python -m tests.bench.notifying $(PROFILE)
	@$(BIN)/python -m tests.bench.records $(PROFILE)
	@$(BIN)/python -m tests.bench.refusing $(PROFILE)

sbom: $(VENV)/.dev ## write dist/sbom.json: all that the image installs, as CycloneDX
	@mkdir -p dist
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements/image.txt --pyproject pyproject.toml --output-reproducible --of JSON -o dist/sbom.json

advisories: $(VENV)/.dev ## look up what is installed among PyPI's security advisories (needs the network)
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements/image.txt

lock: $(VENV)/.dev ## pin every dependency by hash again (names no index)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra local --extra service --extra otel --extra build --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --quiet --upgrade -o requirements/run.txt
	@$(BIN)/uv pip compile pyproject.toml --extra local --extra service --extra otel --extra build --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --quiet --upgrade -o requirements/dev.txt
	@$(BIN)/uv pip compile pyproject.toml --extra service --extra otel -c requirements/run.txt --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --quiet -o requirements/image.txt
	@$(BIN)/uv pip compile requirements/build.in -c requirements/run.txt --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --quiet -o requirements/build.txt

clean: ## remove .venv and everything that the platform keeps here
	@test ! -x $(BIN)/loyaltystream || $(BIN)/loyaltystream platform stop --quiet
	@rm -rf $(VENV) .loyaltystream .pytest_cache .mypy_cache .ruff_cache .hypothesis
