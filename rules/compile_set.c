/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/compile_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

/* ::ffff:0:0 */
#define MAPPED_FIRST ((span_end)0xffff << 32)
#define MAPPED_LAST  (MAPPED_FIRST | 0xffffffff)

void spans_clear(struct spans *spans)
{
	free(spans->list);
	*spans = (struct spans){ 0 };
}

static span_end end_from_bytes(const uint8_t *bytes)
{
	span_end end = 0;
	size_t i;

	for (i = 0; i < 16; i++)
		end = end << 8 | bytes[i];
	return end;
}

static void end_to_bytes(span_end end, uint8_t *bytes)
{
	size_t i;

	for (i = 16; i-- > 0; end >>= 8)
		bytes[i] = end & 0xff;
}

static int spans_add(struct spans *spans, span_end first, span_end last)
{
	struct span *span;

	if (first > last)
		return 0;
	span = ARRAY_ADD(spans, list);
	if (!span)
		return -ENOMEM;
	span->first = first;
	span->last = last;
	return 0;
}

/* Whether IPv4 has its place in the middle of what is of IPv6. */
static bool surrounds_mapped(const struct network *network, span_end first,
			     span_end last)
{
	return network->family != FAMILY_IP4 && first < MAPPED_FIRST &&
	       last >= MAPPED_FIRST;
}

int spans_add_networks(struct spans *spans, const struct network *networks,
		       size_t n)
{
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		span_end first = end_from_bytes(networks[i].first.s6_addr);
		span_end last = end_from_bytes(networks[i].last.s6_addr);

		if (surrounds_mapped(&networks[i], first, last)) {
			r = spans_add(spans, first, MAPPED_FIRST - 1);
			if (r < 0)
				return r;
			first = MAPPED_LAST + 1;
		}
		r = spans_add(spans, first, last);
		if (r < 0)
			return r;
	}
	return 0;
}

int spans_add_ports(struct spans *spans, const struct port_range *ports,
		    size_t n)
{
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		r = spans_add(spans, ports[i].first, ports[i].last);
		if (r < 0)
			return r;
	}
	return 0;
}

int spans_add_names(struct spans *spans, const struct element_list *names)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < names->n_list; i++)
		r = spans_add(spans, names->list[i].first, names->list[i].last);
	return r;
}

static int compare_spans(const void *va, const void *vb)
{
	const struct span *a = va, *b = vb;

	return (a->first > b->first) - (a->first < b->first);
}

void spans_join(struct spans *spans)
{
	size_t i, n = 0;

	for (i = 1; i < spans->n_list; i++)
		if (spans->list[i].first < spans->list[i - 1].first)
			break;
	if (i < spans->n_list)
		qsort(spans->list, spans->n_list, sizeof(*spans->list),
		      compare_spans);
	for (i = 0; i < spans->n_list; i++) {
		struct span *span = &spans->list[i];
		struct span *kept = n ? &spans->list[n - 1] : NULL;

		/* last + 1 of the highest address of all is 0: after it */
		if (kept &&
		    (kept->last + 1 == 0 || span->first <= kept->last + 1)) {
			if (span->last > kept->last)
				kept->last = span->last;
			continue;
		}
		spans->list[n++] = *span;
	}
	spans->n_list = n;
}

#define ADDRESS_BITS 128

static unsigned int trailing_zeroes(span_end n)
{
	uint64_t low = (uint64_t)n, high = (uint64_t)(n >> 64);

	if (low)
		return __builtin_ctzll(low);
	return high ? 64 + __builtin_ctzll(high) : ADDRESS_BITS;
}

static unsigned int top_bit(span_end n)
{
	uint64_t low = (uint64_t)n, high = (uint64_t)(n >> 64);

	return high ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll(low);
}

/*
 * The largest aligned block that begins at first and does not reach beyond
 * last: 2 to the power of what is returned, at most 128.
 */
static unsigned int block_bits(span_end first, span_end last)
{
	unsigned int aligned = trailing_zeroes(first), fitting;

	if (last - first == ~(span_end)0)
		return ADDRESS_BITS;
	fitting = top_bit(last - first + 1);
	return aligned < fitting ? aligned : fitting;
}

/* The part of a span in first … last; IPv4 without what it is mapped to. */
static int add_part(struct elements *elements, unsigned int family,
		    const struct span *span, span_end first, span_end last)
{
	struct element element = { 0 };

	if (span->first > last || span->last < first)
		return 0;
	element.first = span->first > first ? span->first : first;
	element.last = span->last < last ? span->last : last;
	if (family == SET_IP4) {
		element.first -= first;
		element.last -= first;
	}
	return elements_add(elements, family, &element);
}

int spans_to_elements(const struct spans *spans, unsigned int kind,
		      struct elements *ret_elements)
{
	CLEANUP(elements_clear)
	struct elements elements = {
		.kind = kind,
	};
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < spans->n_list; i++) {
		const struct span *span = &spans->list[i];

		if (kind == SET_OF_PORTS) {
			r = add_part(&elements, SET_IP4, span, 0, UINT16_MAX);
			continue;
		}
		/* No name has a place among the addresses of IPv4. */
		r = add_part(&elements, SET_IP6, span, 0, MAPPED_FIRST - 1);
		if (r == 0)
			r = add_part(&elements, SET_IP4, span, MAPPED_FIRST,
				     MAPPED_LAST);
		if (r == 0)
			r = add_part(&elements, SET_IP6, span, MAPPED_LAST + 1,
				     ~(span_end)0);
	}
	if (r < 0)
		return r;
	*ret_elements = elements;
	elements = (struct elements){ 0 };
	return 0;
}

static bool is_one_prefix(span_end first, span_end last, struct row_side *side)
{
	unsigned int block = block_bits(first, last);

	if (block >= ADDRESS_BITS) {
		memset(side->addr, 0, sizeof(side->addr));
		memset(side->mask, 0, sizeof(side->mask));
		return true;
	}
	if (last - first != ((span_end)1 << block) - 1)
		return false;
	end_to_bytes(first, side->addr);
	end_to_bytes(~(((span_end)1 << block) - 1), side->mask);
	return true;
}

bool spans_one_prefix(const struct spans *spans, struct row_side *side)
{
	return spans->n_list == 1 &&
	       is_one_prefix(spans->list[0].first, spans->list[0].last, side);
}

bool network_one_prefix(const struct network *network, struct row_side *side)
{
	span_end first = end_from_bytes(network->first.s6_addr);
	span_end last = end_from_bytes(network->last.s6_addr);

	return !surrounds_mapped(network, first, last) &&
	       is_one_prefix(first, last, side);
}
