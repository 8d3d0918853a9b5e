/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/array.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

/*
 * In huge pages, if the kernel has some: to be given small ones, one fault
 * each, takes longer than most of what is done with a large array.  realloc
 * would take them apart.
 */
void *array_resize(void *array, size_t used, size_t size)
{
	void *grown;

	if (size < HUGE_PAGE)
		return realloc(array, size);
	/* It was asked for as much, or is that long; nobody knows but malloc.
	 */
	if (array && malloc_usable_size(array) >= size)
		return array;
	if (posix_memalign(&grown, HUGE_PAGE, size) != 0)
		return NULL;
	madvise(grown, size, MADV_HUGEPAGE);
	if (used)
		memcpy(grown, array, used);
	free(array);
	return grown;
}

/* The next power of two; 0 where that is too large for elements of a size. */
static size_t capacity_for(size_t n, size_t size)
{
	size_t capacity = 1;

	while (capacity < n && capacity <= SIZE_MAX / 2)
		capacity *= 2;
	return capacity < n || capacity > SIZE_MAX / size ? 0 : capacity;
}

void *array_make(size_t n, size_t size)
{
	size_t capacity = capacity_for(n, size);

	return capacity ? array_resize(NULL, 0, capacity * size) : NULL;
}

void *array_extend(void *parray, size_t *n, size_t size, size_t more)
{
	size_t needed = *n + more, capacity = capacity_for(needed, size);
	char *array, *grown;

	memcpy(&array, parray, sizeof(array));
	if (needed < more || !capacity)
		return NULL;
	/* As much as there is, where the next power of two is the same. */
	grown = array_resize(array, *n * size, capacity * size);
	if (!grown)
		return NULL;
	memcpy(parray, &grown, sizeof(grown));
	memset(grown + *n * size, 0, more * size);
	*n = needed;
	return grown + (needed - more) * size;
}

void *array_grow(void *parray, size_t *n, size_t size)
{
	char *array;

	if ((*n & (*n - 1)) == 0)
		return array_extend(parray, n, size, 1);
	memcpy(&array, parray, sizeof(array));
	memset(array + *n * size, 0, size);
	(*n)++;
	return array + (*n - 1) * size;
}
