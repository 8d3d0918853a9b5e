/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/set_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/say.h"
#include "ctl/set_live.h"
#include "rules/lines.h"
#include "rules/set_read.h"

void set_call_clear(struct set_call *wanted)
{
	elements_clear(&wanted->set.elements);
	free(wanted->changes.list);
}

static int no_memory(void)
{
	say("set: %s", strerror(ENOMEM));
	return EXIT_REFUSED;
}

/* ------------------------------------------------------ add and delete */

static int add_word(struct set_call *wanted, const char *text)
{
	struct set_change *change;
	struct err why;
	unsigned int family;
	unsigned int kind;
	struct element element;
	int r;

	r = set_parse(&wanted->set, text, &element, &family, &kind, &why);
	if (r == 0)
		r = set_add_text(&wanted->set, text, 0, &why);
	if (r == -EINVAL) {
		say("set: %s", why.msg);
		return EXIT_REFUSED;
	}
	change = r == 0 ? ARRAY_ADD(&wanted->changes, list) : NULL;
	if (!change)
		return no_memory();
	change->family = family;
	change->is_add = wanted->is_add;
	change->element = element;
	return EXIT_DONE;
}

/* Holds for the elements before it that have none. */
static int add_timeout(const struct call *call, struct set_call *wanted,
		       const char *text, size_t *first)
{
	uint32_t seconds;
	struct err why;

	if (!wanted->is_add || *first == wanted->changes.n_list) {
		say("set: a timeout stands behind elements that are added");
		return command_usage(call->command);
	}
	if (timeout_parse(text ? text : "", &seconds, &why) < 0) {
		say("set: %s", why.msg);
		return EXIT_REFUSED;
	}
	for (; *first < wanted->changes.n_list; (*first)++)
		wanted->changes.list[*first].element.seconds =
			store_until(store_now(), seconds);
	return EXIT_DONE;
}

static int read_elements(const struct call *call, struct set_call *wanted)
{
	size_t i, first = 0;
	int status = EXIT_DONE;

	if (call->n_args < 3) {
		say("set: name a set, then elements");
		return command_usage(call->command);
	}
	for (i = 2; status == EXIT_DONE && i < call->n_args; i++) {
		if (strcmp(call->args[i], "timeout") != 0) {
			status = add_word(wanted, call->args[i]);
			continue;
		}
		i++;
		status = add_timeout(call, wanted,
				     i < call->n_args ? call->args[i] : NULL,
				     &first);
	}
	return status;
}

/* ------------------------------------------------------ load and flush */

static void begin_timeouts(struct elements *elements)
{
	uint32_t now = store_now();
	unsigned int family;
	size_t i;

	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < elements->of[family].n_list; i++) {
			struct element *element = &elements->of[family].list[i];

			if (element->seconds)
				element->seconds =
					store_until(now, element->seconds);
		}
}

static int load(struct set_call *wanted, const char *path)
{
	const char *shown = strcmp(path, "-") == 0 ? "<stdin>" : path;
	struct problems problems = { 0 };
	AUTO_FREE char *text = NULL;
	struct err err;
	size_t size;
	int r;

	r = text_read(path, SET_FILE_MAX, &text, &size, &err);
	if (r < 0) {
		say("%s: %s", shown, err.msg);
		return EXIT_REFUSED;
	}
	r = set_add_lines(&wanted->set, shown, text, size, &problems);
	if (r == 0)
		r = elements_sort(&wanted->set.elements);
	problems_print(&problems, stderr);
	problems_clear(&problems);
	if (r == -EINVAL)
		return EXIT_REFUSED;
	if (r < 0)
		return no_memory();
	begin_timeouts(&wanted->set.elements);
	return EXIT_DONE;
}

static int read_load(const struct call *call, struct set_call *wanted)
{
	wanted->replaces = true;
	if (call->n_args != 3) {
		say("set load: name a set, then a file");
		return command_usage(call->command);
	}
	return load(wanted, call->args[2]);
}

static int read_flush(const struct call *call, struct set_call *wanted)
{
	wanted->replaces = true;
	if (call->n_args == 2)
		return EXIT_DONE;
	say("set flush: name a set, and nothing else");
	return command_usage(call->command);
}

/* ----------------------------------------------------------------- all */

/*
 * Any word may name an interface: they are read as names where the set in force
 * holds such.  What it is by the time that it is changed is looked at again.
 */
static void learn_kind(const struct call *call, struct set *set)
{
	CLEANUP(live_sets_close) struct live_sets sets = LIVE_SETS_NONE;
	struct live_set live;
	struct err ignored;

	if (set_live_open(call, &sets, &ignored) < 0 ||
	    live_sets_find(&sets, set->name, &live, &ignored) < 0)
		return;
	set->holds = live.row.kind == SET_OF_INTERFACES;
	if (set->holds)
		set->elements.kind = SET_OF_INTERFACES;
}

static const struct {
	const char *word;
	int (*read)(const struct call *call, struct set_call *wanted);
} verbs[] = {
	{ "add", read_elements },
	{ "del", read_elements },
	{ "load", read_load },
	{ "flush", read_flush },
};

int set_call_read(const struct call *call, struct set_call *ret_wanted)
{
	const char *verb = call->n_args ? call->args[0] : "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].word, verb) == 0)
			break;
	if (i == ARRAY_SIZE(verbs) || call->json || call->n_args < 2) {
		if (call->json)
			say("set: --json is for list");
		else if (i < ARRAY_SIZE(verbs))
			say("set %s: name a set", verb);
		else
			say("set: say add, del, list, load or flush");
		return command_usage(call->command);
	}
	ret_wanted->name = call->args[1];
	ret_wanted->set.name = call->args[1];
	learn_kind(call, &ret_wanted->set);
	ret_wanted->is_add = strcmp(verb, "add") == 0;
	return verbs[i].read(call, ret_wanted);
}
