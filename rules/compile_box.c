/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a rule fits, as the classifier knows it: intervals of five fields. */
#include <errno.h>

#include "base/array.h"
#include "rules/compile_own.h"

/* Of one field; a rule with more in its lists gets what encloses them. */
#define PIECES_MAX 16

/* What a rule looks at and an entry tells. */
#define LOOK_TOLD                                                            \
	(LOOK_FAMILY | LOOK_PROTOCOL | LOOK_SRC | LOOK_DST | LOOK_SRC_PORT | \
	 LOOK_DST_PORT)

/* One side of a rule, of one family's packets. */
struct side {
	struct class_range ranges[PIECES_MAX];
	size_t n_ranges;
	struct port_range ports[PIECES_MAX];
	size_t n_ports;
	bool exact; /* nothing more is within than what the rule fits */
};

static class_address address_of(const struct in6_addr *address, int family)
{
	class_address number = 0;
	size_t i;

	for (i = family == 4 ? 12 : 0; i < 16; i++)
		number = number << 8 | address->s6_addr[i];
	return number;
}

static class_address lowest_of(const struct class_range *ranges, size_t n)
{
	class_address first = ranges[0].first;
	size_t i;

	for (i = 1; i < n; i++)
		if (ranges[i].first < first)
			first = ranges[i].first;
	return first;
}

static class_address highest_of(const struct class_range *ranges, size_t n)
{
	class_address last = ranges[0].last;
	size_t i;

	for (i = 1; i < n; i++)
		if (ranges[i].last > last)
			last = ranges[i].last;
	return last;
}

void compile_range_enclose(struct class_range *range, int family)
{
	unsigned int bits = class_range_bits(range, family);
	class_address host;

	if (family == 4)
		return;
	host = bits == 0 ? ~(class_address)0
			 : ((class_address)1 << (128 - bits)) - 1;
	range->first &= ~host;
	range->last |= host;
}

/* One range in the place of all. */
static void side_widen(struct side *side, int family)
{
	struct class_range all = {
		lowest_of(side->ranges, side->n_ranges),
		highest_of(side->ranges, side->n_ranges),
	};

	compile_range_enclose(&all, family);
	side->ranges[0] = all;
	side->n_ranges = 1;
	side->exact = false;
}

static void side_add(struct side *side, class_address first, class_address last,
		     int family)
{
	if (side->n_ranges == PIECES_MAX)
		side_widen(side, family);
	side->ranges[side->n_ranges++] = (struct class_range){ first, last };
	if (side->n_ranges > 1 && !side->exact)
		side_widen(side, family);
}

/* The largest prefix that begins at first and ends at last or before. */
static class_address block_end(class_address first, class_address last)
{
	class_address host = 0;

	while (host < ~(class_address)0) {
		class_address more = host << 1 | 1;

		if (first & more || last - first < more)
			break;
		host = more;
	}
	return first + host;
}

static void side_add_ip6(struct side *side, class_address first,
			 class_address last)
{
	class_address end = block_end(first, last);

	while (end != last) {
		side_add(side, first, end, 6);
		if (!side->exact)
			return side_add(side, first, last, 6);
		first = end + 1;
		end = block_end(first, last);
	}
	side_add(side, first, last, 6);
}

/*
 * Nodes tell ranges apart by the bits that all of a range has, which are few
 * where it crosses a rounder number: then it is two.
 */
static void side_add_ip4(struct side *side, uint32_t first, uint32_t last)
{
	struct class_range range = { first, last };
	unsigned int host = 32 - class_range_bits(&range, 4);
	uint32_t middle;

	if (host >= 2 && (uint64_t)last - first < 1ULL << (host - 2)) {
		middle = last & ~((1U << (host - 1)) - 1);
		side_add(side, first, middle - 1, 4);
		first = middle;
	}
	side_add(side, first, last, 4);
}

static void side_networks(struct side *side, const struct endpoint *end,
			  int family)
{
	size_t i;

	for (i = 0; i < end->n_networks; i++) {
		const struct network *network = &end->networks[i];
		class_address first = address_of(&network->first, family);
		class_address last = address_of(&network->last, family);

		if ((network->family == FAMILY_IP4) != (family == 4))
			continue;
		if (family == 4)
			side_add_ip4(side, first, last);
		else
			side_add_ip6(side, first, last);
	}
}

static void side_ports(struct side *side, const struct endpoint *end)
{
	struct port_range all = { 65535, 0 };
	size_t i;

	for (i = 0; i < end->n_ports; i++) {
		if (end->ports[i].first < all.first)
			all.first = end->ports[i].first;
		if (end->ports[i].last > all.last)
			all.last = end->ports[i].last;
		if (i < PIECES_MAX)
			side->ports[i] = end->ports[i];
	}
	side->n_ports = end->n_ports;
	if (end->n_ports == 0 || end->n_port_sets ||
	    end->n_ports > PIECES_MAX) {
		side->exact &= end->n_ports == 0 && end->n_port_sets == 0;
		side->ports[0] = end->n_port_sets || end->n_ports == 0
					 ? (struct port_range){ 0, 65535 }
					 : all;
		side->n_ports = 1;
	}
}

