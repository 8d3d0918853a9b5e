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

int netns_view_open(const char *netns, struct netns_view **ret_view,
		    struct err *err)
{
	CLEANUP(netns_view_closep) struct netns_view *view = NULL;
	AUTO_CLOSE int fd = -1;
	int r;

	view = calloc(1, sizeof(*view));
	if (!view)
		return err_set(err, -ENOMEM, "look at devices");
	if (netns) {
		r = netns_open(netns, &fd, err);
		if (r < 0)
			return r;
		snprintf(view->name, sizeof(view->name), "%s", netns);
	}
	r = netns_id(fd, &view->id, err);
	if (r == 0)
		r = conn_open(fd, &view->conn, err);
	if (r == 0)
		r = netns_view_refresh(view, err);
	if (r < 0)
		return netns ? err_wrap(err, r, "network namespace '%s'", netns)
			     : r;
	*ret_view = TAKE_PTR(view);
	return 0;
}
