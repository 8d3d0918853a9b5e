/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/qdisc.h"

#include <linux/pkt_sched.h>
#include <string.h>

#include "base/array.h"
#include "netlink/tcmsg.h"

/* Packets that wait without a class; a device may have a queue of none. */
#define DIRECT_QUEUE_LEN 1000

/* What a class gets that has no quantum of its own: rate / this. */
#define RATE_TO_QUANTUM 10

#define HTB_VERSION 3

/*
 * Packets that fq takes, of one flow as of all.  Who gives them their times
 * bounds how many wait: this is for a device that is slower than that.
 */
#define FQ_PACKETS (1U << 18)

/* How far ahead a departure time may be; further than anybody's. */
#define FQ_HORIZON_US 120000000U

/* Flows without a socket are told apart by so many bits of their hash. */
#define FQ_ORPHANS 0xffff

static int add_qdisc(const struct nlmsghdr *message, void *arg)
{
	struct qdiscs *qdiscs = arg;
	struct tcmsg_view view;
	struct qdisc *qdisc;
	int r;

	if (message->nlmsg_type != RTM_NEWQDISC)
		return 0;
	r = tcmsg_parse(message, &view);
	if (r < 0)
		return r;
	qdisc = ARRAY_ADD(qdiscs, list);
	if (!qdisc)
		return -ENOMEM;
	qdisc->ifindex = (uint32_t)view.header->tcm_ifindex;
	qdisc->handle = view.header->tcm_handle;
	qdisc->parent = view.header->tcm_parent;
	tcmsg_kind(&view, qdisc->kind);
	tcmsg_stats(&view, &qdisc->stats);
	return 0;
}

void qdiscs_clear(struct qdiscs *qdiscs)
{
	free(qdiscs->list);
	*qdiscs = (struct qdiscs){ 0 };
}

static void restart(void *arg)
{
	qdiscs_clear(arg);
}

static int by_ifindex(const void *a, const void *b)
{
	const struct qdisc *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

int qdiscs_read(struct conn *conn, struct qdiscs *ret_qdiscs, struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	CLEANUP(qdiscs_clear) struct qdiscs qdiscs = { 0 };
	struct conn_list list = { add_qdisc, restart, &qdiscs };
	struct tcmsg header = { 0 };
	int r;

	msg = tcmsg_new(RTM_GETQDISC, 0, &header, NULL);
	if (!msg)
		return err_set(err, -ENOMEM, "list qdiscs");
	r = conn_dump(conn, msg, &list, err);
	if (r < 0)
		return err_wrap(err, r, "list qdiscs");
	if (qdiscs.list)
		qsort(qdiscs.list, qdiscs.n_list, sizeof(*qdiscs.list),
		      by_ifindex);
	*ret_qdiscs = qdiscs;
	qdiscs = (struct qdiscs){ 0 };
	return 0;
}

static const struct qdisc *find(const struct qdiscs *qdiscs, uint32_t ifindex,
				uint32_t parent)
{
	size_t low = 0, high = qdiscs->n_list;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (qdiscs->list[middle].ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < qdiscs->n_list && qdiscs->list[low].ifindex == ifindex;
	     low++)
		if (qdiscs->list[low].parent == parent)
			return &qdiscs->list[low];
	return NULL;
}

const struct qdisc *qdiscs_root(const struct qdiscs *qdiscs, uint32_t ifindex)
{
	return find(qdiscs, ifindex, TC_H_ROOT);
}

const struct qdisc *qdiscs_clsact(const struct qdiscs *qdiscs, uint32_t ifindex)
{
	return find(qdiscs, ifindex, TC_H_CLSACT);
}

/* The kernel hands out handles from 8001: for everybody but itself. */
bool qdisc_is_default(const struct qdisc *qdisc)
{
	return qdisc->handle == 0;
}

static int add_clsact(struct conn *conn, const struct link *link, int flags,
		      struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT,
	};

	msg = tcmsg_new(RTM_NEWQDISC, NLM_F_CREATE | flags, &header, "clsact");
	return conn_do(conn, msg, err, "device '%s': add qdisc clsact",
		       link->name);
}

int qdisc_ensure_clsact(struct conn *conn, const struct link *link,
			bool *ret_made, struct err *err)
{
	struct err refused;
	int r;

	r = add_clsact(conn, link, NLM_F_EXCL, &refused);
	if (r < 0 && r != -EEXIST) {
		*err = refused;
		return r;
	}
	*ret_made = r == 0;
	if (r == 0)
		return 0;
	/* Without the flag the same again is fine, and another kind is not. */
	r = add_clsact(conn, link, 0, err);
	if (r == -EINVAL)
		return err_say(
			err, -EEXIST,
			"device '%s': add qdisc clsact: a qdisc ingress is in its place",
			link->name);
	return r;
}

