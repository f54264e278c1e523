# The homework on deep Q-learning and its autograder. `make` alone prints the targets.

# The variables that can be given to make. A value is text for the programs and is never
# run. It reaches them through the environment: a recipe says "$$ONLY", which neither make
# nor a shell interprets, and never $(ONLY).
override OPTIONS := SUBMISSION ONLY SEED OUT TASK SANDBOX DEVICE INPROCESS WATCH \
  OFFICIAL VERBOSE HINT PYTHON
# The variables of the staff's targets, which are included at the end.
override OPTIONS += $(if $(wildcard tests/staff.mk),SUBMISSIONS JOBS NAMES GRADEBOOK \
  ASSIGNMENT MEMBERS UNREAD DRYRUN ROSTER REGRADE ADJUST CLUSTER LISTEN SEEDS IDS TIERS N RIGHT KILL SECONDS LIMIT URL PEERS RACERS \
  PAIRS CLASS GROWTH OTTER)

override upper = $(subst a,A,$(subst b,B,$(subst c,C,$(subst d,D,$(subst e,E,$(subst f,F,$(subst \
  g,G,$(subst h,H,$(subst i,I,$(subst j,J,$(subst k,K,$(subst l,L,$(subst m,M,$(subst \
  n,N,$(subst o,O,$(subst p,P,$(subst q,Q,$(subst r,R,$(subst s,S,$(subst t,T,$(subst \
  u,U,$(subst v,V,$(subst w,W,$(subst x,X,$(subst y,Y,$(subst z,Z,$1))))))))))))))))))))))))))
override GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
override UNKNOWN := $(firstword $(filter-out $(OPTIONS),$(GIVEN)))
ifneq ($(UNKNOWN),)
override MEANT := $(filter $(call upper,$(UNKNOWN)),$(OPTIONS))
$(error $(UNKNOWN)=… is no variable of this Makefile: $(if \
  $(MEANT),did you mean $(MEANT)?,there are $(OPTIONS)))
endif
# Make would expand a value once more before it goes to the environment; this prevents it.
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name)))$(eval export $(name)))

UV_VERSION := 0.13.9
VENV := .venv
RUN := $(VENV)/bin/python
# uv from the PATH; if there is none, pip installs one into a small environment.
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
STAMP := $(VENV)/.synced
WRITABLE := test -w . || { echo "error: this folder is not writable, so nothing can be" \
  "set up in it: copy the homework to one that is"; exit 2; }
SYNC := $(WRITABLE); $(UV) sync --locked --inexact --quiet --compile-bytecode

.DEFAULT_GOAL := help
.PHONY: help grade doctor train ablate watch gpu clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# An empty option is one that was not given.
grade: $(STAMP) ## grade SUBMISSION=starter [ONLY=td_loss HINT=3 VERBOSE=1 WATCH=1]
	@$(RUN) -m grader grade --only="$$ONLY" --seed="$$SEED" --out="$$OUT" \
	  --sandbox="$$SANDBOX" --device="$$DEVICE" \
	  --verbose="$$VERBOSE" --hint="$$HINT" --watch="$$WATCH" \
	  --in-process="$$INPROCESS" --official="$$OFFICIAL" -- "$${SUBMISSION-starter}"

doctor: $(STAMP) ## test the sandboxes: what this machine can promise, how to get more
	@$(RUN) -m grader doctor

train: $(STAMP) ## train your agent on CartPole, draw its learning curve [TASK=maze]
	@$(RUN) starter/train.py --task="$${TASK:-cartpole}" --seed="$${SEED:-1}" \
	  --out="$${OUT:-results}"

ablate: $(STAMP) ## train without target network, ¬d, replay: see what each is for
	@$(RUN) starter/ablate.py --seed="$${SEED:-1}" --out="$${OUT:-results}"

watch: $(VENV)/.synced-watch ## after train: draw your agent on CartPole, as a GIF
	@$(RUN) starter/watch.py --seed="$${SEED:-1}" --out="$${OUT:-results}"

gpu: | $(UV) ## install a JAX with CUDA (Linux; gigabytes), for DEVICE=gpu
	@$(SYNC) --extra gpu && touch $(STAMP)

clean: ## remove the environment, results/ and dist/
	rm -rf $(VENV) .venv-bench .venv-otter .uv results dist .mypy_cache .ruff_cache .hypothesis

$(STAMP): pyproject.toml uv.lock | $(UV)
	@echo "Setting up the environment (once; a few minutes on a slow line) ..."
	@$(SYNC) && touch $@

$(VENV)/.synced-watch: pyproject.toml uv.lock | $(UV)
	@echo "Setting up gymnasium's drawing (once) ..."
	@$(SYNC) --extra watch && touch $@ $(STAMP)

.uv/bin/uv:
	@$(WRITABLE)
	@"$${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $${PYTHON:-python3} is no Python 3.11 or newer;" \
	  "try make PYTHON=python3.12"; exit 2; }
	@"$${PYTHON:-python3}" -c 'import ensurepip, venv' || { echo "error: no venv module" \
	  "(Debian, Ubuntu: apt-get install python3-venv)"; exit 2; }
	@"$${PYTHON:-python3}" -m venv .uv || { rm -rf .uv; exit 2; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# The staff's targets; students' copies come without them.
-include tests/staff.mk
