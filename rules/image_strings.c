/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/image_strings.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Where each string will be: by its old offset, NOWHERE for no use of it. */
struct packing {
	str_off *moved;
	size_t n_moved;
};

#define NOWHERE 0
#define NEEDED	1

typedef void (*visit_fn)(struct packing *packing, str_off *off);

static void mark(struct packing *packing, str_off *off)
{
	if (*off && *off < packing->n_moved)
		packing->moved[*off] = NEEDED;
}

static void move(struct packing *packing, str_off *off)
{
	*off = *off < packing->n_moved ? packing->moved[*off] : 0;
}

static void each_offset(struct image *image, struct packing *packing,
			visit_fn visit)
{
	size_t i;

	for (i = 0; i < image->n_rules; i++) {
		visit(packing, &image->rules[i].file);
		visit(packing, &image->rules[i].text);
		visit(packing, &image->rules[i].log_prefix);
		visit(packing, &image->rules[i].iface);
	}
	for (i = 0; i < image->n_chains; i++) {
		visit(packing, &image->chains[i].file);
		visit(packing, &image->chains[i].name);
	}
	for (i = 0; i < image->n_sets; i++) {
		visit(packing, &image->sets[i].file);
		visit(packing, &image->sets[i].name);
	}
	for (i = 0; i < image->n_groups; i++) {
		visit(packing, &image->groups[i].file);
		visit(packing, &image->groups[i].name);
		visit(packing, &image->groups[i].matches);
	}
	for (i = 0; i < image->n_peers; i++)
		visit(packing, &image->peers[i].text);
	for (i = 0; i < image->n_devices; i++) {
		visit(packing, &image->devices[i].file);
		visit(packing, &image->devices[i].name);
		visit(packing, &image->devices[i].netns);
	}
}

int image_pack_strings(struct image *image)
{
	AUTO_FREE str_off *moved = calloc(image->n_strings, sizeof(*moved));
	struct packing packing = { moved, image->n_strings };
	char *strings = image->strings;
	size_t i, size;

	if (!moved)
		return -ENOMEM;
	each_offset(image, &packing, mark);
	for (i = 0, size = 1; i < image->n_strings; i++) {
		size_t length;

		if (moved[i] != NEEDED)
			continue;
		length = strnlen(strings + i, image->n_strings - i - 1);
		memmove(strings + size, strings + i, length);
		strings[size + length] = '\0';
		moved[i] = size;
		size += length + 1;
	}
	image->n_strings = size;
	each_offset(image, &packing, move);
	return 0;
}
