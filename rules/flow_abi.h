/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the matcher itself remembers: flows and the tokens of rules with a
 * limit.  Host byte order unless typed __be; explicit zeroed padding.
 */
#ifndef WEIR_RULES_FLOW_ABI_H
#define WEIR_RULES_FLOW_ABI_H

#include <linux/bpf.h>
#include <linux/types.h>

/* ----------------------------------------------------------- flows */

/*
 * Both directions of a conversation have one key: the side whose address
 * (then port) is smaller comes first.  Of an ICMP query, who asks does, and
 * its id stands for both ports.
 */
struct flow_key {
	__u64 place;	  /* a cgroup's id, or one of the two below */
	__u8 addr[2][16]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 port[2];
	__u8 protocol;
	__u8 pad[3];
};

_Static_assert(sizeof(struct flow_key) == 48, "no hidden padding");

#define FLOW_DEVICE	(1ULL << 63) /* | the index of the device's row */
#define FLOW_FRAGMENT	(1ULL << 62) /* | the index of the chain's row, … */
#define FLOW_GENERATION 0x3fffffff /* … and of the generation so much << 32 */

/*
 * What was heard of a flow: bits of flow.said.  Those of two sides have that
 * of the other side, which did not speak first, one bit higher.
 */
enum {
	FLOW_REPLIED = 1 << 0, /* the other side has spoken */
	FLOW_SYN = 1 << 1,     /* of TCP, likewise below; none: picked up */
	FLOW_FIN = 1 << 3,
	FLOW_RESET = 1 << 5,
	FLOW_ACKED = 1 << 6, /* acked is known */
};

/* The unit of strides, in bytes: 1 << FLOW_STRIDE. */
#define FLOW_STRIDE 16

struct flow {
	struct flow_key key;
	__u8 first; /* the side of the key that spoke first: 0 or 1 */
	__u8 said;
	__u8 windowed; /* 1: its window is its own, not of a flow before it */
	__u8 pad;
	/*
	 * Of TCP, of who spoke first and of the other: what was acknowledged
	 * last, and how far that went on at most from one look to the next.
	 * Before FLOW_ACKED of the first is there, what it should acknowledge.
	 */
	__u16 strides[2];
	__u32 acked[2];
};

_Static_assert(sizeof(struct flow) == 64, "a cache line");

/* What the windows of a connection go by: of each side, and of the last
 * segment.
 */
enum {
	WINDOW_LIBERAL = 1 << 0, /* picked up: its scale is not known */
	WINDOW_SCALED = 1 << 1,	 /* its SYN had a scale */
	WINDOW_ACKED = 1 << 2,	 /* acked is known */
};

struct window_side {
	__u32 end;    /* the sequence number behind what it has sent */
	__u32 edge;   /* the one behind what it may send */
	__u32 window; /* the most it has offered, bytes; 0: not heard yet */
	__u32 acked;  /* the most it has acknowledged */
	__u8 scale;
	__u8 flags;
	__u16 pad;
};

enum {
	WINDOW_SYN = 1,
	WINDOW_SYN_ACK,
	WINDOW_FIN,
	WINDOW_ACK,
	WINDOW_RST,
};

struct window_last {
	__u8 kind; /* WINDOW_SYN and so on */
	__u8 role; /* of its sender: 0 for who spoke first */
	/* Of a SYN in a connection that goes on: its receiver may take it. */
	__u8 scale;
	__u8 flags;
	__u16 window;
	__u16 pad;
	__u32 end;
	__u32 acked;
};

/* Of a flow, where its device asks for windows. */
struct flow_window {
	struct window_side sides[2]; /* who spoke first, and the other */
	struct window_last last;
	__u64 pad;
};

_Static_assert(sizeof(struct flow_window) == 64, "a cache line");

/* Time is counted in ticks of CLOCK_MONOTONIC: 1 << FLOW_TICK ns, 67 ms. */
#define FLOW_TICK	    26
#define FLOW_TICKS(seconds) ((__u32)((seconds)*1000000000ULL >> FLOW_TICK))

/*
 * A flow may be in one line only, which its hash says.  A new one has what is
 * free or over there, or else the room of a flow that is not proven, or else of
 * one that is not firm; of these, of that which will be over first.
 */
#define FLOW_WAYS 8

/* Bits of a tag. */
enum {
	FLOW_PROVEN = 1 << 0, /* who opened it spoke again after the answer */
	/*
	 * And it is TCP, so that it must have heard the answer: who forges
	 * where packets come from does not.  It makes room for nobody.
	 */
	FLOW_FIRM = 1 << 1,
	FLOW_BITS = FLOW_PROVEN | FLOW_FIRM,
};

struct flow_line {
	__u32 tags[FLOW_WAYS];	 /* of hashes, with their bits; 0: free */
	__u32 untils[FLOW_WAYS]; /* ticks; then it is over */
	struct flow flows[FLOW_WAYS];
};

