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

.DEFAULT_GOAL := help
.PHONY: help grade doctor train watch gpu clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

gpu: | $(UV) ## install a JAX with CUDA (Linux; gigabytes), for DEVICE=gpu
	@$(UV) sync --locked --inexact --quiet --compile-bytecode --extra gpu && touch $(STAMP)

clean: ## remove the environment and all results
	rm -rf $(VENV) .venv-bench .venv-otter .uv results dist .mypy_cache .ruff_cache .hypothesis

$(STAMP): pyproject.toml uv.lock | $(UV)
	@echo "Setting up the environment (once; a few minutes on a slow line) ..."
	@$(UV) sync --locked --inexact --quiet --compile-bytecode && touch $@

$(VENV)/.synced-watch: pyproject.toml uv.lock | $(UV)
	@echo "Setting up gymnasium's drawing (once) ..."
	@$(UV) sync --locked --inexact --quiet --compile-bytecode --extra watch \
	  && touch $@ $(STAMP)

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than 3.11; try make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv .uv || { echo "error: no venv module (Debian, Ubuntu:" \
	  "apt-get install python3-venv)"; rm -rf .uv; exit 2; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# What only staff have and need; students' copies come without it.
-include tests/staff.mk
