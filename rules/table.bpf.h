/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a table of the image is declared, and a row of it read. */
#ifndef WEIR_RULES_TABLE_BPF_H
#define WEIR_RULES_TABLE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define SLOTS 2

/*
 * Rows of an inner array; user space makes each as long as it needs, which
 * is what the first flag is for, and writes it as memory, for which there is
 * the second.  Reading beyond its end gives NULL or a row of zeroes.  Sizes
 * instead of types: clang writes no BTF for what only inner maps name.
 */
#define INNER_ARRAY(name, row)                                       \
	struct name {                                                \
		__uint(type, BPF_MAP_TYPE_ARRAY);                    \
		__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE); \
		__uint(max_entries, 1);                              \
		__uint(key_size, sizeof(__u32));                     \
		__uint(value_size, sizeof(row));                     \
	}

#define TABLE(inner)                                      \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); \
		__uint(max_entries, SLOTS);               \
		__type(key, __u32);                       \
		__uint(pinning, LIBBPF_PIN_BY_NAME);      \
		__array(values, struct inner);            \
	}

/* A row; beyond the end of the table NULL, or one of zeroes. */
#define TABLE_ROW(table, slot, index)                               \
	({                                                          \
		__u32 slot_ = (slot), index_ = (index);             \
		void *inner_ = bpf_map_lookup_elem(&table, &slot_); \
		inner_ ? bpf_map_lookup_elem(inner_, &index_) : 0;  \
	})

#endif
