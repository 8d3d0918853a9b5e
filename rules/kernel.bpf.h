/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few fields of kernel structs that are read, relocated at load.  With
 * them the path of a socket's cgroup is found, which no helper gives, and
 * what a TCP socket has not sent yet.
 */
#ifndef WEIR_RULES_KERNEL_BPF_H
#define WEIR_RULES_KERNEL_BPF_H

#include <linux/bpf.h>
#include <linux/in6.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define RELOCATED __attribute__((preserve_access_index))

#define DEPTH_MAX	   64 /* levels of cgroups that are looked at */
#define TCP_SYN_SENT_STATE 2
#define TCP_LISTEN_STATE   10
#define FAMILY_INET	   2

struct kernfs_node {
	struct kernfs_node *parent;
	const char *name;
	__u64 id;
} RELOCATED;

struct kernfs_node___6_15 { /* since 6.15 */
	struct kernfs_node *__parent;
} RELOCATED;

struct cgroup {
	struct kernfs_node *kn;
} RELOCATED;

struct sock_cgroup_data {
	struct cgroup *cgroup;
} RELOCATED;

struct sock_cgroup_data___5_14 { /* up to 5.14 */
	__u64 val;		 /* an address, or bit 0 and other things */
} RELOCATED;

struct sock_common {
	unsigned char skc_state;
	unsigned short skc_family;
	__be32 skc_daddr;
	struct in6_addr skc_v6_daddr; /* not where there is no IPv6 */
} RELOCATED;

struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data;
	unsigned long sk_max_pacing_rate;
} RELOCATED;

struct bpf_iter__tcp {
	void *meta;
	struct sock_common *sk_common;
} RELOCATED;

struct inet_connection_sock {
	__u32 icsk_user_timeout; /* ms; 0: none */
} RELOCATED;

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 write_seq; /* after all that the application has written */
	__u32 snd_nxt;	 /* after all that was sent; moves on after the hook */
	__u32 packets_out;  /* segments under way */
	__u32 snd_cwnd;	    /* how many of them there may be */
	__u32 lsndtime;	    /* when it sent last, in jiffies */
	__u32 mss_cache;    /* bytes */
	__u32 srtt_us;	    /* in 1/8 of a us */
	__u32 window_clamp; /* of what it offers, bytes */
	__u8 bpf_sock_ops_cb_flags;
} RELOCATED;

struct sk_buff {
	unsigned char *head, *data;
	__u16 network_header;
} RELOCATED;

#define READ(dst, src) bpf_probe_read_kernel(&(dst), sizeof(dst), (src))

/*
 * The address of a socket as a plain number.  The verifier lets nobody
 * calculate with the pointer that it handed out; read back from the stack
 * it is just bytes.
 */
static __always_inline __u64 kernel_address(void *pointer)
{
	void *volatile slot = pointer;
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), (const void *)&slot);
	return address;
}

/*
 * The other end's address: returns 4 for one of IPv4, which is then at ip4, or
 * 6 for one of IPv6, whose 16 bytes are at ip6.
 */
static __always_inline int kernel_peer(const struct sock_common *sk,
				       __be32 *ip4, void *ip6)
{
	if (sk->skc_family == FAMILY_INET ||
	    !bpf_core_field_exists(sk->skc_v6_daddr)) {
		*ip4 = sk->skc_daddr;
		return 4;
	}
	bpf_probe_read_kernel(ip6, sizeof(sk->skc_v6_daddr), &sk->skc_v6_daddr);
	return 6;
}

/* The folder in cgroupfs of the socket's cgroup; 0 where it has none. */
static __always_inline __u64 kernel_cgroup_folder(__u64 sock)
{
	struct sock *sk = (struct sock *)sock;
	struct cgroup *cgroup = NULL;
	struct kernfs_node *kn = NULL;

	if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup)) {
		READ(cgroup, &sk->sk_cgrp_data.cgroup);
	} else {
		struct sock_cgroup_data___5_14 *data =
			(void *)&sk->sk_cgrp_data;
		__u64 val = 1;

		READ(val, &data->val);
		cgroup = val & 1 ? NULL : (struct cgroup *)(val & ~3ULL);
	}
	if (cgroup)
		READ(kn, &cgroup->kn);
	return (__u64)kn;
}

/*
 * Bytes that the application has written and TCP has not sent, this packet's
 * own among them.
 */
static __always_inline __u32 kernel_unsent(void *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	return tcp ? tcp->write_seq - tcp->snd_nxt : 0;
}

/* The congestion window of a TCP socket, in segments. */
static __always_inline __u32 kernel_window(void *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	return tcp ? tcp->snd_cwnd : 0;
}

/* TCP_WINDOW_CLAMP of a TCP socket, or what its buffer allows. */
static __always_inline __u32 kernel_receive_clamp(void *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	return tcp ? tcp->window_clamp : 0;
}

/* SO_MAX_PACING_RATE of a TCP socket; all ones: none. */
static __always_inline __u64 kernel_pacing(void *sk)
{
	struct sock *sock = (struct sock *)bpf_skc_to_tcp_sock(sk);

	return sock ? sock->sk_max_pacing_rate : ~0ULL;
}

/* TCP_USER_TIMEOUT of a TCP socket. */
static __always_inline __u32 kernel_user_timeout(void *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	return tcp ? tcp->inet_conn.icsk_user_timeout : 0;
}

/* Where the IP header of a packet begins, from the beginning of its data on. */
static __always_inline __u32 kernel_network(void *skb)
{
	struct sk_buff *real = (struct sk_buff *)kernel_address(skb);
	unsigned char *head = NULL, *data = NULL;
	__u16 network = 0;

	READ(head, &real->head);
	READ(data, &real->data);
	READ(network, &real->network_header);
	return head + network - data;
}

static __always_inline __u64 kernel_folder_parent(__u64 folder)
{
	struct kernfs_node *kn = (struct kernfs_node *)folder;
	struct kernfs_node *parent = NULL;

	if (bpf_core_field_exists(kn->parent)) {
		READ(parent, &kn->parent);
	} else {
		struct kernfs_node___6_15 *newer = (void *)kn;

		READ(parent, &newer->__parent);
	}
	return (__u64)parent;
}

static __always_inline __u64 kernel_folder_id(__u64 folder)
{
	struct kernfs_node *kn = (struct kernfs_node *)folder;
	__u64 id = 0;

	READ(id, &kn->id);
	return id;
}

/* Puts the name at to, with its NUL, at most 256 bytes; returns how many. */
static __always_inline long kernel_folder_name(__u64 folder, char *to)
{
	struct kernfs_node *kn = (struct kernfs_node *)folder;
	const char *name = NULL;

	READ(name, &kn->name);
	return bpf_probe_read_kernel_str(to, 256, name);
}

#endif
