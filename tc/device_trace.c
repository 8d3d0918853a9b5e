/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "netlink/foreign.h"
#include "tc/device.h"
#include "tc/device_parts.h"
#include "tc/mark.h"

void device_traces_clear(struct device_traces *traces)
{
	free(traces->list);
	*traces = (struct device_traces){ 0 };
}

static int add_trace(const struct loader *loader,
		     const struct device_mark_key *key,
		     struct device_traces *traces)
{
	struct device_trace *trace;
	struct device_mark mark;
	int r;

	r = bpf_map_lookup_elem(loader->marks, key, &mark);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	trace = ARRAY_ADD(traces, list);
	if (!trace)
		return -ENOMEM;
	snprintf(trace->netns, sizeof(trace->netns), "%s", mark.netns);
	trace->netns_id = key->netns;
	trace->ifindex = key->ifindex;
	trace->index = mark.index;
	return 0;
}

int device_traces_read(const struct loader *loader,
		       struct device_traces *ret_traces, struct err *err)
{
	CLEANUP(device_traces_clear) struct device_traces traces = { 0 };
	struct device_mark_key key, next;
	int r;

	*ret_traces = (struct device_traces){ 0 };
	if (loader->marks < 0)
		return 0;
	r = bpf_map_get_next_key(loader->marks, NULL, &next);
	while (r == 0) {
		key = next;
		r = add_trace(loader, &key, &traces);
		if (r == 0)
			r = bpf_map_get_next_key(loader->marks, &key, &next);
	}
	if (r != -ENOENT)
		return err_set(err, r, "list the marks of devices");
	*ret_traces = traces;
	traces = (struct device_traces){ 0 };
	return 0;
}

static int remove_ifb(const struct netns_view *view, uint32_t ifindex,
		      struct err *err)
{
	char name[IFNAMSIZ];
	const struct link *ifb;

	device_ifb_name(ifindex, name);
	ifb = links_by_name(&view->links, name);
	if (!ifb || !device_is_ifb(ifb))
		return 0;
	return link_remove(view->conn, ifb, err);
}

/* The mark goes last: it is what tells of the rest. */
int device_forget(const struct device_trace *trace,
		  const struct netns_view *view, const struct loader *loader,
		  const char *state_dir, struct err *err)
{
	char path[PATH_MAX];
	int r;

	r = view ? remove_ifb(view, trace->ifindex, err) : 0;
	if (r < 0)
		return r;
	mark_saved_path(state_dir, trace->netns_id, trace->ifindex, path);
	r = foreign_forget(view ? view->conn : NULL, trace->ifindex, path,
			   DEVICE_IFB_GROUP, err);
	if (r < 0)
		return r;
	return mark_remove(loader, trace->netns_id, trace->ifindex, err);
}
