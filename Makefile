# Campanile: what can be made. `make help` lists it.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR    ?= $(PREFIX)/lib/systemd/system
DESTDIR    ?=
CARGO      ?= cargo
INSTALL    ?= install

# The lab's tests mostly wait for calls, so there are more of them at once than processors.
LAB_THREADS ?= 8

.DEFAULT_GOAL := build
.PHONY: help build release check test fast lab crashes sim mistakes bench fuzz demo install tools

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

build: tools ## build both programs for development (target/debug)
	$(CARGO) build --workspace --locked

release: tools ## build both programs for use (target/release)
	$(CARGO) build --workspace --locked --release

check: tools ## formatting, and clippy without a warning
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --features campanile-bench/run --locked -- -D warnings
	$(CARGO) clippy --test lab --locked -- -D warnings

fast: tools ## unit, property and integration tests: no Asterisk, no network
	$(CARGO) test --workspace --locked

lab: build ## the tests on real Asterisk 22 and 16; builds the lab first, prints fates and the grid's figures
	tests/lab/prepare 22 16 sip
	@# The measurement first: it wants the machine for itself, and all others would wait for it and it for them.
	$(CARGO) test --test lab --locked -- --test-threads=1 --show-output grid::
	$(CARGO) test --test lab --locked -- --test-threads=$(LAB_THREADS) --show-output --skip grid::

crashes: build ## of the lab only: kill -9 of every program in every state of a call; three minutes
	tests/lab/prepare 22 16 sip
	$(CARGO) test --test lab --locked -- --test-threads=2 --show-output crashes::

# Which seeds: make sim SEEDS=1000 FROM=5000. Those that failed once come first.
SEEDS ?= 500
FROM  ?= 1
TURNS ?= 500

sim: tools ## the simulated world: SEEDS of them, each with its own disasters
	$(CARGO) run -q --locked -p campanile-sim -- --seeds $(SEEDS) --from $(FROM) --turns $(TURNS) \
	  --keep tests/sim/seeds

mistakes: tools ## make deliberate mistakes, and count the seeds that catch each
	tests/sim/mistakes/run $(if $(filter command line,$(origin SEEDS)),$(SEEDS),200)

test: SEEDS = 500
test: TURNS = 450
test: check fast sim lab ## everything: check, fast, sim, lab; sets up all that it needs

# Which: make bench BENCHES='plan publish'.
BENCHES ?=

bench: tools ## what everything costs, beside a floor in the same run; figures for docs/benchmarks.md
	@command -v sqlite3 >/dev/null || apt-get install -y --no-install-recommends sqlite3
	tests/lab/prepare 22
	$(CARGO) build --release --locked --workspace --exclude campanile-sim --features campanile-bench/run
	target/release/campanile-bench $(BENCHES)

# One after the other, each for TIME seconds. What a run learns stays in target/; findings are kept by hand.
TIME        ?= 600
FUZZ        := call_file template archive agi_codec agi_session numbers settings holidays
FUZZ_DIR    := target/fuzz
# Instrumenting needs an unstable flag of the compiler: nightly has it, stable with this variable, too.
NIGHTLY     := $(shell rustup run nightly rustc --version >/dev/null 2>&1 && echo "rustup run nightly" || echo "env RUSTC_BOOTSTRAP=1")

fuzz: tools ## fuzz everything that reads foreign bytes, TIME=600 seconds a target; FUZZ=numbers for one
	@command -v cargo-fuzz >/dev/null || $(CARGO) install cargo-fuzz --locked
	@for target in $(FUZZ); do \
	  mkdir -p $(FUZZ_DIR)/corpus/$$target $(FUZZ_DIR)/findings/$$target; \
	  echo "fuzz $$target for $(TIME) s"; \
	  $(NIGHTLY) cargo fuzz run --fuzz-dir tests/fuzz --target-dir $(FUZZ_DIR) -s none $$target \
	    $(FUZZ_DIR)/corpus/$$target tests/fuzz/seeds/$$target -- -dict=tests/fuzz/dict/$$target.dict \
	    -artifact_prefix=$(FUZZ_DIR)/findings/$$target/ -max_total_time=$(TIME) -max_len=8192 -timeout=20 \
	    -rss_limit_mb=1024 -print_final_stats=1 || exit 1; \
	done

demo: ## watch a campaign of 60 numbers dial through a real Asterisk; a minute after the first build
	@tests/lab/demo

# An operator's files are never written over: a newer one goes beside them with the ending .new.
define keep
	@if [ -e $(2) ] && ! cmp -s $(1) $(2); then echo "kept $(2), see $(2).new"; $(INSTALL) -m 644 $(1) $(2).new; \
	 else $(INSTALL) -D -m 644 $(1) $(2); fi
endef

install: ## install what `make release` has built; DESTDIR, PREFIX, SYSCONFDIR, UNITDIR as usual
	@test -x target/release/campanile -a -x target/release/campanile-agi || { echo "type make release first" >&2; exit 1; }
	$(INSTALL) -D -m 755 target/release/campanile $(DESTDIR)$(PREFIX)/bin/campanile
	$(INSTALL) -D -m 755 target/release/campanile-agi $(DESTDIR)$(PREFIX)/bin/campanile-agi
	$(call keep,etc/campanile.conf,$(DESTDIR)$(SYSCONFDIR)/campanile/campanile.conf)
	$(call keep,etc/log4rs.yaml,$(DESTDIR)$(SYSCONFDIR)/campanile/log4rs.yaml)
	$(call keep,spool-templates/default.call,$(DESTDIR)$(SYSCONFDIR)/campanile/spool-templates/default.call)
	$(call keep,spool-templates/README.md,$(DESTDIR)$(SYSCONFDIR)/campanile/spool-templates/README.md)
	$(call keep,etc/asterisk/extensions_campanile.conf,$(DESTDIR)$(SYSCONFDIR)/asterisk/extensions_campanile.conf)
	$(call keep,etc/logrotate/campanile,$(DESTDIR)$(SYSCONFDIR)/logrotate.d/campanile)
	$(INSTALL) -d $(DESTDIR)$(UNITDIR)
	sed 's|/usr/bin/|$(PREFIX)/bin/|' etc/systemd/campanile.service >$(DESTDIR)$(UNITDIR)/campanile.service
	sed 's|/usr/bin/|$(PREFIX)/bin/|' etc/systemd/campanile-agi.service >$(DESTDIR)$(UNITDIR)/campanile-agi.service
	$(INSTALL) -m 644 etc/systemd/campanile-agi.socket $(DESTDIR)$(UNITDIR)/campanile-agi.socket

# The bundled SQLite is C.
tools:
	@command -v cc >/dev/null || tests/lab/prepare cc
