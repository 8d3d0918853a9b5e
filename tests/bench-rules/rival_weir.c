/* SPDX-License-Identifier: GPL-2.0-or-later */
/* weir's own classifier (rules/class.h), without the kernel. */
#include <stdlib.h>

#include "base/array.h"
#include "rules/class.h"
#include "tests/bench-rules/rival.h"
#include "tests/unit/class_walk.h"

struct weir {
	struct image *image;
	uint32_t root;
};

static void weir_free(void *built)
{
	struct weir *weir = built;

	image_free(weir->image);
	free(weir);
}

static void add_box(struct class_boxes *boxes, const struct ruleset_rule *rule,
		    uint32_t index)
{
	struct class_box *box = ARRAY_ADD(boxes, list);

	if (!box)
		abort();
	*box = (struct class_box){
		.src = { rule->src_first, rule->src_last },
		.dst = { rule->dst_first, rule->dst_last },
		.sport_first = rule->sport_first,
		.sport_last = rule->sport_last,
		.dport_first = rule->dport_first,
		.dport_last = rule->dport_last,
		.index = index,
		.counter = index,
		.family = 4,
		.protocol = rule->protocol,
		.bits = rule->protocol ? ENTRY_PROTOCOL : 0,
	};
}

static void *weir_build(const struct ruleset *set, uint64_t *bytes)
{
	CLEANUP(class_boxes_clear) struct class_boxes boxes = { 0 };
	struct weir *weir = calloc(1, sizeof(*weir));
	struct class_worst worst;
	struct image *image;
	size_t i;

	if (!weir)
		abort();
	weir->image = image = image_new();
	for (i = 0; i < set->n_rules; i++)
		add_box(&boxes, &set->rules[i], i);
	if (!image ||
	    class_build(&boxes, 4, false, image, &weir->root, &worst) < 0)
		abort();
	*bytes = image->n_class_nodes * sizeof(*image->class_nodes) +
		 image->n_class_buckets * sizeof(*image->class_buckets) +
		 image->n_class_entries * sizeof(*image->class_entries);
	return weir;
}

static uint32_t weir_find(const void *built,
			  const struct ruleset_packet *packet)
{
	const struct weir *weir = built;
	const struct class_key key = {
		.address = { (uint64_t)packet->src << 32 | packet->dst },
		.rest = CLASS_REST(packet->sport, packet->dport,
				   packet->protocol),
	};
	uint32_t place =
		class_walk(weir->image, weir->root, 0, &key, 0, 0, NULL);

	if (place == NONE)
		return RIVAL_NONE;
	return weir->image->class_entries[place].rule & CLASS_INDEX_MASK;
}

const struct rival rival_weir = { "weir", weir_build, weir_find, weir_free };
