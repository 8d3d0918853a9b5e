/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters at a device's clsact. */
#ifndef WEIR_NETLINK_FILTER_H
#define WEIR_NETLINK_FILTER_H

#include "netlink/qdisc.h"

/* The two hooks of clsact. */
enum hook_side {
	HOOK_IN,  /* ingress */
	HOOK_OUT, /* egress */
};

#define FILTER_NAME_MAX 64

/* A filter as it is; of another kind than "bpf", the last four are empty. */
struct filter {
	enum hook_side side;
	char kind[TC_KIND_MAX];
	uint32_t chain;
	uint32_t handle;
	uint16_t priority;
	uint16_t protocol; /* host byte order; ETH_P_ALL is 3 */
	uint32_t program;  /* id */
	uint32_t classid;
	uint32_t redirect; /* ifindex that it redirects to, or 0 */
	char name[FILTER_NAME_MAX];
};

struct filters {
	struct filter *list; /* in the order in which they are asked */
	size_t n_list;
};

/* Both sides.  None, too, where there is no clsact or no device. */
int filters_read(struct conn *conn, const struct link *link,
		 struct filters *ret_filters, struct err *err);
void filters_clear(struct filters *filters);

/* The bpf filter with this place, or NULL. */
const struct filter *filters_find(const struct filters *filters,
				  enum hook_side side, uint16_t priority,
				  uint32_t handle);

/* What a bpf filter is to be: its place, and what it runs. */
struct filter_want {
	enum hook_side side;
	uint16_t priority;
	uint32_t handle;
	int program_fd;	  /* stays the caller's */
	uint16_t classid; /* skb->tc_classid, when the program begins */
	const char *name;
	/*
	 * 0: the program says what becomes of a packet (direct action).  Else
	 * the ifindex that those are redirected to, to leave from there, for
	 * which it returns -1; others, for which it returns 0, go on.
	 */
	uint32_t redirect;
};

/*
 * Makes the filter (of all protocols), or replaces the one with
 * its priority and handle in one step: each packet is seen by the old one or
 * by the new one.
 */
int filter_ensure(struct conn *conn, const struct link *link,
		  const struct filter_want *want, struct err *err);

/* That one only; one that has gone already is fine. */
int filter_remove(struct conn *conn, const struct link *link,
		  enum hook_side side, uint16_t priority, uint32_t handle,
		  struct err *err);

#endif
