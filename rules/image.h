/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image in user space: the tables of image_abi.h as arrays.  Made from a
 * policy (rules/compile.h) or read back from the maps that are in force
 * (cgroup/tables.h), and compared with another (rules/image_diff.h).
 */
#ifndef WEIR_RULES_IMAGE_H
#define WEIR_RULES_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "rules/image_abi.h"

struct path_entry {
	struct path_key key;
	struct path_value value;
};

struct share_entry {
	struct share_key key;
	struct share_value value;
};

struct iface_entry {
	struct iface_key key;
	struct iface_name value;
};

/* What is in a store: rules/set_abi.h. */
struct store_content {
	uint32_t store; /* set_row.store */
	uint32_t n_lines;
	uint32_t n_spare; /* free ones that are to follow */
	union set_line *lines;
};

/* Rows that are the kernel's own memory, mapped to be read. */
struct image_mapping {
	void *rows;
	size_t size; /* bytes */
};

/* All arrays belong to the image. */
struct image {
	struct chain_row *chains;
	size_t n_chains;
	struct rule_row *rules; /* by chain, then by number; then copies */
	size_t n_rules;
	struct class_node *class_nodes; /* rules/class_abi.h, of all chains */
	size_t n_class_nodes;
	__u64 *class_buckets; /* and lists of rules, see struct chain_row */
	size_t n_class_buckets;
	struct class_entry *class_entries;
	size_t n_class_entries;
	struct set_row *sets; /* a set's id is its index */
	size_t n_sets;
	/* Those that the kernel has not; where it was read from that, none. */
	struct store_content *stores;
	size_t n_stores;
	struct iface_entry *ifaces; /* sorted by image_sort */
	size_t n_ifaces;
	struct group_row *groups;
	size_t n_groups;
	struct peer_row *peers; /* those of a group in a row */
	size_t n_peers;
	struct path_entry *paths; /* sorted by image_sort */
	size_t n_paths;
	struct glob_row *globs;
	size_t n_globs;
	struct device_row *devices;
	size_t n_devices;
	struct share_entry *shares; /* sorted by image_sort */
	size_t n_shares;
	char *strings; /* strings[0] is NUL */
	size_t n_strings;
	struct image_mapping *mappings; /* of tables above */
	size_t n_mappings;
};

struct image *image_new(void);
void image_free(struct image *image);
DEFINE_CLEANUP(struct image *, image_free);

/* Adds text, or finds it where it was the last one added.  -ENOMEM. */
int image_add_string(struct image *image, const char *text, str_off *ret_off);

/* The text at off; "" where off lies outside (a damaged table). */
const char *image_string(const struct image *image, str_off off);

/* Whether some rule looks for names of interfaces in a set. */
bool image_wants_ifaces(const struct image *image);

/* Adds what an interface is called, or forgets all.  -ENOMEM. */
void image_clear_ifaces(struct image *image);
int image_add_iface(struct image *image, uint32_t ifindex, const char *name);

/* How many of its rules are as written, and no copies for jumps. */
size_t image_written(const struct image *image);

/* The index-th row of a range; NULL beyond its end (or a damaged table). */
const struct peer_row *image_peer(const struct image *image,
				  const struct peer_range *range, size_t index);

/* The flags of a group's row; 0 where there is no such (a damaged table). */
uint32_t image_group_flags(const struct image *image, uint32_t group);

/* Whether a group's limit on what arrives is to wait in queues at veths. */
bool image_group_wants_queue(const struct image *image, uint32_t group);

/* The row of a cgroup at a side of a device, or NULL; of a sorted image. */
const struct share_entry *image_share(const struct image *image,
				      const struct share_key *key);

/* Brings the tables whose order means nothing into a fixed one. */
void image_sort(struct image *image);

#endif
