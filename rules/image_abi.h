/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image: a policy as flat tables, the same bytes in user space and in
 * the maps that the BPF programs read.  Each table is an inner map of an
 * array-of-maps with two slots; generation & 1 is the slot in force.
 * A program reads the generation once per packet, so it never sees a
 * mixture of two policies.  Only user space writes these tables.
 *
 * Integers are in host byte order unless typed __be.  Padding is explicit
 * and zero, so rows compare with memcmp.  An index of NONE means "no such".
 */
#ifndef WEIR_RULES_IMAGE_ABI_H
#define WEIR_RULES_IMAGE_ABI_H

#include <linux/types.h>

#include "rules/calendar_abi.h"
#include "rules/class_abi.h"
#include "rules/flow_abi.h"
#include "rules/glob_abi.h"
#include "rules/set_abi.h"

#define NONE 0xffffffffU

/* Offset into the table of strings, where texts end in NUL. 0 is "". */
typedef __u32 str_off;

/* Strings are stored in pages: only user space reads them. */
#define STRINGS_PAGE 4096

struct strings_page {
	char bytes[STRINGS_PAGE];
};

/* ------------------------------------------------------------ rules */

enum {
	ROW_DENY = 0, /* the values of enum verdict */
	ROW_ALLOW = 1,
	ROW_REJECT = 2,
	ROW_JUMP = 3, /* goes on with the next row, and at skip if it misses */
	ROW_RETURN =
		4, /* goes on at skip, and with the next row if it misses */
	ROW_NONE = 255, /* of a chain: no policy, and nobody asks it */
};

/* What a rule looks at: bits of rule_row.looks. */
enum {
	LOOK_FAMILY = 1 << 0,
	LOOK_PROTOCOL = 1 << 1,
	LOOK_SRC = 1 << 2,     /* src.addr/mask, or src.set */
	LOOK_SRC_NOT = 1 << 3, /* … must not match */
	LOOK_DST = 1 << 4,
	LOOK_DST_NOT = 1 << 5,
	LOOK_SRC_PORT = 1 << 6, /* src.port range, or src.port_set */
	LOOK_DST_PORT = 1 << 7,
	LOOK_STATE = 1 << 8,
	LOOK_ICMP_TYPE = 1 << 9,
	LOOK_TCP_FLAGS = 1 << 10,
	LOOK_MARK = 1 << 11,
	LOOK_DSCP = 1 << 12,
	LOOK_IFINDEX = 1 << 13,
	LOOK_UID = 1 << 14,
	LOOK_LENGTH = 1 << 15,
	LOOK_LIMIT = 1 << 16, /* looked at last: it spends a token */
	/*
	 * No condition: the row counts on loopback without LOOK_IFINDEX, as a
	 * jump, as a jump that led to it names an interface, or for
	 * LOOK_IFACES.
	 */
	LOOK_LOOPBACK = 1 << 17,
	LOOK_IFACES = 1 << 18, /* the interface's name, in a set: ifaces */
};

/* What a rule does besides its verdict: bits of rule_row.does. */
enum {
	DO_LOG = 1 << 0,
};

/* The states of a packet: bits, STATE_* of rules/policy.h. */
enum {
	PACKET_NEW = 1 << 0,
	PACKET_ESTABLISHED = 1 << 1,
	PACKET_RELATED = 1 << 2,
	PACKET_INVALID = 1 << 3,
};

struct row_side {
	/* IPv4 as ::ffff:a.b.c.d; compared as (address & mask) == addr */
	__u8 addr[16];
	__u8 mask[16];
	__u32 set;		     /* in sets; NONE: addr and mask */
	__u32 port_set;		     /* in sets; NONE: the range */
	__u16 port_first, port_last; /* inclusive */
	__u32 pad;
};

/* A rule's line has so many bits: the matcher takes what is above for a zero.
 */
#define ROW_LINE_BITS 30
#define ROW_LINE_MAX  ((1 << ROW_LINE_BITS) - 1)

