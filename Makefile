# make repro   the sample study: from nothing to reports/report.pdf
# make test    all tests
# make lab     JupyterLab on the notebooks, at the page that says where to begin
# make check   lint, format, the arrows between modules, and whether dvc.lock is of this code
# make weights train the released heads anew on Caltech-101, and measure what they find
# make trial   Figure 2's eight heads: trained, and what they find, to data/released/trial.csv
#              (an hour on two cores at most)
# make bench   encoders, maps and metrics against their peers, the large image, the growth of time:
#              one table, and reports/bench.json (about ten minutes; BENCH="--parts speed maps" for less)
# make fuzz    damaged images, networks, names, archives and parameters by the thousand, none of
#              which may break anything (about half an hour on two cores; FUZZ="--share 0.01", or
#              FUZZ="--images 200 --archives 0 ..." for less)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
# sets that say what is true of their photographs
JUDGES := osie mit1003 ecssd coco
# commands that a stage calls (msroi, jupyter) are those of the virtual environment
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: repro test lab check fuzz bench weights trial clean

repro: $(INSTALLED)
	dvc repro

test: $(INSTALLED)
	OMP_WAIT_POLICY=PASSIVE pytest -n 2 --dist loadgroup # the pipeline by one worker, and first

lab: $(INSTALLED)
	jupyter lab --ServerApp.root_dir=$(CURDIR) --LabApp.app_settings_dir=notebooks/.jupyterlab notebooks/README.md

check: $(INSTALLED)
	ruff check .
	ruff format --check .
	lint-imports --no-logo
	python -m study.lock

fuzz: $(INSTALLED)
	python tests/fuzz.py $(FUZZ)

bench: $(INSTALLED)
	pip install --quiet --constraint constraints.txt --editable . --editable "study[bench]"
	test -e data/raw/sample || python -m study fetch sample
	python benchmarks/bench.py $(BENCH)

weights: $(INSTALLED)
	dvc exp run -S study=released train@cam train@msroi $(addprefix fetch@,$(JUDGES))
	python -m study release
	for set in caltech101 $(JUDGES); do python -m study find $$set --to data/released || exit; done

trial: $(INSTALLED)
	dvc exp run -S study=trial train fetch@coco fetch@scenes
	python -m study trial

$(INSTALLED): pyproject.toml study/pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable . --editable "study[dev]"
	touch $(INSTALLED)

clean:
	rm -rf $(VENV) models data/raw .dvc/cache .dvc/tmp
	find reports -mindepth 1 -maxdepth 1 ! -name published ! -name README.md -exec rm -rf {} +
