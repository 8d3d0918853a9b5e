/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/class.h"

#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <string.h>

#include "base/array.h"
#include "netlink/tcmsg.h"

#define NSEC_PER_SEC 1000000000ULL
#define TICK_NS	     64

/* How late a timer may fire without the rate suffering. */
#define TIMER_LATE_NS 2000000ULL

#define PACKET_BYTES 1514ULL

/*
 * What a class may send in one go, before another has its turn: no less than
 * a GSO packet with all its headers.  Where packets are longer, each turn is
 * one packet, and what HTB counts of it grows until it wraps.  The kernel warns
 * of more than 200000.
 */
#define QUANTUM_MIN 72000ULL
#define QUANTUM_MAX 200000ULL

uint64_t class_burst(uint64_t rate_bytes, uint64_t asked_bytes)
{
	uint64_t late = rate_bytes / (NSEC_PER_SEC / TIMER_LATE_NS);
	uint64_t least = late < PACKET_BYTES ? PACKET_BYTES : late;

	return asked_bytes > least ? asked_bytes : least;
}

/* The time that bytes take at the rate; all that a field of 32 bits holds. */
static uint32_t ticks(uint64_t bytes, uint64_t rate_bytes)
{
	uint64_t result = UINT32_MAX;

	if (rate_bytes > 0)
		result = (uint64_t)((__uint128_t)bytes * NSEC_PER_SEC /
				    rate_bytes / TICK_NS);
	return result < UINT32_MAX ? (uint32_t)result : UINT32_MAX;
}

static uint32_t rate32(uint64_t rate_bytes)
{
	return rate_bytes < UINT32_MAX ? (uint32_t)rate_bytes : UINT32_MAX;
}

static uint32_t quantum(uint64_t rate_bytes)
{
	uint64_t bytes = rate_bytes / 100;

	if (bytes < QUANTUM_MIN)
		bytes = QUANTUM_MIN;
	return (uint32_t)(bytes < QUANTUM_MAX ? bytes : QUANTUM_MAX);
}

uint32_t class_quantum(double parts)
{
	return (uint32_t)(QUANTUM_MIN * (parts < 1 ? 1 : parts));
}

static struct tc_htb_opt htb_options(const struct htb_rate *rate)
{
	uint64_t ceil = rate->ceil_bytes ? rate->ceil_bytes : rate->rate_bytes;
	uint64_t burst = class_burst(rate->rate_bytes, rate->burst_bytes);
	uint64_t ceil_burst = class_burst(ceil, rate->ceil_burst_bytes);

	return (struct tc_htb_opt){
		.rate = { .rate = rate32(rate->rate_bytes),
			  .linklayer = TC_LINKLAYER_ETHERNET },
		.ceil = { .rate = rate32(ceil),
			  .linklayer = TC_LINKLAYER_ETHERNET },
		.buffer = ticks(burst, rate->rate_bytes),
		.cbuffer = ticks(ceil_burst, ceil),
		.quantum = rate->quantum ? rate->quantum : quantum(ceil),
		.prio = rate->prio,
	};
}

static int parse_htb(struct nlattr *options, struct class *class)
{
	struct nlattr *attrs[TCA_HTB_MAX + 1];
	const struct tc_htb_opt *htb;

	if (nla_parse_nested(attrs, TCA_HTB_MAX, options, NULL) < 0 ||
	    !attrs[TCA_HTB_PARMS] ||
	    nla_len(attrs[TCA_HTB_PARMS]) < (int)sizeof(*htb))
		return -EBADMSG;
	htb = nla_data(attrs[TCA_HTB_PARMS]);
	class->rate_bytes = attrs[TCA_HTB_RATE64]
				    ? nla_get_u64(attrs[TCA_HTB_RATE64])
				    : htb->rate.rate;
	class->ceil_bytes = attrs[TCA_HTB_CEIL64]
				    ? nla_get_u64(attrs[TCA_HTB_CEIL64])
				    : htb->ceil.rate;
	class->burst_ticks = htb->buffer;
	class->ceil_burst_ticks = htb->cbuffer;
	class->quantum = htb->quantum;
	class->prio = htb->prio;
	return 0;
}

