/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets, named and in lists.  A named set has a store of its own, because it
 * may be changed on its own; all lists of rules have one together.  Where live
 * has the very same, its store is taken over as it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/compile_own.h"
#include "rules/compile_set.h"
#include "rules/set_store.h"

/* ----------------------------------------------------------- digests */

#define DIGEST_BEGIN 0xcbf29ce484222325ULL

static uint64_t digest_add(uint64_t digest, uint64_t word)
{
	digest = (digest ^ word) * 0x9e3779b97f4a7c15ULL;
	return digest ^ digest >> 29;
}

/* 0 stands for what no file says. */
static uint64_t digest_end(uint64_t digest)
{
	return digest ? digest : 1;
}

/* Of sorted elements, with their timeouts. */
static uint64_t digest_of(const struct elements *elements)
{
	uint64_t digest = DIGEST_BEGIN + elements->kind, halves[2];
	unsigned int family;
	size_t i;

	for (family = 0; family < SET_FAMILIES; family++) {
		const struct element_list *list = &elements->of[family];

		digest = digest_add(digest, list->n_list);
		for (i = 0; i < list->n_list; i++) {
			span_end_split(list->list[i].first, halves);
			digest = digest_add(digest, halves[0]);
			digest = digest_add(digest, halves[1]);
			span_end_split(list->list[i].last, halves);
			digest = digest_add(digest, halves[0]);
			digest = digest_add(digest, halves[1]);
			digest = digest_add(
				digest, (uint64_t)list->list[i].ports << 32 |
						list->list[i].seconds);
		}
	}
	return digest_end(digest);
}

static uint64_t digest_of_lines(const struct set_lines *lines)
{
	uint64_t digest = DIGEST_BEGIN;
	uint32_t i, j;

	for (i = 0; i < lines->n; i++)
		for (j = 0; j < ARRAY_SIZE(lines->lines[i].longs); j++)
			digest = digest_add(digest, lines->lines[i].longs[j]);
	return digest_end(digest);
}

/* ------------------------------------------------------------ stores */

/* Those of live stay until the switch; those taken over, for longer. */
static int note_stores(struct compiler *c)
{
	size_t i;

	c->stores_used = calloc(STORES_MAX, 1);
	if (!c->stores_used)
		return -ENOMEM;
	for (i = 0; c->live && i < c->live->n_sets; i++)
		if (c->live->sets[i].store < STORES_MAX)
			c->stores_used[c->live->sets[i].store] = 1;
	return 0;
}

/* Takes the lines out of `lines`. */
static int add_store(struct compiler *c, const struct where *where,
		     struct set_lines *lines, uint32_t n_spare,
		     uint32_t *ret_store)
{
	struct store_content *content = ARRAY_ADD(c->image, stores);

	if (!content)
		return -ENOMEM;
	while (c->next_store < STORES_MAX && c->stores_used[c->next_store])
		c->next_store++;
	if (c->next_store == STORES_MAX) {
		c->image->n_stores--;
		return compiler_problem(c, where,
					"with those of the policy before "
					"there are more than %d sets",
					STORES_MAX - 1);
	}
	content->store = c->next_store++;
	content->n_lines = lines->n;
	content->n_spare = n_spare;
	content->lines = TAKE_PTR(lines->lines);
	*ret_store = content->store;
	return 0;
}

/* -------------------------------------------------------- named sets */

/* Named sets come first, by name. */
static const struct set_row *live_set(const struct compiler *c,
				      const char *name)
{
	size_t low = 0, high = c->live ? c->live->n_sets : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct set_row *row = &c->live->sets[middle];
		const char *there = image_string(c->live, row->name);
		int order = *there ? strcmp(there, name) : 1;

		if (order == 0)
			return row;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool has_timeouts(const struct element_list *list)
{
	size_t i;

	for (i = 0; i < list->n_list; i++)
		if (list->list[i].seconds)
			return true;
	return false;
}

/* With the times when what the file gives a timeout will be over. */
static int begin_timeouts(const struct elements *elements, uint32_t now,
			  struct elements *ret_begun)
{
	CLEANUP(elements_clear)
	struct elements begun = {
		.kind = elements->kind,
	};
	unsigned int family;
	size_t i;
	int r = 0;

	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; r == 0 && i < elements->of[family].n_list; i++) {
			struct element element = elements->of[family].list[i];

			if (element.seconds)
				element.seconds =
					store_until(now, element.seconds);
			r = elements_add(&begun, family, &element);
		}
	if (r < 0)
		return r;
	*ret_begun = begun;
	begun = (struct elements){ 0 };
	return 0;
}

static int refuse_overlaps(struct compiler *c, const struct set *set)
{
	size_t n = elements_count(&set->elements);

	return compiler_problem(c, &set->where, STORE_OVERLAPS, set->name, n,
				(unsigned long long)store_overlaps_max(n));
}

static int make_store(struct compiler *c, const struct set *set,
		      struct set_row *row)
{
	CLEANUP(elements_clear) struct elements begun = { 0 };
	CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
	const struct elements *elements = &set->elements;
	uint32_t now = store_now();
	int r = 0;

