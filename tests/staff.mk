# The targets of those who work on the homework, of which students' copies have none.
PEERS_VENV := .venv-bench
PEERS_READY := $(if $(PEERS),$(PEERS_VENV)/.synced)
OTTER_VENV := .venv-otter
OTTER_READY := $(if $(OTTER),$(OTTER_VENV)/.synced)
CLASS_READY := $(if $(CLASS),$(VENV)/.synced-class) $(if $(GROWTH),$(VENV)/.synced-dev)
PEERS_PIP := $(PEERS_VENV)/bin/python -m pip install -qq --disable-pip-version-check

.PHONY: test lint prove attacks fuzz soak calibrate reference handout upgrade release bench

# Two at a time: where one waits for a deadline the other goes on. Files stay together,
# for their tests share what takes long.
test: $(VENV)/.synced-dev lint ## lint, type check and all tests of the grader
	$(RUN) -m pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/.synced-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

# OUT is for one hand-in unless it is given.
CLUSTER_READY := $(if $(CLUSTER),$(VENV)/.synced-cluster)
CLASS_OUT := $(if $(filter file,$(origin OUT)),class-results,$(OUT))

.PHONY: grade-class
grade-class: $(VENV)/.synced-class $(CLUSTER_READY) ## staff: grade all hand-ins of a folder, SUBMISSIONS=dir
	@$(RUN) -m grader.classroom "$(SUBMISSIONS)" --out "$(CLASS_OUT)" --seed "$(SEED)" \
	  --jobs "$(JOBS)" --names "$(NAMES)" --canvas "$(CANVAS)" --moodle "$(MOODLE)" \
	  --assignment "$(ASSIGNMENT)" --only "$(ONLY)" --sandbox "$(SANDBOX)" \
	  --reference "$(REFERENCE)" --device "$(DEVICE)" --cluster "$(CLUSTER)"

.PHONY: node
node: $(VENV)/.synced-cluster ## staff: have this machine grade for CLUSTER=tcp://… [JOBS=2]
	@PYTHONPATH=. $(RUN) -m dask worker "$(CLUSTER)" --no-nanny --no-dashboard \
	  $(if $(JOBS),--nthreads $(JOBS))

prove: $(STAMP) ## staff: grade every known mistake, write tests/MATRIX.md [SEEDS=20]
	@SEEDS="$(SEEDS)" $(RUN) tests/prove.py $(IDS)

attacks: $(STAMP) ## staff: carry out all attacks on the grader, write tests/ATTACKS.md
	@$(RUN) tests/attack.py $(IDS)

soak: $(STAMP) ## staff: many gradings in a row, or killed graders [N=500 | RIGHT=100 | KILL=100]
	@N="$(N)" RIGHT="$(RIGHT)" KILL="$(KILL)" SEED="$(SEED)" PYTHONMALLOC=malloc \
	  $(RUN) tests/soak.py

fuzz: $(VENV)/.synced-fuzz ## staff: make up bytes that a hand-in could send [SECONDS=60]
	@SECONDS="$(SECONDS)" nice -n 5 $(RUN) tests/fuzz/fuzz.py $(IDS)

calibrate: $(STAMP) ## staff: train on CartPole for hours, write CALIBRATION.md [LIMIT=600]
	@LIMIT="$(LIMIT)" $(RUN) tests/calibrate.py

reference: $(STAMP) ## staff: record the solution's answers anew, print the drift
	@$(RUN) -m grader reference --sandbox "$(SANDBOX)" --device "$(DEVICE)"

handout: $(STAMP) ## staff: write handout and notebook anew from what the code says
	@$(RUN) docs/build.py

upgrade: | $(UV) ## staff: the newest versions that pyproject.toml allows, into uv.lock
	@$(UV) lock --upgrade

release: $(STAMP) ## staff: what to hand out and set up, into dist/ [URL=https://...]
	@URL="$(URL)" $(RUN) tests/release.py

BENCH := $(firstword $(if $(CLASS),classroom) $(if $(GROWTH),growth) $(if $(PEERS),peers) \
  $(if $(OTTER),otter_grader/bench) overhead)
bench: $(STAMP) $(PEERS_READY) $(OTTER_READY) $(CLASS_READY) ## staff: what grading costs [PEERS=1 | CLASS=20 | GROWTH=50,200 | OTTER=1]
	@SEEDS="$(SEEDS)" RACERS="$(RACERS)" CLASS="$(CLASS)" GROWTH="$(GROWTH)" ONLY="$(ONLY)" \
	  KILL="$(KILL)" $(RUN) tests/bench/$(BENCH).py

$(VENV)/.synced-dev: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --locked --inexact --quiet --compile-bytecode --group dev --extra watch \
	  --extra staff --extra cluster && touch $@ $(STAMP) $(VENV)/.synced-watch \
	  $(VENV)/.synced-class $(VENV)/.synced-cluster

$(VENV)/.synced-cluster: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --locked --inexact --quiet --compile-bytecode --extra cluster \
	  && touch $@ $(STAMP)

$(VENV)/.synced-class: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --locked --inexact --quiet --compile-bytecode --extra staff \
	  && touch $@ $(STAMP)

$(VENV)/.synced-fuzz: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --locked --inexact --quiet --group fuzz && touch $@ $(STAMP)

# Torch first and by pip, which takes a build without CUDA where one is at hand.
$(PEERS_VENV)/.synced: tests/bench/racers/requirements.txt | $(STAMP)
	@echo "Setting up the environment of other people's DQN (once; some GB) ..."
	@$(UV) venv --quiet --clear --seed --python $(RUN) $(PEERS_VENV)
	@$(PEERS_PIP) --no-deps $$(grep ^torch== $<)
	@$(PEERS_PIP) -r $< && touch $@

$(OTTER_VENV)/.synced: tests/bench/otter_grader/requirements.txt pyproject.toml uv.lock | $(UV)
	@echo "Setting up the environment of otter-grader (once; 1 GB) ..."
	@UV_PROJECT_ENVIRONMENT=$(OTTER_VENV) $(UV) sync --locked --quiet
	@$(UV) pip install --quiet --python $(OTTER_VENV)/bin/python -r $< && touch $@
