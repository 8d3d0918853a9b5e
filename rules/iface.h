/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces by name.  In sets and lists a name is a number as an address of
 * IPv6 is: its bytes, filled up with NUL, of which the first counts most.  So
 * all names that begin alike are a range.
 */
#ifndef WEIR_RULES_IFACE_H
#define WEIR_RULES_IFACE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"
#include "rules/policy.h"

#define IFACE_FAMILY SET_IP6

/* A name of at most 15 bytes. */
span_end iface_number(const char *name);

/* A name, or what it begins with and a '*'.  -EINVAL, and why. */
int iface_parse(const char *text, struct element *ret_element, struct err *why);

#define IFACE_TEXT_MAX 32

void iface_format(const struct element *element,
		  char ret_text[static IFACE_TEXT_MAX]);

/* A name, what it begins with, or @set.  -EINVAL or -ENOMEM with why. */
int ifaces_add(struct ifaces *ifaces, const char *text, struct err *why);

/* Brings both lists into order, without what is there twice.  -ENOMEM. */
int ifaces_sort(struct ifaces *ifaces);

static inline bool ifaces_are_named(const struct ifaces *ifaces)
{
	return ifaces->names.n_list || ifaces->n_sets;
}

/* Whether they are one, by its full name: then *ret_name has it. */
bool ifaces_are_one(const struct ifaces *ifaces,
		    char ret_name[static IFACE_TEXT_MAX]);

/* Whether one of this name may be among them. */
bool ifaces_may_have(const struct ifaces *ifaces, const char *name);

/* Whether all of b are among those of a, whatever sets will hold. */
bool ifaces_within(const struct ifaces *b, const struct ifaces *a);

/* Names and sets, with commas. */
void ifaces_put(const struct ifaces *ifaces, struct text *out);

void ifaces_clear(struct ifaces *ifaces);

#endif
