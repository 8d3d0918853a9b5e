/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/compile_own.h"
#include "rules/glob.h"
#include "rules/group_row.h"

/*
 * Two uids may share a bit, so one that is set only says that it is worth to
 * look: a policy of many groups must not take time quadratic in them.
 */
#define UID_BITS 22

static uint8_t *uid_byte(const struct compiler *c, uint32_t uid)
{
	return &c->uids_used[(uid & ((1u << UID_BITS) - 1)) / 8];
}

static void uid_take(struct compiler *c, uint32_t uid)
{
	*uid_byte(c, uid) |= 1 << (uid % 8);
}

static bool image_has_uid(const struct image *image, uint32_t uid)
{
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		if (image->groups[i].uid == uid)
			return true;
	for (i = 0; i < image->n_peers; i++)
		if (image->peers[i].uid == uid)
			return true;
	return false;
}

static bool uid_taken(const struct compiler *c, uint32_t uid)
{
	if (!(*uid_byte(c, uid) >> (uid % 8) & 1))
		return false;
	return image_has_uid(c->image, uid) ||
	       (c->live && image_has_uid(c->live, uid));
}

int compile_groups_begin(struct compiler *c)
{
	const struct image *live = c->live;
	size_t i, first;

	c->uids_used = calloc(1, (1u << UID_BITS) / 8);
	c->flow_shares = malloc(sizeof(*c->flow_shares));
	if (!c->uids_used || !c->flow_shares)
		return -ENOMEM;
	flow_shares_begin(live, c->flow_shares);
	for (i = 0; live && i < live->n_groups; i++) {
		const struct group_row *group = &live->groups[i];

		uid_take(c, group->uid);
		if (names_add(&c->live_groups, 0,
			      image_string(live, group->name), i, &first) < 0)
			return -ENOMEM;
	}
	for (i = 0; live && i < live->n_peers; i++)
		uid_take(c, live->peers[i].uid);
	return 0;
}

void compile_groups_end(struct compiler *c)
{
	free(c->uids_used);
	free(c->flow_shares);
	names_clear(&c->live_groups);
}

const struct group_row *compile_live_group(const struct compiler *c,
					   const char *name)
{
	size_t i = names_find(&c->live_groups, 0, name);

	return i == NAME_UNKNOWN ? NULL : &c->live->groups[i];
}

uint32_t compile_new_uid(struct compiler *c, const char *name)
{
	uint32_t uid = group_row_hash(name);

	while (uid == 0 || uid_taken(c, uid))
		uid++;
	uid_take(c, uid);
	return uid;
}

/* How far from its hash a name is looked for. */
#define UID_TRIES 64

/*
 * State in the kernel is kept under a group's uid, and may outlive the
 * group.  So uids come from names: a group of another name gets another.
 */
static uint32_t group_uid(struct compiler *c, const char *name)
{
	const struct group_row *live = compile_live_group(c, name);

	if (live && live->uid - group_row_hash(name) < UID_TRIES)
		return live->uid;
	return compile_new_uid(c, name);
}

static int add_path(struct compiler *c, const struct group *group,
		    const char *path, uint32_t index)
{
	struct path_entry *entry;
	unsigned int level = 0;
	const char *p;

	for (p = path; *p; p++)
		level += *p == '/' && p[1] != '\0';
	if (strlen(path) >= CGROUP_PATH_MAX)
		return compiler_problem(
			c, &group->where,
			"group '%s': match '%s' has %zu characters, at most "
			"%d are possible",
			group->name, path, strlen(path), CGROUP_PATH_MAX - 1);
	if (level > CGROUP_LEVEL_MAX)
		return compiler_problem(
			c, &group->where,
			"group '%s': match '%s' is %u levels deep, at most "
			"%d are possible",
			group->name, path, level, CGROUP_LEVEL_MAX);
	entry = ARRAY_ADD(c->image, paths);
	if (!entry)
		return -ENOMEM;
	strcpy(entry->key.path, path);
	entry->value.group = index;
	return 0;
}