static int add_class(const struct nlmsghdr *message, void *arg)
{
	struct classes *classes = arg;
	struct tcmsg_view view;
	struct class *class;
	int r;

	if (message->nlmsg_type != RTM_NEWTCLASS)
		return 0;
	r = tcmsg_parse(message, &view);
	if (r < 0)
		return r;
	class = ARRAY_ADD(classes, list);
	if (!class)
		return -ENOMEM;
	class->id = view.header->tcm_handle;
	class->parent = view.header->tcm_parent;
	class->leaf = view.header->tcm_info;
	tcmsg_kind(&view, class->kind);
	tcmsg_stats(&view, &class->stats);
	if (strcmp(class->kind, "htb") == 0 && view.attrs[TCA_OPTIONS])
		return parse_htb(view.attrs[TCA_OPTIONS], class);
	return 0;
}

void classes_clear(struct classes *classes)
{
	free(classes->list);
	*classes = (struct classes){ 0 };
}

static void restart(void *arg)
{
	classes_clear(arg);
}

static int by_id(const void *a, const void *b)
{
	const struct class *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int classes_read(struct conn *conn, const struct link *link,
		 struct classes *ret_classes, struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	CLEANUP(classes_clear) struct classes classes = { 0 };
	struct conn_list list = { add_class, restart, &classes };
	struct tcmsg header = { .tcm_ifindex = (int)link->ifindex };
	int r;

	msg = tcmsg_new(RTM_GETTCLASS, 0, &header, NULL);
	if (!msg)
		return err_set(err, -ENOMEM, "device '%s': list classes",
			       link->name);
	r = conn_dump(conn, msg, &list, err);
	if (r < 0)
		return err_wrap(err, r, "device '%s': list classes",
				link->name);
	if (classes.list)
		qsort(classes.list, classes.n_list, sizeof(*classes.list),
		      by_id);
	*ret_classes = classes;
	classes = (struct classes){ 0 };
	return 0;
}

const struct class *classes_find(const struct classes *classes, uint32_t id)
{
	struct class key = { .id = id };

	if (!classes->list)
		return NULL;
	return bsearch(&key, classes->list, classes->n_list, sizeof(key),
		       by_id);
}

/* The rates of 64 bits go beside the struct, where 32 do not hold them. */
static int put_htb(struct nl_msg *msg, const struct htb_rate *rate)
{
	uint64_t ceil = rate->ceil_bytes ? rate->ceil_bytes : rate->rate_bytes;
	struct tc_htb_opt htb = htb_options(rate);
	struct nlattr *options = nla_nest_start(msg, TCA_OPTIONS);

	if (!options || nla_put(msg, TCA_HTB_PARMS, sizeof(htb), &htb) < 0 ||
	    (rate->rate_bytes >= UINT32_MAX &&
	     nla_put_u64(msg, TCA_HTB_RATE64, rate->rate_bytes) < 0) ||
	    (ceil >= UINT32_MAX && nla_put_u64(msg, TCA_HTB_CEIL64, ceil) < 0))
		return -ENOMEM;
	nla_nest_end(msg, options);
	return 0;
}

int class_ensure_htb(struct conn *conn, const struct link *link, uint32_t id,
		     uint32_t parent, const struct htb_rate *rate,
		     struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_handle = id,
		.tcm_parent = parent,
	};
	bool whole;

	msg = tcmsg_new(RTM_NEWTCLASS, NLM_F_CREATE, &header, "htb");
	whole = msg && put_htb(msg, rate) == 0;
	return conn_do(conn, whole ? msg : NULL, err,
		       "device '%s': add class %x:%x", link->name, id >> 16,
		       id & 0xffff);
}

bool class_has_rate(const struct class *class, const struct htb_rate *rate)
{
	uint64_t ceil = rate->ceil_bytes ? rate->ceil_bytes : rate->rate_bytes;
	struct tc_htb_opt htb = htb_options(rate);

	return strcmp(class->kind, "htb") == 0 &&
	       class->rate_bytes == rate->rate_bytes &&
	       class->ceil_bytes == ceil && class->burst_ticks == htb.buffer &&
	       class->ceil_burst_ticks == htb.cbuffer &&
	       class->prio == htb.prio &&
	       (!rate->quantum || class->quantum == rate->quantum);
}

int class_remove(struct conn *conn, const struct link *link, uint32_t id,
		 struct err *err)
{
	CLEANUP(nlmsg_freep) struct nl_msg *msg = NULL;
	struct tcmsg header = {
		.tcm_ifindex = (int)link->ifindex,
		.tcm_handle = id,
	};
	int r;

	msg = tcmsg_new(RTM_DELTCLASS, 0, &header, NULL);
	r = conn_do(conn, msg, err, "device '%s': remove class %x:%x",
		    link->name, id >> 16, id & 0xffff);
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}
