# SPDX-License-Identifier: GPL-2.0-or-later
# One file, no recursion.  Products are under build/.  V=1 shows commands,
# SAN=1 builds with ASan and UBSan, JOBS=N with so many processes, SHARED=1 loads
# the libraries at run time.

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config

B := build/$(if $(SAN),san,plain)
Q := $(if $(V),,@)
# Standard output is the answer of what is made: demo's may be JSON.
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2) >&2)

# Side by side; the makes within share these.
JOBS ?= $(shell nproc)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all deps demo check install uninstall clean
all: $(B)/weirctl

# demo and check do all of their own set-up: packages first, then the rest.
DEPS := $(if $(filter demo check bench-limits bench-rules,$(MAKECMDGOALS)),deps)
deps:
	$(Q)tests/deps $(if $(filter bench-limits bench-rules,$(MAKECMDGOALS)),bench)

PACKAGES := libbpf libnl-3.0 libnl-route-3.0 jansson
# Looked up when a recipe runs: before that, deps may not have been met.
PACKAGE_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
PACKAGE_LIBS = $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -liniparser

# To load nine libraries takes longer than what most commands have to do.  An
# archive that is not there, and all are shared.  Of libnl-route all is taken: what it
# knows of kinds is in files that tell it so by themselves, and that nobody calls.  The
# linker warns of resolvers in libnl that nobody calls either.
STATIC_LIBS = $(shell $(PKG_CONFIG) --static --libs $(PACKAGES)) -liniparser
MISSING_ARCHIVES = $(filter-out /%,$(foreach l,$(patsubst -l%,%,$(filter -l%,\
		   $(STATIC_LIBS))) c,$(shell $(CC) -print-file-name=lib$(l).a)))
WEIRCTL_LIBS = $(if $(SHARED)$(SAN)$(MISSING_ARCHIVES),$(PACKAGE_LIBS),-static \
	       -Wl$(comma)--no-warnings $(patsubst -lnl-route-3,$(WHOLE_ROUTE),\
	       $(STATIC_LIBS)))
WHOLE_ROUTE := -Wl,--whole-archive -lnl-route-3 -Wl,--no-whole-archive

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wformat=2 -Wno-format-truncation -Wpointer-arith -Werror
comma := ,
SANITIZE := $(if $(SAN),-fsanitize=address$(comma)undefined \
	    -fno-sanitize-recover=all -fno-omit-frame-pointer)
WEIR_CFLAGS = -std=gnu11 $(WARNINGS) -D_GNU_SOURCE \
	      -DWEIR_VERSION='"$(VERSION)"' -iquote . -iquote $(B) \
	      $(PACKAGE_CFLAGS) $(SANITIZE) $(CFLAGS) -MMD -MP
BPF_CFLAGS = -target bpf -mcpu=v3 -O2 -g -Wall -Werror -iquote . \
	     -idirafter /usr/include/$(shell gcc -dumpmachine) -MMD -MP