struct rule_row {
	__u32 looks;
	__u8 verdict;
	__u8 family; /* 4 or 6 */
	__u8 protocol;
	__u8 states; /* any of these PACKET_* */
	struct row_side src, dst;
	__u64 icmp_types[4]; /* bit t % 64 of [t / 64] */
	__u8 tcp_mask, tcp_value;
	__u8 dscp;
	__u8 does;
	__u32 mark, mark_mask;
	union {
		__u32 ifindex; /* 0: the interface is not there, no match */
		__u32 ifaces;  /* of LOOK_IFACES: in sets */
	};
	__u32 uid;
	__u16 length_first, length_last; /* bytes of the IP packet */
	__u64 limit_interval_ns;	 /* between two tokens */
	__u64 limit_burst_ns;		 /* tokens saved, as time */
	/* By what source_limits knows the rule; 0: one limit for all sources */
	__u64 limit_source;
	/* With DO_LOG, of its events: as the two above.  Never 0. */
	__u64 log_interval_ns, log_burst_ns;
	__u32 counter; /* in counters and rule_limits */
	__u32 chain;
	__u32 number; /* its key in the file */
	__u32 line;   /* up to ROW_LINE_MAX */
	str_off file;
	str_off text; /* canonical */
	str_off log_prefix;
	str_off iface;
	/*
	 * The index in the walk behind it: of a jump behind the rules that it
	 * leads to, of a return behind those that it leaves.  Of both also the
	 * place in the list of the first that is listed from there on.
	 */
	__u32 skip, skip_listed;
};

_Static_assert(sizeof(struct row_side) == 48, "no hidden padding");
_Static_assert(sizeof(struct rule_row) == 240, "no hidden padding");

enum {
	CHAIN_STRICT = 1 << 0, /* no built-in exceptions on a device */
	CHAIN_LOOPBACK =
		1 << 1,	       /* some rule names lo, or a set of interfaces */
	CHAIN_STATES = 1 << 2, /* some rule looks at states */
	CHAIN_UIDS = 1 << 3,   /* some rule looks at the user */
	CHAIN_LIMITS = 1 << 4, /* some rule has a limit */
	CHAIN_LINEAR = 1 << 5, /* the list has all rules, and no words */
	CHAIN_CALLS = 1 << 6,  /* there are roots for calls, too */
	CHAIN_LISTED = 1 << 7, /* the first rule is in the list */
};

/*
 * A packet's walk through a chain's list goes by batches of so many rules, and
 * so many times the rules that the classifier finds may turn out not to fit:
 * it is what the verifier has to follow.
 */
#define WALK_BATCH	  16
#define CHAIN_BATCHES_MAX 1024
#define CHAIN_ASKS_MAX	  32

struct chain_row {
	__u32 first, count; /* in rules: as written, by number */
	/*
	 * In rules: those that packets meet.  As written, or where there are
	 * jumps, copies behind all that is written, in which each jump is
	 * followed by what it jumps to.  Indexes count from there.
	 */
	__u32 walk, walk_count;
	__u32 counter; /* of the policy verdict */
	__u8 policy;
	__u8 flags;
	__u16 zero; /* see packet_forget */
	/*
	 * Rules that the classifier knows nothing of: their indexes,
	 * ascending, as words of class_buckets.
	 */
	__u32 list, list_count;
	__u32 lowest;  /* index of those it knows; NONE: of none */
	__u32 refuses; /* of these the first that denies or rejects; NONE */
	__u32 roots[N_CLASS_ROOTS]; /* in class_nodes, or NONE */
	__u32 line;
	str_off file;
	str_off name;
	/*
	 * Of the first rule that packets meet, where it allows by their states
	 * alone, these and its counter; opens is 0 for any other.
	 */
	__u32 opens;
	__u32 opens_counter;
};

_Static_assert(sizeof(struct chain_row) == 76, "no hidden padding");