/* After how long without a packet a flow is over, by what it is. */
enum flow_time {
	FLOW_TCP_OPENING, /* not proven */
	FLOW_TCP_ESTABLISHED,
	FLOW_TCP_CLOSING, /* a FIN was seen */
	FLOW_TCP_RESET,
	FLOW_UDP, /* and all that is neither TCP nor ICMP */
	FLOW_UDP_REPLIED,
	FLOW_ICMP,
	FLOW_TIMES,
};

#define FLOW_TIMES_ROOM 8

/* What a table begins with: block 0. */
struct flow_head {
	/* User space writes. */
	__u32 mask; /* lines - 1: a power of two; they are blocks 1 … */
	__u32 room; /* how many flows there is room for */
	__u64 seed;
	__u32 times[FLOW_TIMES_ROOM]; /* by enum flow_time, ticks */
	__u32 windows; /* 1: behind all lines each has a block of windows */
	__u32 asked;   /* how many flows a policy wants; 0: what is usual */
	__u64 pad2;
	/* BPF counts, each flow. */
	__u64 opened;
	__u64 evicted; /* made room for another before it was over */
	__u64 expired; /* was over, and another is there now */
	__u64 full;    /* was not let in */
};

/* A table is an array of these: the head, the lines, and maybe their windows.
 */
union flow_block {
	struct flow_head head;
	struct flow_line line;
	/* One more than ways: to judge a segment in, under the lock. */
	struct flow_window windows[FLOW_WAYS + 1];
};

_Static_assert(sizeof(union flow_block) == 576, "no hidden padding");

/*
 * Each group and each device has a table of its own, so that nobody takes
 * anybody else's room.  Its index in `flows`: of a device that of its row; of a
 * group one from FLOW_SHARE_GROUPS on, for as long as it looks at states.
 */
#define FLOW_SHARES	  16384
#define FLOW_SHARE_GROUPS 4096

/* Room: what may be asked for; what is given where nobody asks. */
#define FLOW_ROOM_MIN	 64
#define FLOW_ROOM_MAX	 4194304
#define FLOW_ROOM_DEVICE 65536
#define FLOW_ROOM_GROUP	 4096
/* … but no more than so many for all of the groups, or all of the devices. */
#define FLOW_ROOM_ALL 262144

/* There are twice as many ways, as flows do not fall evenly on lines. */
#define FLOW_LINES(room) ((room)*2 / FLOW_WAYS)

static inline __attribute__((always_inline)) __u64 flow_hash(
	const struct flow_key *key, __u64 seed)
{
	const __u64 *words = (const __u64 *)key;
	__u64 hash = seed;
	int i;

	for (i = 0; i < (int)(sizeof(*key) / 8); i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	return hash * 0x9e3779b97f4a7c15ULL;
}

/* Of a hash; a tag is never 0, and has none of FLOW_BITS yet. */
#define FLOW_LINE_OF(hash) ((__u32)((hash) >> 40))
#define FLOW_TAG_OF(hash)  (((__u32)((hash) >> 8) & ~(__u32)FLOW_BITS) | 4)

/* -------------------------------------------------------- fragments */

/* That a first fragment was allowed.  Key: a flow_key with FLOW_FRAGMENT. */
struct fragment {
	__u64 seen_ns; /* CLOCK_MONOTONIC */
	__u32 tag;     /* hash of the key: an LRU map may reuse an element */
	__u32 counter; /* of the rule that allowed it */
};

_Static_assert(sizeof(struct fragment) == 16, "no hidden padding");

/* ----------------------------------------------------------- tokens */

/*
 * The tokens of a rule with a limit, as the time when the next one is due.
 * User space makes it (zeroes) before the rule is in force; BPF writes it
 * under its lock.  Key: the rule's counter id.
 */
struct rule_limit {
	struct bpf_spin_lock lock;
	__u32 pad;
	__u64 due_ns; /* CLOCK_MONOTONIC */
};

_Static_assert(sizeof(struct rule_limit) == 16, "no hidden padding");

/*
 * The tokens that sources have of rules with `limit … per source`.  A source
 * may be in one line only, which its hash says; the one there whose tokens are
 * all back, or will be first, makes room for another.
 */
#define SOURCE_WAYS  4
#define SOURCE_LINES 16384

struct source_tokens {
	/*
	 * Both of the rule and its source: two sources of one rule differ, and
	 * that those of two rules do not has a chance of 2^-64.
	 */
	__u64 id;
	__u64 due_ns; /* as rule_limit has it */
};

struct source_line {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct source_tokens ways[SOURCE_WAYS];
};

_Static_assert(sizeof(struct source_line) == 72, "no hidden padding");

#endif
