# greenbar: `make demo` and `make test` are all that a fresh Debian 12 machine needs.
# Every target installs the system packages that it uses (root or sudo) and uses one cargo profile (release),
# so that RocksDB is compiled once.

CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
GREENBAR := $(CARGO_TARGET_DIR)/release/greenbar
PORT ?= 8642
# `make test` tries the same random inputs each time, so that a change is what breaks it; `make test-all` tries new ones.
SEED ?= 20261127

.PHONY: help setup setup-test setup-bench build demo fmt lint doc test web test-all fidelity bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: ## install what the build and the program need
	@.ci/packages build

setup-test: setup
	@.ci/packages test

setup-bench: setup
	@.ci/packages bench

build: setup ## build the release binary
	cargo build --release --locked --bin greenbar

demo: build ## build, archive every sample of fixtures/, serve, print addresses and sign-ins
	$(GREENBAR) demo --port $(PORT)

fmt: ## format the code
	cargo fmt --all

lint: setup
	cargo fmt --all --check
	cargo clippy --release --locked --all-targets -- -D warnings

doc: setup
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --release --locked --no-deps --document-private-items

test: setup-test lint doc ## formatting, lints, documentation, all tests, demo smoke test
	cargo build --release --locked
	PROPTEST_RNG_SEED=$(SEED) cargo test --release --locked
	/usr/bin/python3 tests/fidelity/run.py --greenbar $(GREENBAR) --pages 4 --pictures 0
	/usr/bin/python3 tests/hostile/run.py --greenbar $(GREENBAR) --files 60

fidelity: setup-test build ## AFP beside its reference PDFs, page by page, as figures and pictures
	/usr/bin/python3 tests/fidelity/run.py --greenbar $(GREENBAR)

web: setup build ## the pages in Chromium: a whole call, every page with axe, 360 px, without script, bad input
	@.ci/packages web
	tests/web/run $(GREENBAR)

test-all: test ## also the long crash runs, the million-document runs, the pages in Chromium and outside judges (veraPDF, bar code readers, an OpenID Connect provider, postfix)
	GREENBAR_LONG=1 cargo test --release --locked -- --include-ignored
	/usr/bin/python3 tests/hostile/run.py --greenbar $(GREENBAR) --files 500 --seed $$(date +%s)
	@.ci/packages judges
	tests/judges/verapdf/run $(GREENBAR)
	tests/judges/barcodes/run $(GREENBAR)
	tests/judges/oidc/run $(GREENBAR)
	tests/judges/postfix/run $(GREENBAR)
	@.ci/packages web
	tests/web/run $(GREENBAR)

bench: setup-bench build ## measure against named peers in one run and print one table
	cargo build --release --locked --bench point
	python3 benches/run.py --greenbar $(GREENBAR) $(BENCH)

clean:
	cargo clean
