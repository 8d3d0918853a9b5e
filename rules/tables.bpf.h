/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All maps that the objects of cgroup/ and tc/ share, declared once and
 * pinned by name; those that are looked up by address are in set.bpf.h and
 * peer.bpf.h.  The tables of the image have two slots; the other slot is
 * filled while this one is in force, and `generation` switches.  A program
 * reads the generation once per packet and passes the slot on.
 */
#ifndef WEIR_RULES_TABLES_BPF_H
#define WEIR_RULES_TABLES_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "rules/counter.bpf.h"
#include "rules/flow_abi.h"
#include "rules/image_abi.h"
#include "rules/monitor_abi.h"
#include "rules/peer.bpf.h"
#include "rules/side.bpf.h"
#include "rules/table.bpf.h"

INNER_ARRAY(rules_inner, struct rule_row);
INNER_ARRAY(chains_inner, struct chain_row);
INNER_ARRAY(class_nodes_inner, struct class_node);
INNER_ARRAY(class_buckets_inner, __u64);
INNER_ARRAY(class_entries_inner, struct class_entry);
INNER_ARRAY(groups_inner, struct group_row);
INNER_ARRAY(globs_inner, struct glob_row);
INNER_ARRAY(devices_inner, struct device_row);
INNER_ARRAY(strings_inner, struct strings_page);

struct paths_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct path_key));
	__uint(value_size, sizeof(struct path_value));
};

struct shares_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct share_key));
	__uint(value_size, sizeof(struct share_value));
};

struct ifaces_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct iface_key));
	__uint(value_size, sizeof(struct iface_name));
};

/* User space writes: the atomic switch.  All programs read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} generation SEC(".maps");

/*
 * User space counts up before and after it changes something in the tables in
 * force (the elements of a set), the programs read: what they keep of
 * decisions that were made before holds no longer, and as long as it is odd
 * they keep none.  What changes by itself, like an element with a timeout, has
 * to make decisions that looked at it DECIDED_VARIES.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} changes SEC(".maps");

/* User space writes, the cgroup programs read: what is asked of a slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} asked SEC(".maps");

/* User space writes, the matcher reads. */
TABLE(rules_inner) rules SEC(".maps");

/* User space writes, the matcher reads. */
TABLE(chains_inner) chains SEC(".maps");

/* User space writes, the matcher reads: rules/class_abi.h. */
TABLE(class_nodes_inner) class_nodes SEC(".maps");
TABLE(class_buckets_inner) class_buckets SEC(".maps");
TABLE(class_entries_inner) class_entries SEC(".maps");

/* User space writes, the cgroup programs read. */
TABLE(groups_inner) groups SEC(".maps");

/* User space writes, the cgroup programs read. */
TABLE(paths_inner) paths SEC(".maps");

/* User space writes, the cgroup programs read. */
TABLE(globs_inner) globs SEC(".maps");

/* User space writes, the tc programs read. */
TABLE(devices_inner) devices SEC(".maps");

/* User space writes, the tc programs read. */
TABLE(shares_inner) shares SEC(".maps");

/* User space writes, the matcher reads. */
TABLE(ifaces_inner) ifaces SEC(".maps");

/* User space writes and reads: names, files and texts. */
TABLE(strings_inner) strings SEC(".maps");

/*
 * User space adds and removes entries, the matcher writes them.  Those of the
 * policy before are there until the next is in force.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2 * RULE_LIMITS_MAX);
	__type(key, __u32);
	__type(value, struct rule_limit);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} rule_limits SEC(".maps");

/* User space adds and removes entries, BPF writes them: as rule_limits. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2 * RULE_LOGS_MAX);
	__type(key, __u32);
	__type(value, struct rule_log);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} rule_logs SEC(".maps");

/* The matcher writes and reads.  Index: see source_take. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SOURCE_LINES);
	__type(key, __u32);
	__type(value, struct source_line);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} source_limits SEC(".maps");

INNER_ARRAY(flows_inner, union flow_block);

/*
 * User space makes the tables and writes their heads, the matcher writes and
 * reads all else.  Index: see FLOW_SHARES.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FLOW_SHARES);
	__type(key, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__array(values, struct flows_inner);
} flows SEC(".maps");

struct flow_lock {
	struct bpf_spin_lock lock;
	__u32 pad;
};

#define FLOW_LOCKS 1024

/*
 * The matcher takes one while it writes a line of flows; several lines share
 * it.  Of their own, as older kernels want no locks in a map within another.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FLOW_LOCKS);
	__type(key, __u32);
	__type(value, struct flow_lock);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} flow_locks SEC(".maps");

/*
 * The matcher writes and reads; the oldest goes when it is full.  All places
 * have it together: what is lost is a packet that comes in fragments.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct flow_key);
	__type(value, struct fragment);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} fragments SEC(".maps");

/* To be called once per packet; the slot in force is generation & 1. */
static __always_inline __u32 generation_read(void)
{
	__u32 zero = 0;
	volatile __u32 *value = bpf_map_lookup_elem(&generation, &zero);

	return value ? *value : 0;
}

/*
 * The generation, and in the upper half what has changed in it: a decision
 * holds as long as this stays.  To be read before it is made.
 */
static __always_inline __u64 stamp_read(void)
{
	__u32 zero = 0;
	volatile __u32 *value = bpf_map_lookup_elem(&changes, &zero);
	__u64 changed = value ? *value : 0;

	return changed << 32 | generation_read();
}

static __always_inline __u32 generation_slot(void)
{
	return generation_read() & 1;
}

static __always_inline const struct rule_row *table_rule(__u32 slot,
							 __u32 index)
{
	return TABLE_ROW(rules, slot, index);
}

static __always_inline const struct chain_row *table_chain(__u32 slot,
							   __u32 index)
{
	return TABLE_ROW(chains, slot, index);
}

static __always_inline const struct group_row *table_group(__u32 slot,
							   __u32 index)
{
	return TABLE_ROW(groups, slot, index);
}

static __always_inline const struct glob_row *table_glob(__u32 slot,
							 __u32 index)
{
	return TABLE_ROW(globs, slot, index);
}

static __always_inline const struct device_row *table_device(__u32 slot,
							     __u32 index)
{
	return TABLE_ROW(devices, slot, index);
}

static __always_inline const struct path_value *table_path(
	__u32 slot, const struct path_key *key)
{
	void *inner = bpf_map_lookup_elem(&paths, &slot);

	return inner ? bpf_map_lookup_elem(inner, key) : 0;
}

static __always_inline const struct share_value *table_share(
	__u32 slot, const struct share_key *key)
{
	void *inner = bpf_map_lookup_elem(&shares, &slot);

	return inner ? bpf_map_lookup_elem(inner, key) : 0;
}

#endif
