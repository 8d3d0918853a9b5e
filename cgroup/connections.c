/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/connections.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "cgroup/find.h"
#include "cgroup/monitor.skel.h"
#include "pins/layout.h"
#include "pins/log.h"

struct attached {
	uint64_t id; /* of the cgroup */
	int link;
};

struct connections {
	struct monitor_bpf *skel;
	struct attached *list;
	size_t n_list;
};

void connections_close(struct connections *connections)
{
	size_t i;

	for (i = 0; i < connections->n_list; i++)
		close_fdp(&connections->list[i].link);
	free(connections->list);
	monitor_bpf__destroy(connections->skel);
	free(connections);
}

int connections_open(const char *dir, uint32_t seat,
		     struct connections **ret_connections, struct err *err)
{
	CLEANUP(connections_closep)
	struct connections *connections = calloc(1, sizeof(*connections));
	CLEANUP(log_end) struct log log;
	char maps[PATH_MAX];
	int r;

	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = maps);

	log_begin(&log);
	snprintf(maps, sizeof(maps), "%s/maps", dir);
	if (!connections)
		return err_set(err, -ENOMEM, "listen to connections");
	connections->skel = monitor_bpf__open_opts(&opts);
	r = connections->skel ? 0 : neg_errno();
	if (r == 0) {
		if (layout_check_object(connections->skel->obj, err) < 0)
			return -EPROTO;
		connections->skel->rodata->seat = seat;
		r = monitor_bpf__load(connections->skel);
	}
	if (r < 0)
		return log_set(&log, err, r,
			       "load the program that hears of connections");
	*ret_connections = TAKE_PTR(connections);
	return 0;
}

static bool is_wanted(const struct anchors *anchors, uint64_t id)
{
	size_t i;

	for (i = 0; i < anchors->n_list; i++)
		if (anchors->list[i].id == id && !anchors->list[i].retired)
			return true;
	return false;
}

static bool is_attached(const struct connections *connections, uint64_t id)
{
	size_t i;

	for (i = 0; i < connections->n_list; i++)
		if (connections->list[i].id == id)
			return true;
	return false;
}

/* One that is gone meanwhile has no connections. */
static int attach(struct connections *connections, const char *mount,
		  const struct anchor_point *point, struct err *err)
{
	int program = bpf_program__fd(connections->skel->progs.monitor_socket);
	struct attached *entry;
	AUTO_CLOSE int link = -1;
	AUTO_CLOSE int fd = -1;

	fd = find_open(mount, strcmp(point->path, "/") ? point->path : "");
	if (fd < 0)
		return 0;
	link = bpf_link_create(program, fd, BPF_CGROUP_SOCK_OPS, NULL);
	if (link < 0)
		return err_set(err, link,
			       "listen to the connections of cgroup '%s'",
			       point->path);
	entry = ARRAY_ADD(connections, list);
	if (!entry)
		return err_set(err, -ENOMEM, "listen to connections");
	*entry = (struct attached){ point->id, TAKE_FD(link) };
	return 0;
}

static void detach_others(struct connections *connections,
			  const struct anchors *anchors)
{
	size_t i, kept = 0;

	for (i = 0; i < connections->n_list; i++) {
		struct attached *entry = &connections->list[i];

		if (is_wanted(anchors, entry->id))
			connections->list[kept++] = *entry;
		else
			close_fdp(&entry->link);
	}
	connections->n_list = kept;
}

int connections_attach(struct connections *connections, const char *mount,
		       const struct anchors *anchors, struct err *err)
{
	size_t i;
	int r = 0;

	detach_others(connections, anchors);
	for (i = 0; r == 0 && i < anchors->n_list; i++) {
		const struct anchor_point *point = &anchors->list[i];

		if (!point->retired && *point->path &&
		    !is_attached(connections, point->id))
			r = attach(connections, mount, point, err);
	}
	return r;
}
