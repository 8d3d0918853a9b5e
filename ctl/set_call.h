/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `weirctl set` is asked to change. */
#ifndef WEIR_CTL_SET_CALL_H
#define WEIR_CTL_SET_CALL_H

#include "ctl/command.h"
#include "rules/policy.h"
#include "rules/set_store.h"

struct set_call {
	const char *name;
	bool is_add;   /* else they are deleted */
	bool replaces; /* all that is in, by the elements of set */
	struct set set;
	struct set_changes changes; /* the same elements, in order */
};

/* Reads what is in call->args; an exit status, and what is wrong is said. */
int set_call_read(const struct call *call, struct set_call *ret_wanted);
void set_call_clear(struct set_call *wanted);

#endif
