/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "cgroup/find.h"
#include "ctl/edit.h"
#include "ctl/quotas.h"
#include "ctl/rate.h"
#include "ctl/runs.h"
#include "ctl/say.h"
#include "rules/adhoc.h"

/*
 * The files may name a cgroup that is to come; a limit is changed now, so a
 * cgroup that neither a group nor the machine has is a slip.
 */
static int check_cgroup(const struct kernel *kernel, const struct image *image,
			const char *target, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	if (*target != '/' || adhoc_is_matched(image, target))
		return 0;
	fd = find_open(kernel->mount, strcmp(target, "/") ? target : "");
	if (fd >= 0)
		return 0;
	if (fd != -ENOENT && fd != -ENOTDIR)
		return err_set(err, fd, "open cgroup '%.200s'", target);
	return err_say(err, -EINVAL, "there is no cgroup '%.200s' below %s",
		       target, kernel->mount);
}

/* What is asked for. */
struct limit_call {
	struct adhoc_limit limit;
	bool resets; /* what was used of the quota */
};

/* The group whose quota is to begin anew. */
static int find_quota(const struct image *image, const char *target,
		      const struct group_row **ret_group, struct err *err)
{
	const struct group_row *group;
	const char *name;
	size_t index;
	int r;

	r = adhoc_find_target(image, target, &index, err);
	if (r < 0)
		return r;
	group = &image->groups[index];
	name = image_string(image, group->name);
	if (!group->quota.bytes)
		return err_say(err, -EINVAL, "group '%.200s' has no quota",
			       name);
	if (*target == '/' && group->quota.all)
		return err_say(err, -EINVAL,
			       "group '%.200s' has one quota for all of its "
			       "cgroups (name the group)",
			       name);
	*ret_group = group;
	return 0;
}

static int reset_quota(void *what, struct kernel *kernel, struct err *err)
{
	const struct limit_call *wanted = what;
	const char *target = wanted->limit.target;
	const struct group_row *group;
	int r;

	if (!wanted->resets)
		return 0;
	r = kernel_read_live(kernel, err);
	if (r == 0)
		r = find_quota(kernel->live, target, &group, err);
	return r < 0 ? r
		     : quotas_reset(kernel, group,
				    *target == '/' ? target : NULL, err);
}

static int make(const struct call *call, void *what, struct kernel *kernel,
		struct image **ret_image)
{
	const struct limit_call *wanted = what;
	const struct adhoc_limit *limit = &wanted->limit;
	CLEANUP(image_freep) struct image *image = NULL;
	const struct group_row *group;
	struct err err;
	int r;

	r = runs_in_force(kernel, call->dry_run, &image, &err);
	if (r == 0 && wanted->resets)
		r = find_quota(image, limit->target, &group, &err);
	if (r == 0 && (limit->has_out || limit->has_in))
		r = adhoc_limit(image, limit, &err);
	if (r == 0)
		r = check_cgroup(kernel, kernel->live, limit->target, &err);
	if (r < 0)
		return say_err(&err);
	*ret_image = TAKE_PTR(image);
	return EXIT_DONE;
}

/* "out=10mbit", "quota=reset" */
static int read_limit(const struct call *call, const char *text,
		      struct limit_call *wanted)
{
	struct adhoc_limit *limit = &wanted->limit;
	bool is_out = strncmp(text, "out=", 4) == 0;
	bool is_in = strncmp(text, "in=", 3) == 0;

	if (strcmp(text, "quota=reset") == 0) {
		wanted->resets = true;
		return EXIT_DONE;
	}
	if (strncmp(text, "quota=", 6) == 0) {
		say("limit: '%.80s' would change a quota (try quota=reset; the "
		    "policy's files change it)",
		    text);
		return command_usage(call->command);
	}
	if (!is_out && !is_in) {
		say("limit: '%.80s' is neither out=RATE nor in=RATE", text);
		return command_usage(call->command);
	}
	if (is_out ? limit->has_out : limit->has_in) {
		say("limit: %s= is given twice", is_out ? "out" : "in");
		return command_usage(call->command);
	}
	if (is_out) {
		limit->has_out = true;
		return rate_read("out", text + 4, &limit->out_bps);
	}
	limit->has_in = true;
	return rate_read("in", text + 3, &limit->in_bps);
}

int cmd_limit(const struct call *call)
{
	struct limit_call wanted = { 0 };
	struct edit edit = {
		.make = make,
		.what = &wanted,
		.carried_out = reset_quota,
		.clears = true,
	};
	size_t i;
	int status;

	if (call->n_args < 2) {
		say("limit: name a group or a cgroup, then out=RATE or in=RATE");
		return command_usage(call->command);
	}
	wanted.limit.target = call->args[0];
	for (i = 1; i < call->n_args; i++) {
		status = read_limit(call, call->args[i], &wanted);
		if (status != EXIT_DONE)
			return status;
	}
	return edit_policy(call, &edit);
}
