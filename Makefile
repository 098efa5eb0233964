# A thin front for Meson. Everything is built below build/.
BUILD = build/release
BENCH = build/bench
FUZZ = build/fuzz
FUZZ_SECONDS = 60

.PHONY: all demo check build install bench fuzz clean

all: build

build:
	@tools/install-packages demo
	@tools/build $(BUILD) --buildtype=release

demo: build
	@tools/demo $(BUILD)

check:
	@tools/install-packages check
	@tools/check

install: build
	meson install -C $(BUILD)

bench:
	@tools/install-packages bench
	@tools/build $(BENCH) --buildtype=release -Dbench=true
	meson test -C $(BENCH) --benchmark --verbose

# Every fuzz target for a minute, from its corpus; new finds stay in build/.
fuzz:
	@tools/install-packages check
	@CC=clang tools/build $(FUZZ) -Dfuzzer=true \
	  -Db_sanitize=address,undefined -Dc_args=-fsanitize=fuzzer-no-link
	@tools/fuzz $(FUZZ) $(FUZZ_SECONDS) $(FUZZ_TARGETS)

clean:
	rm -rf build
