# What can be done here. Each target is one line of cargo or one script, so that you can also type it yourself.
# Build output lives outside the checkout: several checkouts share it, and a fresh clone stays small.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/roundsman/target

.PHONY: help run test soak crash eval explain check release bench bench-build docs

help: ## Shows this list (the default).
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

run: ## Looks at this machine once and prints the report; needs no configuration.
	cargo run --locked -- --run-once $(ARGUMENTS) || [ $$? -le 3 ] # 1 to 3 tell the worst status: an answer

# Most of a test is waiting for a server: more of them at once than there are processors.
test: export RUST_TEST_THREADS ?= 8
test: ## Installs what the tests need, starts every server they talk to, and runs them all.
	scripts/install-test-servers
	scripts/install-test-packages
	cargo test --locked

soak: ## Keeps a daemon for an hour under changing faults, then counts every look and every change.
	ROUNDSMAN_SOAK_SECONDS=3600 cargo test --locked --test it daemon::soak

crash: ## Kills a daemon 500 times on the way from a look to a message, then compares what was told with what happened.
	ROUNDSMAN_CRASHES=500 cargo test --locked --test it delivery::crash -- --nocapture

release: ## Builds the program to install: release/roundsman in the folder of build output.
	cargo build --locked --release

ifdef MODEL
eval: export ROUNDSMAN_EVAL_MODEL = $(MODEL)
eval: export ROUNDSMAN_EVAL_COUNT = $(COUNT)
eval:
	cargo test --locked --test it evals::models -- --nocapture
else
eval: ## Asks the correlation about each incident of evals/, writes docs/evals.md; MODEL=provider/model asks that model [COUNT=20]
	ROUNDSMAN_EVAL=1 cargo test --locked --test it evals::the_page -- --nocapture
endif

explain: ## Explains one incident of evals/ as `roundsman explain` would: INCIDENT=evals/disk/….yaml
	ROUNDSMAN_EVAL_INCIDENT=$(INCIDENT) cargo test --locked --test it evals::an_incident -- --nocapture

check: ## Format and lints; what a change must pass before it is committed.
	cargo fmt --check
	cargo clippy --locked --all-targets -- --deny warnings

bench: ## Prints every figure of docs/benchmarks.md; FIGURES=http runs one part.
	cargo bench --locked --bench figures -- $(FIGURES)

bench-build: ## Times a release build from nothing, in a folder of its own.
	scripts/bench-cold-build

docs: ## Writes what is made from the code anew: docs/kinds.md, config/examples, the JSON Schema, the table in README.md.
	ROUNDSMAN_BLESS=1 cargo test --locked --test it house::generated