/* A named set, and the anonymous ones made of lists in rules. */
struct set_row {
	__u64 digest;	/* of what the file says; 0: it is not that any more */
	__u32 elements; /* as written: a range counts once */
	__u32 kind;	/* SET_OF_* */
	__u32 line;
	str_off file;
	str_off name;	 /* "": anonymous */
	__u32 store;	 /* which of `elements`: rules/set_abi.h */
	__u32 head;	 /* line in the store */
	__u32 n_members; /* sets that are part of this list, with it */
	__u32 members;	 /* line in the store, of their rows */
	__u16 is_closed; /* nothing can be put into it at run time */
	__u16 is_given;	 /* the files said what is in it */
};

_Static_assert(sizeof(struct set_row) == 48, "no hidden padding");

/*
 * What the interfaces of the namespace are called that user space runs in, for
 * rules that look for names in sets: without any such rule there are none.
 */
struct iface_key {
	__u32 ifindex;
	__u32 pad;
};

struct iface_name {
	__u64 halves[2]; /* its bytes as they are, filled up with NUL */
};

_Static_assert(sizeof(struct iface_key) == 8, "no hidden padding");
_Static_assert(sizeof(struct iface_name) == 16, "as long as a name can be");

/* ------------------------------------------------ groups and devices */

enum {
	SHAPE_NONE = 0, /* the values of enum shaper, AUTO resolved */
	SHAPE_PACE = 1,
	SHAPE_EDT = 2,
	SHAPE_HTB = 3,
	SHAPE_POLICE = 4,
};

struct limit_row {
	__u64 rate_bytes;  /* bytes per second on the wire; 0: no limit */
	__u64 burst_bytes; /* never 0 where there is a limit */
};

/*
 * How much may pass a group in each period.  Where as much has passed, what is
 * here holds in place of the group's limits until the period ends.
 */
struct quota_row {
	__u64 bytes;	  /* on the wire; 0: no quota */
	__u64 after_rate; /* bytes per second, as asked for; 0: nothing passes
			   */
	struct limit_row after_out, after_in; /* of it and out, in, the less */
	__u32 uid;	/* of the group whose accounts these are */
	__u8 period;	/* enum quota_period */
	__u8 counts;	/* COUNT_* */
	__u8 all;	/* 1: one account for all cgroups of the group */
	__u8 shape_out; /* SHAPE_*, of after_out */
};

_Static_assert(sizeof(struct quota_row) == 56, "no hidden padding");

/* What a quota counts: the values of QUOTA_* in rules/policy.h. */
enum {
	COUNT_OUT = 1 << 0,
	COUNT_IN = 1 << 1,
};

/* Flags of groups and devices. */
enum {
	KEEP_STATES = 1 << 0, /* a chain of either direction looks at them */
	/*
	 * Of groups that no file names.  The one of `weirctl limit CGROUP`
	 * takes that cgroup out of the group whose pattern matches it; that of
	 * `weirctl run` holds beside any other, and applies leave it.
	 */
	GROUP_LIMITED = 1 << 1,
	GROUP_RUN = 1 << 2,
	/*
	 * Of devices: an ifb of weir's own, which several veths share as the
	 * queue of a limit that holds over all of them.
	 */
	DEVICE_POOL = 1 << 3,
	/* Of what this row limits, some passes no queue: the police stays. */
	DEVICE_MIXED = 1 << 4,
	/* Of a device: groups have shares of what arrives. */
	DEVICE_SHARED_IN = 1 << 5,
	/* Of a device: what passes it begins with an Ethernet header. */
	DEVICE_FRAMED = 1 << 6,
	/* Of a veth: a bridge's port, so that what it sends is for others. */
	DEVICE_BRIDGED = 1 << 7,
};

/* The table of flows of who looks at states: see rules/flow_abi.h. */
struct flow_room {
	__u32 flows;		   /* as asked for; 0: not */
	__u32 seconds[FLOW_TIMES]; /* by enum flow_time; 0: not asked for */
};

