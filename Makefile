# make demo: bare machine to comparison table and HTML report.   make test: bare machine to passing tests.
# make study: the comparison of the methods, five seeds; resumes.
PYTHON ?= python3
# processes that run cells; each takes its share of the cores and about 1.5 GB
JOBS ?= 2
VENV ?= .venv
# CPU=1: PyTorch without CUDA, 2 GB instead of 7. The version of that index has a suffix, so that pip prefers it.
ifdef CPU
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
endif
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo study test test-slow test-external campaign golden speed mutants lint bandit hadolint audit hashes sbom docs clean

demo: $(INSTALLED)
	$(BIN)/prior-bench run demo --jobs $(JOBS)
	$(BIN)/prior-bench report demo

study: $(INSTALLED)
	$(BIN)/prior-bench run study --jobs $(JOBS)
	$(BIN)/prior-bench report study
	$(BIN)/prior-bench run study_grounding --jobs $(JOBS)
	$(BIN)/prior-bench report study_grounding

# one thread for each of JOBS processes: more would compete for the same cores
test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

test-slow: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "slow and not external"

# the report in Chromium, the tables in LaTeX and jobs in Slurm, where these are installed (Slurm: and root)
test-external: $(INSTALLED)
	$(BIN)/python -m pytest -m external -rs

# malformed inputs and faults, all that tests/fuzz and tests/faults make: an hour; resumes. Writes docs/reliability.md.
# Its finished parts belong to one state of the code: remove cache/campaign after a change.
campaign: $(INSTALLED)
	$(BIN)/python tests/fuzz/campaign.py --write

# docs/speed.md, measured anew: half an hour; let nothing else run. Blocks whose official checkouts are missing are kept.
speed: $(INSTALLED)
	$(BIN)/python -m benchmarks.speed_page

# pin numbers that changed together with a declared version; docs/versions.md says when
golden: $(INSTALLED)
	$(BIN)/python tests/golden_numbers/pin.py

# small changes of the modules that make the numbers: which of them does no test notice? Hours; resumes.
# make mutants MUTANTS="metrics --sample 40": some modules, some mutants; see tests/mutants/run.py
mutants: $(INSTALLED)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[test,mutants]'
	$(BIN)/python tests/mutants/run.py $(MUTANTS)

lint: $(INSTALLED)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

# the documentation as a site, in site/; every warning is an error. To read it: python3 -m http.server -d site
docs: $(INSTALLED)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

# faults that endanger security, in our own code; pyproject.toml says what is allowed and why
bandit: $(INSTALLED)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[audit]'
	$(BIN)/python -m bandit -q -c pyproject.toml -r prior_bench baselines tasks

hadolint: $(INSTALLED)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[audit]'
	$(BIN)/hadolint Dockerfile

# known faults of the packages in constraints-hashes.txt; asks a service on the internet
audit: $(INSTALLED)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[audit]'
	$(BIN)/python -m pip_audit --require-hashes --disable-pip -r constraints-hashes.txt

# the packages in constraints-hashes.txt, as the list of parts of a release (CycloneDX)
sbom: $(INSTALLED)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[audit]'
	$(BIN)/cyclonedx-py requirements constraints-hashes.txt --pyproject pyproject.toml -o sbom.json

# constraints-hashes.txt from constraints.txt; needs the package index
hashes: $(INSTALLED)
	$(BIN)/python .ci/lock_hashes.py

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -c constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -e '.[test]'
	touch $@

# the demo's own only: data/ and results/ may hold what took days to get
clean:
	rm -rf $(VENV) data/sample-* cache results/demo results/study results/study_grounding results/pretrain/*_sample-seed*
