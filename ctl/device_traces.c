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

/* What the device is called: by its number where it has gone unnamed. */
static void name_device(const struct kernel *kernel, const struct link *link,
			const struct device_trace *trace,
			char ret_name[static DESCRIBE_MAX])
{
	const struct image *live = kernel->live;
	uint32_t index = trace->index;

	if (link)
		snprintf(ret_name, DESCRIBE_MAX, "%s", link->name);
	else if (index < live->n_devices && live->devices[index].in_use &&
		 live->devices[index].ifindex == trace->ifindex)
		snprintf(ret_name, DESCRIBE_MAX, "%s",
			 image_string(live, live->devices[index].name));
	else
		snprintf(ret_name, DESCRIBE_MAX, "number %u", trace->ifindex);
}

/* "eth0", "eth0 in netns x", or "eth0 in another netns". */
static char *name_of(const struct kernel *kernel, const struct link *link,
		     const struct device_trace *trace, bool is_elsewhere)
{
	char device[DESCRIBE_MAX], *name;

	name_device(kernel, link, trace, device);
	if (asprintf(&name, "%s%s%s%s", device,
		     is_elsewhere ? " in another netns" : "",
		     *trace->netns ? " in netns " : "", trace->netns) < 0)
		return NULL;
	return name;
}

/* link: the device, or NULL where it has gone, as view where its netns has. */
static int add_trace(struct device_plan *plan, const struct kernel *kernel,
		     const struct netns_view *view, const struct link *link,
		     const struct device_trace *trace, bool is_elsewhere)
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
		.pins_dir = kernel->places->bpffs,
	};
	if (link)
		planned->device.link = *link;
	planned->name = name_of(kernel, link, trace, is_elsewhere);
	if (!planned->name)
		return -ENOMEM;
	return device_plan_add_after(plan, link ? STEP_REMOVE_ALL : STEP_FORGET,
				     0, 0);
}

/* Its namespace may live: what tells of the device stays. */
static int leave(struct device_plan *plan, const struct device_trace *trace,
		 struct err *err)
{
	struct device_trace *left = ARRAY_ADD(&plan->left, list);

	if (!left)
		return err_set(err, -ENOMEM, "plan devices");
	*left = *trace;
	return 0;
}

static int look_at(struct device_plan *plan, const struct kernel *kernel,
		   struct world *world, const struct device_trace *trace,
		   struct err *err)
{
	struct netns_view *own = NULL, *view = NULL;
	const struct link *link = NULL;
	int r;

	r = world_netns(world, "", &own, err);
	if (r < 0)
		return r;
	r = world_netns_by_id(world, trace->netns, trace->netns_id, &view, err);
	if (r == -EXDEV)
		return leave(plan, trace, err);
	if (r < 0 && r != -ENOENT)
		return r;
	if (view)
		link = links_by_index(&view->links, trace->ifindex);
	if (link && is_planned(plan, trace))
		return 0;
	r = add_trace(plan, kernel, view, link, trace,
		      view != own && !*trace->netns);
	return r < 0 ? err_set(err, r, "plan devices") : 0;
}

static bool is_traced(const struct device_traces *traces, uint64_t netns,
		      uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < traces->n_list; i++)
		if (traces->list[i].netns_id == netns &&
		    traces->list[i].ifindex == ifindex)
			return true;
	return false;
}

/* One that was made by an apply which was killed before it could mark it. */
static int plan_pools(struct device_plan *plan, const struct kernel *kernel,
		      struct world *world, const struct device_traces *traces,
		      struct err *err)
{
	struct netns_view *own;
	size_t i;
	int r;

	r = world_netns(world, "", &own, err);
	for (i = 0; r == 0 && i < own->links.n_list; i++) {
		const struct link *link = &own->links.list[i];
		struct device_trace trace = {
			.netns_id = own->id,
			.ifindex = link->ifindex,
		};

		if (!device_is_pool(kernel->places->bpffs, link) ||
		    is_traced(traces, own->id, link->ifindex) ||
		    is_planned(plan, &trace))
			continue;
		r = add_trace(plan, kernel, own, link, &trace, false);
		if (r < 0)
			return err_set(err, r, "plan devices");
	}
	return r;
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
	return r < 0 ? r : plan_pools(plan, kernel, world, &traces, err);
}

int device_trace_left(const struct device_trace *trace, const char *command,
		      struct err *err)
{
	bool is_named = *trace->netns;

	return err_say(err, -EXDEV,
		       "device number %u of %s network namespace%s%.64s is "
		       "left as it is, as that may live where weirctl cannot "
		       "look: run weirctl %s there",
		       trace->ifindex, is_named ? "the" : "another",
		       is_named ? " " : "", trace->netns, command);
}

int device_traces_check(const struct kernel *kernel, struct err *err)
{
	CLEANUP(device_traces_clear) struct device_traces traces = { 0 };
	int r;

	r = device_traces_read(&kernel->loader, &traces, err);
	if (r < 0 || traces.n_list == 0)
		return r;
	return device_trace_left(&traces.list[0], "clear", err);
}