/* False where no packet of the family fits. */
static bool side_read(struct side *side, const struct endpoint *end, int family)
{
	class_address all = family == 4 ? UINT32_MAX : ~(class_address)0;

	side->n_ranges = 0;
	side->exact = true;
	if (end->negated || end->n_sets || end->n_networks == 0) {
		side->ranges[0] = (struct class_range){ 0, all };
		side->n_ranges = 1;
		side->exact = !end->negated && end->n_sets == 0;
	} else {
		side_networks(side, end, family);
	}
	side_ports(side, end);
	return side->n_ranges > 0;
}

/* Fewer boxes, where there would be too many. */
static void side_fewer(struct side *side, int family)
{
	struct port_range last = side->ports[side->n_ports - 1];

	if (side->n_ranges > 1)
		side_widen(side, family);
	if (side->n_ports == 1)
		return;
	/* They are in order. */
	side->ports[0].last = last.last;
	side->n_ports = 1;
	side->exact = false;
}

/* Whether a box is of few enough packets that each may be looked at again. */
static bool box_is_narrow(const struct class_box *box)
{
	unsigned int least = box->family == 4 ? 8 : 16;

	return class_range_bits(&box->src, box->family) >= least ||
	       class_range_bits(&box->dst, box->family) >= least ||
	       box->sport_last - box->sport_first < 4096 ||
	       box->dport_last - box->dport_first < 4096;
}

static int add_box(const struct class_box *like, const struct side *src,
		   const struct side *dst, size_t place,
		   struct class_boxes *boxes)
{
	struct class_box *box = ARRAY_ADD(boxes, list);
	const struct port_range *ports;

	if (!box)
		return -ENOMEM;
	*box = *like;
	box->src = src->ranges[place % src->n_ranges];
	place /= src->n_ranges;
	box->dst = dst->ranges[place % dst->n_ranges];
	place /= dst->n_ranges;
	ports = &src->ports[place % src->n_ports];
	box->sport_first = ports->first;
	box->sport_last = ports->last;
	ports = &dst->ports[place / src->n_ports];
	box->dport_first = ports->first;
	box->dport_last = ports->last;
	return 0;
}

/* Each range of one list with each of the others. */
static int add_boxes(const struct rule *rule, struct class_box *like,
		     struct class_boxes *boxes)
{
	struct side src, dst;
	size_t i, n;
	int r = 0;

	if (!side_read(&src, &rule->from, like->family) ||
	    !side_read(&dst, &rule->to, like->family))
		return 0;
	n = src.n_ranges * src.n_ports * dst.n_ranges * dst.n_ports;
	if (n > BOXES_MAX) {
		side_fewer(&src, like->family);
		n = dst.n_ranges * dst.n_ports;
	}
	if (n > BOXES_MAX) {
		side_fewer(&dst, like->family);
		n = 1;
	}
	if (!src.exact || !dst.exact)
		like->bits |= ENTRY_CONFIRM;
	for (i = 0; r == 0 && i < n; i++)
		r = add_box(like, &src, &dst, i, boxes);
	return r;
}

int compile_boxes(const struct rule *rule, const struct rule_row *row,
		  uint32_t index, struct class_boxes *boxes)
{
	struct class_box like = { .index = index,
				  .counter = row->counter,
				  .protocol = row->protocol,
				  .bits = row->verdict };
	int r = 0;

	/* Where it leads, only its row says. */
	if (row->verdict > ROW_REJECT)
		like.bits = ENTRY_CONFIRM;
	if (row->looks & LOOK_PROTOCOL)
		like.bits |= ENTRY_PROTOCOL;
	if (row->looks & (LOOK_SRC_PORT | LOOK_DST_PORT))
		like.bits |= ENTRY_PORTS;
	if (!(row->looks & (LOOK_IFINDEX | LOOK_LOOPBACK)))
		like.bits |= ENTRY_NO_IFACE;
	if (row->looks & ~(LOOK_TOLD | LOOK_LOOPBACK))
		like.bits |= ENTRY_CONFIRM;
	for (like.family = 4; r == 0 && like.family <= 6; like.family += 2) {
		enum family family = like.family == 4 ? FAMILY_IP4 : FAMILY_IP6;
		struct class_box its = like;

		if (rule->family == FAMILY_ANY || rule->family == family)
			r = add_boxes(rule, &its, boxes);
	}
	return r;
}

bool compile_boxes_list(const struct class_boxes *boxes, size_t first,
			uint32_t looks)
{
	size_t i;

	if (!(looks & LOOK_TOLD & ~LOOK_FAMILY))
		return true;
	for (i = first; i < boxes->n_list; i++)
		if (boxes->list[i].bits & ENTRY_CONFIRM &&
		    !box_is_narrow(&boxes->list[i]))
			return true;
	return false;
}
