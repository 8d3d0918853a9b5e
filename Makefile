# SPDX-License-Identifier: GPL-2.0-or-later
# One file, no recursion.  Products are under build/.  V=1 shows commands,
# SAN=1 builds with ASan and UBSan.

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config

B := build/$(if $(SAN),san,plain)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all deps demo check install uninstall clean
all: $(B)/weirctl

# demo and check do all of their own set-up: packages first, then the rest.
DEPS := $(if $(filter demo check,$(MAKECMDGOALS)),deps)
deps:
	$(Q)tests/deps

PACKAGES := libbpf libnl-3.0 libnl-route-3.0 jansson
# Looked up when a recipe runs: before that, deps may not have been met.
PACKAGE_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
PACKAGE_LIBS = $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -liniparser

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wformat=2 -Wno-format-truncation -Wpointer-arith -Werror
SANITIZE := $(if $(SAN),-fsanitize=address$(comma)undefined \
	    -fno-sanitize-recover=all -fno-omit-frame-pointer)
comma := ,
WEIR_CFLAGS = -std=gnu11 $(WARNINGS) -D_GNU_SOURCE \
	      -DWEIR_VERSION='"$(VERSION)"' -iquote . -iquote $(B) \
	      $(PACKAGE_CFLAGS) $(SANITIZE) $(CFLAGS) -MMD -MP
BPF_CFLAGS = -target bpf -mcpu=v3 -O2 -g -Wall -Werror -iquote . \
	     -idirafter /usr/include/$(shell gcc -dumpmachine) -MMD -MP

SOURCES := $(filter-out %.bpf.c,$(wildcard base/*.c rules/*.c netlink/*.c \
	   tc/*.c cgroup/*.c ctl/*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
LIB_OBJECTS := $(filter-out $(B)/ctl/main.o,$(OBJECTS))
SKELETONS := $(patsubst %.bpf.c,$(B)/%.skel.h,$(wildcard cgroup/*.bpf.c \
	     tc/*.bpf.c))

$(B)/weirctl: $(OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PACKAGE_LIBS)

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

clean:
	rm -rf build/plain build/san

-include $(OBJECTS:.o=.d) $(wildcard $(B)/*/*.bpf.d)
