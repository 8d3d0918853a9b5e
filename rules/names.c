/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct name {
	const char *text; /* NULL: a free slot */
	size_t value;
	unsigned int scope;
	uint32_t hash;
};

/* FNV-1a; the seed keeps a file from choosing its collisions. */
static uint32_t hash_of(const struct names *names, unsigned int scope,
			const char *text)
{
	uint32_t hash = (names->seed ^ scope) * 16777619;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619;
	return hash ^ hash >> 15;
}

/* Where the name is, or the free slot where it would be. */
static struct name *slot_of(const struct names *names, uint32_t hash,
			    unsigned int scope, const char *text)
{
	size_t i = hash & (names->n_slots - 1);

	for (;; i = (i + 1) & (names->n_slots - 1)) {
		struct name *slot = &names->slots[i];

		if (!slot->text)
			return slot;
		if (slot->hash == hash && slot->scope == scope &&
		    strcmp(slot->text, text) == 0)
			return slot;
	}
}

static int grow(struct names *names)
{
	struct names bigger = { .seed = names->seed };
	struct name *slots;
	size_t i;

	if (!names->n_slots &&
	    getrandom(&bigger.seed, sizeof(bigger.seed), GRND_NONBLOCK) < 0)
		bigger.seed = 2166136261; /* early boot: still correct */
	bigger.n_slots = names->n_slots ? names->n_slots * 2 : 64;
	slots = calloc(bigger.n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	bigger.slots = slots;
	for (i = 0; i < names->n_slots; i++) {
		const struct name *old = &names->slots[i];

		if (old->text)
			*slot_of(&bigger, old->hash, old->scope, old->text) =
				*old;
	}
	free(names->slots);
	names->slots = slots;
	names->n_slots = bigger.n_slots;
	names->seed = bigger.seed;
	return 0;
}

int names_add(struct names *names, unsigned int scope, const char *text,
	      size_t value, size_t *ret_first)
{
	struct name *slot;
	uint32_t hash;

	if (names->n_used * 2 >= names->n_slots && grow(names) < 0)
		return -ENOMEM;
	hash = hash_of(names, scope, text);
	slot = slot_of(names, hash, scope, text);
	if (slot->text) {
		*ret_first = slot->value;
		return 1;
	}
	*slot = (struct name){
		.text = text, .value = value, .scope = scope, .hash = hash
	};
	names->n_used++;
	return 0;
}

size_t names_find(const struct names *names, unsigned int scope,
		  const char *text)
{
	const struct name *slot;

	if (!names->n_slots)
		return NAME_UNKNOWN;
	slot = slot_of(names, hash_of(names, scope, text), scope, text);
	return slot->text ? slot->value : NAME_UNKNOWN;
}

void names_clear(struct names *names)
{
	free(names->slots);
	*names = (struct names){ 0 };
}
