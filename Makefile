# `make demo` records a live stream; `make test` runs all checks and tests. Both install what they need.
.PHONY: demo test screenshots lint types tests bench clean

demo:
	@scripts/setup demo
	@.venv/bin/python -m ouzel.testing.demo

test:
	@scripts/setup dev
	@scripts/check

screenshots:
	@scripts/setup dev
	@.venv/bin/python scripts/screenshots.py

bench:
	@scripts/setup dev
	@.venv/bin/python bench/run.py

clean:
	rm -rf .venv .cache .pytest_cache .ruff_cache .hypothesis demo-recording
