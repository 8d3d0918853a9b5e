/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growable arrays: a pointer `x` and a count `n_x` side by side in a struct.
 * The capacity is the next power of two above the count, so none is kept.
 */
#ifndef WEIR_BASE_ARRAY_H
#define WEIR_BASE_ARRAY_H

#include <errno.h>
#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * As realloc, for what may be large; of what there was, `used` bytes stay.
 * array may be NULL.
 */
void *array_resize(void *array, size_t used, size_t size);

/* Memory for an array of n elements that may grow, not zeroed; or NULL. */
void *array_make(size_t n, size_t size);

/*
 * Appends one zeroed element to the array *parray of *n elements.  Returns
 * it, or NULL when there is no memory; the array is then as it was.
 */
void *array_grow(void *parray, size_t *n, size_t size);

/* The same for `more` elements; returns the first of them. */
void *array_extend(void *parray, size_t *n, size_t size, size_t more);

/* ARRAY_ADD(policy, groups): a pointer to a new zeroed policy->groups[…]. */
#define ARRAY_ADD(owner, name) \
	array_grow(&(owner)->name, &(owner)->n_##name, sizeof(*(owner)->name))

#endif
