# Needs Python 3.11 or newer (with venv and pip) and make; everything else goes into .venv.
# Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
JOBS ?= 2
OUT ?= out
VENV := .venv

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
RUN := $(BIN)/python -m

.DELETE_ON_ERROR:
.PHONY: help demo test test-all coverage lint types docs stubs errata pictures screenshots bench peers format clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
	    awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

demo: $(VENV)/examples.stamp ## Train on real data, draw the graphs, write everything to out/
	$(RUN) tinygraph demo --out "$(OUT)"

# Two workers with small matrices: threads of their own would only get in each other's way.
test test-all: export OPENBLAS_NUM_THREADS = 1

test: lint types ## Lint, type-check and test (small counts)
	$(RUN) pytest -n $(JOBS)

test-all: lint types ## The same with the full counts
	TINYGRAPH_FULL=1 $(RUN) pytest -n $(JOBS)

coverage: $(VENV)/dev.stamp ## Test, and list the lines of tinygraph that no test runs
	$(RUN) coverage run -m pytest
	$(RUN) coverage report

lint: $(VENV)/dev.stamp ## Check style and formatting
	$(RUN) ruff check
	$(RUN) ruff format --check

types: $(VENV)/dev.stamp ## Check the types, strictly
	$(RUN) mypy

docs: $(VENV)/dev.stamp ## Build the site into docs/_build/html
	$(RUN) sphinx --fail-on-warning --quiet docs docs/_build/html
	@echo "docs/_build/html/index.html"

stubs: $(VENV)/dev.stamp ## Write the type stubs anew from the registry
	$(RUN) tools.make_stubs

errata: $(VENV)/dev.stamp ## Measure the claims about modules and write docs/errata.md anew
	$(RUN) tools.make_errata

pictures: $(VENV)/dev.stamp ## Draw the pictures of the README and the docs anew
	$(RUN) tools.make_pictures

screenshots: $(VENV)/dev.stamp ## Take the pictures of the explorer anew; needs Chromium
	$(RUN) tools.make_screenshots

bench: $(VENV)/dev.stamp ## Measure training steps and single ops, against whichever peers are installed
	$(RUN) benchmarks.suite --write docs/benchmarks
	$(RUN) benchmarks.suite.scaling --write docs/benchmarks
	$(RUN) benchmarks.run

peers: $(VENV)/dev.stamp $(VENV)/peers.stamp ## Install PyTorch and others into .venv, and compare results
	$(RUN) pytest tests/peers

format: $(VENV)/dev.stamp ## Format the code
	$(RUN) ruff check --fix --exit-zero --quiet
	$(RUN) ruff format

clean: ## Remove the environment and everything built
	@$(PYTHON) -c "import pathlib, shutil; \
	    names = '$(VENV) build dist docs/_build docs/generated .pytest_cache .mypy_cache .ruff_cache .hypothesis'; \
	    found = [*map(pathlib.Path, names.split()), *pathlib.Path().glob('*.egg-info')]; \
	    found += [p for d in ('tinygraph', 'tests', 'tools', 'docs', 'examples', 'benchmarks') \
	              for p in pathlib.Path(d).rglob('__pycache__')]; \
	    [shutil.rmtree(p, ignore_errors=True) for p in found]"

# .venv is made once; a stamp for each set of extras follows the files that name them.

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c "import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
	    f'tinygraph needs Python 3.11 or newer, this is {v[0]}.{v[1]}. Try: make PYTHON=python3.12')"
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.stamp: setup.cfg pyproject.toml | $(VENV)/pyvenv.cfg
	$(RUN) pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@$(PYTHON) -c "import pathlib; pathlib.Path('$@').touch()"
