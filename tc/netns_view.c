/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "netlink/netns.h"
#include "tc/device.h"

void netns_view_close(struct netns_view *view)
{
	if (!view)
		return;
	conn_close(view->conn);
	links_clear(&view->links);
	qdiscs_clear(&view->qdiscs);
	free(view);
}

int netns_view_refresh(struct netns_view *view, struct err *err)
{
	struct links links = { 0 };
	struct qdiscs qdiscs = { 0 };
	int r;

	r = links_read(view->conn, &links, err);
	if (r < 0)
		return r;
	r = qdiscs_read(view->conn, &qdiscs, err);
	if (r < 0) {
		links_clear(&links);
		return r;
	}
	links_clear(&view->links);
	qdiscs_clear(&view->qdiscs);
	view->links = links;
	view->qdiscs = qdiscs;
	return 0;
}

static int view_new(int fd, struct netns_view **ret_view, struct err *err)
{
	CLEANUP(netns_view_closep) struct netns_view *view = NULL;
	int r;

	view = calloc(1, sizeof(*view));
	if (!view)
		return err_set(err, -ENOMEM, "look at devices");
	r = netns_id(fd, &view->id, err);
	if (r == 0)
		r = conn_open(fd, &view->conn, err);
	if (r == 0)
		r = netns_view_refresh(view, err);
	if (r < 0)
		return r;
	*ret_view = TAKE_PTR(view);
	return 0;
}

int netns_view_open(const char *netns, struct netns_view **ret_view,
		    struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r;

	if (!netns)
		return view_new(fd, ret_view, err);
	r = netns_open(netns, &fd, err);
	if (r < 0)
		return r;
	r = view_new(fd, ret_view, err);
	if (r < 0)
		return err_wrap(err, r, "network namespace '%s'", netns);
	snprintf((*ret_view)->name, sizeof((*ret_view)->name), "%s", netns);
	return 0;
}

int netns_view_open_id(uint64_t id, struct netns_view **ret_view,
		       struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r;

	r = netns_find(id, &fd, err);
	return r < 0 ? r : view_new(fd, ret_view, err);
}
