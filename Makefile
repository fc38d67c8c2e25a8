# make demo   serve the app           make check       one example per page, in the shell
# make test   everything CI checks    make bench       measured figures of the README
# make evaluate  every shipped checkpoint's figures again, from DATA (about an hour);
#                with FLAGS=--keep also written into the cards and the README
# make clean  remove what was built   make screenshots every page into test-results/; link previews and README pictures
HOST ?= 127.0.0.1
PORT ?= 7860

# The newest supported Python that starts and can make environments (version managers
# leave commands on PATH that do not start).
PYTHON ?= $(shell for python in python3.12 python3.13 python3.11; do \
	$$python -c 'import ensurepip, venv' 2>/dev/null && echo $$python && break; done)

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# Compiled modules are kept, those of tests with their rewritten assertions too.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONDONTWRITEBYTECODE VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

DATA ?= ../shared/data
FLAGS ?=

# make test-fast   before a commit: style, imports, tests without weights, server or browser
# make lint-js   types, errors and format of the pages' JavaScript; passed over where npm does not work
# make soak   200 visitors for five minutes     make fuzz   20,000 requests that nobody would write
.PHONY: gpu-check clients soak fuzz lint-js demo test test-fast check bench evaluate examples screenshots chromium nginx clean
.DELETE_ON_ERROR:

demo: $(VENV)/.runtime
	@exec $(BIN)/python app.py --host "$(HOST)" --port "$(PORT)"

test: $(VENV)/.dev chromium nginx
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/python app.py --space check
	@if command -v npm >/dev/null && npm ping >/dev/null 2>&1; then $(MAKE) lint-js; \
	else echo "npm does not work here: the pages' JavaScript is not checked" >&2; fi
	# Types beside tests, which wait now and then; each of the two workers has an app and models: 3 GB or so.
	@$(BIN)/mypy & types=$$!; \
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$types && exit $$tests

test-fast: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/pytest --fast --numprocesses 2 --quiet --durations 5 tests/style tests/figures tests/ui tests/demos tests/models tests/tasks tests/insight

lint-js: node_modules/.package-lock.json
	npm run --silent lint

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

check: $(VENV)/.runtime
	$(BIN)/python app.py --check

bench: $(VENV)/.bench chromium
	$(BIN)/python -m tests.benchmarks.first_page
	$(BIN)/python -m tests.benchmarks.second_start
	$(BIN)/python -m tests.benchmarks.against_the_library
	$(BIN)/python -m tests.benchmarks.adapters
	$(BIN)/python -m tests.benchmarks.long_text
	$(BIN)/python -m tests.benchmarks.attention
	$(BIN)/python -m tests.benchmarks.home
	$(BIN)/python -m tests.benchmarks.first_visit
	$(BIN)/python -m tests.benchmarks.anatomy
	$(BIN)/python -m tests.benchmarks.visitors
	$(BIN)/python -m tests.benchmarks.lab

soak: $(VENV)/.dev
	$(BIN)/python -m tests.soak $(FLAGS)

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz $(FLAGS)

gpu-check: $(VENV)/.dev
	$(BIN)/python -m tests.gpu $(FLAGS)

clients: $(VENV)/.dev $(VENV)/clients/.installed tests/clients/node_modules/.package-lock.json
	$(BIN)/python -m tests.clients "$(VENV)/clients/bin/python"

$(VENV)/clients/.installed: tests/clients/requirements.txt
	$(PYTHON) -m venv "$(VENV)/clients"
	"$(VENV)/clients/bin/python" -m pip install --disable-pip-version-check -r tests/clients/requirements.txt
	@touch $@

tests/clients/node_modules/.package-lock.json: tests/clients/package.json tests/clients/package-lock.json
	npm ci --prefix tests/clients --ignore-scripts --no-audit --no-fund
	@touch $@

evaluate: $(VENV)/.dev
	$(BIN)/python -m components.training evaluate --data "$(DATA)" $(FLAGS)

examples: $(VENV)/.runtime
	$(BIN)/python app.py --examples all

screenshots: $(VENV)/.dev chromium
	$(BIN)/python -m tests.browser.cards
	$(BIN)/python -m tests.browser.screenshots

# Stamps: an environment is touched only when its requirements changed.
$(VENV)/.runtime: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with venv is needed: install one (on Debian:\
	 apt-get install python3 python3-venv) or name it, as in: make demo PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.dev
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-bench.txt
	@command -v npm >/dev/null || echo "npm is needed too: what bertviz draws with comes out of its packages" >&2
	@touch $@

chromium: $(VENV)/.dev
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null \
	|| { command -v apt-get >/dev/null && $(AS_ROOT) apt-get update -q \
		&& { $(AS_ROOT) apt-get install -yq chromium-headless-shell || $(AS_ROOT) apt-get install -yq chromium; }; } \
	|| $(BIN)/playwright install chromium

nginx:
	@command -v nginx >/dev/null || test -x /usr/sbin/nginx \
	|| { command -v apt-get >/dev/null && $(AS_ROOT) apt-get install -yq nginx-light; } \
	|| echo "nginx is not installed: the tests behind a proxy are skipped" >&2

clean:
	rm -rf $(VENV) node_modules tests/clients/node_modules test-results .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
