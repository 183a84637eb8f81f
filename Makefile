# The verbs of the house; `make help` lists them. Settings come from the environment, see README.md.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
N ?= 50
DB ?= sqlite
SEED ?=
MINUTES ?=
PARTS ?=
CLAIMS ?=
NAMES ?=

BIN := .venv/bin
CARELOOM := $(BIN)/careloom
NPM := $(BIN)/python platform/web/bundle.py npm
# mypy takes the package's name from its folder, and a checkout may have any name: give it ours.
TYPES := mkdir -p .mypy_cache/house && ln -sfn ../.. .mypy_cache/house/careloom && \
	cd .mypy_cache/house && ../../.venv/bin/mypy --config-file ../../setup.cfg --cache-dir .. \
	careloom/platform careloom/runtime careloom/builders
SEMGREP := SEMGREP_SEND_METRICS=off SEMGREP_ENABLE_VERSION_CHECK=0 .venv/semgrep/bin/semgrep
export PYTHON PORT

.PHONY: help run test suite check lint types browsertypes vitest servers rules bench pictures fuzz holes kills soak install tools build pins clean

help: ## list the verbs
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 22

run: install build ## everything, from nothing: install, build, the demo clinic, serve on PORT
	$(CARELOOM) setup --demo
	$(CARELOOM) demo
	@echo "Careloom: http://$(HOST):$(PORT)   (Ctrl+C ends it)"
	@exec $(CARELOOM) run --host $(HOST) --port $(PORT)

# Most of the tests wait for the processor, and linters too: side by side neither core stands idle.
test: ## install what the tests need, then linters, types and every test
	$(MAKE) --no-print-directory -j2 servers tools
	$(MAKE) --no-print-directory build
	$(MAKE) --no-print-directory -j2 --output-sync=line suite check vitest
	$(BIN)/pytest -m alone
	@echo "make test: everything passed"

# The + keeps its lines from being held back until it ends.
suite: tools build ## every test but those that measure waits
	+$(BIN)/pytest -n 4 -m "not alone"

check: lint types browsertypes rules ## linters and types: ruff, mypy, vue-tsc; bandit and semgrep

lint: tools ## ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: tools ## mypy
	@$(TYPES)

browsertypes: tools build ## vue-tsc
	$(NPM) run types

vitest: tools build ## the browser side's own tests
	$(NPM) test

servers: ## what the tests need of the machine, by apt
	@sh .ci/system tests

rules: tools .venv/semgrep/.installed ## bandit, and the house's own rules by semgrep
	$(BIN)/bandit -q -c pyproject.toml -r platform runtime builders
	$(SEMGREP) scan -q --error --config .ci/rules/house.yml platform runtime builders templates
	@$(SEMGREP) --test .ci/rules >/dev/null || { echo "a rule misses its sample: .ci/rules" >&2; exit 1; }

# An environment of its own, for it pins versions that the house has otherwise.
.venv/semgrep/.installed: .ci/semgrep.txt .venv/.tools
	$(PYTHON) -m venv --without-pip .venv/semgrep
	$(BIN)/python -m pip --python .venv/semgrep install -q --no-compile --disable-pip-version-check \
		-r .ci/semgrep.txt
	@touch $@

bench: tools build ## measure each claim against its reference; CLAIMS=… for some
	@sh .ci/system tests
	PYTHONPATH=tests:tests/journeys $(BIN)/python -m benchmarks $(CLAIMS)

pictures: tools build ## screenshots of every page, with an index; NAMES=… for some
	@sh .ci/system tests
	PYTHONPATH=tests $(BIN)/python -m pictures $(NAMES)

fuzz: tools build ## 50 random requests to each of the API's operations, as three askers
	CARELOOM_FUZZ=50 $(BIN)/pytest tests/proof/test_api_fuzz.py

holes: tools build ## take each defence away in a copy; the tests must notice every one
	PYTHONPATH=tests:tests/data:tests/journeys $(BIN)/python -m holes

kills: tools build ## kill processes at work N times on DB=sqlite|postgresql, look for loss
	PYTHONPATH=tests $(BIN)/python -m kills --kills $(N) --database $(DB) $(if $(SEED),--seed $(SEED))

# 1,000 kills on each database, 200 of the demo's load, 1,000 races, every crash point, 50 restored backups, 50 cuts,
# 100 flushes of Redis: four hours on two busy cores. MINUTES=60 plays a share of each; PARTS=kills,races only these. Broken off,
# it goes on where it was while the sources are the same; var/soak has the logs, and removed it begins anew.
# KILLS, DEMO_KILLS, RACES (twelve each), CUTS, DRILLS (on each database), FLUSHES, HERD (recalls at once) say otherwise how many.
soak: tools build ## faults at length, with a table of counts: MINUTES=… bounds it, PARTS=… chooses
	@sh .ci/system tests
	PYTHONPATH=tests $(BIN)/python -m soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(PARTS),--parts "$(PARTS)") \
		$(if $(SEED),--seed $(SEED))

install: .venv/.installed ## the virtual environment with what serving needs, when setup.cfg has changed

tools: .venv/.tools ## the same with what tests and checks need besides

# Serving needs a third of the packages: who only tries Careloom waits for no others.
PINNED := setup.cfg pyproject.toml .ci/constraints.txt
define venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Careloom needs Python 3.11 or newer; say which: make PYTHON=python3.11 …" >&2; exit 1; }
@sh .ci/system venv
@test -x $(BIN)/python || $(PYTHON) -m venv .venv
$(BIN)/python -m pip install -q --disable-pip-version-check -c .ci/constraints.txt -e
endef

.venv/.installed: $(PINNED)
	$(venv) .
	@touch $@

.venv/.tools: $(PINNED)
	$(venv) '.[dev]'
	@touch .venv/.installed $@

build: install ## the browser side, when its sources have changed
	@$(BIN)/python platform/web/bundle.py build

pins: tools ## write down the versions installed here, for every later install
	$(BIN)/python -m pip freeze -q --exclude-editable --disable-pip-version-check > .ci/constraints.txt

clean: ## remove what can be made again (not var/, which holds data)
	rm -rf .venv node_modules build dist *.egg-info templates/static .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
