/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Printing one JSON document on standard output. */
#ifndef WEIR_CTL_JSON_H
#define WEIR_CTL_JSON_H

#include <jansson.h>

/* Prints and releases root; NULL means no memory.  An exit status. */
int json_print(json_t *root);

#endif
