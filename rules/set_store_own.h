/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What set_store.c and set_change.c share; only for them. */
#ifndef WEIR_RULES_SET_STORE_OWN_H
#define WEIR_RULES_SET_STORE_OWN_H

#include "rules/set_services.h"
#include "rules/set_store.h"

/* The last change of each element of a family, sorted as elements are. */
struct change_list {
	struct set_change *list;
	size_t n_list;
};

static inline void change_list_clear(struct change_list *changes)
{
	free(changes->list);
}

/*
 * Those that the store has noted, and then those of changes, or NULL.
 * -ENOMEM, -EPROTO.
 */
int change_list_make(const struct set_lines *lines, const struct set_head *head,
		     unsigned int family, const struct set_changes *changes,
		     struct change_list *ret_list);

/* What has become of an element, or NULL. */
const struct set_change *change_list_find(const struct change_list *changes,
					  const struct element *element);

/* The first of the head's elements that is not below this one. */
uint32_t store_lower_bound(const struct set_lines *lines,
			   const struct set_head *head, unsigned int family,
			   const struct element *element);

/* The elements that now reach into first … last, sorted.  -ENOMEM. */
int store_gather(const struct set_lines *lines, const struct set_head *head,
		 unsigned int family, const struct change_list *changes,
		 span_end first, span_end last, struct element_list *out);

/* The i-th element that the head was made of. */
struct element base_element(const struct set_lines *lines,
			    const struct set_head *head, unsigned int family,
			    uint32_t i);

static inline bool element_ended(const struct element *element, uint32_t now)
{
	return element->seconds && element->seconds <= now;
}

#endif