static int add_glob(struct compiler *c, const struct group *group,
		    const char *pattern, uint32_t index)
{
	struct glob_row *row;
	int r;

	row = ARRAY_ADD(c->image, globs);
	if (!row)
		return -ENOMEM;
	r = glob_compile(pattern, row);
	if (r < 0 || row->level > CGROUP_LEVEL_MAX)
		return compiler_problem(
			c, &group->where, "group '%s': match '%s' %s",
			group->name, pattern,
			r == -EINVAL ? "has a [ without its ]"
				     : "is too long or too deep");
	row->group = index;
	return 0;
}

/* The patterns as one text, one a line. */
static int join_matches(const struct group *group, char **ret_text)
{
	AUTO_FREE char *text = NULL;
	size_t i, size = 1;

	for (i = 0; i < group->n_matches; i++)
		size += strlen(group->matches[i]) + 1;
	text = calloc(1, size);
	if (!text)
		return -ENOMEM;
	for (i = 0; i < group->n_matches; i++) {
		if (i)
			strcat(text, "\n");
		strcat(text, group->matches[i]);
	}
	*ret_text = TAKE_PTR(text);
	return 0;
}

/* A table of flows goes with the uid, as long as it is looked at. */
static int take_flow_share(struct compiler *c, const struct group *group,
			   struct group_row *row)
{
	const struct group_row *live = compile_live_group(c, group->name);

	if (!(row->flags & KEEP_STATES))
		return 0;
	if (live && live->uid == row->uid && live->flow_share)
		row->flow_share = live->flow_share;
	else
		row->flow_share = flow_shares_take(c->flow_shares);
	if (row->flow_share)
		return 0;
	return compiler_problem(c, &group->where,
				"group '%s' is one too many that looks at "
				"states: at most %d are possible",
				group->name, FLOW_SHARES - FLOW_SHARE_GROUPS);
}

static int compile_group(struct compiler *c, const struct group *group)
{
	struct group_row row = { .uid = group_uid(c, group->name) };
	uint32_t index = c->image->n_groups;
	AUTO_FREE char *matches = NULL;
	struct group_row *place;
	size_t i;
	int r;

	/* There with its uid, before its limits get some. */
	place = ARRAY_ADD(c->image, groups);
	if (!place)
		return -ENOMEM;
	*place = row;
	row.share_all = group->share == SHARE_ALL;
	row.shaper = group->shaper;
	r = compile_peers(c, group, &row);
	if (r < 0)
		return r;
	group_row_limit_out(&row, &group->out);
	group_row_limit_in(&row, &group->in);
	group_row_quota(&row, &group->quota);
	row.chain_out = compiler_chain(c, &group->where, group->filter_out);
	row.chain_in = compiler_chain(c, &group->where, group->filter_in);
	row.flags = compile_keep_states(c, row.chain_out, row.chain_in);
	row.flow_room = flow_room_make(&group->flows);
	r = take_flow_share(c, group, &row);
	if (r < 0)
		return r;
	row.weight = group->weight;
	row.priority = group->priority;
	row.out_min_bytes = group->out_min_bps / 8;
	row.line = group->where.line;
	r = join_matches(group, &matches);
	if (r == 0)
		r = compiler_file(c, &group->where, &row.file);
	if (r == 0)
		r = compiler_string(c, group->name, &row.name);
	if (r == 0)
		r = compiler_string(c, matches, &row.matches);
	for (i = 0; r == 0 && i < group->n_matches; i++) {
		if (glob_has_wildcards(group->matches[i]))
			r = add_glob(c, group, group->matches[i], index);
		else
			r = add_path(c, group, group->matches[i], index);
	}
	if (r < 0)
		return r;
	c->image->groups[index] = row;
	return 0;
}

int compile_groups(struct compiler *c)
{
	size_t i;
	int r;

	for (i = 0; i < c->policy->n_groups; i++) {
		r = compile_group(c, &c->policy->groups[i]);
		if (r < 0)
			return r;
	}
	return 0;
}