static int remove_qdisc(struct conn *conn, const struct link *link,
			const struct tcmsg *header, struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	int r;

	msg = tcmsg_new(RTM_DELQDISC, 0, header, NULL);
	r = conn_do(conn, msg, err, "device '%s': remove qdisc %x:", link->name,
		    header->tcm_handle >> 16);
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

int qdisc_remove_clsact(struct conn *conn, const struct link *link,
			struct err *err)
{
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT,
	};

	return remove_qdisc(conn, link, &header, err);
}

/* The root as it is now; *ret_found is false where the device has none. */
static int read_root(struct conn *conn, const struct link *link,
		     struct qdisc *ret_root, bool *ret_found, struct err *err)
{
	CLEANUP(qdiscs_clear) struct qdiscs qdiscs = { 0 };
	const struct qdisc *root;
	int r;

	r = qdiscs_read(conn, &qdiscs, err);
	if (r < 0)
		return err_wrap(err, r, "device '%s'", link->name);
	root = qdiscs_root(&qdiscs, link->ifindex);
	*ret_found = root;
	if (root)
		*ret_root = *root;
	return 0;
}

static struct nl_msg *htb_message(const struct link *link, uint32_t handle,
				  int flags)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct tc_htb_glob htb = { .version = HTB_VERSION,
				   .rate2quantum = RATE_TO_QUANTUM };
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_handle = handle,
		.tcm_parent = TC_H_ROOT,
	};
	struct nlattr *options;

	msg = tcmsg_new(RTM_NEWQDISC, NLM_F_CREATE | flags, &header, "htb");
	options = msg ? nla_nest_start(msg, TCA_OPTIONS) : NULL;
	if (!options || nla_put(msg, TCA_HTB_INIT, sizeof(htb), &htb) < 0 ||
	    nla_put_u32(msg, TCA_HTB_DIRECT_QLEN, DIRECT_QUEUE_LEN) < 0)
		return NULL;
	nla_nest_end(msg, options);
	return TAKE_PTR(msg);
}

/* Bytes per second: a turn of HTB takes no time at that. */
#define CUTTER_RATE 1250000000000ULL

/*
 * Without its own pacing, which would be a second one to sockets that weir has
 * paced, and which they would rely on when fq has gone: departure times hold
 * all the same.
 */
static struct nl_msg *fq_message(const struct link *link, uint32_t handle,
				 int flags)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_handle = handle,
		.tcm_parent = TC_H_ROOT,
	};
	struct nlattr *options;

	msg = tcmsg_new(RTM_NEWQDISC, NLM_F_CREATE | flags, &header, "fq");
	options = msg ? nla_nest_start(msg, TCA_OPTIONS) : NULL;
	if (!options || nla_put_u32(msg, TCA_FQ_PLIMIT, FQ_PACKETS) < 0 ||
	    nla_put_u32(msg, TCA_FQ_FLOW_PLIMIT, FQ_PACKETS) < 0 ||
	    nla_put_u32(msg, TCA_FQ_RATE_ENABLE, 0) < 0 ||
	    nla_put_u32(msg, TCA_FQ_ORPHAN_MASK, FQ_ORPHANS) < 0 ||
	    nla_put_u32(msg, TCA_FQ_HORIZON, FQ_HORIZON_US) < 0)
		return NULL;
	nla_nest_end(msg, options);
	return TAKE_PTR(msg);
}

static bool is_htb(const char *kind)
{
	return strcmp(kind, "htb") == 0;
}

/* kind: "htb" or "fq". */
static int add_root(struct conn *conn, const struct link *link,
		    const char *kind, uint32_t handle, int flags,
		    struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;

	msg = is_htb(kind) ? htb_message(link, handle, flags)
			   : fq_message(link, handle, flags);
	return conn_do(conn, msg, err, "device '%s': add qdisc %s", link->name,
		       kind);
}

/* Reads only where the kernel refuses: its list is of all devices. */
static int ensure_root(struct conn *conn, const struct link *link,
		       const char *kind, uint32_t handle, bool replace,
		       struct err *err)
{
	struct err refused;
	struct qdisc root;
	bool found;
	int r;

