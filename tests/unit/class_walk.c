/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/class_walk.h"

#include <string.h>

static int entry_fits(const struct image *image, uint32_t place, int is_ip6,
		      const struct class_key *key, uint32_t refused,
		      uint32_t from, uint32_t below)
{
	const struct class_entry *entry = &image->class_entries[place];
	struct class_addresses addresses;

	if (class_misses(entry, key->rest, refused, from, below) < 0)
		return 0;
	if (!is_ip6)
		return class_misses4(entry, key->address[0]) >= 0;
	memcpy(&addresses, entry + 1, sizeof(addresses));
	return class_misses6(entry, &addresses, key->address) >= 0;
}

uint32_t class_walk(const struct image *image, uint32_t root, int is_ip6,
		    const struct class_key *key, uint32_t refused,
		    uint32_t from, struct class_count *count)
{
	struct class_count unwanted = { 0 },
			   *counts = count ? count : &unwanted;
	uint32_t best = NONE, below = NONE, at = root, place, i;

	*counts = (struct class_count){ 0 };
	while (at != NONE) {
		const struct class_node *node = &image->class_nodes[at];
		uint64_t hash = class_hash(key->address, key->rest, node,
					   is_ip6),
			 word;

		at = node->next;
		if (node->lowest >= below)
			continue;
		counts->nodes++;
		word = image->class_buckets[class_bucket(node, hash)];
		if (!(word & class_hash_bit(hash)))
			continue;
		place = word & ((1U << CLASS_FIRST_BITS) - 1);
		for (i = word >> CLASS_COUNT_SHIFT & CLASS_COUNT_MASK; i > 0;
		     i--, place += 1 + is_ip6) {
			counts->entries++;
			if (!entry_fits(image, place, is_ip6, key, refused,
					from, below))
				continue;
			best = place;
			below = image->class_entries[place].rule &
				CLASS_INDEX_MASK;
			break;
		}
		if ((word >> CLASS_NODE_SHIFT & CLASS_NO_NODE) != CLASS_NO_NODE)
			at = word >> CLASS_NODE_SHIFT & CLASS_NO_NODE;
	}
	return best;
}
