/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The group of a running command. */
#include <string.h>

#include "rules/adhoc_own.h"
#include "rules/flow_room.h"
#include "rules/group_row.h"
#include "rules/pattern.h"
#include "rules/suggest.h"

static uint32_t chain_find(const struct image *image, const char *name)
{
	size_t i;

	for (i = 0; i < image->n_chains; i++)
		if (strcmp(image_string(image, image->chains[i].name), name) ==
		    0)
			return i;
	return NONE;
}

static int refuse_chain(const struct image *image, const char *name,
			struct err *err)
{
	struct suggestion best;
	size_t i;

	suggestion_begin(&best, name);
	for (i = 0; i < image->n_chains; i++)
		suggestion_try(&best,
			       image_string(image, image->chains[i].name));
	return err_say(err, -ENOENT,
		       best.word ? "there is no chain '%.80s' in force (try %s)"
				 : "there is no chain '%.80s' in force",
		       name, best.word);
}

/* A chain that is only jumped to is no filter. */
static int refuse_part(const struct image *image, uint32_t chain,
		       struct err *err)
{
	if (image->chains[chain].policy != ROW_NONE)
		return 0;
	return err_say(err, -EINVAL,
		       "chain '%s' has no policy, so it can only be jumped to",
		       image_string(image, image->chains[chain].name));
}

static void set_chain_out(const struct image *image, struct group_row *row,
			  uint32_t chain)
{
	row->chain_out = chain;
	row->flags = GROUP_RUN;
	if (chain != NONE && image->chains[chain].flags & CHAIN_STATES)
		row->flags |= KEEP_STATES;
}

int adhoc_add_run(struct image *image, const struct adhoc_run *run,
		  struct err *err)
{
	struct group_row row = { .chain_out = NONE, .chain_in = NONE };
	uint32_t chain = NONE;
	int r;

	if (run->filter_out) {
		chain = chain_find(image, run->filter_out);
		if (chain == NONE)
			return refuse_chain(image, run->filter_out, err);
		r = refuse_part(image, chain, err);
		if (r < 0)
			return r;
	}
	r = pattern_check(run->path, err);
	if (r < 0)
		return err_wrap(err, r, "the command's cgroup");
	set_chain_out(image, &row, chain);
	r = flow_share_ensure(image, image, &row, err);
	if (r < 0)
		return r;
	group_row_change_out(&row, run->out_bps);
	group_row_change_in(&row, run->in_bps);
	return adhoc_add_group(image, &row, run->name, run->path, err);
}

int adhoc_keep_run(struct image *image, const struct image *live, size_t index,
		   struct err *err)
{
	struct group_row row = live->groups[index];
	const char *name = adhoc_group_name(live, index);
	uint32_t chain = NONE;
	int r = 0;

	if (row.chain_out < live->n_chains) {
		const char *wanted =
			image_string(live, live->chains[row.chain_out].name);

		chain = chain_find(image, wanted);
		if (chain == NONE)
			return err_say(err, -ENOENT,
				       "chain '%s' is not in the policy, and "
				       "the command of group '%s' is filtered "
				       "by it: keep the chain, or end the "
				       "command",
				       wanted, name);
		r = refuse_part(image, chain, err);
	}
	if (r < 0)
		return err_wrap(err, r, "group '%s'", name);
	set_chain_out(image, &row, chain);
	r = flow_share_ensure(image, live, &row, err);
	if (r < 0)
		return r;
	return adhoc_add_group(image, &row, name,
			       image_string(live, row.matches), err);
}
