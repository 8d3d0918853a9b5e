/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/image_diff.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "rules/describe.h"
#include "rules/element.h"

/*
 * One kind of object: how to number, name and describe them.  A name that
 * is NULL stands for a row that is not part of the policy.
 */
struct kind {
	const char *object;
	size_t (*count)(const struct image *image);
	const char *(*name)(const struct image *image, size_t index,
			    char *buffer);
	void (*describe)(const struct image *image, size_t index, char *text);
};

struct named {
	char *name;
	size_t index;
};

struct names {
	struct named *list;
	size_t n_list;
};

static void names_clear(struct names *names)
{
	size_t i;

	for (i = 0; i < names->n_list; i++)
		free(names->list[i].name);
	free(names->list);
}

static int by_name(const void *a, const void *b)
{
	const struct named *left = a, *right = b;

	return strverscmp(left->name, right->name);
}

static int collect(const struct kind *kind, const struct image *image,
		   struct names *names)
{
	char buffer[DESCRIBE_MAX];
	size_t i;

	for (i = 0; i < kind->count(image); i++) {
		const char *name = kind->name(image, i, buffer);
		struct named *named;

		if (!name)
			continue;
		named = ARRAY_ADD(names, list);
		if (!named)
			return -ENOMEM;
		named->index = i;
		named->name = strdup(name);
		if (!named->name)
			return -ENOMEM;
	}
	if (names->n_list)
		qsort(names->list, names->n_list, sizeof(*names->list),
		      by_name);
	return 0;
}

/* Which of two lists goes on: below 0 the first, above the second, 0 both. */
static int order_of(const struct names *before, size_t i,
		    const struct names *after, size_t j)
{
	if (i == before->n_list)
		return 1;
	if (j == after->n_list)
		return -1;
	return by_name(&before->list[i], &after->list[j]);
}

static int diff_kind(const struct kind *kind, const struct image *old,
		     const struct image *new, struct changes *changes)
{
	CLEANUP(names_clear) struct names before = { 0 }, after = { 0 };
	char was[DESCRIBE_MAX], is[DESCRIBE_MAX];
	size_t i = 0, j = 0;
	int r, order;

	r = collect(kind, old, &before);
	if (r == 0)
		r = collect(kind, new, &after);
	while (r == 0 && (i < before.n_list || j < after.n_list)) {
		order = order_of(&before, i, &after, j);
		if (order <= 0)
			kind->describe(old, before.list[i].index, was);
		if (order >= 0)
			kind->describe(new, after.list[j].index, is);
		if (order < 0)
			r = change_add_text(changes, CHANGE_REMOVE,
					    kind->object, before.list[i].name,
					    was);
		else if (order > 0)
			r = change_add_text(changes, CHANGE_ADD, kind->object,
					    after.list[j].name, is);
		else if (strcmp(was, is) != 0)
			r = change_add_text(changes, CHANGE_ALTER, kind->object,
					    after.list[j].name, is);
		i += order <= 0;
		j += order >= 0;
	}
	return r;
}

/* ------------------------------------------------------------- groups */

static size_t group_count(const struct image *image)
{
	return image->n_groups;
}

static const char *group_name(const struct image *image, size_t index,
			      char *buffer)
{
	(void)buffer;
	return image_string(image, image->groups[index].name);
}

static void group_text(const struct image *image, size_t index, char *text)
{
	describe_group(image, &image->groups[index], text);
}

/* ------------------------------------------------------------ devices */

static size_t device_count(const struct image *image)
{
	return image->n_devices;
}

static const char *device_name(const struct image *image, size_t index,
			       char *buffer)
{
	const struct device_row *device = &image->devices[index];

	if (!device->in_use || device->group != NONE)
		return NULL;
	describe_device_name(image, device, buffer);
	return buffer;
}

static void device_text(const struct image *image, size_t index, char *text)
{
	describe_device(image, &image->devices[index], text);
}

/* ------------------------------------------------------------- chains */

static size_t chain_count(const struct image *image)
{
	return image->n_chains;
}

static const char *chain_name(const struct image *image, size_t index,
			      char *buffer)
{
	(void)buffer;
	return image_string(image, image->chains[index].name);
}

static void chain_text(const struct image *image, size_t index, char *text)
{
	const struct chain_row *chain = &image->chains[index];

	snprintf(text, DESCRIBE_MAX, "%s%s%s",
		 chain->policy == ROW_NONE ? "no policy" : "policy ",
		 chain->policy == ROW_NONE ? ""
					   : describe_verdict(chain->policy),
		 chain->flags & CHAIN_STRICT ? ", strict" : "");
}

/* -------------------------------------------------------------- sets */

static size_t set_count(const struct image *image)
{
	return image->n_sets;
}

static const char *set_name(const struct image *image, size_t index,
			    char *buffer)
{
	const char *name = image_string(image, image->sets[index].name);

	(void)buffer;
	return *name ? name : NULL;
}

static void set_text(const struct image *image, size_t index, char *text)
{
	snprintf(text, DESCRIBE_MAX, "%u %s", image->sets[index].elements,
		 set_kind_name(image->sets[index].kind));
}

enum {
	KIND_CHAIN = 2,
	KIND_SET = 3,
};

static const struct kind kinds[] = {
	{ "group", group_count, group_name, group_text },
	{ "device", device_count, device_name, device_text },
	[KIND_CHAIN] = { "chain", chain_count, chain_name, chain_text },
	[KIND_SET] = { "set", set_count, set_name, set_text },
};

