# The targets for staff, who work on the homework; students' copies come without them.
PEERS_VENV := .venv-bench
PEERS_READY := $(if $(value PEERS),$(PEERS_VENV)/.synced)
OTTER_VENV := .venv-otter
OTTER_READY := $(if $(value OTTER),$(OTTER_VENV)/.synced)
CLASS_READY := $(if $(value CLASS),$(VENV)/.synced-class) $(if $(value GROWTH)$(value WATCH),$(VENV)/.synced-dev)
PEERS_PIP := $(PEERS_VENV)/bin/python -m pip install -qq --disable-pip-version-check

.PHONY: test lint prove attacks fuzz soak calibrate reference handout upgrade release bench gpu-check example

# Three processes: while one waits for a deadline, the others go on. The tests of a file
# stay in one process, because they share slow fixtures.
test: $(VENV)/.synced-dev lint ## staff: lint, type check and all tests of the grader
	$(RUN) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 25

lint: $(VENV)/.synced-dev ## staff: lint and type check
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

CLUSTER_READY := $(if $(value CLUSTER),$(VENV)/.synced-cluster)

.PHONY: grade-class
grade-class: $(VENV)/.synced-class $(CLUSTER_READY) ## staff: grade all hand-ins in a folder, SUBMISSIONS=dir [DRYRUN=1]
	@$(RUN) -m grader.classroom --out="$${OUT:-class-results}" --seed="$$SEED" \
	  --jobs="$$JOBS" --names="$$NAMES" --gradebook="$$GRADEBOOK" \
	  --assignment="$$ASSIGNMENT" --members="$$MEMBERS" --unread="$$UNREAD" --only="$$ONLY" \
	  --roster="$$ROSTER" --regrade="$$REGRADE" --adjust="$$ADJUST" \
	  --sandbox="$$SANDBOX" --device="$${DEVICE:-cpu}" \
	  --cluster="$$CLUSTER" --dryrun="$$DRYRUN" -- "$$SUBMISSIONS"

example: $(STAMP) ## staff: make up a class with its gradebook in example/, to try grade-class [N=12]
	@$(RUN) -m tests.tools.example

.PHONY: scheduler node
scheduler: $(VENV)/.synced-cluster ## staff: connect many machines at CLUSTER=tcp://10.0.0.1:8786
	@$(RUN) -m grader.classroom.cluster.scheduler "$$CLUSTER"

node: $(VENV)/.synced-cluster ## staff: let this machine grade for CLUSTER=tcp://… [LISTEN=10.0.0.2 JOBS=2]
	@$(RUN) -m grader.classroom.cluster.node --listen="$$LISTEN" --jobs="$$JOBS" -- "$$CLUSTER"

prove: $(STAMP) ## staff: grade every known mistake, write tests/evidence/MATRIX.md [SEEDS=20]
	@set -f; $(RUN) -m tests.tools.prove $$IDS

attacks: $(STAMP) ## staff: carry out all attacks on the grader, write tests/evidence/ATTACKS.md
	@set -f; $(RUN) -m tests.tools.attacks $$IDS

soak: $(STAMP) ## staff: many gradings in a row, or killed graders [N=500 | RIGHT=100 | KILL=100]
	@PYTHONMALLOC=malloc $(RUN) -m tests.tools.soak

fuzz: $(VENV)/.synced-fuzz ## staff: try random bytes where a hand-in sends some [SECONDS=60]
	@set -f; nice -n 5 $(RUN) -m tests.tools.fuzz.fuzz $$IDS

calibrate: $(STAMP) ## staff: grade learning for hours, write tests/evidence/CALIBRATION.md [LIMIT=600]
	@$(RUN) -m tests.tools.calibrate

reference: $(STAMP) ## staff: record the solution's answers again, print the drift
	@$(RUN) -m tests.tools.reference --sandbox="$$SANDBOX" --device="$${DEVICE:-cpu}"

# Without a network: `make gpu` must have installed a JAX with CUDA before.
gpu-check: $(STAMP) ## staff: compare a GPU with the CPU, write tests/evidence/GPU.md [DEVICE=cpu]
	@$(RUN) -m tests.tools.gpu_check --sandbox="$$SANDBOX" --device="$${DEVICE:-gpu}"

handout: $(VENV)/.synced-class ## staff: write handout and notebook again from the code
	@$(RUN) docs/build.py

upgrade: | $(UV) ## staff: put the newest versions that pyproject.toml allows into uv.lock
	@$(UV) lock --upgrade

release: $(STAMP) ## staff: write the packages to hand out into dist/ [URL=https://...]
	@$(RUN) -m tests.tools.release

BENCH := $(firstword $(if $(value WATCH),watch) $(if $(value CLASS),classroom) $(if $(value GROWTH),growth) $(if $(value PEERS),peers) \
  $(if $(value OTTER),otter_grader.bench) overhead)
bench: $(STAMP) $(PEERS_READY) $(OTTER_READY) $(CLASS_READY) ## staff: measure the cost of grading [WATCH=1 | PEERS=1 | CLASS=20 | GROWTH=50,200 | OTTER=1]
	@$(RUN) -m tests.tools.bench.$(BENCH)

$(VENV)/.synced-dev: pyproject.toml uv.lock | $(UV)
	@$(SYNC) --group dev --extra watch --extra staff --extra cluster && touch $@ $(STAMP) $(VENV)/.synced-watch \
	  $(VENV)/.synced-class $(VENV)/.synced-cluster

$(VENV)/.synced-cluster: pyproject.toml uv.lock | $(UV)
	@$(SYNC) --extra cluster && touch $@ $(STAMP)

$(VENV)/.synced-class: pyproject.toml uv.lock | $(UV)
	@$(SYNC) --extra staff && touch $@ $(STAMP)

$(VENV)/.synced-fuzz: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --locked --inexact --quiet --group fuzz && touch $@ $(STAMP)

# Torch first and by pip, which takes a build without CUDA if one is configured.
$(PEERS_VENV)/.synced: tests/tools/bench/racers/requirements.txt | $(STAMP)
	@echo "Setting up the environment of other people's DQN (once; some GB) ..."
	@$(UV) venv --quiet --clear --seed --python $(RUN) $(PEERS_VENV)
	@$(PEERS_PIP) --no-deps $$(grep ^torch== $<)
	@$(PEERS_PIP) -r $< && touch $@

$(OTTER_VENV)/.synced: tests/tools/bench/otter_grader/requirements.txt pyproject.toml uv.lock | $(UV)
	@echo "Setting up the environment of otter-grader (once; 1 GB) ..."
	@UV_PROJECT_ENVIRONMENT=$(OTTER_VENV) $(UV) sync --locked --quiet
	@$(UV) pip install --quiet --python $(OTTER_VENV)/bin/python -r $< && touch $@
