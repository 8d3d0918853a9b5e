/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queues that veths share, and the filters that lead there. */
#include <stdio.h>
#include <string.h>

#include "base/crash.h"
#include "tc/device.h"
#include "tc/device_parts.h"
#include "tc/mark.h"

#define POOL_PREFIX "weirp"

/* Two instances of weir in one namespace are told apart by their pins. */
static void name_prefix(const char *pins_dir, char ret_prefix[static IFNAMSIZ])
{
	uint32_t hash = 2166136261U;

	for (; *pins_dir; pins_dir++)
		hash = (hash ^ (unsigned char)*pins_dir) * 16777619U;
	snprintf(ret_prefix, IFNAMSIZ, POOL_PREFIX "%05x",
		 (hash ^ hash >> 20) & 0xfffff);
}

void device_pool_name(const char *pins_dir, uint32_t index,
		      char ret_name[static IFNAMSIZ])
{
	char prefix[IFNAMSIZ];

	name_prefix(pins_dir, prefix);
	snprintf(ret_name, IFNAMSIZ, "%s%03x", prefix, index);
}

bool device_is_pool(const char *pins_dir, const struct link *link)
{
	char prefix[IFNAMSIZ];

	name_prefix(pins_dir, prefix);
	return device_is_ifb(link) &&
	       strncmp(link->name, prefix, strlen(prefix)) == 0;
}

bool device_is_any_pool(const struct link *link)
{
	return device_is_ifb(link) &&
	       strncmp(link->name, POOL_PREFIX, strlen(POOL_PREFIX)) == 0;
}

int device_ensure_pool(struct device *device, struct err *err)
{
	struct link want = { .group = DEVICE_IFB_GROUP };
	int r;

	memcpy(want.name, device->link.name, sizeof(want.name));
	r = link_ensure_ifb(device->view->conn, &want, &device->link, err);
	crash_point();
	return r < 0 ? r : mark_set(device, 0, err);
}

int device_ensure_wait(const struct device *device, uint32_t pool,
		       uint32_t ifindex, struct err *err)
{
	struct filter_want want = {
		.side = HOOK_OUT,
		.priority = DEVICE_WAITING,
		.handle = DEVICE_POOL_HANDLE + pool,
		.program_fd = device->loader->program[PROGRAM_WAIT],
		.classid = (uint16_t)pool,
		.name = "weir/device_wait",
		.redirect = ifindex,
	};

	return device_put_filter(device, &want, err);
}

int device_remove_wait(const struct device *device, uint32_t pool,
		       struct err *err)
{
	int r = filter_remove(device->view->conn, &device->link, HOOK_OUT,
			      DEVICE_WAITING, DEVICE_POOL_HANDLE + pool, err);

	return r < 0 ? r : device_remove_empty_clsact(device, err);
}

static bool is_wait(const struct filter *filter)
{
	return filter->side == HOOK_OUT && filter->chain == 0 &&
	       filter->priority == DEVICE_WAITING &&
	       filter->handle > DEVICE_POOL_HANDLE &&
	       filter->handle < DEVICE_POOL_HANDLE + DEVICES_MAX &&
	       strcmp(filter->kind, "bpf") == 0;
}

size_t device_keep_waits(const struct filters *filters,
			 struct device_have *have)
{
	size_t i;

	for (i = 0; i < filters->n_list; i++) {
		const struct filter *filter = &filters->list[i];

		if (!is_wait(filter))
			continue;
		if (have->n_waits < DEVICE_WAITS_MAX)
			have->waits[have->n_waits] = (struct device_wait){
				.pool = filter->classid,
				.ifindex = filter->redirect,
				.program = filter->program,
			};
		have->n_waits++;
	}
	return have->n_waits;
}

int device_remove_waits(const struct device *device, uint32_t but_pool,
			struct err *err)
{
	struct conn *conn = device->view->conn;
	struct filters filters = { 0 };
	size_t i;
	int r;

	r = filters_read(conn, &device->link, &filters, err);
	for (i = 0; r == 0 && i < filters.n_list; i++) {
		const struct filter *filter = &filters.list[i];

		if (is_wait(filter) &&
		    filter->handle != DEVICE_POOL_HANDLE + but_pool)
			r = filter_remove(conn, &device->link, HOOK_OUT,
					  DEVICE_WAITING, filter->handle, err);
	}
	filters_clear(&filters);
	return r < 0 ? r : device_remove_empty_clsact(device, err);
}
