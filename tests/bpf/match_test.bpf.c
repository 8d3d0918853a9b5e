// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The matcher behind the hooks that it works at, for BPF_PROG_TEST_RUN: the
 * chain and the hook come from a map, the whole decision goes to another.
 */
#include "rules/address.bpf.h"
#include "rules/quick.bpf.h"
#include "rules/window.bpf.h"
#include "tests/bpf/match_test.h"

char LICENSE[] SEC("license") = "GPL";

/* The test writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct match_ask);
} asks SEC(".maps");

/* The programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct match_answer);
} answers SEC(".maps");

/* The programs add: states of TCP by MATCH_SEEN(). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MATCH_SEEN(2, 0));
	__type(key, __u32);
	__type(value, __u32);
} seen SEC(".maps");

static __always_inline int decide(struct __sk_buff *skb)
{
	__u32 zero = 0, slot = generation_slot(), hook;
	struct match_ask *ask = bpf_map_lookup_elem(&asks, &zero);
	struct match_answer *answer = bpf_map_lookup_elem(&answers, &zero);
	__u64 decided, states = 0;
	int decision;

	if (!ask || !answer)
		return ROW_DENY;
	hook = ask->hook | ask->share << HOOK_SHARE;
	if (ask->states)
		states = states_find(skb, ask->place, hook);
	if (states & PACKET_WINDOW)
		states = window_states(skb, states, ask->share, 0);
	decided =
		chain_decide_quickly(skb, slot, ask->chain, states, ask->hook);
	decision = DECISION(decided);
	if (decision == ROW_ALLOW && states & PACKET_KEEP)
		states_keep(skb, ask->place, hook);
	if (decision == ROW_ALLOW && ask->windows)
		window_keep(skb, ask->place, hook, states);
	answer->states = (__u8)states & ~PACKET_WINDOW;
	answer->decision = decision;
	answer->flags = decided & (DECIDED_VARIES | DECIDED_STATES);
	answer->counter = decided >> DECIDED_COUNTER;
	if (decision == ROW_ALLOW)
		return ROW_ALLOW;
	return ROW_DENY;
}

SEC("cgroup_skb/egress")
int match_egress(struct __sk_buff *skb)
{
	if (decide(skb) == ROW_ALLOW)
		return 1;
	return 0;
}

SEC("cgroup_skb/ingress")
int match_ingress(struct __sk_buff *skb)
{
	if (decide(skb) == ROW_ALLOW)
		return 1;
	return 0;
}

static __always_inline void watch(struct __sk_buff *skb, __u32 hook)
{
	__u32 index, *states;
	struct packet packet;

	packet_read(skb, &packet);
	if (packet.protocol != IPPROTO_TCP)
		return;
	index = MATCH_SEEN(hook & HOOK_OUT, packet.tcp_flags);
	states = bpf_map_lookup_elem(&seen, &index);
	if (states)
		*states |= states_find(skb, 1, hook);
}

SEC("cgroup_skb/egress")
int watch_egress(struct __sk_buff *skb)
{
	watch(skb, HOOK_OUT);
	return 1;
}

SEC("cgroup_skb/ingress")
int watch_ingress(struct __sk_buff *skb)
{
	watch(skb, 0);
	return 1;
}

/*
 * Opens a flow of IPv4 by the packet, and gives that the address of the next
 * one: to be run as often as flows are wanted.
 */
SEC("tc")
int match_open(struct __sk_buff *skb)
{
	__u32 zero = 0, at = ETH_HLEN + __builtin_offsetof(struct iphdr, saddr);
	struct match_ask *ask = bpf_map_lookup_elem(&asks, &zero);
	__be32 source = 0;

	if (!ask || bpf_skb_load_bytes(skb, at, &source, sizeof(source)) < 0)
		return 2; /* TC_ACT_SHOT */
	if (states_find(skb, ask->place, ask->hook | ask->share << HOOK_SHARE) &
	    PACKET_KEEP)
		states_keep(skb, ask->place,
			    ask->hook | ask->share << HOOK_SHARE);
	source = bpf_htonl(bpf_ntohl(source) + 1);
	bpf_skb_store_bytes(skb, at, &source, sizeof(source), 0);
	return 0;
}

SEC("tc")
int match_device(struct __sk_buff *skb)
{
	if (decide(skb) == ROW_ALLOW)
		return 0; /* TC_ACT_OK */
	return 2;	  /* TC_ACT_SHOT */
}

static __always_inline int refuse(struct bpf_sock_addr *ctx, int is_ip6,
				  __u32 hook)
{
	__u32 zero = 0;
	struct match_ask *ask = bpf_map_lookup_elem(&asks, &zero);
	struct match_answer *answer = bpf_map_lookup_elem(&answers, &zero);
	int decision;

	if (!ask || !answer)
		return 1;
	decision = DECISION(address_decide(ctx, is_ip6, generation_slot(),
					   ask->chain, hook));
	answer->decision = decision;
	if (decision == ROW_DENY || decision == ROW_REJECT)
		return 0;
	return 1;
}

SEC("cgroup/connect4")
int match_connect4(struct bpf_sock_addr *ctx)
{
	return refuse(ctx, 0, HOOK_OUT);
}

SEC("cgroup/connect6")
int match_connect6(struct bpf_sock_addr *ctx)
{
	return refuse(ctx, 1, HOOK_OUT);
}

SEC("cgroup/sendmsg4")
int match_sendmsg4(struct bpf_sock_addr *ctx)
{
	return refuse(ctx, 0, HOOK_OUT | HOOK_SENDMSG);
}

SEC("cgroup/sendmsg6")
int match_sendmsg6(struct bpf_sock_addr *ctx)
{
	return refuse(ctx, 1, HOOK_OUT | HOOK_SENDMSG);
}