	/* The kernel's own default is no obstacle to NLM_F_EXCL. */
	r = add_root(conn, link, kind, handle, NLM_F_EXCL, &refused);
	if (r < 0 && r != -EEXIST) {
		*err = refused;
		return r;
	}
	if (r == 0)
		return 0;
	r = read_root(conn, link, &root, &found, err);
	if (r < 0)
		return r;
	if (found && root.handle == handle && strcmp(root.kind, kind) == 0)
		return 0;
	if (replace)
		return add_root(conn, link, kind, handle, NLM_F_REPLACE, err);
	if (!found) {
		*err = refused;
		return -EEXIST;
	}
	return err_say(err, -EEXIST,
		       "device '%s': add qdisc %s: there is a qdisc %s %x:",
		       link->name, kind, root.kind, root.handle >> 16);
}

int qdisc_ensure_htb(struct conn *conn, const struct link *link,
		     uint32_t handle, bool replace, struct err *err)
{
	return ensure_root(conn, link, "htb", handle, replace, err);
}

int qdisc_ensure_fq(struct conn *conn, const struct link *link, uint32_t handle,
		    bool replace, struct err *err)
{
	return ensure_root(conn, link, "fq", handle, replace, err);
}

int qdisc_find_root(struct conn *conn, const struct link *link,
		    struct qdisc *ret_root, struct err *err)
{
	struct qdisc root = { 0 };
	bool found;
	int r;

	r = read_root(conn, link, &root, &found, err);
	if (r == 0)
		*ret_root = root;
	return r;
}

/* Made, or changed where it is there; its options are to follow. */
static struct nl_msg *leaf_message(const struct link *link, uint32_t parent,
				   uint32_t handle, const char *kind)
{
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_handle = handle,
		.tcm_parent = parent,
	};

	return tcmsg_new(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &header,
			 kind);
}

int qdisc_ensure_bfifo(struct conn *conn, const struct link *link,
		       uint32_t parent, uint32_t handle, uint32_t limit_bytes,
		       struct err *err)
{
	CLEANUP(nlmsg_freep)
	struct nl_msg *msg = leaf_message(link, parent, handle, "bfifo");
	struct tc_fifo_qopt fifo = { .limit = limit_bytes };
	bool whole;

	whole = msg && nla_put(msg, TCA_OPTIONS, sizeof(fifo), &fifo) == 0;
	return conn_do(conn, whole ? msg : NULL, err,
		       "device '%s': add qdisc bfifo", link->name);
}

/* The burst is in bytes as well: what TBF makes of its time is less exact. */
static int put_tbf(struct nl_msg *msg, uint32_t limit_bytes, uint32_t cut_bytes)
{
	struct tc_tbf_qopt tbf = {
		.rate = { .rate = UINT32_MAX,
			  .linklayer = TC_LINKLAYER_ETHERNET },
		.limit = limit_bytes,
		.buffer = 1,
	};
	struct nlattr *options = nla_nest_start(msg, TCA_OPTIONS);

	if (!options || nla_put(msg, TCA_TBF_PARMS, sizeof(tbf), &tbf) < 0 ||
	    nla_put_u64(msg, TCA_TBF_RATE64, CUTTER_RATE) < 0 ||
	    nla_put_u32(msg, TCA_TBF_BURST, cut_bytes) < 0)
		return -ENOMEM;
	nla_nest_end(msg, options);
	return 0;
}

int qdisc_ensure_cutter(struct conn *conn, const struct link *link,
			uint32_t parent, uint32_t handle, uint32_t limit_bytes,
			uint32_t cut_bytes, struct err *err)
{
	CLEANUP(nlmsg_freep)
	struct nl_msg *msg = leaf_message(link, parent, handle, "tbf");
	bool whole;

	whole = msg && put_tbf(msg, limit_bytes, cut_bytes) == 0;
	return conn_do(conn, whole ? msg : NULL, err,
		       "device '%s': add qdisc tbf", link->name);
}

int qdisc_remove_root(struct conn *conn, const struct link *link,
		      uint32_t handle, struct err *err)
{
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_handle = handle,
		.tcm_parent = TC_H_ROOT,
	};
	struct err refused;
	struct qdisc root;
	bool found;
	int code, r;

	/* The kernel refuses (-EINVAL) where the root has another handle. */
	code = remove_qdisc(conn, link, &header, &refused);
	if (code == 0)
		return 0;
	r = read_root(conn, link, &root, &found, err);
	if (r < 0)
		return r;
	if (!found || root.handle != handle)
		return 0;
	*err = refused;
	return code;
}
