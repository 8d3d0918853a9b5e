/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What loading and pinning needs, for the cgroup and the tc programs. */
#ifndef WEIR_CGROUP_LOAD_H
#define WEIR_CGROUP_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* FNV-1a, 64 bits: tells versions of an object apart, nothing more. */
uint64_t load_hash(const void *bytes, size_t size);

/* mkdir; a folder that is there already is fine. */
int load_make_folder(const char *path, struct err *err);

/* Removes a folder and the pins in it, one level deep. */
int load_remove_folder(const char *path, struct err *err);

/* A map pinned in a folder.  -ENOENT, without a sentence, if it is not. */
int load_open_map(const char *dir, const char *name, int *ret_fd,
		  struct err *err);

/*
 * While a log is begun, libbpf's warnings are kept instead of printed.
 * load_log_end makes the last of them part of the sentence and returns code.
 */
struct load_log {
	char last[400];
};

void load_log_begin(struct load_log *log);
int load_log_end(struct load_log *log, int code, const char *what,
		 struct err *err);

#endif
