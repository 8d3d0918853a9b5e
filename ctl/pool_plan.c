/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/pool_plan.h"

#include <stdio.h>

int pool_read_device(const struct netns_view *view, const struct kernel *kernel,
		     const struct image *image, uint32_t index,
		     struct device_have *ret_have, struct err *err)
{
	const struct device_row *row = &image->devices[index];
	const char *name = image_string(image, row->name);
	struct device_have none = { 0 };
	int r;

	r = device_read(view, &kernel->loader, name, index, ret_have, err);
	if (!(row->flags & DEVICE_POOL) || (r < 0 && r != -ENODEV))
		return r;
	if (r == 0 && device_is_pool(kernel->places->bpffs, &ret_have->link))
		return 0;
	snprintf(none.link.name, sizeof(none.link.name), "%s", name);
	*ret_have = none;
	return 0;
}

/* The filter that leads to a pool, or NULL. */
static const struct device_wait *wait_of(const struct device_have *have,
					 uint32_t pool)
{
	size_t i;

	for (i = 0; i < have->n_waits && i < DEVICE_WAITS_MAX; i++)
		if (pool && have->waits[i].pool == pool)
			return &have->waits[i];
	return NULL;
}

static struct device_step *last_step(const struct device_steps *steps)
{
	return &steps->list[steps->n_list - 1];
}

int pool_plan_wait(struct device_plan *plan, const struct image *image,
		   uint32_t pool)
{
	const struct planned_device *planned =
		&plan->devices[plan->n_devices - 1];
	const struct loader *loader = planned->device.loader;
	const struct device_have *have = &planned->have;
	const struct device_wait *wait = wait_of(have, pool);
	uint32_t ifindex = image->devices[pool].ifindex;
	int r = 0;

	/* Neither may have one: where somebody has deleted the pool. */
	if (pool && (!wait || !ifindex || wait->ifindex != ifindex ||
		     wait->program != loader->program_id[PROGRAM_WAIT])) {
		r = device_plan_add_before(plan, STEP_WAIT, SIDE_OUT, 0, !wait);
		if (r == 0)
			last_step(&plan->before)->pool = pool;
	}
	if (r == 0 && have->n_waits > (wait != NULL)) {
		r = device_plan_add_after(plan, STEP_REMOVE_WAITS, SIDE_OUT, 0);
		if (r == 0)
			last_step(&plan->after)->pool = pool;
	}
	return r;
}
