/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/request.h"

#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <netlink/netlink.h>
#include <string.h>

#include "base/array.h"

#define HTB_VERSION 3

/* The hash tables that u32 makes by itself are numbered from here. */
#define U32_OWN_TABLES 0x80000000U

static bool is_one_of(const char *kind, const char *const *kinds, size_t n)
{
	while (n--)
		if (strcmp(kind, kinds[n]) == 0)
			return true;
	return false;
}

/* Other kinds have a fixed number of classes from the start. */
static bool has_own_classes(const char *kind)
{
	static const char *const kinds[] = { "htb", "hfsc", "drr", "qfq",
					     "cbq" };

	return is_one_of(kind, kinds, ARRAY_SIZE(kinds));
}

static bool comes_by_itself(const struct nlmsghdr *message,
			    const struct tcmsg_view *view, const char *kind)
{
	uint32_t handle = view->header->tcm_handle;

	if (message->nlmsg_type == RTM_NEWQDISC)
		return handle == 0;
	if (message->nlmsg_type == RTM_NEWTCLASS)
		/* hfsc lists its root as a class. */
		return !has_own_classes(kind) || TC_H_MIN(handle) == 0;
	/* Of each priority there is an entry without a handle. */
	if (handle == 0)
		return true;
	return strcmp(kind, "u32") == 0 && TC_U32_HTID(handle) == handle &&
	       handle >= U32_OWN_TABLES;
}

/*
 * Attributes of TCA_OPTIONS that differ between what is said and what is
 * asked for: counters; flags that tell what hardware did; and microseconds
 * that are kept in units of 1024 ns, and said rounded down twice.
 */
struct difference {
	const char *kind;
	int counters;	/* to be left out; 0: none */
	int flags;	/* only the two that can be asked for; 0: none */
	uint32_t times; /* a bit per attribute */
};

static const struct difference differences[] = {
	{ "u32", TCA_U32_PCNT, TCA_U32_FLAGS, 0 },
	{ "matchall", TCA_MATCHALL_PCNT, TCA_MATCHALL_FLAGS, 0 },
	{ "flower", 0, TCA_FLOWER_FLAGS, 0 },
	{ "basic", TCA_BASIC_PCNT, 0, 0 },
	{ "codel", 0, 0,
	  1 << TCA_CODEL_TARGET | 1 << TCA_CODEL_INTERVAL |
		  1 << TCA_CODEL_CE_THRESHOLD },
	{ "fq_codel", 0, 0,
	  1 << TCA_FQ_CODEL_TARGET | 1 << TCA_FQ_CODEL_INTERVAL |
		  1 << TCA_FQ_CODEL_CE_THRESHOLD },
};

static const struct difference *find_difference(const char *kind)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(differences); i++)
		if (strcmp(differences[i].kind, kind) == 0)
			return &differences[i];
	return NULL;
}

static int put_copy(struct nl_msg *msg, struct nlattr *attr)
{
	return nla_put(msg, attr->nla_type, nla_len(attr), nla_data(attr));
}

static int put_different(struct nl_msg *msg, struct nlattr *attr,
			 const struct difference *difference)
{
	int type = nla_type(attr);
	uint32_t value;

	if (type == difference->counters)
		return 0;
	if (nla_len(attr) < (int)sizeof(value))
		return put_copy(msg, attr);
	value = nla_get_u32(attr);
	if (type == difference->flags)
		return nla_put_u32(msg, type,
				   value & (TCA_CLS_FLAGS_SKIP_HW |
					    TCA_CLS_FLAGS_SKIP_SW));
	/* One more is rounded to what it was: 5000 is kept, 4999 said. */
	if (type < 32 && difference->times & 1U << type && value)
		return nla_put_u32(msg, type, value + 1);
	return put_copy(msg, attr);
}

static int put_different_options(struct nl_msg *msg, struct nlattr *from,
				 const struct difference *difference)
{
	struct nlattr *options = nla_nest_start(msg, TCA_OPTIONS), *attr;
	int left;

	if (!options)
		return -ENOMEM;
	nla_for_each_nested(attr, from, left) {
		if (put_different(msg, attr, difference) < 0)
			return -ENOMEM;
	}
	nla_nest_end(msg, options);
	return 0;
}