/* -------------------------------------------------------------- rules */

/* The rules of one chain that are still to be compared; they lie by number. */
struct rest {
	const struct image *image;
	const struct rule_row *rule, *end;
};

/* chain: NULL where the image has none of that name. */
static struct rest rest_of(const struct image *image,
			   const struct chain_row *chain)
{
	struct rest rest = { .image = image };

	if (!chain || !image->rules || chain->first > image->n_rules ||
	    chain->count > image->n_rules - chain->first)
		return rest;
	rest.rule = image->rules + chain->first;
	rest.end = rest.rule + chain->count;
	return rest;
}

static const char *rule_text(const struct rest *rest)
{
	return image_string(rest->image, rest->rule->text);
}

/* Of the rule that is next: from 1; beyond all numbers behind the last. */
static uint64_t next_number(const struct rest *rest)
{
	return rest->rule < rest->end ? rest->rule->number : UINT64_MAX;
}

static int diff_chain(struct rest *was, struct rest *is, const char *chain,
		      struct changes *changes)
{
	size_t n = strlen(chain);
	char name[DESCRIBE_MAX];
	int r = 0;

	if (n + 12 > sizeof(name)) /* a damaged table */
		n = 0;
	memcpy(name, chain, n);
	name[n++] = ' ';
	while (r == 0 && (was->rule < was->end || is->rule < is->end)) {
		uint64_t before = next_number(was), after = next_number(is);

		number_format(before < after ? before : after, name + n);
		if (before < after)
			r = change_add_text(changes, CHANGE_REMOVE, "rule",
					    name, rule_text(was));
		else if (before > after)
			r = change_add_text(changes, CHANGE_ADD, "rule", name,
					    rule_text(is));
		else if (strcmp(rule_text(was), rule_text(is)) != 0)
			r = change_add_text(changes, CHANGE_ALTER, "rule", name,
					    rule_text(is));
		if (before <= after)
			was->rule++;
		if (after <= before)
			is->rule++;
	}
	return r;
}

/* Chains by name, then their rules by number. */
static int diff_rules(const struct image *old, const struct image *new,
		      struct changes *changes)
{
	CLEANUP(names_clear) struct names before = { 0 }, after = { 0 };
	size_t i = 0, j = 0;
	int r;

	r = collect(&kinds[KIND_CHAIN], old, &before);
	if (r == 0)
		r = collect(&kinds[KIND_CHAIN], new, &after);
	while (r == 0 && (i < before.n_list || j < after.n_list)) {
		int order = order_of(&before, i, &after, j);
		struct rest was = { .image = old }, is = { .image = new };

		if (order <= 0)
			was = rest_of(old, &old->chains[before.list[i].index]);
		if (order >= 0)
			is = rest_of(new, &new->chains[after.list[j].index]);
		r = diff_chain(&was, &is,
			       order <= 0 ? before.list[i].name
					  : after.list[j].name,
			       changes);
		i += order <= 0;
		j += order >= 0;
	}
	return r;
}

/* Sets of as many elements may still differ: told by their digests. */
static int diff_set_contents(const struct image *old, const struct image *new,
			     struct changes *changes)
{
	CLEANUP(names_clear) struct names was = { 0 }, is = { 0 };
	size_t i = 0, j = 0;
	int r;

	r = collect(&kinds[KIND_SET], old, &was);
	if (r == 0)
		r = collect(&kinds[KIND_SET], new, &is);
	while (r == 0 && i < was.n_list && j < is.n_list) {
		int order = by_name(&was.list[i], &is.list[j]);
		size_t a = was.list[i].index, b = is.list[j].index;

		if (order == 0 && old->sets[a].digest != new->sets[b].digest &&
		    old->sets[a].elements == new->sets[b].elements)
			r = change_add(changes, CHANGE_ALTER, "set",
				       is.list[j].name, "other elements, %u",
				       new->sets[b].elements);
		i += order <= 0;
		j += order >= 0;
	}
	return r;
}

int image_diff(const struct image *old, const struct image *new,
	       struct changes *changes)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < KIND_SET; i++)
		r = diff_kind(&kinds[i], old, new, changes);
	if (r == 0)
		r = diff_rules(old, new, changes);
	if (r == 0)
		r = diff_kind(&kinds[KIND_SET], old, new, changes);
	return r ? r : diff_set_contents(old, new, changes);
}

static int same_rows(const void *a, size_t n_a, const void *b, size_t n_b,
		     size_t size)
{
	return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a * size) == 0);
}

#define SAME(table)                                               \
	same_rows(a->table, a->n_##table, b->table, b->n_##table, \
		  sizeof(*a->table))

/* Strings are named by what uses them: equal rows have equal strings. */
int image_same(const struct image *a, const struct image *b)
{
	size_t common = a->n_strings < b->n_strings ? a->n_strings
						    : b->n_strings;

	return SAME(chains) && SAME(rules) && SAME(class_nodes) &&
	       SAME(class_buckets) && SAME(class_entries) && SAME(sets) &&
	       SAME(ifaces) && SAME(groups) && SAME(peers) && SAME(paths) &&
	       SAME(globs) && SAME(devices) && SAME(shares) &&
	       memcmp(a->strings, b->strings, common) == 0;
}
