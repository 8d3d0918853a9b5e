/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in sets: read whole, of one policy, and then shown. */
#include "ctl/set_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "ctl/json.h"
#include "ctl/say.h"
#include "ctl/set_live.h"

/* ------------------------------------------------------------ reading */

struct listed {
	struct live_set set;
	struct elements elements; /* where they are to be shown */
	size_t n;		  /* else: how many there are */
};

struct listing {
	struct listed *list;
	size_t n_list;
};

static void listing_clear(struct listing *listing)
{
	size_t i;

	for (i = 0; i < listing->n_list; i++)
		elements_clear(&listing->list[i].elements);
	free(listing->list);
	*listing = (struct listing){ 0 };
}

static int add_set(const struct live_sets *sets, const struct live_set *set,
		   bool with_elements, struct listing *listing, struct err *err)
{
	struct listed *listed = ARRAY_ADD(listing, list);

	if (!listed)
		return err_set(err, -ENOMEM, "list sets");
	*listed = (struct listed){ .set = *set };
	return with_elements
		       ? live_set_elements(sets, set, &listed->elements, err)
		       : live_set_count(sets, set, &listed->n, err);
}

/* Every set, or the one that is named. */
static int add_sets(const struct live_sets *sets, const char *name, bool json,
		    struct listing *listing, struct err *err)
{
	struct live_set set;
	uint32_t i;
	int r;

	if (name) {
		r = set_live_find(sets, name, &set, err);
		return r < 0 ? r : add_set(sets, &set, true, listing, err);
	}
	for (i = 0;; i++) {
		r = live_sets_read(sets, i, &set, err);
		if (r == -ENOENT)
			return 0;
		if (r == 0)
			r = add_set(sets, &set, json, listing, err);
		if (r < 0)
			return r;
	}
}

/* How often another policy may come into force while sets are read. */
#define TRIES 16

static int read_listing(const struct call *call, const char *name,
			struct listing *ret_listing, struct err *err)
{
	int try, r;

	for (try = 0; try < TRIES; try++) {
		CLEANUP(live_sets_close) struct live_sets sets = LIVE_SETS_NONE;
		CLEANUP(listing_clear) struct listing listing = { 0 };

		r = set_live_open(call, &sets, err);
		if (r < 0)
			return r;
		r = add_sets(&sets, name, call->json, &listing, err);
		if (!live_sets_hold(&sets))
			continue;
		if (r < 0)
			return r;
		*ret_listing = listing;
		listing = (struct listing){ 0 };
		return 0;
	}
	return err_say(err, -EAGAIN,
		       "list sets: the policy changed %d times meanwhile",
		       TRIES);
}

/* ------------------------------------------------------------ showing */

static json_t *element_json(const struct element *element, unsigned int family,
			    unsigned int kind, uint32_t now)
{
	char text[ELEMENT_TEXT_MAX];
	json_t *object = json_object();

	element_format(element, family, kind, text);
	json_put(&object, "element", json_text(text));
	if (element->seconds)
		json_put(&object, "timeout_seconds",
			 json_count(element->seconds - now));
	return object;
}

static json_t *set_json(const struct listed *listed)
{
	const struct live_set *set = &listed->set;
	const struct elements *elements = &listed->elements;
	json_t *object = json_object(), *list = json_array();
	uint32_t now = store_now();
	unsigned int family;
	size_t i;

	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < elements->of[family].n_list; i++)
			json_add(&list,
				 element_json(&elements->of[family].list[i],
					      family, set->row.kind, now));
	json_put(&object, "name", json_text(set->name));
	json_put(&object, "holds", json_text(set_kind_name(set->row.kind)));
	json_put(&object, "elements", list);
	return object;
}

/* One a line, as `set load` and `file =` read them. */
static void show_elements(const struct listed *listed)
{
	const struct elements *elements = &listed->elements;
	char text[ELEMENT_TEXT_MAX];
	uint32_t now = store_now();
	unsigned int family;
	size_t i;

	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < elements->of[family].n_list; i++) {
			const struct element *element =
				&elements->of[family].list[i];

			element_format(element, family, listed->set.row.kind,
				       text);
			if (element->seconds)
				printf("%s timeout %us\n", text,
				       element->seconds - now);
			else
				puts(text);
		}
}

static int print_json(const struct listing *listing)
{
	json_t *root = json_object(), *list = json_array();
	size_t i;

	for (i = 0; i < listing->n_list; i++)
		json_add(&list, set_json(&listing->list[i]));
	json_put(&root, "sets", list);
	return json_print(root);
}

int set_list(const struct call *call)
{
	const char *name = call->n_args > 1 ? call->args[1] : NULL;
	CLEANUP(listing_clear) struct listing listing = { 0 };
	struct err err;
	size_t i;

	if (read_listing(call, name, &listing, &err) < 0)
		return say_err(&err);
	if (call->json)
		return print_json(&listing);
	for (i = 0; i < listing.n_list; i++) {
		const struct listed *listed = &listing.list[i];

		if (name)
			show_elements(listed);
		else
			show("set %s: %zu %s", listed->set.name, listed->n,
			     set_kind_name(listed->set.row.kind));
	}
	return EXIT_DONE;
}
