/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include "base/array.h"
#include "netlink/tcmsg.h"

static uint32_t parent_of(enum hook_side side)
{
	return TC_H_MAKE(TC_H_CLSACT,
			 side == HOOK_IN ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

static const char *side_name(enum hook_side side)
{
	return side == HOOK_IN ? "ingress" : "egress";
}

/* Both as one 32-bit number, the protocol in network byte order. */
static uint32_t place(uint16_t priority, uint16_t protocol)
{
	return TC_H_MAKE((uint32_t)priority << 16, htons(protocol));
}

/* The first action, if it is one of mirred. */
static uint32_t parse_redirect(struct nlattr *actions)
{
	struct nlattr *first = nla_find(nla_data(actions), nla_len(actions), 1);
	struct nlattr *attrs[TCA_ACT_MAX + 1], *options[TCA_MIRRED_MAX + 1];
	struct tc_mirred mirred;

	if (!first || nla_parse_nested(attrs, TCA_ACT_MAX, first, NULL) < 0 ||
	    !attrs[TCA_ACT_KIND] || !attrs[TCA_ACT_OPTIONS] ||
	    nla_strcmp(attrs[TCA_ACT_KIND], "mirred") != 0 ||
	    nla_parse_nested(options, TCA_MIRRED_MAX, attrs[TCA_ACT_OPTIONS],
			     NULL) < 0 ||
	    !options[TCA_MIRRED_PARMS] ||
	    nla_len(options[TCA_MIRRED_PARMS]) < (int)sizeof(mirred))
		return 0;
	memcpy(&mirred, nla_data(options[TCA_MIRRED_PARMS]), sizeof(mirred));
	return mirred.ifindex;
}

static int parse_bpf(struct nlattr *options, struct filter *filter)
{
	struct nlattr *attrs[TCA_BPF_MAX + 1];

	if (nla_parse_nested(attrs, TCA_BPF_MAX, options, NULL) < 0)
		return -EBADMSG;
	tcmsg_text(attrs[TCA_BPF_NAME], filter->name, sizeof(filter->name));
	if (attrs[TCA_BPF_ID])
		filter->program = nla_get_u32(attrs[TCA_BPF_ID]);
	if (attrs[TCA_BPF_CLASSID])
		filter->classid = nla_get_u32(attrs[TCA_BPF_CLASSID]);
	if (attrs[TCA_BPF_ACT])
		filter->redirect = parse_redirect(attrs[TCA_BPF_ACT]);
	return 0;
}

struct reading {
	enum hook_side side;
	size_t before; /* entries of the other side */
	struct filters filters;
};

static int add_filter(const struct nlmsghdr *message, void *arg)
{
	struct reading *reading = arg;
	struct tcmsg_view view;
	struct filter *filter;
	int r;

	if (message->nlmsg_type != RTM_NEWTFILTER)
		return 0;
	r = tcmsg_parse(message, &view);
	if (r < 0)
		return r;
	/* Each priority has an entry of its own beside those of its filters. */
	if (view.header->tcm_handle == 0)
		return 0;
	filter = ARRAY_ADD(&reading->filters, list);
	if (!filter)
		return -ENOMEM;
	filter->side = reading->side;
	filter->handle = view.header->tcm_handle;
	filter->priority = (uint16_t)(view.header->tcm_info >> 16);
	filter->protocol = ntohs((uint16_t)view.header->tcm_info);
	if (view.attrs[TCA_CHAIN])
		filter->chain = nla_get_u32(view.attrs[TCA_CHAIN]);
	tcmsg_kind(&view, filter->kind);
	if (strcmp(filter->kind, "bpf") == 0 && view.attrs[TCA_OPTIONS])
		return parse_bpf(view.attrs[TCA_OPTIONS], filter);
	return 0;
}

static void restart(void *arg)
{
	struct reading *reading = arg;

	reading->filters.n_list = reading->before;
}

void filters_clear(struct filters *filters)
{
	free(filters->list);
	*filters = (struct filters){ 0 };
}

static int read_side(struct conn *conn, const struct link *link,
		     struct reading *reading, struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct conn_list list = { add_filter, restart, reading };
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_parent = parent_of(reading->side),
	};
	int r;

	msg = tcmsg_new(RTM_GETTFILTER, 0, &header, NULL);
	if (!msg)
		return err_set(err, -ENOMEM, "device '%s': list filters",
			       link->name);
	r = conn_dump(conn, msg, &list, err);
	/* No clsact: nothing has a place for filters. */
	if (r == -EINVAL || r == -ENOENT || r == -ENODEV)
		return 0;
	if (r < 0)
		return err_wrap(err, r, "device '%s': list %s filters",
				link->name, side_name(reading->side));
	return 0;
}

static void free_reading(struct reading *reading)
{
	filters_clear(&reading->filters);
}

int filters_read(struct conn *conn, const struct link *link,
		 struct filters *ret_filters, struct err *err)
{
	CLEANUP(free_reading) struct reading reading = { .side = HOOK_IN };
	int r;

	r = read_side(conn, link, &reading, err);
	if (r < 0)
		return r;
	reading.side = HOOK_OUT;
	reading.before = reading.filters.n_list;
	r = read_side(conn, link, &reading, err);
	if (r < 0)
		return r;
	*ret_filters = reading.filters;
	reading.filters = (struct filters){ 0 };
	return 0;
}

const struct filter *filters_find(const struct filters *filters,
				  enum hook_side side, uint16_t priority,
				  uint32_t handle)
{
	size_t i;

	for (i = 0; i < filters->n_list; i++) {
		const struct filter *filter = &filters->list[i];

		if (filter->side == side && filter->chain == 0 &&
		    filter->priority == priority && filter->handle == handle &&
		    strcmp(filter->kind, "bpf") == 0)
			return filter;
	}
	return NULL;
}

/* A list of one action: TCA_BPF_ACT { 1 { kind, options { parameters } } } */
static int put_redirect(struct nl_msg *msg, uint32_t ifindex)
{
	struct tc_mirred mirred = {
		.action = TC_ACT_STOLEN,
		.eaction = TCA_EGRESS_REDIR,
		.ifindex = ifindex,
	};
	struct nlattr *list, *first, *options;

	list = nla_nest_start(msg, TCA_BPF_ACT);
	first = list ? nla_nest_start(msg, 1) : NULL;
	if (!first || nla_put_string(msg, TCA_ACT_KIND, "mirred") < 0)
		return -ENOMEM;
	options = nla_nest_start(msg, TCA_ACT_OPTIONS);
	if (!options ||
	    nla_put(msg, TCA_MIRRED_PARMS, sizeof(mirred), &mirred) < 0)
		return -ENOMEM;
	nla_nest_end(msg, options);
	nla_nest_end(msg, first);
	nla_nest_end(msg, list);
	return 0;
}

static int put_options(struct nl_msg *msg, const struct filter_want *want)
{
	struct nlattr *options = nla_nest_start(msg, TCA_OPTIONS);

	if (!options ||
	    nla_put_u32(msg, TCA_BPF_FD, (uint32_t)want->program_fd) < 0 ||
	    nla_put_string(msg, TCA_BPF_NAME, want->name) < 0 ||
	    nla_put_u32(msg, TCA_BPF_CLASSID, want->classid) < 0 ||
	    (want->redirect ? put_redirect(msg, want->redirect)
			    : nla_put_u32(msg, TCA_BPF_FLAGS,
					  TCA_BPF_FLAG_ACT_DIRECT)) < 0)
		return -ENOMEM;
	nla_nest_end(msg, options);
	return 0;
}

int filter_ensure(struct conn *conn, const struct link *link,
		  const struct filter_want *want, struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_handle = want->handle,
		.tcm_parent = parent_of(want->side),
		.tcm_info = place(want->priority, ETH_P_ALL),
	};
	bool whole;

	msg = tcmsg_new(RTM_NEWTFILTER, NLM_F_CREATE, &header, "bpf");
	whole = msg && put_options(msg, want) == 0;
	return conn_do(conn, whole ? msg : NULL, err,
		       "device '%s': add %s filter", link->name,
		       side_name(want->side));
}

int filter_remove(struct conn *conn, const struct link *link,
		  enum hook_side side, uint16_t priority, uint32_t handle,
		  struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_handle = handle,
		.tcm_parent = parent_of(side),
		.tcm_info = place(priority, ETH_P_ALL),
	};
	int r;

	msg = tcmsg_new(RTM_DELTFILTER, 0, &header, "bpf");
	r = conn_do(conn, msg, err, "device '%s': remove %s filter", link->name,
		    side_name(side));
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}
