/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of networks: in order, without what is there twice. */
#include "rules/address.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int network_compare(const void *a, const void *b)
{
	const struct network *x = a, *y = b;
	int order;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	order = memcmp(&x->first, &y->first, sizeof(x->first));
	if (order)
		return order;
	return memcmp(&x->last, &y->last, sizeof(x->last));
}

/* Long lists mostly come sorted, and then need no second walk. */
static bool is_sorted(const struct network *networks, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (network_compare(&networks[i - 1], &networks[i]) >= 0)
			return false;
	return true;
}

void networks_sort(struct network *networks, size_t *n)
{
	size_t i, kept = 0;

	if (is_sorted(networks, *n))
		return;
	qsort(networks, *n, sizeof(*networks), network_compare);
	for (i = 0; i < *n; i++)
		if (i == 0 ||
		    network_compare(&networks[kept - 1], &networks[i]) != 0)
			networks[kept++] = networks[i];
	*n = kept;
}

/* The address after this one; false behind the last one there is. */
static bool address_next(struct in6_addr *addr)
{
	int i;

	for (i = 15; i >= 0; i--)
		if (++addr->s6_addr[i])
			return true;
	return false;
}

/* Whether b, which does not begin before a, continues it or lies in it. */
static bool touches(const struct network *a, const struct network *b)
{
	struct in6_addr next = a->last;

	if (a->family != b->family)
		return false;
	return !address_next(&next) ||
	       memcmp(&b->first, &next, sizeof(next)) <= 0;
}

void networks_merge(struct network *networks, size_t *n)
{
	size_t i, kept = 0;

	networks_sort(networks, n);
	for (i = 1; i < *n; i++) {
		struct network *last = &networks[kept];

		if (!touches(last, &networks[i]))
			networks[++kept] = networks[i];
		else if (memcmp(&networks[i].last, &last->last,
				sizeof(last->last)) > 0)
			last->last = networks[i].last;
	}
	if (*n)
		*n = kept + 1;
}
