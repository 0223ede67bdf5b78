# Two commands are all a newcomer needs: `make demo` and `make test`. Both do their own set-up.

PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
STAMP   = $(VENV)/.ready

.PHONY: demo test check unit bench fuzz test-all goldens docs demo-bundle e2e e2e-full cluster-up cluster-down cluster-status cluster-logs clean help

help: ## list the targets
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: build/demo-venv/.ready ## install into a virtual environment and analyse a bundle recorded on a real cluster
	build/demo-venv/bin/kubectl-netpolgen demo

build/demo-venv/.ready: setup.cfg pyproject.toml $(shell find kubectl_netpolgen -type f -not -name '*.pyc')
	rm -rf build/demo-venv
	$(PYTHON) -m venv build/demo-venv
	build/demo-venv/bin/python -m pip install --quiet --disable-pip-version-check .
	touch $@

$(STAMP): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,fast,zstd]'
	touch $@

test: check unit ## everything that needs no cluster, no root, no Go

check: $(STAMP) ## format, lint, types, layers
	$(BIN)/ruff format --check kubectl_netpolgen tests docs bench noxfile.py
	$(BIN)/ruff check kubectl_netpolgen tests docs bench noxfile.py
	$(BIN)/mypy
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/lint-imports --config setup.cfg

unit: $(STAMP) ## the tests that need no cluster, with coverage
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m pytest tests --ignore=tests/e2e --cov --cov-report=term --cov-fail-under=90

test-all: $(STAMP) ## the same tests on every interpreter found, 3.10 to 3.13
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/nox

bench: $(STAMP) ## speed and memory beside other readers of captures, one table; BENCH=quick, ROUNDS=5, BENCH_DIR=build/bench
	$(BIN)/python -m bench.run $(BENCH_FLAGS)

fuzz: $(STAMP) ## damaged captures: SEED=1, COUNT=1000 variants of each file; what breaks is kept in tests/conformance/corpus
	$(BIN)/python -m tests.conformance.fuzz --seed $(or $(SEED),1) --count $(or $(COUNT),1000)

goldens: $(STAMP) ## write the golden files anew; read the diff before you commit it
	NETPOLGEN_UPDATE_GOLDENS=1 $(BIN)/python -m pytest tests --ignore=tests/e2e -q

docs: $(STAMP) ## write the generated parts of README.md and plugin.yaml anew
	$(BIN)/python docs/generate.py

cluster-up: $(STAMP) ## a real two-node Kubernetes on this machine (root, Linux, Go)
	$(BIN)/python -m tests.harness up

cluster-down: $(STAMP) ## take it down and leave nothing
	$(BIN)/python -m tests.harness down

cluster-status: $(STAMP) ## what of it runs
	$(BIN)/python -m tests.harness status

cluster-logs: $(STAMP) ## where its logs are, and their ends
	$(BIN)/python -m tests.harness logs

e2e: $(STAMP) ## every scenario once on a real cluster (NETPOLGEN_E2E_KUBECONFIG for another than ours)
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m pytest tests/e2e --durations=10
	test -n "$$NETPOLGEN_E2E_KUBECONFIG$$NETPOLGEN_E2E_KEEP" || $(BIN)/python -m tests.harness down

e2e-full: $(STAMP) ## the larger counts: ROUNDS=20 SETS=200 SEED=1, resumable, summed in tests/e2e/results*.jsonl
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tests.e2e.full --rounds $(or $(ROUNDS),20) --sets $(or $(SETS),200) --seed $(or $(SEED),1)

demo-bundle: $(STAMP) ## record the demo's bundle anew on the real cluster
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tests.e2e.record_demo

clean: ## remove what the other targets made
	rm -rf $(VENV) .venvs build dist *.egg-info .coverage .nox
