/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rates of a group, or of one cgroup. */
#include <string.h>

#include "rules/adhoc_own.h"
#include "rules/glob.h"
#include "rules/group_row.h"
#include "rules/pattern.h"
#include "rules/suggest.h"

#define OWN_GROUP (GROUP_LIMITED | GROUP_RUN)

/* ------------------------------------------------------ who has a path */

static bool pattern_matches(const char *pattern, const char *path)
{
	char buffer[GLOB_PATH_MAX] = "";
	struct glob_row glob;

	if (!glob_has_wildcards(pattern))
		return strcmp(pattern, path) == 0;
	if (glob_compile(pattern, &glob) < 0)
		return false;
	strncpy(buffer, path, sizeof(buffer) - 1);
	return glob_match(&glob, buffer, strlen(buffer)) == GLOB_FITS;
}

/* matches: the patterns of a group, one a line. */
static bool any_matches(const char *matches, const char *path)
{
	char pattern[CGROUP_PATH_MAX];

	while (*matches) {
		size_t length = strcspn(matches, "\n");

		if (length < sizeof(pattern)) {
			memcpy(pattern, matches, length);
			pattern[length] = '\0';
			if (pattern_matches(pattern, path))
				return true;
		}
		matches += length;
		matches += *matches == '\n';
	}
	return false;
}

/* The file's group that matches path; n_groups if none does. */
static size_t group_matching(const struct image *image, const char *path)
{
	size_t i;

	for (i = 0; i < image->n_groups; i++) {
		const struct group_row *group = &image->groups[i];

		if (!(group->flags & OWN_GROUP) &&
		    any_matches(image_string(image, group->matches), path))
			break;
	}
	return i;
}

/* The group that is all about path: it has this match and no other. */
static size_t group_of_path(const struct image *image, const char *path)
{
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		if (strcmp(image_string(image, image->groups[i].matches),
			   path) == 0)
			break;
	return i;
}

bool adhoc_is_matched(const struct image *image, const char *path)
{
	return group_of_path(image, path) < image->n_groups ||
	       group_matching(image, path) < image->n_groups;
}

/* ------------------------------------------------------------ the limit */

static int refuse_name(const struct image *image, const char *name,
		       struct err *err)
{
	struct suggestion best;
	size_t i;

	suggestion_begin(&best, name);
	for (i = 0; i < image->n_groups; i++)
		suggestion_try(&best, adhoc_group_name(image, i));
	if (best.word)
		return err_say(err, -ENOENT,
			       "there is no group '%.80s' in force (try %s)",
			       name, best.word);
	return err_say(err, -ENOENT,
		       "there is no group '%.80s' in force (a cgroup begins "
		       "with /)",
		       name);
}

int adhoc_find_target(const struct image *image, const char *target,
		      size_t *ret_index, struct err *err)
{
	size_t index;

	if (*target != '/') {
		index = adhoc_find(image, target);
		if (index == image->n_groups)
			return refuse_name(image, target, err);
		*ret_index = index;
		return 0;
	}
	index = group_of_path(image, target);
	if (index == image->n_groups)
		index = group_matching(image, target);
	if (index == image->n_groups)
		return err_say(err, -ENOENT,
			       "no group in force matches cgroup '%.200s'",
			       target);
	*ret_index = index;
	return 0;
}

/* A group of its own for one cgroup, as the one it was in until now. */
static int add_limited(struct image *image, const char *path, struct err *err)
{
	struct group_row row = { .chain_out = NONE, .chain_in = NONE };
	size_t above = group_matching(image, path);

	if (above < image->n_groups) {
		row = image->groups[above];
		row.uid = 0;
		row.share_all = 0;
	}
	row.flags |= GROUP_LIMITED;
	return adhoc_add_group(image, &row, path, path, err);
}

static int find_target(struct image *image, const char *target,
		       size_t *ret_index, struct err *err)
{
	size_t index;
	int r;

	if (*target != '/') {
		index = adhoc_find(image, target);
		if (index == image->n_groups)
			return refuse_name(image, target, err);
		*ret_index = index;
		return 0;
	}
	if (glob_has_wildcards(target))
		return err_say(err, -EINVAL,
			       "'%.200s' is a pattern: name one cgroup, or a "
			       "group",
			       target);
	r = pattern_check(target, err);
	if (r < 0)
		return r;
	index = group_of_path(image, target);
	if (index == image->n_groups) {
		r = add_limited(image, target, err);
		if (r < 0)
			return r;
	}
	*ret_index = index;
	return 0;
}

/* Whether the group says nothing that would not hold without it. */
static bool is_idle(const struct image *image, const struct group_row *group)
{
	return group->flags & GROUP_LIMITED && !group->out.rate_bytes &&
	       !group->in.rate_bytes && group->chain_out == NONE &&
	       group->chain_in == NONE &&
	       group_matching(image, image_string(image, group->matches)) ==
		       image->n_groups;
}

int adhoc_limit(struct image *image, const struct adhoc_limit *limit,
		struct err *err)
{
	struct group_row *group;
	size_t index = 0;
	int r;

	r = find_target(image, limit->target, &index, err);
	if (r < 0)
		return r;
	group = &image->groups[index];
	if (limit->has_out)
		group_row_change_out(group, limit->out_bps);
	if (limit->has_in)
		group_row_change_in(group, limit->in_bps);
	r = group_row_check(group, adhoc_group_name(image, index), err);
	if (r < 0)
		return r;
	if (is_idle(image, group) && adhoc_remove(image, index) < 0)
		return err_set(err, -ENOMEM, "limit '%s'", limit->target);
	return 0;
}
