/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libbpf says while it loads: kept instead of printed. */
#ifndef WEIR_PINS_LOG_H
#define WEIR_PINS_LOG_H

#include <bpf/libbpf.h>

#include "base/err.h"

/* The last of its warnings that says why. */
struct log {
	char last[400];
	libbpf_print_fn_t before; /* what printed until log_begin */
};

/* One at a time; CLEANUP(log_end) lets libbpf print again. */
void log_begin(struct log *log);
void log_end(struct log *log);

/* As err_set, with the warning instead of the code's text if there is one. */
int log_set(const struct log *log, struct err *err, int code, const char *what);

#endif
