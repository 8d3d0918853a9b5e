/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "cgroup/live_sets.h"
#include "ctl/json.h"
#include "ctl/lock.h"
#include "ctl/say.h"
#include "ctl/set_call.h"
#include "rules/lines.h"
#include "rules/suggest.h"

/* ----------------------------------------------------------- the sets */

static int refuse_name(const struct live_sets *sets, const char *name,
		       struct err *err)
{
	char nearest[LABEL_MAX + 1];
	struct suggestion best;
	struct live_set set;
	uint32_t i;

	suggestion_begin(&best, name);
	for (i = 0; live_sets_read(sets, i, &set, err) == 0; i++) {
		suggestion_try(&best, set.name);
		if (best.word == set.name)
			best.word = strcpy(nearest, set.name);
	}
	if (!best.word)
		return err_say(err, -ENOENT, "there is no set '%.80s' in force",
			       name);
	return err_say(err, -ENOENT,
		       "there is no set '%.80s' in force (try %s)", name,
		       best.word);
}

static int open_sets(const struct call *call, struct live_sets *ret_sets,
		     struct err *err)
{
	char maps[PATH_MAX];
	int r;

	snprintf(maps, sizeof(maps), "%s/maps", call->places.bpffs);
	r = live_sets_open(maps, ret_sets, err);
	if (r == -ENOENT)
		return err_say(err, r, "no policy is in force, and so no set");
	return r;
}

static int find_set(const struct live_sets *sets, const char *name,
		    struct live_set *ret_set, struct err *err)
{
	int r = live_sets_find(sets, name, ret_set, err);

	return r == -ENOENT ? refuse_name(sets, name, err) : r;
}

/* ------------------------------------------------------------ listing */

static json_t *element_json(const struct element *element, unsigned int family,
			    bool is_port, uint32_t now)
{
	char text[ELEMENT_TEXT_MAX];
	json_t *object = json_object();

	element_format(element, family, is_port, text);
	json_put(&object, "element", json_text(text));
	if (element->seconds)
		json_put(&object, "timeout_seconds",
			 json_count(element->seconds - now));
	return object;
}

static json_t *set_json(const struct live_set *set,
			const struct elements *elements)
{
	json_t *object = json_object(), *list = json_array();
	uint32_t now = store_now();
	unsigned int family;
	size_t i;

	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < elements->of[family].n_list; i++)
			json_add(&list,
				 element_json(&elements->of[family].list[i],
					      family, set->row.is_ports, now));
	json_put(&object, "name", json_text(set->name));
	json_put(&object, "holds",
		 json_text(set->row.is_ports ? "ports" : "networks"));
	json_put(&object, "elements", list);
	return object;
}

/* One a line, as `set load` and `file =` read them. */
static void show_elements(const struct live_set *set,
			  const struct elements *elements)
{
	char text[ELEMENT_TEXT_MAX];
	uint32_t now = store_now();
	unsigned int family;
	size_t i;

	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < elements->of[family].n_list; i++) {
			const struct element *element =
				&elements->of[family].list[i];

			element_format(element, family, set->row.is_ports,
				       text);
			if (element->seconds)
				printf("%s timeout %us\n", text,
				       element->seconds - now);
			else
				puts(text);
		}
}

/* Every set, or the one that is named. */
static int list_sets(const struct live_sets *sets, const char *name, bool json,
		     struct err *err)
{
	json_t *root = json_object(), *list = json_array();
	struct live_set set;
	uint32_t i;
	int r = 0;

	for (i = 0; r == 0; i++) {
		CLEANUP(elements_clear) struct elements elements = { 0 };
		size_t n = 0;

		r = name ? find_set(sets, name, &set, err)
			 : live_sets_read(sets, i, &set, err);
		if (r == -ENOENT && !name) {
			r = 0;
			break;
		}
		if (r == 0 && !json && !name)
			r = live_set_count(sets, &set, &n, err);
		else if (r == 0)
			r = live_set_elements(sets, &set, &elements, err);
		if (r == 0 && json)
			json_add(&list, set_json(&set, &elements));
		else if (r == 0 && name)
			show_elements(&set, &elements);
		else if (r == 0)
			show("set %s: %zu %s", set.name, n,
			     set.row.is_ports ? "ports" : "networks");
		if (name)
			break;
	}
	json_put(&root, "sets", list);
	if (r < 0 || !json) {
		json_decref(root);
		return r < 0 ? say_err(err) : EXIT_DONE;
	}
	return json_print(root);
}

static int list(const struct call *call)
{
	CLEANUP(live_sets_close) struct live_sets sets = LIVE_SETS_NONE;
	struct err err;

	if (open_sets(call, &sets, &err) < 0)
		return say_err(&err);
	return list_sets(&sets, call->n_args > 1 ? call->args[1] : NULL,
			 call->json, &err);
}