	if (has_timeouts(&elements->of[SET_IP4]) ||
	    has_timeouts(&elements->of[SET_IP6])) {
		r = begin_timeouts(elements, now, &begun);
		elements = &begun;
	}
	if (r == 0)
		r = store_make(elements, now, &lines, &row->head);
	if (r == -E2BIG)
		return refuse_overlaps(c, set);
	if (r == -ENOSPC)
		return compiler_problem(c, &set->where,
					"set '%s' takes more than 2 GiB",
					set->name);
	if (r < 0)
		return r;
	return add_store(c, &set->where, &lines,
			 store_spare(lines.n, !set->is_given), &row->store);
}

/*
 * A set whose elements no file gives, nor gave before, is what it was: others
 * put them there.  One whose elements were changed since has another digest.
 */
static int place_set(struct compiler *c, const struct set *set,
		     struct set_row *row)
{
	const struct set_row *live = live_set(c, set->name);

	row->digest = digest_of(&set->elements);
	row->elements = elements_count(&set->elements);
	if (!live || live->kind != row->kind ||
	    live->is_given != row->is_given ||
	    (set->is_given && live->digest != row->digest))
		return make_store(c, set, row);
	row->digest = live->digest;
	row->elements = live->elements;
	row->store = live->store;
	row->head = live->head;
	return 0;
}

/* Of an empty one, those say it that name it; or it takes nothing. */
static unsigned int kind_of(const struct set *set)
{
	if (set->holds || elements_count(&set->elements))
		return set->elements.kind;
	switch (set->stands_for) {
	case 1U << STANDS_FOR_PORTS:
		return SET_OF_PORTS;
	case 1U << STANDS_FOR_INTERFACES:
		return SET_OF_INTERFACES;
	default:
		return SET_OF_NETWORKS;
	}
}

static int compile_set(struct compiler *c, const struct set *set)
{
	struct set_row row = { .kind = kind_of(set) }, *added;
	int r;

	/* Where it stands for more than one thing. */
	row.is_closed = !set->holds && set->stands_for & (set->stands_for - 1);
	row.is_given = set->is_given;
	row.line = set->where.line;
	r = compiler_file(c, &set->where, &row.file);
	if (r == 0)
		r = compiler_string(c, set->name, &row.name);
	if (r == 0)
		r = place_set(c, set, &row);
	if (r < 0)
		return r;
	added = ARRAY_ADD(c->image, sets);
	if (!added)
		return -ENOMEM;
	*added = row;
	return 0;
}

int compile_sets(struct compiler *c)
{
	size_t i;
	int r;

	r = note_stores(c);
	for (i = 0; r == 0 && i < c->policy->n_sets; i++)
		r = compile_set(c, &c->policy->sets[i]);
	return r;
}

int compile_named_set(struct compiler *c, const struct where *where,
		      const char *name, uint32_t *ret_set)
{
	const struct set *set = policy_set(c->policy, name);

	if (!set)
		return compiler_problem(c, where, "there is no set '%s'", name);
	*ret_set = set - c->policy->sets;
	return 0;
}

/* ------------------------------------------------------------- lists */

static int add_members(struct compiler *c, const struct where *where,
		       char *const *names, size_t n, struct set_row *row)
{
	uint32_t line = 0, set = NONE;
	size_t i;
	int r;

	if (n > SET_MEMBERS_MAX)
		return compiler_problem(c, where,
					"a list has at most %d sets, this one "
					"%zu",
					SET_MEMBERS_MAX, n);
	r = n ? set_lines_take(&c->lists, 1, &line) : 0;
	for (i = 0; r == 0 && i < n; i++) {
		r = compile_named_set(c, where, names[i], &set);
		c->lists.lines[line].words[i] = set;
	}
	row->n_members = n;
	row->members = line;
	return r;
}

int compile_list(struct compiler *c, const struct where *where,
		 const struct spans *spans, unsigned int kind,
		 char *const *names, size_t n_names, uint32_t *ret_set)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	struct set_row row = { .kind = kind }, *added;
	int r;

	row.elements = spans->n_list;
	row.line = where->line;
	r = compiler_file(c, where, &row.file);
	if (r == 0)
		r = spans_to_elements(spans, kind, &elements);
	if (r == 0)
		r = store_make(&elements, 0, &c->lists, &row.head);
	if (r == 0)
		r = add_members(c, where, names, n_names, &row);
	if (r == -ENOSPC)
		return compiler_problem(c, where,
					"all lists of rules together take more "
					"than 2 GiB");
	if (r < 0)
		return r;
	added = ARRAY_ADD(c->image, sets);
	if (!added)
		return -ENOMEM;
	*added = row;
	*ret_set = c->image->n_sets - 1;
	return 0;
}

/* The first set of a list's, or NULL. */
static const struct set_row *first_list(const struct image *image)
{
	size_t i;

	for (i = 0; image && i < image->n_sets; i++)
		if (!*image_string(image, image->sets[i].name))
			return &image->sets[i];
	return NULL;
}

int compile_sets_end(struct compiler *c)
{
	const struct where where = { .file = c->policy->n_files
						     ? c->policy->files[0]
						     : "" };
	const struct set_row *live = first_list(c->live);
	uint64_t digest = digest_of_lines(&c->lists);
	uint32_t store = NONE;
	size_t i;
	int r = 0;

	if (!c->lists.n)
		return 0;
	if (live && live->digest == digest)
		store = live->store;
	else
		r = add_store(c, &where, &c->lists, 0, &store);
	for (i = 0; r == 0 && i < c->image->n_sets; i++) {
		struct set_row *row = &c->image->sets[i];

		if (*image_string(c->image, row->name))
			continue;
		row->store = store;
		row->digest = digest;
	}
	return r;
}
