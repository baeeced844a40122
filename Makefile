# One word for each thing a developer does. Everything runs from .venv.
.PHONY: setup serve test big fuzz lint types format docs screens vendor peers bench charts soak clean

bin := .venv/bin

setup: .venv/ready
.venv/ready: pyproject.toml
	python3 -m venv .venv && $(bin)/pip install -q -e '.[dev]' && touch $@

serve: setup
	$(bin)/roombridge

test: setup
	$(bin)/pytest

big: setup
	ROOMBRIDGE_BIG_BYTES=2147483649 $(bin)/pytest -n0 -s tests/stories/test_big_files.py

fuzz: setup
	$(bin)/python -m tests.fuzz.run $(target) --seconds $(or $(seconds),600)

lint: setup
	$(bin)/ruff check . && $(bin)/ruff format --check . && $(bin)/lint-imports

types: setup
	$(bin)/mypy --strict bridge

format: setup
	$(bin)/ruff check --fix . && $(bin)/ruff format .

docs: setup
	$(bin)/python scripts/settings.py --write

screens: setup
	$(bin)/python scripts/screenshots.py

vendor: setup
	$(bin)/python scripts/vendor.py fetch

peers: setup
	bench/install

bench: setup
	$(bin)/python bench/all.py

charts: setup
	$(bin)/python bench/growth.py --draw

soak: setup
	$(bin)/python bench/soak.py --minutes $(or $(minutes),30)

clean:
	rm -rf .venv bench/.scratch bench/peers/.venv bench/peers/node_modules dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
