/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/runs.h"

#include "cgroup/own.h"
#include "ctl/device_rows.h"
#include "rules/adhoc.h"
#include "rules/image_copy.h"
#include "rules/image_strings.h"

/* Whether the group is of a command that has ended. */
static bool has_ended(const struct kernel *kernel, bool dry_run,
		      const struct image *image, size_t index)
{
	const struct group_row *group = &image->groups[index];
	const char *path = image_string(image, group->matches);

	if (!(group->flags & GROUP_RUN))
		return false;
	if (dry_run)
		return !own_is_busy(kernel->mount, path);
	return own_remove(kernel->mount, path) == 0;
}

int runs_in_force(const struct kernel *kernel, bool dry_run,
		  struct image **ret_image, struct err *err)
{
	CLEANUP(image_freep) struct image *image = NULL;
	size_t i;
	int r;

	r = device_rows_check_here(kernel, err);
	if (r < 0)
		return r;
	if (image_copy(kernel->live, &image) < 0)
		return err_set(err, -ENOMEM, "copy the policy in force");
	for (i = image->n_groups; i-- > 0;)
		if (has_ended(kernel, dry_run, image, i) &&
		    adhoc_remove(image, i) < 0)
			return err_set(err, -ENOMEM,
				       "copy the policy in force");
	for (i = 0; i < image->n_devices; i++)
		if (image->devices[i].group != NONE)
			image->devices[i] = (struct device_row){ 0 };
	/* Names of veths that have gone would add up. */
	if (image_pack_strings(image) < 0)
		return err_set(err, -ENOMEM, "copy the policy in force");
	*ret_image = TAKE_PTR(image);
	return 0;
}

int runs_keep(const struct kernel *kernel, bool dry_run, struct image *image,
	      struct err *err)
{
	const struct image *live = kernel->live;
	size_t i;
	int r;

	for (i = 0; i < live->n_groups; i++) {
		if (!(live->groups[i].flags & GROUP_RUN) ||
		    has_ended(kernel, dry_run, live, i))
			continue;
		r = adhoc_keep_run(image, live, i, err);
		if (r < 0)
			return r;
	}
	return 0;
}
