/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pacing keeps.  BPF writes, user space may read.  Host byte order; a
 * time is in nanoseconds of CLOCK_MONOTONIC, a rate in bytes per second on
 * the wire (IP packet and link header, each segment with its own) unless its
 * name says otherwise.
 */
#ifndef WEIR_CGROUP_PACE_ABI_H
#define WEIR_CGROUP_PACE_ABI_H

#include <linux/types.h>

/* No limit; also the value of SO_MAX_PACING_RATE that lifts it. */
#define PACE_UNLIMITED 0xffffffffffffffffULL

/* Users are counted in 1/PACE_USER of a socket that is always busy. */
#define PACE_USER 1024

/*
 * The controller of one scope, under the scope's lock.  All zero is a
 * controller that has not seen a packet.
 */
struct pace {
	__u64 rate;	    /* that the rest was made for; 0: new */
	__u64 fair;	    /* what each busy user may send */
	__u64 next_ns;	    /* when all that was sent is paid for, at rate */
	__u64 next_rest;    /* of that division: 1/rate of a nanosecond */
	__u64 other_ns;	    /* the same for what no socket paces, at fair */
	__u64 epoch_ns;	    /* when this epoch ends */
	__u64 used_ns;	    /* time that users were busy in this epoch */
	__u64 spill_ns;	    /* … that belongs to later epochs */
	__u64 cover_ns;	    /* of a packet, smoothed */
	__u64 loose_bytes;  /* in this epoch, that nothing paces */
	__u64 loose;	    /* rate of that, smoothed */
	__u32 window;	    /* that count is of */
	__u32 count;	    /* sockets that sent in it */
	__u32 count_before; /* … in the one before */
	__u32 others; /* 1: what no socket paces is counted in count */
	__u32 users;  /* busy at a time, in 1/PACE_USER, smoothed */
	__u32 rtt_us; /* longest lately */
};

_Static_assert(sizeof(struct pace) == 112, "no hidden padding");

/*
 * What lies with a TCP socket.  A packet that leaves and the sockops
 * callbacks both hold the socket, so there is no lock.
 */
struct pace_sock {
	__u64 wanted;	/* least fair rate of its scopes; 0: not known yet */
	__u64 set;	/* of the pacing rate in force; 0: never set */
	__u64 folded;	/* least rate so far, while a packet is charged */
	__u32 share;	/* payload in what it sends, in 1/65536, smoothed */
	__u32 rtt_us;	/* smoothed */
	__u8 tight;	/* scope that wanted is from: its place in the list */
	__u8 set_tight; /* … that set is from */
	__u8 fold_tight;
	__u8 fresh;   /* this packet is its first in the window */
	__u32 sent;   /* payload bytes, up to a few segments */
	__u32 window; /* clamp of segments under way; 0: none */
	__u32 stamp;  /* window it last sent in */
};

_Static_assert(sizeof(struct pace_sock) == 48, "no hidden padding");

#endif
