# The homework on deep Q-learning and its autograder. `make` alone prints the targets.
SUBMISSION ?= starter
OUT ?= results
DEVICE ?= cpu
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
RUN := $(VENV)/bin/python
# uv from the PATH, else one of our own, put into a small environment by pip.
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
STAMP := $(VENV)/.synced
PEERS_VENV := .venv-bench
PEERS_READY := $(if $(PEERS),$(PEERS_VENV)/.synced)
PEERS_PIP := $(PEERS_VENV)/bin/python -m pip install -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help grade doctor train watch test lint prove attacks calibrate reference \
  bench gpu clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

grade: $(STAMP) ## grade SUBMISSION=starter [ONLY=td_loss SEED=1 SANDBOX=process]
	@$(RUN) -m grader grade "$(SUBMISSION)" --only "$(ONLY)" --seed "$(SEED)" \
	  --out "$(OUT)" --sandbox "$(SANDBOX)" --device "$(DEVICE)" \
	  --reference "$(REFERENCE)" --in-process "$(INPROCESS)" \
	  --official "$(OFFICIAL)"

doctor: $(STAMP) ## try the sandboxes: what can this machine promise? how to get more
	@$(RUN) -m grader doctor

train: $(STAMP) ## train your own agent on CartPole, draw its learning curve
	@$(RUN) starter/train.py --seed "$(or $(SEED),1)" --out "$(OUT)"

watch: $(VENV)/.synced-watch ## after train: see your agent balance the pole, as a GIF
	@$(RUN) starter/watch.py --seed "$(or $(SEED),1)" --out "$(OUT)"

test: $(VENV)/.synced-dev lint ## lint, type check and all tests of the grader
	$(RUN) -m pytest

lint: $(VENV)/.synced-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

prove: $(STAMP) ## staff: grade every known mistake, write tests/MATRIX.md [SEEDS=20]
	@SEEDS="$(SEEDS)" $(RUN) tests/prove.py $(IDS)

attacks: $(STAMP) ## staff: carry out all attacks on the grader, write tests/ATTACKS.md
	@$(RUN) tests/attack.py $(IDS)

calibrate: $(STAMP) ## staff: train on CartPole for hours, write CALIBRATION.md [LIMIT=600]
	@LIMIT="$(LIMIT)" $(RUN) tests/calibrate.py

reference: $(STAMP) ## staff: record the solution's answers anew, print the drift
	@$(RUN) -m grader reference --sandbox "$(SANDBOX)" --device "$(DEVICE)"

bench: $(STAMP) $(PEERS_READY) ## staff: what grading costs, as ratios [PEERS=1 SEEDS=10]
	@SEEDS="$(SEEDS)" RACERS="$(RACERS)" \
	  $(RUN) tests/bench/$(if $(PEERS),peers,overhead).py

gpu: | $(UV) ## install a JAX with CUDA (Linux; gigabytes), for DEVICE=gpu
	@$(UV) sync --locked --inexact --quiet --compile-bytecode --extra gpu && touch $(STAMP)

clean: ## remove the environment and all results
	rm -rf $(VENV) $(PEERS_VENV) .uv results .mypy_cache .ruff_cache .hypothesis

$(STAMP): pyproject.toml uv.lock | $(UV)
	@echo "Setting up the environment (once; a few minutes on a slow line) ..."
	@$(UV) sync --locked --inexact --quiet --compile-bytecode && touch $@

$(VENV)/.synced-dev: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --locked --inexact --quiet --compile-bytecode --group dev --extra watch \
	  && touch $@ $(STAMP) $(VENV)/.synced-watch

$(VENV)/.synced-watch: pyproject.toml uv.lock | $(UV)
	@echo "Setting up gymnasium's drawing (once) ..."
	@$(UV) sync --locked --inexact --quiet --compile-bytecode --extra watch \
	  && touch $@ $(STAMP)

# Torch first and by pip, which takes a build without CUDA where one is at hand.
$(PEERS_VENV)/.synced: tests/bench/racers/requirements.txt | $(STAMP)
	@echo "Setting up the environment of other people's DQN (once; some GB) ..."
	@$(UV) venv --quiet --clear --seed --python $(RUN) $(PEERS_VENV)
	@$(PEERS_PIP) --no-deps $$(grep ^torch== $<)
	@$(PEERS_PIP) -r $< && touch $@

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than 3.11; try make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv .uv || { echo "error: no venv module (Debian, Ubuntu:" \
	  "apt-get install python3-venv)"; rm -rf .uv; exit 2; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
