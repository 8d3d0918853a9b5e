/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/lift.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "cgroup/lift.skel.h"
#include "pins/layout.h"
#include "pins/log.h"
#include "pins/object.h"

DEFINE_CLEANUP(struct lift_bpf *, lift_bpf__destroy);
DEFINE_CLEANUP(struct bpf_link *, bpf_link__destroy);

/* The link to an iterator of all sockets. */
static int attach(const char *dir, struct lift_bpf **ret_skel,
		  struct bpf_link **ret_link, struct err *err)
{
	CLEANUP(lift_bpf__destroyp) struct lift_bpf *skel = NULL;
	CLEANUP(log_end) struct log log;
	char maps[PATH_MAX];

	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = maps);

	log_begin(&log);
	snprintf(maps, sizeof(maps), "%s/maps", dir);
	skel = lift_bpf__open_opts(&opts);
	if (skel && layout_check_object(skel->obj, err) == -EPROTO)
		return err_say(err, -EOPNOTSUPP,
			       "another version of weir paced sockets that are "
			       "open, or made their windows smaller: that "
			       "stays until they close");
	if (!skel || netns_walk_attach(skel->skeleton, ret_link) < 0)
		return err_say(err, -EOPNOTSUPP,
			       "this kernel cannot lift the pacing of sockets "
			       "that are open, nor their windows: both stay "
			       "until they close");
	*ret_skel = TAKE_PTR(skel);
	return 0;
}

int lift_sockets(const char *dir, struct netns_walk *walk, struct err *err)
{
	CLEANUP(lift_bpf__destroyp) struct lift_bpf *skel = NULL;
	CLEANUP(bpf_link__destroyp) struct bpf_link *link = NULL;
	int r;

	r = attach(dir, &skel, &link, err);
	if (r < 0)
		return r;
	return netns_walk_run(walk, link, err);
}

int lift_probe(void)
{
	CLEANUP(lift_bpf__destroyp) struct lift_bpf *skel = lift_bpf__open();
	CLEANUP(log_end) struct log log;
	int r;

	log_begin(&log);
	if (!skel)
		return neg_errno();
	r = object_pin_nothing(skel->obj);
	return r < 0 ? r : lift_bpf__load(skel);
}
