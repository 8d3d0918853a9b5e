/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/lock.h"
#include "ctl/say.h"
#include "ctl/set_call.h"
#include "ctl/set_list.h"
#include "ctl/set_live.h"

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
	if (elements->kind == set->row.kind)
		return 0;
	return err_say(err, -EINVAL, "set '%s' holds %s, not %s", set->name,
		       set_kind_name(set->row.kind),
		       set_kind_name(elements->kind));
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
	element_format(&change->element, change->family, set->row.kind, text);
	element_format(&look.other, change->family, set->row.kind, other);
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
		element_format(&change->element, change->family, set->row.kind,
			       text);
		element_format(&look.other, change->family, set->row.kind,
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

	r = set_live_open(call, &sets, err);
	if (r == 0)
		r = set_live_find(&sets, wanted->name, &set, err);
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
		return set_list(call);
	status = set_call_read(call, &wanted);
	return status == EXIT_DONE ? change_locked(call, &wanted) : status;
}
