/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tc/mark.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

static struct device_mark_key key_of(uint64_t netns, uint32_t ifindex)
{
	return (struct device_mark_key){ .netns = netns, .ifindex = ifindex };
}

int mark_read(const struct loader *loader, uint64_t netns, uint32_t ifindex,
	      struct device_mark *ret_mark, struct err *err)
{
	struct device_mark_key key = key_of(netns, ifindex);
	struct device_mark mark = { 0 };
	int r;

	/* An apply of another version may have left no programs of ours. */
	r = loader->marks < 0 ? -ENOENT
			      : bpf_map_lookup_elem(loader->marks, &key, &mark);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read the mark of device %u", ifindex);
	*ret_mark = mark;
	return 0;
}

int mark_write(const struct device *device, const struct device_mark *mark,
	       struct err *err)
{
	struct device_mark_key key =
		key_of(device->view->id, device->link.ifindex);
	int r;

	r = bpf_map_update_elem(device->loader->marks, &key, mark, BPF_ANY);
	if (r < 0)
		return err_set(err, r, "device '%s': mark it",
			       device->link.name);
	return 0;
}

int mark_remove(const struct loader *loader, uint64_t netns, uint32_t ifindex,
		struct err *err)
{
	struct device_mark_key key = key_of(netns, ifindex);
	int r;

	r = loader->marks < 0 ? 0 : bpf_map_delete_elem(loader->marks, &key);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "remove the mark of device %u", ifindex);
	return 0;
}

int mark_set(const struct device *device, uint32_t flags, struct err *err)
{
	struct device_mark mark, before;
	int r;

	r = mark_read(device->loader, device->view->id, device->link.ifindex,
		      &mark, err);
	if (r < 0)
		return r;
	before = mark;
	mark.flags |= flags;
	mark.index = device->index;
	snprintf(mark.netns, sizeof(mark.netns), "%s", device->view->name);
	/* A mark without flags is one, too: it says that we were here. */
	if (mark.index && memcmp(&mark, &before, sizeof(mark)) == 0)
		return 0;
	return mark_write(device, &mark, err);
}

int mark_unset(const struct device *device, uint32_t flags, struct err *err)
{
	struct device_mark mark;
	int r;

	r = mark_read(device->loader, device->view->id, device->link.ifindex,
		      &mark, err);
	if (r < 0 || !(mark.flags & flags))
		return r;
	mark.flags &= ~flags;
	return mark_write(device, &mark, err);
}

void mark_saved_path(const char *state_dir, uint64_t netns, uint32_t ifindex,
		     char ret_path[static PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/qdisc-%llx-%u", state_dir,
		 (unsigned long long)netns, ifindex);
}
