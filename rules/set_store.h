/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store in memory: made for a set, changed where it is mapped, and read back.
 * Times are seconds of CLOCK_BOOTTIME.
 */
#ifndef WEIR_RULES_SET_STORE_H
#define WEIR_RULES_SET_STORE_H

#include "rules/set_tree.h"

/* What elements may be in one set. */
#define ELEMENTS_MAX (16U << 20)

/* Lines that are kept free for changes to a set that had none, or some. */
#define SPARE_LINES_FEW	 64
#define SPARE_LINES_SOME 2048
#define SPARE_LINES_MAX	 32768

/*
 * Of n services: how often one of them may lie over an interval of addresses
 * that others begin or end at.  Each such interval has the ports of all of
 * them, so wide networks over many addresses would take room and time by the
 * square; so many take less than 50 MB and a second.
 */
static inline uint64_t store_overlaps_max(uint64_t n)
{
	return (4U << 20) + 64 * n;
}

/* CLOCK_BOOTTIME; until when a timeout that begins now lasts. */
uint32_t store_now(void);
uint32_t store_until(uint32_t now, uint32_t seconds);

/* What is said of them, by a set's name, their number, and that maximum. */
#define STORE_OVERLAPS                                                        \
	"set '%s': its services overlap too much (of %zu, one may lie over "  \
	"another's end %llu times in all; put those of wide networks into a " \
	"set of their own)"

/*
 * Appends a store of sorted elements (seconds: until when) to lines; *ret_head
 * is its head's line, free lines begin at its end.  -E2BIG where services
 * overlap too much, -ENOSPC, -ENOMEM.
 */
int store_make(const struct elements *elements, uint32_t now,
	       struct set_lines *lines, uint32_t *ret_head);

/*
 * How many lines to put behind those of a set for its changes.  has_changed:
 * it had some, so there will be more.
 */
uint32_t store_spare(uint32_t n_lines, bool has_changed);

/* -EPROTO where what the head says lies outside the lines. */
int store_check(const struct set_lines *lines, uint32_t head);

struct set_change {
	unsigned int family;
	bool is_add;
	struct element element; /* seconds: until when */
};

struct set_changes {
	struct set_change *list;
	size_t n_list;
};

/*
 * The elements that are in now, sorted; what changes, in order, would make of
 * them.  -ENOMEM, -EPROTO.
 */
int store_read(const struct set_lines *lines, uint32_t head, uint32_t now,
	       const struct set_changes *changes,
	       struct elements *ret_elements);

/* How many of them there are. */
int store_count(const struct set_lines *lines, uint32_t head, uint32_t now,
		size_t *ret_n);

/*
 * Makes the changes where the store is, in one step for who reads it.  Those
 * that change nothing are left out; *ret_n are the others.  -ENOSPC where the
 * store has to be made anew; nothing has changed then.  -E2BIG, -ENOMEM,
 * -EPROTO.
 */
int store_change(struct set_lines *lines, uint32_t head, uint32_t now,
		 const struct set_changes *changes, size_t *ret_n);

/* What there is of an element. */
struct set_look {
	bool is_in;	 /* written as it is */
	bool is_reached; /* another one reaches into it, such as: */
	struct element other;
};

int store_look(const struct set_lines *lines, uint32_t head, uint32_t now,
	       unsigned int family, const struct element *element,
	       struct set_look *ret_look);

#endif
