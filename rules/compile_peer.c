/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits by address. */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "rules/compile_own.h"
#include "rules/group_row.h"

/* Both directions have the same; which one of a group's. */
struct direction {
	const char *word;
	bool is_out;
};

static const struct direction out_to = { "to", true };
static const struct direction in_from = { "from", false };

/* The uid of what the live group has for these addresses; 0: nothing. */
static uint32_t live_uid(const struct compiler *c, const char *group,
			 const struct direction *direction, const char *text)
{
	const struct group_row *row = compile_live_group(c, group);
	const struct peer_range *range;
	const struct peer_row *peer;
	size_t i;

	if (!row)
		return 0;
	range = direction->is_out ? &row->out_to : &row->in_from;
	for (i = 0; (peer = image_peer(c->live, range, i)); i++)
		if (strcmp(image_string(c->live, peer->text), text) == 0)
			return peer->uid;
	return 0;
}

/* The state of a limit goes on where its group and addresses stay. */
static int find_uid(struct compiler *c, const char *group,
		    const struct direction *direction, const char *text,
		    uint32_t *ret_uid)
{
	AUTO_FREE char *name = NULL;

	*ret_uid = live_uid(c, group, direction, text);
	if (*ret_uid)
		return 0;
	if (asprintf(&name, "%s %s %s", group, direction->word, text) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	*ret_uid = compile_new_uid(c, name);
	return 0;
}

static int add_peer(struct compiler *c, const struct group *group,
		    const struct direction *direction,
		    const struct where *where, const struct peer_limit *from,
		    const struct group_row *like)
{
	struct peer_row row = { .side = { .set = NONE, .port_set = NONE } };
	struct peer_row *place;
	int r;

	if (direction->is_out)
		peer_row_limit_out(&row, like, &from->limit);
	else
		peer_row_limit_in(&row, &from->limit);
	r = find_uid(c, group->name, direction, from->text, &row.uid);
	if (r == 0)
		r = compile_addresses(c, where, &from->peers, &row.side);
	if (r == 0)
		r = compiler_string(c, from->text, &row.text);
	if (r < 0)
		return r;
	place = ARRAY_ADD(c->image, peers);
	if (!place)
		return -ENOMEM;
	*place = row;
	return 0;
}

static int add_peers(struct compiler *c, const struct group *group,
		     const struct direction *direction,
		     const struct peer_limits *limits,
		     const struct group_row *like, struct peer_range *ret_range)
{
	struct peer_range range = { c->image->n_peers, limits->n_list };
	size_t i;
	int r;

	for (i = 0; i < limits->n_list; i++) {
		r = add_peer(c, group, direction, &limits->where,
			     &limits->list[i], like);
		if (r < 0)
			return r;
	}
	if (range.count)
		*ret_range = range;
	return 0;
}

int compile_peers(struct compiler *c, const struct group *group,
		  struct group_row *row)
{
	int r;

	r = add_peers(c, group, &out_to, &group->out_to, row, &row->out_to);
	if (r < 0)
		return r;
	return add_peers(c, group, &in_from, &group->in_from, row,
			 &row->in_from);
}
