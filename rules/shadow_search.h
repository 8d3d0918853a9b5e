/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A search for what covers a rule, among much; only for shadow.c. */
#ifndef WEIR_RULES_SHADOW_SEARCH_H
#define WEIR_RULES_SHADOW_SEARCH_H

#include <stdint.h>

#include "base/cleanup.h"
#include "rules/cover.h"

#define SHADOW_NONE UINT32_MAX

struct shadow_search;

/* With room for indexes below n.  -ENOMEM. */
int shadow_search_new(size_t n, struct shadow_search **ret_search);
void shadow_search_free(struct shadow_search *search);
DEFINE_CLEANUP(struct shadow_search *, shadow_search_free);

/* What has these facts is index from now on; each once, ascending. */
void shadow_search_add(struct shadow_search *search, const struct facts *facts,
		       uint32_t index);

/* Whether what is index covers facts. */
typedef bool (*shadow_covers_fn)(const void *data, uint32_t index,
				 const struct facts *facts);

/* The lowest index that covers facts, or SHADOW_NONE. */
uint32_t shadow_search_find(struct shadow_search *search,
			    const struct facts *facts, shadow_covers_fn covers,
			    const void *data);

/* Whether it took too long to go on. */
bool shadow_search_is_over(const struct shadow_search *search);

#endif