/* What HTB says has a longer version number, and a counter. */
static int put_htb_options(struct nl_msg *msg, struct nlattr *from)
{
	struct nlattr *options = nla_nest_start(msg, TCA_OPTIONS), *attr;
	struct tc_htb_glob glob;
	int left, r;

	if (!options)
		return -ENOMEM;
	nla_for_each_nested(attr, from, left) {
		if (nla_type(attr) != TCA_HTB_INIT ||
		    nla_len(attr) < (int)sizeof(glob)) {
			r = put_copy(msg, attr);
		} else {
			memcpy(&glob, nla_data(attr), sizeof(glob));
			glob.version = HTB_VERSION;
			glob.direct_pkts = 0;
			r = nla_put(msg, TCA_HTB_INIT, sizeof(glob), &glob);
		}
		if (r < 0)
			return -ENOMEM;
	}
	nla_nest_end(msg, options);
	return 0;
}

/*
 * By default there may be more flows than packets; where either is asked for,
 * there may not.
 */
#define SFQ_FLOWS 128
#define SFQ_LIMIT 127

static int put_sfq_options(struct nl_msg *msg, struct nlattr *from)
{
	struct tc_sfq_qopt_v1 sfq;

	memcpy(&sfq, nla_data(from), sizeof(sfq));
	if (sfq.v0.flows == SFQ_FLOWS && sfq.v0.limit == SFQ_LIMIT)
		sfq.v0.flows = sfq.v0.limit = 0;
	memset(&sfq.stats, 0, sizeof(sfq.stats));
	return nla_put(msg, TCA_OPTIONS, sizeof(sfq), &sfq) < 0 ? -ENOMEM : 0;
}

static int put_options(struct nl_msg *msg, int type, const char *kind,
		       struct nlattr *options)
{
	const struct difference *difference = find_difference(kind);

	if (!options)
		return 0;
	if (difference)
		return put_different_options(msg, options, difference);
	if (type == RTM_NEWQDISC && strcmp(kind, "htb") == 0)
		return put_htb_options(msg, options);
	if (type == RTM_NEWQDISC && strcmp(kind, "sfq") == 0 &&
	    nla_len(options) == sizeof(struct tc_sfq_qopt_v1))
		return put_sfq_options(msg, options);
	return put_copy(msg, options) < 0 ? -ENOMEM : 0;
}

/* A size table is not told; a shared block has filters of other devices. */
static bool has_more(const struct nlmsghdr *message,
		     const struct tcmsg_view *view, const char *kind)
{
	if (view->attrs[TCA_STAB] || view->attrs[TCA_INGRESS_BLOCK] ||
	    view->attrs[TCA_EGRESS_BLOCK])
		return true;
	/* The program is named by an id, which dies with the filter. */
	return message->nlmsg_type == RTM_NEWTFILTER &&
	       strcmp(kind, "bpf") == 0;
}

int request_from(const struct nlmsghdr *message, struct nl_msg **ret_request)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct tcmsg_view view;
	struct tcmsg header;
	char kind[TC_KIND_MAX];
	int r;

	r = tcmsg_parse(message, &view);
	if (r < 0)
		return r;
	tcmsg_kind(&view, kind);
	*ret_request = NULL;
	if (comes_by_itself(message, &view, kind))
		return 0;
	if (has_more(message, &view, kind))
		return -EOPNOTSUPP;
	header = (struct tcmsg){
		.tcm_handle = view.header->tcm_handle,
		.tcm_parent = view.header->tcm_parent,
		/* Of a filter: priority and protocol; else what is there. */
		.tcm_info = message->nlmsg_type == RTM_NEWTFILTER
				    ? view.header->tcm_info
				    : 0,
	};
	msg = tcmsg_new(message->nlmsg_type, NLM_F_CREATE, &header, kind);
	if (!msg ||
	    (view.attrs[TCA_CHAIN] && put_copy(msg, view.attrs[TCA_CHAIN]) < 0))
		return -ENOMEM;
	r = put_options(msg, message->nlmsg_type, kind,
			view.attrs[TCA_OPTIONS]);
	if (r < 0)
		return r;
	*ret_request = TAKE_PTR(msg);
	return 0;
}
