# The front door. Everything is built under build/<preset>/.
#   make run     install what is missing, build, serve    make test    the same, then all tests
MAKEFLAGS += --no-print-directory
JOBS ?= $(shell nproc)
CTEST_ARGS ?=
# A warning stops what CI builds, never a user on another compiler.
WARNINGS_AS_ERRORS := $(if $(CI),ON,OFF)
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1

.PHONY: help bootstrap build run test test-asan test-tsan soak fuzz-smoke bench bench-l1 lint format install clean

help:
	@echo "make run | test | build | test-asan | test-tsan | soak | fuzz-smoke | bench | bench-l1 | lint | format | install"

bootstrap:
	@scripts/bootstrap

# configure-<preset>, build-<preset>
configure-%: bootstrap
	@test -f build/$*/build.ninja && \
	  grep -q "^LEC_WARNINGS_AS_ERRORS:BOOL=$(WARNINGS_AS_ERRORS)$$" build/$*/CMakeCache.txt || \
	  cmake --preset $* -DLEC_WARNINGS_AS_ERRORS=$(WARNINGS_AS_ERRORS) >/dev/null

build-%: configure-%
	@cmake --build build/$* -j $(JOBS)

build: build-release

run: configure-release
	@cmake --build build/release -j $(JOBS) --target llm-edge-cache
	@scripts/run

test: build-release
	@ctest --test-dir build/release --output-on-failure -j $(JOBS) $(CTEST_ARGS)

test-asan: build-asan
	@ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  ctest --test-dir build/asan --output-on-failure -j $(JOBS) $(CTEST_ARGS)

test-tsan: build-tsan
	@TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1 suppressions=$(CURDIR)/cmake/tsan.supp" \
	  ctest --test-dir build/tsan --output-on-failure -j $(JOBS) $(CTEST_ARGS)

# SOAK_SECONDS of load while Redis is restarted every minute.
SOAK_SECONDS ?= 1800
soak: build-release
	@scripts/soak --binary build/release/bin/llm-edge-cache --seconds $(SOAK_SECONDS)

fuzz-smoke: build-fuzz
	@scripts/fuzz_smoke build/fuzz

bench: build-release
	@scripts/bench build/release all

bench-l1: build-release
	@scripts/bench build/release l1

lint: configure-release
	@scripts/lint

format: bootstrap
	@git ls-files '*.hpp' '*.cpp' | xargs clang-format-19 -i

install: build-release
	@cmake --install build/release

clean:
	@rm -rf build