SOURCES := $(filter-out %.bpf.c,$(wildcard base/*.c rules/*.c netlink/*.c \
	   pins/*.c tc/*.c cgroup/*.c ctl/*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
SKELETONS := $(patsubst %.bpf.c,$(B)/%.skel.h,$(wildcard cgroup/*.bpf.c \
	     tc/*.bpf.c tests/bpf/*.bpf.c tests/bench-rules/*.bpf.c))

$(B)/weirctl: $(OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(WEIRCTL_LIBS)

$(B)/%.o: %.c | $(SKELETONS) $(DEPS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(WEIR_CFLAGS) -c -o $@ $<

$(B)/%.bpf.o: %.bpf.c | $(DEPS)
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(notdir $*)_bpf > $@
	$(Q)echo "#define $(notdir $*)_bpf__hash" \
		"0x$$(sha256sum < $< | cut -c 1-16)ULL" >> $@

# ---------------------------------------------------------------- tests

LIB_OBJECTS := $(filter-out $(B)/ctl/main.o,$(OBJECTS))
UNIT_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
BPF_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/bpf/test_*.c))
UNIT_SHARED := $(patsubst %.c,$(B)/%.o,$(filter-out tests/unit/test_%,$(wildcard \
	       tests/unit/*.c)))
BPF_SHARED := $(patsubst %.c,$(B)/%.o,$(filter-out tests/bpf/test_%,$(filter-out \
	      %.bpf.c,$(wildcard tests/bpf/*.c))))
FUZZERS := $(patsubst %.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
NET_TOOL := $(B)/tests/netns/net-tool
SAME_NFT := $(B)/tests/netns/same-nft
FRAME_TOOL := $(B)/tests/netns/frame-tool
NETNS_TOOLS := $(NET_TOOL) $(SAME_NFT) $(FRAME_TOOL)
RULESETS := $(patsubst %,$(B)/tests/bench-rules/%.o,ruleset ruleset_layers \
	    ruleset_text)
RULES_PROGRAMS := $(patsubst %,$(B)/tests/bench-rules/%,generate stopwatch traffic)

.PHONY: programs tests
programs: $(B)/weirctl
tests: $(UNIT_TESTS) $(BPF_TESTS) $(NETNS_TOOLS)

$(UNIT_TESTS) $(BPF_TESTS): LIBS = -lcmocka
$(UNIT_TESTS): $(B)/%: $(B)/%.o $(UNIT_SHARED) $(RULESETS) $(LIB_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) -o $@ $^ $(LIBS) $(PACKAGE_LIBS)

$(BPF_TESTS): $(B)/%: $(B)/%.o $(BPF_SHARED) $(RULESETS) $(LIB_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) -o $@ $^ $(LIBS) $(PACKAGE_LIBS)

$(NET_TOOL): $(B)/%: $(B)/%.o $(LIB_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) -o $@ $^ $(PACKAGE_LIBS)

$(SAME_NFT): $(B)/%: $(B)/%.o $(patsubst %,$(B)/tests/%.o,netns/nft_text \
	bpf/frame bpf/random_policy) $(LIB_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) -o $@ $^ $(PACKAGE_LIBS)

$(FRAME_TOOL): $(B)/%: $(B)/%.o $(B)/tests/bpf/frame.o
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) -o $@ $^

$(RULES_PROGRAMS): $(B)/%: $(B)/%.o
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) -o $@ $^
$(B)/tests/bench-rules/generate: $(RULESETS)
$(B)/tests/bench-rules/traffic: $(RULESETS) \
	$(patsubst %,$(B)/tests/bench-rules/%.o,traffic_scene traffic_socket)

# Ends at a division by zero and the like: BPF passes over them in silence.
$(B)/tests/bpf/pace_native.o: SANITIZE += -fsanitize=undefined \
	-fsanitize-undefined-trap-on-error

build/fuzz/%: %.c $(wildcard rules/*.[ch] base/*.[ch] tests/fuzz/*.h) | $(DEPS)
	$(call say,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -std=gnu11 -O1 -g -D_GNU_SOURCE -iquote . \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $< $(filter-out %.bpf.c,$(wildcard rules/*.c base/*.c)) \
		-liniparser

# The summary of all kinds of tests is the last line: N passed, N failed, …
check: deps kernels $(B)/weirctl $(BPF_TESTS) $(NETNS_TOOLS) $(FUZZERS) \
	build/san.stamp
	$(Q)tests/check

# What of them is shorter in check, at length: half an hour, and more.
.PHONY: check-long
check-long: deps kernels $(B)/weirctl $(BPF_TESTS) $(NETNS_TOOLS)
	$(Q)tests/check random_long netns_long vm_long

# While others compile; where none can be fetched the tests on them say so.
.PHONY: kernels
kernels: | $(DEPS)
	$(Q)tests/vm/kernels >/dev/null 2>&1 || :

# The unit tests are built with the sanitizers, in a tree of their own.
build/san.stamp: $(SOURCES) $(wildcard */*.h tests/unit/*) | $(SKELETONS) $(DEPS)
	$(Q)$(MAKE) --no-print-directory SAN=1 DEPS= $(patsubst \
		$(B)/%,build/san/%,$(UNIT_TESTS))
	$(Q)touch $@

demo: deps $(B)/weirctl
	$(Q)tests/demo

# ARGS="--scenes rpc,udp --rounds 3"; what there is: ARGS=--help
BENCH := build/bench
.PHONY: bench-limits bench-objects bench-rules bench-rules-programs lint
bench-objects: $(patsubst %.bpf.c,$(B)/%.bpf.o,$(wildcard tests/bench/*.bpf.c))
bench-limits: $(B)/weirctl bench-objects
	@mkdir -p $(BENCH)
	$(Q)tests/bench/limits --json $(BENCH)/limits.json \
		--svg $(BENCH)/pictures $(ARGS)
bench-rules-programs: $(RULES_PROGRAMS)
bench-rules: $(B)/weirctl bench-rules-programs
	@mkdir -p $(BENCH)
	$(Q)tests/bench-rules/rules --json $(BENCH)/rules.json \
		--svg $(BENCH)/pictures $(ARGS)
lint: $(SKELETONS)
	$(Q)tests/lint

# Ways to classify packets; what the kernel takes to decide them, and to drop
# them early.  Alone they print tables for docs/matcher.md; all take arguments.
CLASSIFIERS := $(B)/tests/bench-rules/classifiers
DECIDE := $(B)/tests/bench-rules/decide
EARLY := $(B)/tests/bench-rules/early
.PHONY: bench-classifiers bench-decide bench-early bench-listeners
bench-classifiers: $(CLASSIFIERS)
	$(Q)$(CLASSIFIERS) $(ARGS)
bench-decide: $(DECIDE)
	$(Q)$(DECIDE) $(ARGS)
bench-early: $(B)/weirctl $(EARLY)
	$(Q)tests/bench-rules/early-drop $(ARGS)
bench-listeners: $(B)/weirctl
	$(Q)tests/bench-rules/listeners $(ARGS)
$(EARLY): $(B)/%: $(B)/%.o
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) -o $@ $^ $(PACKAGE_LIBS)
$(CLASSIFIERS): $(patsubst %,$(B)/tests/bench-rules/%.o,rival_bits rival_tuples \
		rival_tree rival_weir) $(B)/tests/unit/class_walk.o
$(DECIDE): LIBS = -lcmocka
$(DECIDE): $(BPF_SHARED)
$(CLASSIFIERS) $(DECIDE): $(B)/%: $(B)/%.o $(RULESETS) $(LIB_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) -o $@ $^ $(LIBS) $(PACKAGE_LIBS)

# -------------------------------------------------------------- install

BINDIR := $(DESTDIR)$(PREFIX)/sbin
MANDIR := $(DESTDIR)$(PREFIX)/share/man
COMPLETION := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ETCDIR := $(DESTDIR)/etc/weir

# From the command table: `weirctl help` lists a command a line.
$(B)/weirctl.bash: tests/completion $(B)/weirctl
	$(Q)tests/completion $(B)/weirctl > $@

install: $(B)/weirctl $(B)/weirctl.bash
	install -D -m 755 $(B)/weirctl $(BINDIR)/weirctl
	install -D -m 644 docs/weirctl.8 $(MANDIR)/man8/weirctl.8
	install -D -m 644 docs/weir.conf.5 $(MANDIR)/man5/weir.conf.5
	install -D -m 644 $(B)/weirctl.bash $(COMPLETION)/weirctl
	install -D -m 644 docs/examples/weir.ini $(ETCDIR)/weir.ini.example
	install -d -m 755 $(ETCDIR)/weir.d

# What a person wrote in /etc/weir stays.
uninstall:
	rm -f $(BINDIR)/weirctl $(MANDIR)/man8/weirctl.8
	rm -f $(MANDIR)/man5/weir.conf.5 $(COMPLETION)/weirctl
	rm -f $(ETCDIR)/weir.ini.example
	rmdir $(ETCDIR)/weir.d $(ETCDIR) 2>/dev/null || :

clean:
	rm -rf build/plain build/san build/fuzz build/check build/bench build/san.stamp

-include $(OBJECTS:.o=.d) $(wildcard $(B)/*/*.bpf.d $(B)/tests/*/*.d)
