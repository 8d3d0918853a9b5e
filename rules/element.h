/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of sets: lists of ranges of addresses, of ports, of both, or of
 * names of interfaces (rules/iface.h).
 */
#ifndef WEIR_RULES_ELEMENT_H
#define WEIR_RULES_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "rules/set_abi.h"

/* An address or a name as a number: of IPv4 and of ports, less than 2^32. */
typedef unsigned __int128 span_end;

/* Inclusive. */
struct element {
	span_end first, last;
	uint32_t seconds; /* a timeout, or until when; 0: for ever */
	uint32_t ports;	  /* of a service: the first << 16, and the last */
};

#define ELEMENT_PORT_FIRST(element) ((element)->ports >> 16)
#define ELEMENT_PORT_LAST(element)  ((element)->ports & 0xffff)

struct element_list {
	struct element *list;
	size_t n_list;
};

/* All arrays belong to it.  Ports are among SET_IP4, interfaces SET_IP6. */
struct elements {
	struct element_list of[SET_FAMILIES];
	unsigned int kind; /* SET_OF_* */
};

/* "networks", "ports", "services" or "interfaces". */
const char *set_kind_name(unsigned int kind);

void elements_clear(struct elements *elements);
size_t elements_count(const struct elements *elements);

/* -ENOMEM. */
int elements_add(struct elements *elements, unsigned int family,
		 const struct element *element);

/* By first, then by last address, then by ports; not by seconds. */
int element_order(const struct element *a, const struct element *b);

/* Sorts; of two that are the same, the one that stays longer is kept.  -ENOMEM.
 */
int elements_sort(struct elements *elements);
int element_list_sort(struct element_list *elements);

/* The greatest address, or port, there is. */
span_end element_top(unsigned int family);

/* The two halves of an address, the upper one first, and back. */
void span_end_split(span_end end, uint64_t ret_halves[static 2]);
span_end span_end_join(const uint64_t halves[static 2]);

/*
 * An address, a network, a range of addresses, or of ports, or addresses and
 * ports (192.0.2.1:443, [2001:db8::1]:443): as set files and policies have it.
 * No interface, as any word may name one.  -EINVAL, and why says what would do.
 */
int element_parse(const char *text, struct element *ret_element,
		  unsigned int *ret_family, unsigned int *ret_kind,
		  struct err *why);

/*
 * The same for A.B.C.D and A.B.C.D/LEN alone, which is what long files have:
 * true where text is one.  *ret_element may be written where it is not.
 */
bool element_scan_ip4(const char *text, struct element *ret_element);

#define ELEMENT_TEXT_MAX 112

void element_format(const struct element *element, unsigned int family,
		    unsigned int kind, char ret_text[static ELEMENT_TEXT_MAX]);

/* "90", "90s", "10m", "1h", "2d": in seconds, at least 1.  -EINVAL. */
int timeout_parse(const char *text, uint32_t *ret_seconds, struct err *why);

#define TIMEOUT_MAX 315360000 /* ten years */

#endif
