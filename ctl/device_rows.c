/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/device_rows.h"

int device_row_netns(const struct image *image, const struct device_row *row,
		     struct world *world, struct netns_view **ret_view,
		     struct err *err)
{
	const char *name = image_string(image, row->netns);

	if (!row->netns_id)
		return world_netns(world, name, ret_view, err);
	return world_netns_by_id(world, name, row->netns_id, ret_view, err);
}

/* Where it is not found, it counts as one elsewhere. */
static int check_here(const struct image *live, const struct device_row *row,
		      struct world *world, struct err *err)
{
	const char *name = image_string(live, row->name);
	struct netns_view *own, *view;
	int r;

	r = world_netns(world, "", &own, err);
	if (r < 0)
		return r;
	r = device_row_netns(live, row, world, &view, err);
	if (r == 0 && view == own)
		return 0;
	if (r == -ENOENT)
		return err_say(err, -EXDEV,
			       "the network namespace of device %s has gone: "
			       "apply the policy again",
			       name);
	if (r < 0 && r != -EXDEV)
		return r;
	return err_say(err, -EXDEV,
		       "device %s is in another network namespace: run weirctl "
		       "there",
		       name);
}

int device_rows_check_here(const struct kernel *kernel, struct err *err)
{
	CLEANUP(world_clear) struct world world = { 0 };
	const struct image *live = kernel->live;
	size_t i;
	int r = 0;

	for (i = 1; r == 0 && i < live->n_devices; i++)
		if (live->devices[i].in_use &&
		    !*image_string(live, live->devices[i].netns))
			r = check_here(live, &live->devices[i], &world, err);
	return r;
}