/*
 * A limit in place of a group's, for what goes to some addresses or comes from
 * them.  The first row of a group's that has the other end's address decides.
 */
struct peer_row {
	struct row_side side; /* its addresses alone */
	struct limit_row limit;
	__u32 uid; /* of its state; not that of any group */
	__u8 shape;
	__u8 pad[3];
	str_off text; /* the addresses, as written */
	__u32 pad2;
};

_Static_assert(sizeof(struct peer_row) == 80, "no hidden padding");

/* So many for each direction of a group: they are walked for each packet. */
#define PEERS_MAX 8

/* Rows of peers. */
struct peer_range {
	__u32 first, count;
};

struct group_row {
	__u32 uid; /* never used again for a group of another name */
	__u8 share_all;
	__u8 shape_out;
	__u8 shape_in;
	__u8 shaper; /* as asked for: enum shaper */
	struct limit_row out, in;
	__u32 chain_out, chain_in; /* or NONE */
	__u32 line;
	str_off file;
	str_off name;
	str_off matches; /* the patterns, one a line */
	__u32 flags;	 /* KEEP_STATES, GROUP_* */
	/* Of a device's total, as asked for; 0: not. */
	__u8 weight;
	__u8 priority; /* enum priority */
	__u16 pad;
	struct quota_row quota;
	__u64 out_min_bytes; /* per second, of a device's total, for sure */
	struct peer_range out_to, in_from;
	struct flow_room flow_room;
	__u32 flow_share; /* with KEEP_STATES: index in flows; else 0 */
	__u32 pad2;
};

_Static_assert(sizeof(struct group_row) == 192, "no hidden padding");

#define GLOBS_MAX  128 /* patterns with *, ? or [ in one policy */
#define SCOPES_MAX 8   /* groups that hold for one cgroup */

/*
 * A group's place.  Which groups a cgroup is in is found out by name, in
 * the kernel, when its first packet passes: so it need not exist when the
 * policy is applied.  A path without wildcards is a key of this table.
 */
struct path_key {
	char path[CGROUP_PATH_MAX]; /* "/a/b", filled up with NUL */
};

struct path_value {
	__u32 group;
};

/* Paths with wildcards are rows of glob_abi.h, tried one after the other. */

/*
 * A device: one that the policy names, or a container's veth that a group's
 * limit needs.  The index of its row stays while the device does: the tc
 * filter carries it as its classid.
 */
struct device_row {
	__u32 in_use;	  /* 0: a hole */
	__u32 ifindex;	  /* 0: not there now */
	__u32 out_class;  /* HTB class for what leaves; 0: no limit */
	__u32 in_class;	  /* likewise, on the ifb */
	__u32 in_ifindex; /* the ifb that what arrives is sent through; 0 */
	__u32 chain_out, chain_in;
	__u32 group;  /* that this is a veth of; NONE: a device of its own */
	__u64 cgroup; /* id; of the veth's container; 0: share is all */
	/*
	 * Where ifindex counts: as struct device_mark_key has it.  0: there was
	 * no namespace of that name.
	 */
	__u64 netns_id;
	struct limit_row out, in;
	__u8 shaper; /* as asked for */
	__u8 takeover;
	__u8 flags;	/* KEEP_STATES, DEVICE_* */
	__u8 shape_out; /* SHAPE_EDT: packets get departure times; else HTB */
	__u32 line;
	str_off file;
	str_off name;
	str_off netns;
	/* The pool, by its row, that what leaves waits at first; 0: none. */
	__u32 pool;
	/*
	 * At which levels cgroups have shares of the limit out: a bit each.
	 * 0: there are none, and it is shared by flow.
	 */
	__u32 out_levels;
	/*
	 * So many rules at the beginning of chain_in deny by nothing but where
	 * a packet comes from: these may be asked before all others.
	 */
	__u16 early;
	__u8 xdp;	  /* as asked for: EARLY_* */
	__u8 tcp_windows; /* 1, with KEEP_STATES: its table has windows */
	struct flow_room flow_room;
};

