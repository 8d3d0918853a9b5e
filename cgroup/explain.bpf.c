/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a chain decides of a packet that was made up, and which conditions of
 * its rules that packet does not satisfy: the matcher of the other programs,
 * run by BPF_PROG_TEST_RUN.  User space gives it the tables that are in force,
 * and counters, tokens and flows of its own, so that asking changes nothing.
 *
 * What such a packet cannot bring along (its interface, mark and user) is read
 * from what is asked, in the place of the two functions that would read it.
 */
#include "cgroup/explain_abi.h"
#include "rules/packet.bpf.h"
#include "rules/uid.bpf.h"

/* User space writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct explain_ask);
} asks SEC(".maps");

/* The programs write, user space reads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct explain_answer);
} answers SEC(".maps");

static __always_inline const struct explain_ask *explain_asked(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&asks, &zero);
}

static __always_inline void explain_read(struct __sk_buff *skb,
					 struct packet *p)
{
	const struct explain_ask *ask = explain_asked();

	packet_read_at(skb, p, ask ? ask->ifindex : NONE);
	p->mark = ask ? ask->mark : 0;
}

static __always_inline void explain_uid(struct __sk_buff *skb, struct packet *p)
{
	const struct explain_ask *ask = explain_asked();

	if (ask && ask->uid != NONE)
		p->uid = ask->uid;
	else
		p->absent |= LOOK_UID;
}

#define packet_read explain_read
#define packet_uid  explain_uid
#include "rules/match.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* What a condition is told by; of an address also whether it is negated. */
static __always_inline __u32 look_whole(const struct rule_row *row, __u32 look)
{
	if (look == LOOK_SRC)
		return look | (row->looks & LOOK_SRC_NOT);
	if (look == LOOK_DST)
		return look | (row->looks & LOOK_DST_NOT);
	return look;
}

/* Whether a packet does not satisfy one condition of a rule: look, or 0. */
__noinline __u32 look_misses(struct __sk_buff *skb, __u32 index, __u32 look)
{
	const struct explain_ask *ask = explain_asked();
	const struct rule_row *row;
	struct packet packet;
	__u32 tried = 0;

	row = ask ? table_rule(ask->slot & 1, index) : 0;
	if (!row)
		return 0;
	packet_read(skb, &packet);
	packet_uid(skb, &packet);
	packet_forget(&packet, ZEROES(ask->zero));
	if (look == MISSED_LOOPBACK)
		return ~row_names(row) & packet.required ? look : 0;
	if (looks_fit(row, look_whole(row, look), &packet, ask->slot & 1,
		      ask->states, &tried) == FITS_NOT)
		return look;
	return 0;
}

/* All that a packet does not satisfy of a rule. */
__noinline __u32 row_misses(struct __sk_buff *skb, __u32 slot, __u32 index)
{
	const struct rule_row *row = table_rule(slot & 1, index);
	__u32 looks, missed, bit;

	if (!row)
		return 0;
	looks = row->looks &
		~(LOOK_SRC_NOT | LOOK_DST_NOT | LOOK_LIMIT | LOOK_LOOPBACK);
	missed = look_misses(skb, index, MISSED_LOOPBACK);
	for (bit = 0; bit < 19; bit++)
		if (looks >> bit & 1)
			missed |= look_misses(skb, index, 1U << bit);
	return missed;
}

SEC("tc")
int explain_decide(struct __sk_buff *skb)
{
	const struct explain_ask *ask = explain_asked();
	struct explain_answer *answer;
	__u32 zero = 0;

	answer = bpf_map_lookup_elem(&answers, &zero);
	if (ask && answer)
		answer->decided = chain_decide(skb, ask->slot & 1, ask->chain,
					       ask->states, ask->hook);
	return 0;
}

SEC("tc")
int explain_rows(struct __sk_buff *skb)
{
	const struct explain_ask *ask = explain_asked();
	struct explain_answer *answer;
	__u32 zero = 0, i;

	answer = bpf_map_lookup_elem(&answers, &zero);
	if (!ask || !answer)
		return 0;
	for (i = 0; i < EXPLAIN_ROWS && i < ask->count; i++)
		answer->missed[i] = row_misses(skb, ask->slot, ask->first + i);
	return 0;
}
