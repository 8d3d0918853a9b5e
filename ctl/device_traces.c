/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/device_traces.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "rules/describe.h"

/* Whether the plan has to do with this device already. */
static bool is_planned(const struct device_plan *plan,
		       const struct device_trace *trace)
{
	size_t i;

	for (i = 0; i < plan->n_devices; i++) {
		const struct device *device = &plan->devices[i].device;

		if (device->view && device->view->id == trace->netns_id &&
		    device->link.ifindex == trace->ifindex)
			return true;
	}
	return false;
}

/* The name that the row in force has for it, or "number 7". */
static char *name_of(const struct kernel *kernel,
		     const struct device_trace *trace)
{
	const struct image *live = kernel->live;
	uint32_t index = trace->index;
	char name[DESCRIBE_MAX];

	if (index < live->n_devices && live->devices[index].in_use &&
	    live->devices[index].ifindex == trace->ifindex)
		describe_device_name(live, &live->devices[index], name);
	else
		snprintf(name, sizeof(name), "number %u%s%s", trace->ifindex,
			 *trace->netns ? " in netns " : "", trace->netns);
	return strdup(name);
}

/* link: the device, or NULL where it has gone, as view where its netns has. */
static int add_trace(struct device_plan *plan, const struct kernel *kernel,
		     const struct netns_view *view, const struct link *link,
		     const struct device_trace *trace)
{
	struct planned_device *planned = ARRAY_ADD(plan, devices);

	if (!planned)
		return -ENOMEM;
	planned->trace = *trace;
	planned->device = (struct device){
		.view = view,
		.loader = &kernel->loader,
		.index = trace->index,
		.state_dir = kernel->places->state,
	};
	if (link)
		planned->device.link = *link;
	planned->name = link ? strdup(link->name) : name_of(kernel, trace);
	if (!planned->name)
		return -ENOMEM;
	return device_plan_add_after(plan, link ? STEP_REMOVE_ALL : STEP_FORGET,
				     0, 0);
}

static int look_at(struct device_plan *plan, const struct kernel *kernel,
		   struct world *world, const struct device_trace *trace,
		   struct err *err)
{
	const struct link *link = NULL;
	struct netns_view *view = NULL;
	int r;

	r = world_netns(world, trace->netns, &view, err);
	if (r < 0 && !*trace->netns)
		return r;
	if (r < 0 && r != -ENOENT)
		return 0; /* it cannot be looked at now */
	if (view && view->id != trace->netns_id) {
		/* Ours was another one then, and may well be there. */
		if (!*trace->netns)
			return 0;
		view = NULL;
	}
	if (view)
		link = links_by_index(&view->links, trace->ifindex);
	if (link && is_planned(plan, trace))
		return 0;
	r = add_trace(plan, kernel, view, link, trace);
	return r < 0 ? err_set(err, r, "plan devices") : 0;
}

int device_traces_plan(const struct kernel *kernel, struct world *world,
		       struct device_plan *plan, struct err *err)
{
	CLEANUP(device_traces_clear) struct device_traces traces = { 0 };
	size_t i;
	int r;

	r = device_traces_read(&kernel->loader, &traces, err);
	for (i = 0; r == 0 && i < traces.n_list; i++)
		r = look_at(plan, kernel, world, &traces.list[i], err);
	return r;
}