_Static_assert(sizeof(struct device_row) == 144, "no hidden padding");
_Static_assert(FLOW_TIMES == 7, "no hidden padding");

/* No more than that: they are tried one after the other. */
#define EARLY_MAX 16

enum {
	EARLY_AUTO = 0, /* the values of enum xdp */
	EARLY_YES = 1,
	EARLY_NO = 2,
};

/*
 * The classid has 16 bits.  Row 0 is always a hole: a classid of 0 means a
 * filter that says nothing of a device.
 */
#define DEVICES_MAX 4096

/*
 * What a group's cgroup has of a device's limit: its class below that of the
 * limit.  Those of a group with share = all have one together.
 */
struct share_key {
	__u64 cgroup; /* id; 0: all that is in none of these */
	__u32 device; /* index of its row */
	__u32 side;   /* SIDE_*, or: */
};

/*
 * A row with this side is there where a group's own limit on what arrives is
 * held by its class: device is the ifindex by which that arrives.
 */
#define SHARE_WAITS 2U

/*
 * The handle of each HTB that is ours.  No other qdisc is likely to have it:
 * skb->priority selects a class by its full id, and the priority that a
 * packet keeps after an ifb must mean nothing to anybody else's HTB.
 */
#define QUEUE_MAJOR 0x77650000U

/* Whether a packet with this priority went through the class of a share. */
#define QUEUE_WAS_OF(priority, number)                                      \
	(((priority)&0xffff0000) == QUEUE_MAJOR && ((priority)&15) >= 10 && \
	 ((priority)&0xffff) >> 4 == (number))

struct share_value {
	/* Per second, whatever others send: struct share_sure. */
	__u64 sure_bytes, sparse_bytes;
	__u32 number; /* of the class; 0 is that of cgroup 0 */
	__u32 group;  /* index of its row; NONE for cgroup 0 */
};

_Static_assert(sizeof(struct share_key) == 16, "no hidden padding");
_Static_assert(sizeof(struct share_value) == 24, "no hidden padding");

/* -------------------------------------------------- what BPF counts */

struct counter {
	__u64 packets;
	__u64 bytes;
};

/*
 * What one processor has counted.  BPF writes, user space reads.
 *
 * Both figures are added to in one step, in `recent`: bytes, and packets from
 * bit COUNTER_PACKETS on.  Each is signed, for it may be less than nothing
 * (counter_move).  Long before one is full, both are moved to the other two.
 */
struct counter_cell {
	__u64 recent;
	__u64 packets;
	__u64 bytes;
	/*
	 * How many moves are under way; from bit 32 on, how many are done.  Who
	 * reads reads again if one was or came.
	 */
	__u64 moves;
};

_Static_assert(sizeof(struct counter_cell) == 32, "two in a cache line");

#define COUNTER_PACKETS 40
#define COUNTER_FULL	(7ULL << 61 | 7ULL << 37)
#define COUNTER_MOVED	(1ULL << 32)

static inline __s64 counter_bytes(__u64 recent)
{
	return (__s64)(recent << (64 - COUNTER_PACKETS)) >>
	       (64 - COUNTER_PACKETS);
}

static inline __s64 counter_packets(__u64 recent)
{
	return (__s64)(recent - counter_bytes(recent)) >> COUNTER_PACKETS;
}

/*
 * Cells are in chunks, so that more can be added while the others go on:
 * counter c of processor p is entry p * COUNTER_CHUNK + c % COUNTER_CHUNK of
 * chunk c / COUNTER_CHUNK.
 */
#define COUNTER_CHUNK  1024
#define COUNTER_CHUNKS 1024

/* Rules with a limit in one policy; each of them keeps its tokens. */
#define RULE_LIMITS_MAX 65536

/* Rules with `log` in one policy: each keeps what it may still tell. */
#define RULE_LOGS_MAX 16384

#endif
