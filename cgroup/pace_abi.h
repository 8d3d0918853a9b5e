/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pacing keeps.  BPF writes, user space may read.  Host byte order; a
 * time is in nanoseconds of CLOCK_MONOTONIC, a rate in bytes per second on
 * the wire: IP packet and link header, each segment with its own.
 */
#ifndef WEIR_CGROUP_PACE_ABI_H
#define WEIR_CGROUP_PACE_ABI_H

#include <linux/types.h>

#define PACE_UNLIMITED 0xffffffffffffffffULL

/* Users are counted in 1/PACE_USER of one that is busy all the time. */
#define PACE_USER 1024

/*
 * The controller of one scope, under the scope's lock.  All zero is one that
 * has not seen a packet.
 */
struct pace {
	__u64 rate;	   /* that the rest was made for; 0: new */
	__u64 burst_bytes; /* likewise */
	__u64 fair;	   /* rate that each user may have */

	__u64 next_ns;	 /* when all that was sent is paid for */
	__u64 next_rest; /* of that division, in 1/rate of a nanosecond */
	__u64 other_ns;	 /* the same for what no socket paces, at fair */
	__u64 drop_ns;	 /* when any of that was dropped last */

	/* Made of rate and burst. */
	__u64 credit_ns; /* how far next_ns may fall behind now */
	__u64 epoch_ns;	 /* length of an epoch */
	__u64 early_ns;	 /* debt at which connections that begin must wait */
	__u64 slack_ns;	 /* … at which all must */
	__u64 most;	 /* rate that one user alone may have */

	/* Of this epoch. */
	__u64 end_ns;	   /* when it ends */
	__u64 used_ns;	   /* for how long users are busy in it, summed up */
	__u64 spill_ns;	   /* … after it */
	__u64 other_used;  /* for how long what no socket paces is busy, ns */
	__u64 loose_bytes; /* sent without payload: nothing paces it */

	/* Smoothed. */
	__u64 cover_ns; /* how long a packet keeps its socket busy */
	__u64 loose;	/* rate of what nothing paces */
	__u32 users;	/* in 1/PACE_USER */
	__u32 rtt_us;	/* of the slowest lately */

	/* Sockets are counted in windows of a second or more. */
	__u64 window_ns;    /* when this one began */
	__u32 count;	    /* sockets that sent in it */
	__u32 count_before; /* … in the one before */
	__u32 others;	    /* 1: what is no socket is in count, too */

	/* Sockets whose last packet was dropped, by when: windows again. */
	__u32 waiting;
	__u32 waiting_before;
	__u32 all;	  /* users that fair is made for, all kinds */
	__u64 waiting_ns; /* when this window began */

	__u32 begun;  /* users that began lately, as far as not in users yet */
	__u32 favour; /* weight of a socket whose message begins */
};

_Static_assert(sizeof(struct pace) == 208, "no hidden padding");

/*
 * What lies with a TCP socket.  Who sends and who calls sockops holds the
 * socket, so there is no lock.
 */
struct pace_sock {
	__u64 wanted;  /* least fair rate of its scopes; 0: not known yet */
	__u64 set;     /* that its pacing rate stands for; 0: none was set;
			  both are what a weight of 1 gets */
	__u64 last_ns; /* when it sent last */

	/* While a packet is charged to one scope after the other. */
	__u64 fold_last_ns; /* last_ns before this packet */
	__u64 fold;	    /* least rate so far */
	__u8 fold_tight;    /* scope that this is of: its place in the list */

	__u8 tight;	/* … that wanted is of */
	__u8 set_tight; /* … that set is of */
	__u8 again;	/* 1: set it even if it seems right */
	__u32 sent;	/* bytes of payload, up to a few segments */
	__u32 share;	/* of payload in what it sends, 1/65536, smoothed */
	__u32 rtt_us;	/* smoothed */
	__u32 window;	/* clamp of the segments under way; 0: none */

	__u32 waits_at;	  /* scope that dropped its last packet */
	__u64 waits_ns;	  /* when; 0: it passed */
	__u64 refused_ns; /* since when none has passed; 0: the last one did */

	/* How much it counts: more while its message is short. */
	__u64 message;	   /* bytes of it so far */
	__u64 most;	   /* of the tightest scope; 0: not known yet */
	__u16 favour;	   /* likewise */
	__u16 weight;	   /* as of its last packet; 0: none yet */
	__u16 set_weight;  /* of its pacing rate: that is set times this */
	__u8 drained;	   /* 1: all that was written is sent */
	__u8 grown;	   /* 1: its message just became too long */
	__u32 begun;	   /* its part of its tightest scope's */
	__u32 short_bytes; /* a longer message is not favoured */
	__u64 begun_ns;	   /* end of the epoch in which that was added */

	/* Its pacing rate as the kernel has it; PACE_UNLIMITED: none. */
	__u64 told;  /* by us; 0: not yet */
	__u64 asked; /* by the application: it gets no more than that */
};

_Static_assert(sizeof(struct pace_sock) == 136, "no hidden padding");

#endif
