/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making one JSON document, and printing it on standard output.  What cannot
 * be made is NULL, and so is all that it was to be a part of, up to the root:
 * a document is whole or not printed.
 */
#ifndef WEIR_CTL_JSON_H
#define WEIR_CTL_JSON_H

#include <jansson.h>
#include <stdint.h>

/* A text of any bytes, as utf8_printable makes it; NULL is null. */
json_t *json_text(const char *text);

/* A count, a rate, an id: less than 2^63, which is JSON's most here. */
json_t *json_count(uint64_t value);

/* Adds value, taken over, to an array or an object; either may be NULL. */
void json_add(json_t **array, json_t *value);
void json_put(json_t **object, const char *name, json_t *value);

/* Prints and releases root; NULL means no memory.  An exit status. */
int json_print(json_t *root);

/* The same in one line. */
int json_print_line(json_t *root);

#endif
