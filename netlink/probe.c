/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/probe.h"

#include <linux/pkt_sched.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/tc.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/err.h"

#define PROBE_DEVICE "weirprobe"
#define LOOPBACK     1 /* its ifindex, in each namespace */

DEFINE_CLEANUP(struct nl_sock *, nl_socket_free);
DEFINE_CLEANUP(struct rtnl_link *, rtnl_link_put);
DEFINE_CLEANUP(struct rtnl_qdisc *, rtnl_qdisc_put);

/* libnl's codes say little; what matters is whether it went well. */
static int as_errno(int r)
{
	return r < 0 ? -EOPNOTSUPP : 0;
}

static int add_ifb(struct nl_sock *socket)
{
	CLEANUP(rtnl_link_putp) struct rtnl_link *link = rtnl_link_alloc();

	if (!link)
		return -ENOMEM;
	rtnl_link_set_name(link, PROBE_DEVICE);
	rtnl_link_set_type(link, "ifb");
	return as_errno(rtnl_link_add(socket, link, NLM_F_CREATE));
}

/* Each has a handle of its own: none takes that of one of another kind. */
static int add_qdisc(struct nl_sock *socket, uint32_t number, const char *kind)
{
	CLEANUP(rtnl_qdisc_putp) struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
	int clsact = strcmp(kind, "clsact") == 0;

	if (!qdisc)
		return -ENOMEM;
	rtnl_tc_set_ifindex(TC_CAST(qdisc), LOOPBACK);
	rtnl_tc_set_parent(TC_CAST(qdisc), clsact ? TC_H_CLSACT : TC_H_ROOT);
	rtnl_tc_set_handle(TC_CAST(qdisc), clsact ? TC_H_MAKE(TC_H_CLSACT, 0)
						  : TC_H_MAKE(number << 16, 0));
	rtnl_tc_set_kind(TC_CAST(qdisc), kind);
	return as_errno(
		rtnl_qdisc_add(socket, qdisc, NLM_F_CREATE | NLM_F_REPLACE));
}

/* In the namespace's loopback, which is always there. */
static void try_all(struct queue_probe *probes, size_t n)
{
	CLEANUP(nl_socket_freep) struct nl_sock *socket = nl_socket_alloc();
	size_t i;

	if (!socket || nl_connect(socket, NETLINK_ROUTE) < 0)
		return;
	for (i = 0; i < n; i++) {
		if (strcmp(probes[i].kind, "ifb") == 0)
			probes[i].result = add_ifb(socket);
		else
			probes[i].result = add_qdisc(socket, (uint32_t)i + 1,
						     probes[i].kind);
	}
}

static int child(int out, struct queue_probe *probes, size_t n)
{
	size_t i;

	if (unshare(CLONE_NEWNET) < 0)
		return errno;
	try_all(probes, n);
	for (i = 0; i < n; i++)
		if (write(out, &probes[i].result, sizeof(int)) != sizeof(int))
			return EIO;
	return 0;
}

int probe_queues(struct queue_probe *probes, size_t n)
{
	AUTO_CLOSE int in = -1, out = -1;
	int ends[2], status;
	size_t i;
	pid_t pid;

	for (i = 0; i < n; i++)
		probes[i].result = -EOPNOTSUPP;
	if (pipe(ends) < 0)
		return neg_errno();
	in = ends[0];
	out = ends[1];
	pid = fork();
	if (pid < 0)
		return neg_errno();
	if (pid == 0)
		_exit(child(out, probes, n));
	close_fdp(&out);
	out = -1;
	for (i = 0; i < n; i++)
		if (read(in, &probes[i].result, sizeof(int)) != sizeof(int))
			break;
	if (waitpid(pid, &status, 0) < 0)
		return neg_errno();
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}
