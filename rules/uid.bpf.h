/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user that a socket belongs to, as the host counts users.  The helper
 * bpf_get_socket_uid counts as the network namespace's owner does, so root
 * in a rootless container would be root; and there is none at connect().
 */
#ifndef WEIR_RULES_UID_BPF_H
#define WEIR_RULES_UID_BPF_H

#include <bpf/bpf_core_read.h>

#include "rules/packet.bpf.h"

struct sock___uid {
	struct {
		__u32 val;
	} sk_uid;
} __attribute__((preserve_access_index));

/* sk: a full socket, as the verifier knows it. */
static __always_inline __u32 socket_uid(struct bpf_sock *sk)
{
	/* Nobody may calculate with sk; read back it is a plain number. */
	void *volatile slot = sk;
	struct sock___uid *sock = 0;
	__u32 uid = NONE;

	bpf_probe_read_kernel(&sock, sizeof(sock), (const void *)&slot);
	bpf_probe_read_kernel(&uid, sizeof(uid), &sock->sk_uid);
	return uid;
}

static __always_inline void packet_uid(struct __sk_buff *skb, struct packet *p)
{
	struct bpf_sock *sk = skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (sk)
		p->uid = socket_uid(sk);
	else
		p->absent |= LOOK_UID;
}

#endif
