/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/tree.h"

#include <linux/pkt_sched.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "netlink/request.h"

void tree_clear(struct tree *tree)
{
	size_t i;

	for (i = 0; i < tree->n_requests; i++)
		free(tree->requests[i]);
	free(tree->requests);
	*tree = (struct tree){ 0 };
}

int tree_add(struct tree *tree, const struct nlmsghdr *request)
{
	AUTO_FREE struct nlmsghdr *copy = malloc(request->nlmsg_len);
	struct nlmsghdr **place;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, request, request->nlmsg_len);
	copy->nlmsg_seq = copy->nlmsg_pid = 0;
	place = ARRAY_ADD(tree, requests);
	if (!place)
		return -ENOMEM;
	*place = TAKE_PTR(copy);
	return 0;
}

/* A fixed order: the kernel's depends on what was there before. */
static int by_bytes(const void *a, const void *b)
{
	const struct nlmsghdr *x = *(struct nlmsghdr *const *)a;
	const struct nlmsghdr *y = *(struct nlmsghdr *const *)b;

	if (x->nlmsg_len != y->nlmsg_len)
		return x->nlmsg_len < y->nlmsg_len ? -1 : 1;
	return memcmp(x, y, x->nlmsg_len);
}

static void sort(struct tree *tree)
{
	if (tree->n_requests > 0)
		qsort(tree->requests, tree->n_requests, sizeof(*tree->requests),
		      by_bytes);
}

/* ------------------------------------------------------------ reading */

struct reading {
	uint32_t ifindex;
	size_t before;	   /* requests of earlier lists */
	struct tree tree;  /* what to ask for */
	uint32_t *handles; /* that filters can hang from */
	size_t n_handles, handles_before;
	char unsupported[TC_KIND_MAX];
};

static void free_reading(struct reading *reading)
{
	tree_clear(&reading->tree);
	free(reading->handles);
}

static void restart(void *arg)
{
	struct reading *reading = arg;
	struct tree *tree = &reading->tree;

	while (tree->n_requests > reading->before)
		free(tree->requests[--tree->n_requests]);
	reading->n_handles = reading->handles_before;
}

static bool hangs_from(const struct reading *reading, uint32_t major)
{
	size_t i;

	for (i = 0; i < reading->n_handles; i++)
		if (TC_H_MAJ(reading->handles[i]) == major)
			return true;
	return false;
}

/* clsact is no part of the tree below the root. */
static bool is_ours_to_keep(const struct reading *reading, int type,
			    const struct tcmsg *header)
{
	if ((uint32_t)header->tcm_ifindex != reading->ifindex)
		return false;
	if (type == RTM_NEWQDISC)
		return header->tcm_parent != TC_H_CLSACT;
	if (type == RTM_NEWTCLASS)
		return hangs_from(reading, TC_H_MAJ(header->tcm_handle));
	return true;
}

static int keep(const struct nlmsghdr *message, void *arg)
{
	CLEANUP(nlmsg_freep) struct nl_msg *request = NULL;
	struct reading *reading = arg;
	struct tcmsg_view view;
	uint32_t *handle;
	int r;

	r = tcmsg_parse(message, &view);
	if (r < 0)
		return r;
	if (!is_ours_to_keep(reading, message->nlmsg_type, view.header))
		return 0;
	r = request_from(message, &request);
	if (r == -EOPNOTSUPP)
		tcmsg_kind(&view, reading->unsupported);
	if (r < 0)
		return r;
	if (message->nlmsg_type != RTM_NEWTFILTER &&
	    view.header->tcm_handle != 0) {
		handle = ARRAY_ADD(reading, handles);
		if (!handle)
			return -ENOMEM;
		*handle = view.header->tcm_handle;
	}
	return request ? tree_add(&reading->tree, nlmsg_hdr(request)) : 0;
}

static int read_list(struct conn *conn, struct reading *reading, int type,
		     uint32_t parent, struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct conn_list list = { keep, restart, reading };
	struct tcmsg header = { .tcm_ifindex = (int)reading->ifindex,
				.tcm_parent = parent };

	reading->before = reading->tree.n_requests;
	reading->handles_before = reading->n_handles;
	msg = tcmsg_new(type, 0, &header, NULL);
	if (!msg)
		return err_set(err, -ENOMEM, "list qdiscs");
	return conn_dump(conn, msg, &list, err);
}

