/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP sockets that are open when a limit comes: nobody has asked the kernel to
 * call for them, so they would hear of no rate, and meet the bound with all
 * that they have under way.  This goes through the sockets of a namespace
 * twice before the policy is in force.  The first time it counts those that
 * are busy; the second time it tells each a rate, and has the kernel call from
 * now on.  A kernel that cannot (before 6.12) leaves them deaf: they keep to
 * the rate until they are told again from here.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "cgroup/adopt_abi.h"
#include "rules/kernel.bpf.h"
#include "cgroup/pace.bpf.h"
#include "rules/peer.bpf.h"

#define ADOPT_PER_CGROUP  2  /* limits at one cgroup: a group's and a run's */
#define ADOPT_DEAF	  64 /* … less of its share has who is deaf: 1.6 % */
#define ADOPT_LATELY	  64 /* jiffies: a quarter of a second, or so */
#define PACE_SO_CALLBACKS 1008 /* TCP_BPF_SOCK_OPS_CB_FLAGS */

/* User space writes, BPF counts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* user space says how many */
	__type(key, __u32);
	__type(value, struct adopt_limit);
} limits SEC(".maps");

/* User space writes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1); /* likewise */
	__type(key, struct adopt_key);
	__type(value, struct adopt_place);
} places SEC(".maps");

/* BPF counts, user space reads and resets: sockets that were left deaf. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} deaf SEC(".maps");

bool telling; /* the second time */
__u32 slot;   /* of the tables that will be in force */

/* Which of a place's limits holds for the other end. */
static __always_inline __u32 limit_for(const struct adopt_place *place,
				       const union address *peer)
{
	int row;

	if (!place->peers.count)
		return place->limit;
	row = peer_find(slot, place->peers.first, place->peers.count,
			peer->halves[0], peer->halves[1]);
	return row < 0 ? place->limit
		       : place->limit + 1 + row - place->peers.first;
}

/*
 * The least rate that a limit of this cgroup leaves to a socket.  Global, as in
 * member.bpf.h, so that the verifier looks at it once and not for each level.
 */
__noinline __u64 meet_cgroup(__u64 folder, __u32 busy, __u64 least, __u64 half0,
			     __u64 half1)
{
	struct adopt_key key = { .cgroup = kernel_folder_id(folder) };
	const union address peer = { .halves = { half0, half1 } };
	const struct adopt_place *place;
	struct adopt_limit *limit;
	__u32 index, nth;

	for (nth = 0; nth < ADOPT_PER_CGROUP; nth++) {
		key.nth = nth;
		place = bpf_map_lookup_elem(&places, &key);
		if (!place)
			break;
		index = limit_for(place, &peer);
		limit = bpf_map_lookup_elem(&limits, &index);
		if (!limit)
			break;
		if (busy && !telling)
			__sync_fetch_and_add(&limit->busy, 1);
		least = pace_min(least, limit->fair);
	}
	return least;
}

/* The same of all limits that hold for the socket's cgroup. */
static __always_inline __u64 meet_limits(struct tcp_sock *tcp,
					 const struct sock_common *sk,
					 bool busy)
{
	__u64 folder = kernel_cgroup_folder(kernel_address(tcp));
	__u64 least = PACE_UNLIMITED;
	union address peer = { .halves = { 0, 0 } };
	__be32 ip4 = 0;
	int i;

	if (kernel_peer(sk, &ip4, &peer) == 4)
		address_map(&peer, ip4);
	for (i = 0; i < DEPTH_MAX && folder; i++) {
		least = meet_cgroup(folder, busy, least, peer.halves[0],
				    peer.halves[1]);
		folder = kernel_folder_parent(folder);
	}
	return least;
}

static __always_inline bool hears(const struct tcp_sock *tcp)
{
	return tcp->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_RTT_CB_FLAG;
}

/* Has the kernel call for the socket; false where it cannot. */
static __always_inline bool make_hear(struct tcp_sock *tcp)
{
	int flags = tcp->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_RTT_CB_FLAG;

	return bpf_setsockopt(tcp, PACE_SOL_TCP, PACE_SO_CALLBACKS, &flags,
			      sizeof(flags)) == 0;
}

/* No limit holds for it any more, and it would never hear of that. */
static __always_inline void let_go(struct tcp_sock *tcp)
{
	struct pace_sock *paced = bpf_sk_storage_get(&sockets, tcp, 0, 0);

	if (!paced || hears(tcp))
		return;
	pace_let_go(tcp, paced);
	bpf_sk_storage_delete(&sockets, tcp);
}

static __always_inline void count_deaf(void)
{
	__u32 zero = 0, *count = bpf_map_lookup_elem(&deaf, &zero);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline void tell(struct tcp_sock *tcp, __u64 share, bool busy)
{
	bool is_deaf = !hears(tcp) && !make_hear(tcp);
	struct pace_sock *paced;

	if (is_deaf) {
		count_deaf();
		/* He could never pay back what he sends too much. */
		share -= share / ADOPT_DEAF;
	} else if (!busy) {
		return; /* he hears in good time */
	}
	paced = bpf_sk_storage_get(&sockets, tcp, 0,
				   BPF_SK_STORAGE_GET_F_CREATE);
	if (!paced || (!is_deaf && paced->set))
		return; /* who is paced and hears, likewise */
	paced->rtt_us = tcp->srtt_us >> 3;
	pace_adopt(tcp, paced, share, kernel_pacing(tcp), tcp->mss_cache,
		   !is_deaf, bpf_ktime_get_ns());
}

SEC("iter/tcp")
int adopt_sockets(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct tcp_sock *tcp;
	__u64 share;
	bool busy;

	if (!sk || sk->skc_state == TCP_LISTEN_STATE)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	/* A fast sender may have nothing left to send for a moment. */
	busy = tcp->packets_out || tcp->write_seq != tcp->snd_nxt ||
	       (__u32)bpf_jiffies64() - tcp->lsndtime < ADOPT_LATELY;
	share = meet_limits(tcp, sk, busy);
	if (telling && share == PACE_UNLIMITED)
		let_go(tcp);
	else if (telling)
		tell(tcp, share, busy);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
