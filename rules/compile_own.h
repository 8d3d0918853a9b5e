/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the compiler share.  Only for compile*.c. */
#ifndef WEIR_RULES_COMPILE_OWN_H
#define WEIR_RULES_COMPILE_OWN_H

#include <stdbool.h>

#include "rules/class.h"
#include "rules/flow_room.h"
#include "rules/image.h"
#include "rules/names.h"
#include "rules/policy.h"
#include "rules/set_tree.h"

#define COUNTERS_MAX (COUNTER_CHUNK * COUNTER_CHUNKS)

struct spans;

/* Borrows everything but image, which it makes, and its notes. */
struct compiler {
	const struct policy *policy;
	const struct image *live;
	struct problems *problems;
	struct image *image;
	bool failed;		  /* a problem was added */
	str_off *files;		  /* offsets of policy->files, 0: not yet */
	uint8_t *counters_used;	  /* a bit per counter of live */
	size_t n_limits;	  /* rules that have one */
	size_t n_logs;		  /* … and rules with log */
	uint64_t *walk_counts;	  /* by chain, 0: not counted yet */
	uint8_t *called;	  /* by chain: connect() and sendmsg() ask it */
	size_t next_live_rule;	  /* where the next rule may be in live */
	uint32_t next_counter;	  /* where to look for a free one */
	uint32_t *live_chains;	  /* rows of live's chains, by name */
	struct names live_groups; /* rows of live's groups */
	uint8_t *uids_used;	  /* a bit per uid's low bits */
	struct flow_shares *flow_shares;
	struct set_lines lists; /* the store of what rules list */
	uint8_t *stores_used;	/* a byte per store of both images */
	uint32_t next_store;	/* where to look for a free one */
};

/* Adds a problem at where.  Returns 0: the compiler goes on. */
int compiler_problem(struct compiler *c, const struct where *where,
		     const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The text's offset; where.file is kept once per file.  -ENOMEM. */
int compiler_string(struct compiler *c, const char *text, str_off *ret_off);
int compiler_file(struct compiler *c, const struct where *where,
		  str_off *ret_off);

/*
 * The index of a chain, or NONE for a NULL name.  One that is not there is
 * a problem.
 */
uint32_t compiler_chain(struct compiler *c, const struct where *where,
			const char *name);

/* ------------------------------------------------ compile_counter.c */

int compile_counters_begin(struct compiler *c);
void compile_counters_end(struct compiler *c);

/* The chain of live with this name, or NULL. */
const struct chain_row *compile_live_chain(const struct compiler *c,
					   const char *name);

/*
 * The counter of a rule, taken over where live (its chain there, or NULL)
 * has the very rule.  NONE where there are no more: a problem.
 */
uint32_t compile_rule_counter(struct compiler *c,
			      const struct chain_row *live_chain,
			      const struct rule *rule);
uint32_t compile_policy_counter(struct compiler *c,
				const struct chain_row *live_chain,
				const struct chain *chain);

/* --------------------------------------------------- compile_sets.c */

/* Named sets become the first rows of image->sets, by name.  -ENOMEM. */
int compile_sets(struct compiler *c);

/* The row of a named set; that there is none is a problem. */
int compile_named_set(struct compiler *c, const struct where *where,
		      const char *name, uint32_t *ret_set);

/*
 * A set for a list in a rule: joined spans of a kind, and what named sets have
 * at the time.  -ENOMEM.
 */
int compile_list(struct compiler *c, const struct where *where,
		 const struct spans *spans, unsigned int kind,
		 char *const *names, size_t n_names, uint32_t *ret_set);

/* When all rules have been compiled.  -ENOMEM. */
int compile_sets_end(struct compiler *c);

/* --------------------------------------------------- compile_rule.c */

/*
 * The addresses of a list, where it has some: those of the row, or the set that
 * it names.
 */
int compile_addresses(struct compiler *c, const struct where *where,
		      const struct endpoint *end, struct row_side *side);

/* The row of a rule but for chain and counter.  -ENOMEM. */
int compile_rule(struct compiler *c, const struct chain *chain,
		 const struct rule *rule, struct rule_row *row);

/* --------------------------------------------------- compile_walk.c */

/* The rules that a chain's packets may meet, in order.  Borrowed. */
struct walk_rules {
	const struct rule **list;
	size_t n_list;
};

void walk_rules_clear(struct walk_rules *rules);

/*
 * Finds them, for a chain with all that it jumps to; fills in the row's walk,
 * and their rows.  Too many are a problem; then, and of a chain that is only
 * jumped to, there are none.  -ENOMEM.
 */
int compile_walk(struct compiler *c, const struct chain *chain,
		 struct chain_row *row, struct walk_rules *ret_rules);

/* ---------------------------------------------------- compile_box.c */

/* So many of one rule and family. */
#define BOXES_MAX 32

/* Adds what the rule of index, with its row, fits.  -ENOMEM. */
int compile_boxes(const struct rule *rule, const struct rule_row *row,
		  uint32_t index, struct class_boxes *boxes);

/*
 * Whether a rule with these boxes, from first on, is to be listed, as it looks
 * at too little that the classifier knows.  looks: its own, and those of jumps
 * that lead to it.
 */
bool compile_boxes_list(const struct class_boxes *boxes, size_t first,
			uint32_t looks);

/* The range with all of its addresses: of IPv6 a prefix. */
void compile_range_enclose(struct class_range *range, int family);

/* ------------------------------------------------- compile_within.c */

/*
 * Leaves of the boxes from first on what lies within those of a jump, each
 * within one of them.  -ENOMEM.
 */
int compile_within(struct class_boxes *boxes, size_t first,
		   const struct class_boxes *jump);

/* -------------------------------------------------- compile_class.c */

/* Notes which chains connect() and sendmsg() ask. */
void compile_calls(struct compiler *c);

/*
 * Makes the list and the classifier of a chain, of the rules that its packets
 * meet, which have their rows; too hard a chain is a problem.  -ENOMEM.
 */
int compile_class(struct compiler *c, const struct chain *chain,
		  const struct walk_rules *rules, struct chain_row *row);

/* -------------------------------------------------- compile_group.c */

int compile_groups_begin(struct compiler *c);
int compile_groups(struct compiler *c);
void compile_groups_end(struct compiler *c);

/* The group of live with this name, or NULL. */
const struct group_row *compile_live_group(const struct compiler *c,
					   const char *name);

/* A uid that neither image has, and that nobody else will get. */
uint32_t compile_new_uid(struct compiler *c, const char *name);

/* -------------------------------------------------- compile_peer.c */

/* Fills in the row's limits by address; it has its shaper.  -ENOMEM. */
int compile_peers(struct compiler *c, const struct group *group,
		  struct group_row *row);

/* ------------------------------------------------- compile_device.c */

int compile_devices(struct compiler *c);

/* KEEP_STATES if either chain, or NONE, looks at states. */
uint32_t compile_keep_states(const struct compiler *c, uint32_t chain_out,
			     uint32_t chain_in);

#endif
