# make repro   the sample study: from nothing to reports/report.pdf
# make test    all tests
# make lab     JupyterLab on the notebooks
# make check   lint and format
# make weights train the released checkpoint anew on Caltech-101, and measure what it finds
# make bench   encoders and metrics against their peers, both sides in one run
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
# commands that a stage calls (msroi, jupyter) are those of the virtual environment
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: repro test lab check bench weights clean

repro: $(INSTALLED)
	dvc repro

test: $(INSTALLED)
	pytest -n 2

lab: $(INSTALLED)
	jupyter lab notebooks

check: $(INSTALLED)
	ruff check .
	ruff format --check .

bench: $(INSTALLED)
	pip install --quiet --constraint constraints.txt --editable ".[bench]"
	test -e data/raw/sample || msroi fetch sample
	python benchmarks/speed.py --image data/raw/sample/motorcycle.png
	python benchmarks/maps.py
	python benchmarks/metrics.py

weights: $(INSTALLED)
	dvc exp run -S study=released train@cam train@msroi fetch@osie
	msroi release
	msroi find caltech101 --to data/released
	msroi find osie --to data/released

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[study,dev]"
	touch $(INSTALLED)

clean:
	rm -rf $(VENV) models data/raw reports .dvc/cache .dvc/tmp
