# make demo    try it: an embedded AWS account, Valkey, workers and the web server, nothing to configure
# make serve   use it: on this machine, with your AWS credentials; the same command upgrades
# make test    every test          make check   every static check          make bench   the benchmarks
# make fuzz    ten minutes of damaged and made-up inputs for every reader and for the API; SEED=7 makes the same again
# make chaos   everything breaks while work goes on; TRIES=2 SEED=7 FAULTS='kill*' make it shorter, the same, only some
# make cli     the wheel of the command line, into dist
# make soak    an hour of work, to see what grows, into docs/benchmarks.md; MINUTES=15 makes it shorter
PYTHON ?= python3
BIN := .venv/bin
DIST ?= dist

.PHONY: demo serve test check bench fuzz chaos soak cli format clean

demo: .venv/.demo
	@$(BIN)/python manage.py demo

serve: .venv/.serve
	@$(BIN)/python manage.py serve

test: .venv/.dev
	@sh .ci/system-packages
	@$(BIN)/python -m tests.run

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	DRYDOCK_HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run

bench: .venv/.dev
	@sh .ci/system-packages
	@$(BIN)/python -m tests.benchmarks

fuzz: .venv/.dev
	@$(BIN)/python -m tests.fuzz $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

chaos: .venv/.dev
	@sh .ci/system-packages
	@$(BIN)/python -m tests.chaos $(if $(TRIES),--tries $(TRIES)) $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults '$(FAULTS)')

soak: .venv/.dev
	@$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES))

cli: .venv/bin/pip
	@build=$$(mktemp -d) && cp -R drydock_cli/. "$$build" && \
	  $(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$(DIST)" "$$build"; \
	  code=$$?; rm -rf "$$build"; exit $$code

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv var

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Drydock needs Python 3.11 or newer; set PYTHON=python3.12 or the like."; exit 1; }
	@$(PYTHON) -m venv .venv || { sh .ci/system-packages python3-venv && $(PYTHON) -m venv --clear .venv; }

.venv/.serve: .venv/bin/pip requirements.txt
	@echo "Installing the pinned requirements ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.demo: .venv/bin/pip requirements.txt requirements-sandbox.txt
	@echo "Installing the pinned requirements ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-sandbox.txt
	@touch $@ .venv/.serve

.venv/.dev: .venv/bin/pip requirements.txt requirements-sandbox.txt requirements-dev.txt
	@echo "Installing the pinned requirements ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/.demo .venv/.serve