static int read_all(struct conn *conn, struct reading *reading, struct err *err)
{
	size_t i;
	int r;

	r = read_list(conn, reading, RTM_GETQDISC, 0, err);
	if (r < 0)
		return r;
	r = read_list(conn, reading, RTM_GETTCLASS, 0, err);
	if (r < 0)
		return r;
	for (i = 0; i < reading->n_handles; i++) {
		r = read_list(conn, reading, RTM_GETTFILTER,
			      reading->handles[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int tree_read(struct conn *conn, const struct link *link, struct tree *ret_tree,
	      struct err *err)
{
	CLEANUP(free_reading)
	struct reading reading = { .ifindex = link->ifindex };
	int r;

	r = read_all(conn, &reading, err);
	if (r == -EOPNOTSUPP && reading.unsupported[0])
		return err_say(
			err, r,
			"device '%s': a part of kind %s could not be put back",
			link->name, reading.unsupported);
	if (r < 0)
		return err_wrap(err, r, "device '%s': read its qdiscs",
				link->name);
	sort(&reading.tree);
	*ret_tree = reading.tree;
	reading.tree = (struct tree){ 0 };
	return 0;
}

/* ---------------------------------------------------------- comparing */

bool tree_equal(const struct tree *a, const struct tree *b)
{
	size_t i;

	if (a->n_requests != b->n_requests)
		return false;
	for (i = 0; i < a->n_requests; i++)
		if (by_bytes(&a->requests[i], &b->requests[i]) != 0)
			return false;
	return true;
}

const struct nlmsghdr *tree_root(const struct tree *tree)
{
	size_t i;

	for (i = 0; i < tree->n_requests; i++) {
		const struct nlmsghdr *request = tree->requests[i];
		const struct tcmsg *header = nlmsg_data(request);

		if (request->nlmsg_type == RTM_NEWQDISC &&
		    header->tcm_parent == TC_H_ROOT)
			return request;
	}
	return NULL;
}

/* ---------------------------------------------------------- replaying */

static int ask(struct conn *conn, const struct link *link,
	       const struct nlmsghdr *request, struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct tcmsg *header;

	msg = nlmsg_convert((struct nlmsghdr *)request);
	if (!msg)
		return err_set(err, -ENOMEM, "put back a qdisc");
	header = nlmsg_data(nlmsg_hdr(msg));
	header->tcm_ifindex = (int)link->ifindex;
	nlmsg_hdr(msg)->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
	if (header->tcm_parent == TC_H_ROOT)
		nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_REPLACE;
	return conn_ask(conn, msg, err);
}

static int wrap(const struct link *link, const struct nlmsghdr *request, int r,
		struct err *err)
{
	char kind[TC_KIND_MAX] = "";
	struct tcmsg_view view;

	if (tcmsg_parse(request, &view) == 0)
		tcmsg_kind(&view, kind);
	return err_wrap(err, r, "device '%s': put back %s", link->name, kind);
}

/* Whether what a request hangs from is still to be made. */
static bool has_to_wait(const struct tree *tree, const bool *done,
			const struct nlmsghdr *request)
{
	const struct tcmsg *header = nlmsg_data(request), *other;
	size_t i;

	for (i = 0; i < tree->n_requests; i++) {
		if (done[i] || tree->requests[i] == request)
			continue;
		/* The chain of a tree may hang on nothing but its order. */
		if (request->nlmsg_type == RTM_NEWTFILTER &&
		    tree->requests[i]->nlmsg_type != RTM_NEWTFILTER)
			return true;
		if (tree->requests[i]->nlmsg_type == RTM_NEWTFILTER)
			continue;
		other = nlmsg_data(tree->requests[i]);
		if (other->tcm_handle == header->tcm_parent ||
		    other->tcm_handle == TC_H_MAJ(header->tcm_parent) ||
		    other->tcm_handle == TC_H_MAJ(header->tcm_handle))
			return true;
	}
	return false;
}

/*
 * The kernel lists in the order of its hash tables, and HTB takes a class
 * whose parent is missing for one at the top: so parents come first.  Among
 * filters it cannot be told who refers to whom: those that are refused are
 * asked for again, as long as something gets done.
 */
int tree_replay(struct conn *conn, const struct link *link,
		const struct tree *tree, struct err *err)
{
	const struct nlmsghdr *refused = tree_root(tree);
	size_t i, left = tree->n_requests, before;
	AUTO_FREE bool *done = NULL;
	int code = -ELOOP, r;

	if (!refused)
		return 0;
	done = calloc(left, sizeof(*done));
	if (!done)
		return err_set(err, -ENOMEM, "put back a qdisc");
	err_set(err, code, "what it hangs from");
	do {
		before = left;
		for (i = 0; i < tree->n_requests; i++) {
			const struct nlmsghdr *request = tree->requests[i];

			if (done[i] || has_to_wait(tree, done, request))
				continue;
			r = ask(conn, link, request, err);
			if (r == 0) {
				done[i] = true;
				left--;
				continue;
			}
			code = r;
			refused = request;
			if (request->nlmsg_type != RTM_NEWTFILTER)
				return wrap(link, refused, code, err);
		}
	} while (left > 0 && left < before);
	return left > 0 ? wrap(link, refused, code, err) : 0;
}
