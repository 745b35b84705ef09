# The two commands of the README are `make run` and `make test`. Both install what they need, and can be repeated.
.PHONY: run test check generated bench clean
PYTHON := .venv/bin/python

# The practice server's folder; `make run DIR=/somewhere/else` takes another.
DIR ?= $(CURDIR)/var/practice

run:
	@./installers/dev/prepare run
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		exec .venv/bin/gatepost --dir "$(DIR)" --practice; \
	else \
		exec .venv/bin/gatepost trial --dir "$(DIR)"; \
	fi

test:
	@./installers/dev/prepare test
	$(PYTHON) -m pytest $(ARGS)

check:
	@./installers/dev/prepare test
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-cache

# Files that are written from others and kept; a test for each says when it is stale.
generated:
	$(PYTHON) -m resources.tokens_css
	$(PYTHON) -m backend.admin.browser_pages
	$(PYTHON) -m backend.admin.specs.template
	$(PYTHON) -m tests.support.form_fields

# Compares with Dovecot and Postfix, which it installs from Debian; takes some minutes.
bench:
	@./installers/dev/prepare bench
	$(PYTHON) -m tests.bench $(ARGS)

clean:
	rm -rf .venv build dist var *.egg-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
