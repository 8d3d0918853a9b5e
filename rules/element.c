/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/element.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

const char *set_kind_name(unsigned int kind)
{
	static const char *const names[SET_KINDS] = {
		[SET_OF_NETWORKS] = "networks",
		[SET_OF_PORTS] = "ports",
		[SET_OF_SERVICES] = "services",
		[SET_OF_INTERFACES] = "interfaces",
	};

	return kind < SET_KINDS ? names[kind] : "?";
}

void elements_clear(struct elements *elements)
{
	unsigned int family;

	for (family = 0; family < SET_FAMILIES; family++)
		free(elements->of[family].list);
	*elements = (struct elements){ 0 };
}

size_t elements_count(const struct elements *elements)
{
	return elements->of[SET_IP4].n_list + elements->of[SET_IP6].n_list;
}

int elements_add(struct elements *elements, unsigned int family,
		 const struct element *element)
{
	struct element *added = ARRAY_ADD(&elements->of[family], list);

	if (!added)
		return -ENOMEM;
	*added = *element;
	return 0;
}

span_end element_top(unsigned int family)
{
	return family == SET_IP4 ? 0xffffffffU : ~(span_end)0;
}

void span_end_split(span_end end, uint64_t ret_halves[static 2])
{
	ret_halves[0] = (uint64_t)(end >> 64);
	ret_halves[1] = (uint64_t)end;
}

span_end span_end_join(const uint64_t halves[static 2])
{
	return (span_end)halves[0] << 64 | halves[1];
}

/* ------------------------------------------------------------- order */

int element_order(const struct element *a, const struct element *b)
{
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	return (a->ports > b->ports) - (a->ports < b->ports);
}

static int compare_elements(const void *a, const void *b)
{
	return element_order(a, b);
}

static bool is_sorted(const struct element_list *elements)
{
	size_t i;

	for (i = 1; i < elements->n_list; i++)
		if (compare_elements(&elements->list[i - 1],
				     &elements->list[i]) >= 0)
			return false;
	return true;
}

#define DIGIT_BITS 11
#define DIGITS	   (1 << DIGIT_BITS)

/* One pass of a radix sort: by the digit of first that begins at shift. */
static void sort_by_digit(const struct element *from, struct element *to,
			  size_t n, unsigned int shift)
{
	size_t begins[DIGITS + 1] = { 0 }, i;

	for (i = 0; i < n; i++)
		begins[(from[i].first >> shift & (DIGITS - 1)) + 1]++;
	for (i = 0; i < DIGITS; i++)
		begins[i + 1] += begins[i];
	for (i = 0; i < n; i++)
		to[begins[from[i].first >> shift & (DIGITS - 1)]++] = from[i];
}

/* What begins at the same address, by its end. */
static void sort_equal(struct element *list, size_t n)
{
	size_t begin, end;

	for (begin = 0; begin < n; begin = end) {
		for (end = begin + 1; end < n; end++)
			if (list[end].first != list[begin].first)
				break;
		if (end - begin > 1)
			qsort(list + begin, end - begin, sizeof(*list),
			      compare_elements);
	}
}

/* Comparing costs more than it moves, where there are many. */
#define RADIX_MIN 4096

static int radix_sort(struct element_list *elements)
{
	size_t n = elements->n_list, i;
	AUTO_FREE struct element *spare = NULL;
	struct element *from = elements->list, *to;
	span_end varies = 0;
	unsigned int shift;

	/* As large as an array of so many is: base/array.h. */
	for (i = 1; i < n; i *= 2)
		;
	spare = malloc(i * sizeof(*spare));
	if (!spare)
		return -ENOMEM;
	to = spare;
	for (i = 1; i < n; i++)
		varies |= from[i].first ^ from[0].first;
	for (shift = 0; shift < 128; shift += DIGIT_BITS) {
		struct element *swapped = from;

		if (!(varies >> shift & (DIGITS - 1)))
			continue;
		sort_by_digit(from, to, n, shift);
		from = to;
		to = swapped;
	}
	sort_equal(from, n);
	elements->list = from;
	spare = to;
	return 0;
}

static bool stays_longer(uint32_t seconds, uint32_t other)
{
	return other && (!seconds || seconds > other);
}

static void drop_doubles(struct element_list *elements)
{
	struct element *list = elements->list;
	size_t i, n = 0;

	for (i = 0; i < elements->n_list; i++) {
		if (n == 0 || compare_elements(&list[n - 1], &list[i]) != 0)
			list[n++] = list[i];
		else if (stays_longer(list[i].seconds, list[n - 1].seconds))
			list[n - 1].seconds = list[i].seconds;
	}
	elements->n_list = n;
}

int element_list_sort(struct element_list *elements)
{
	int r;

	/* Long lists mostly come sorted. */
	if (is_sorted(elements))
		return 0;
	if (elements->n_list < RADIX_MIN) {
		qsort(elements->list, elements->n_list, sizeof(struct element),
		      compare_elements);
	} else {
		r = radix_sort(elements);
		if (r < 0)
			return r;
	}
	drop_doubles(elements);
	return 0;
}

int elements_sort(struct elements *elements)
{
	int r;

	r = element_list_sort(&elements->of[SET_IP4]);
	return r < 0 ? r : element_list_sort(&elements->of[SET_IP6]);
}
