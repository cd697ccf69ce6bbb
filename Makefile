# Two commands do everything on a fresh machine: `make demo` and `make test`; `make correct` goes on from the demo.
# The same with -supertuxkart behind it is for that game: it plays on a screen of its own, in real time.
# The README lists the same commands for Windows, where make is absent.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_ARGS ?=
CORRECT_ARGS ?=
SCORE_ARGS ?=
DEVICES_ARGS ?=

# Its keys must not go where a person types.
UNSEEN := env -u DISPLAY -u WAYLAND_DISPLAY
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: setup demo correct score test check unit test-devices bench constraints clean
.PHONY: supertuxkart demo-supertuxkart correct-supertuxkart score-supertuxkart

setup: $(READY)

# Exact versions come from constraints.txt, so that today's installation is tomorrow's. Python compiles what is imported
# when it is; compiling all that is installed would be a third of the time.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"kart-pipeline needs Python 3.11 to 3.13, not {v[0]}.{v[1]}; name one: make PYTHON=python3.12 {sys.argv[1]}")' "$(MAKECMDGOALS)"
	@echo "Installing into $(VENV): about 1 GB to download, 2 to 5 minutes the first time."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --progress-bar on --constraint constraints.txt --editable '.[recorder,games,uinput,player,runtimes,pipeline,search,cloud,celery,k8s,postgres,dev]'
	@touch $(READY)

demo: $(READY)
	$(BIN)/python -m kart_pipeline.demo $(DEMO_ARGS)

correct: $(READY)
	$(BIN)/python -m kart_pipeline.correct $(CORRECT_ARGS)

# The tables of the README, from nothing: about 45 minutes on 2 cores.
score: $(READY)
	$(BIN)/python -m benchmarks.score $(SCORE_ARGS)

# The game is a package of Debian and its kin.
supertuxkart:
	@{ [ -x /usr/games/supertuxkart ] && command -v Xvfb >/dev/null; } || { \
	  echo "Installing SuperTuxKart and Xvfb with apt: 660 MB to download, 830 MB on disk."; \
	  $(SUDO) apt-get install -y --no-install-recommends supertuxkart xvfb libgl1-mesa-dri; }

demo-supertuxkart: supertuxkart $(READY)
	$(UNSEEN) $(BIN)/python -m kart_pipeline.demo --game supertuxkart $(DEMO_ARGS)

correct-supertuxkart: supertuxkart $(READY)
	$(UNSEEN) $(BIN)/python -m kart_pipeline.correct --game supertuxkart --episodes 16 --minutes 8 --seeds 8 $(CORRECT_ARGS)

# In real time: hours. The rounds, single laps on tracks that chose nothing, then whole races, track by track.
score-supertuxkart: supertuxkart $(READY)
	$(UNSEEN) $(BIN)/python -m benchmarks.score --game supertuxkart --seeds 8 $(SCORE_ARGS) -- --episodes 16 --minutes 8 --seeds 8
	KART_HOME=$${KART_HOME:-.kart}/score/supertuxkart $(BIN)/python -m benchmarks.races --model-uri models:/kart-supertuxkart@champion

test: check unit

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(READY)
	$(BIN)/pytest

# Gamepads that a kernel makes, read and played, in a virtual machine: Debian or a child of it for PCs, with QEMU.
test-devices: $(READY)
	$(BIN)/python -m tests.devices $(DEVICES_ARGS)

bench: $(READY)
	$(BIN)/python -m benchmarks

# After a change of dependencies: one resolution for Python 3.11 to 3.13 and every system.
constraints: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links \
	  --extra recorder --extra games --extra uinput --extra vgamepad --extra vjoy --extra player --extra runtimes --extra pipeline --extra search --extra cloud --extra celery --extra k8s --extra postgres --extra dev \
	  --upgrade --output-file constraints.txt pyproject.toml

clean:
	rm -rf $(VENV) .cache build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
