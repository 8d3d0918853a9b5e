/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule fits that is jumped to: the classifier finds it only where it
 * finds the jump, so each of its boxes lies within one of the jump's.
 */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "rules/compile_own.h"

static bool meet_ranges(struct class_range *a, const struct class_range *b)
{
	if (b->first > a->first)
		a->first = b->first;
	if (b->last < a->last)
		a->last = b->last;
	return a->first <= a->last;
}

static bool meet_ports(uint16_t *first, uint16_t *last, uint16_t other_first,
		       uint16_t other_last)
{
	if (other_first > *first)
		*first = other_first;
	if (other_last < *last)
		*last = other_last;
	return *first <= *last;
}

/* Leaves of a box what is in the jump's, too; false: nothing. */
static bool meet(struct class_box *box, const struct class_box *jump)
{
	if (box->family != jump->family ||
	    !meet_ranges(&box->src, &jump->src) ||
	    !meet_ranges(&box->dst, &jump->dst) ||
	    !meet_ports(&box->sport_first, &box->sport_last, jump->sport_first,
			jump->sport_last) ||
	    !meet_ports(&box->dport_first, &box->dport_last, jump->dport_first,
			jump->dport_last))
		return false;
	if (jump->bits & ENTRY_PROTOCOL) {
		if (box->bits & ENTRY_PROTOCOL &&
		    box->protocol != jump->protocol)
			return false;
		box->protocol = jump->protocol;
	}
	/* What has no ports did not come here. */
	box->bits |= jump->bits & (ENTRY_PROTOCOL | ENTRY_PORTS);
	return true;
}

static void join_ranges(struct class_range *all, const struct class_range *more,
			int family)
{
	if (more->first < all->first)
		all->first = more->first;
	if (more->last > all->last)
		all->last = more->last;
	compile_range_enclose(all, family);
}

/* All that both have becomes the first's, and more: it is left open. */
static void join(struct class_box *all, const struct class_box *more)
{
	join_ranges(&all->src, &more->src, all->family);
	join_ranges(&all->dst, &more->dst, all->family);
	if (more->sport_first < all->sport_first)
		all->sport_first = more->sport_first;
	if (more->sport_last > all->sport_last)
		all->sport_last = more->sport_last;
	if (more->dport_first < all->dport_first)
		all->dport_first = more->dport_first;
	if (more->dport_last > all->dport_last)
		all->dport_last = more->dport_last;
	all->bits |= ENTRY_CONFIRM;
}

/* Of a rule's boxes those parts that lie within one of a jump's. */
static int add_parts(const struct class_box *its, size_t n,
		     const struct class_box *jump, bool joins,
		     struct class_boxes *boxes)
{
	size_t i, first = boxes->n_list;
	struct class_box *place;

	for (i = 0; i < n; i++) {
		struct class_box part = its[i];

		if (!meet(&part, jump))
			continue;
		if (joins && boxes->n_list > first) {
			join(&boxes->list[first], &part);
			continue;
		}
		place = ARRAY_ADD(boxes, list);
		if (!place)
			return -ENOMEM;
		*place = part;
	}
	return 0;
}

int compile_within(struct class_boxes *boxes, size_t first,
		   const struct class_boxes *jump)
{
	CLEANUP(class_boxes_clear) struct class_boxes its = { 0 };
	size_t i, n = boxes->n_list - first;
	bool joins = false;
	int r = 0;

	if (n == 0)
		return 0;
	if (!array_extend(&its.list, &its.n_list, sizeof(*its.list), n))
		return -ENOMEM;
	memcpy(its.list, &boxes->list[first], n * sizeof(*its.list));
	boxes->n_list = first;
	for (i = 0; r == 0 && i < jump->n_list; i++) {
		r = add_parts(its.list, n, &jump->list[i], joins, boxes);
		/* Both families' together: begun again with fewer. */
		if (!joins && boxes->n_list - first > 2 * BOXES_MAX) {
			boxes->n_list = first;
			joins = true;
			i = -1;
		}
	}
	return r;
}