/* ----------------------------------------------------------- changing */

static int check_kind(const struct live_set *set,
		      const struct elements *elements, struct err *err)
{
	if (!elements_count(elements))
		return 0;
	if (set->row.is_closed)
		return err_say(err, -EINVAL,
			       "set '%s' stands for addresses in one rule and "
			       "for ports in another: nothing fits both",
			       set->name);
	if (elements->is_ports == (set->row.is_ports != 0))
		return 0;
	return err_say(err, -EINVAL, "set '%s' holds %s, not %s", set->name,
		       set->row.is_ports ? "ports" : "networks",
		       elements->is_ports ? "ports" : "networks");
}

/* One that is in by another only is not to be taken out by its own name. */
static int check_deleted(const struct live_sets *sets,
			 const struct live_set *set,
			 const struct set_change *change, bool *ret_stays,
			 struct err *err)
{
	char text[ELEMENT_TEXT_MAX], other[ELEMENT_TEXT_MAX];
	struct set_look look = { 0 };
	int r;

	r = live_set_look(sets, set, change->family, &change->element, &look,
			  err);
	if (r < 0 || !look.is_reached)
		return r;
	element_format(&change->element, change->family, set->row.is_ports,
		       text);
	element_format(&look.other, change->family, set->row.is_ports, other);
	if (!look.is_in)
		return err_say(err, -EINVAL,
			       "set '%s' has no element %s, but %s, which "
			       "reaches into it",
			       set->name, text, other);
	*ret_stays = true;
	return 0;
}

static int check_all_deleted(const struct live_sets *sets,
			     const struct live_set *set,
			     const struct set_changes *changes, struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < changes->n_list; i++) {
		bool stays = false;

		r = check_deleted(sets, set, &changes->list[i], &stays, err);
	}
	return r;
}

/* Tells of what is in all the same, by others. */
static void tell_reached(const struct live_sets *sets,
			 const struct live_set *set,
			 const struct set_changes *changes)
{
	char text[ELEMENT_TEXT_MAX], other[ELEMENT_TEXT_MAX];
	struct err ignored;
	size_t i;

	for (i = 0; i < changes->n_list; i++) {
		const struct set_change *change = &changes->list[i];
		struct set_look look = { 0 };

		if (live_set_look(sets, set, change->family, &change->element,
				  &look, &ignored) < 0 ||
		    !look.is_reached)
			continue;
		element_format(&change->element, change->family,
			       set->row.is_ports, text);
		element_format(&look.other, change->family, set->row.is_ports,
			       other);
		say("set %s still has %s, which reaches into %s", set->name,
		    other, text);
	}
}

static int change(const struct live_sets *sets, const struct live_set *set,
		  const struct set_call *wanted, struct err *err)
{
	size_t n;
	int r = 0;

	if (!wanted->is_add)
		r = check_all_deleted(sets, set, &wanted->changes, err);
	if (r == 0)
		r = live_set_change(sets, set, &wanted->changes, &n, err);
	if (r == 0 && !wanted->is_add)
		tell_reached(sets, set, &wanted->changes);
	return r;
}

static int carry_out(const struct call *call, const struct set_call *wanted,
		     struct err *err)
{
	CLEANUP(live_sets_close) struct live_sets sets = LIVE_SETS_NONE;
	struct live_set set;
	int r;

	r = open_sets(call, &sets, err);
	if (r == 0)
		r = find_set(&sets, wanted->name, &set, err);
	if (r == 0)
		r = check_kind(&set, &wanted->set.elements, err);
	if (r < 0)
		return r;
	if (wanted->replaces)
		return live_set_replace(&sets, &set, &wanted->set.elements,
					err);
	return change(&sets, &set, wanted, err);
}

/* Where nothing is in force, no folder is made for the lock. */
static bool has_policy(const struct call *call)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/maps/generation", call->places.bpffs);
	return access(path, F_OK) == 0;
}

static int change_locked(const struct call *call, const struct set_call *wanted)
{
	AUTO_CLOSE int lock = -1;
	struct err err;
	int r;

	if (!has_policy(call)) {
		say("no policy is in force, and so no set");
		return EXIT_REFUSED;
	}
	r = lock = lock_take(call->places.run, &err);
	if (r >= 0)
		r = carry_out(call, wanted, &err);
	return r < 0 ? say_err(&err) : EXIT_DONE;
}

int cmd_set(const struct call *call)
{
	CLEANUP(set_call_clear) struct set_call wanted = { 0 };
	int status;

	if (call->n_args && strcmp(call->args[0], "list") == 0 &&
	    call->n_args <= 2)
		return list(call);
	status = set_call_read(call, &wanted);
	return status == EXIT_DONE ? change_locked(call, &wanted) : status;
}
