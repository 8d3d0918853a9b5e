/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *array_grow(void *parray, size_t *n, size_t size)
{
	char *array, *grown;

	memcpy(&array, parray, sizeof(array));
	if ((*n & (*n - 1)) == 0) {
		size_t capacity = *n ? *n * 2 : 1;

		if (capacity > SIZE_MAX / size)
			return NULL;
		grown = realloc(array, capacity * size);
		if (!grown)
			return NULL;
		array = grown;
		memcpy(parray, &array, sizeof(array));
	}
	memset(array + *n * size, 0, size);
	(*n)++;
	return array + (*n - 1) * size;
}

void *array_extend(void *parray, size_t *n, size_t size, size_t more)
{
	size_t needed = *n + more, capacity = 1;
	char *array, *grown;

	memcpy(&array, parray, sizeof(array));
	while (capacity < needed && capacity <= SIZE_MAX / 2)
		capacity *= 2;
	if (needed < more || capacity < needed || capacity > SIZE_MAX / size)
		return NULL;
	/* As much as there is, where the next power of two is the same. */
	grown = realloc(array, capacity * size);
	if (!grown)
		return NULL;
	memcpy(parray, &grown, sizeof(grown));
	memset(grown + *n * size, 0, more * size);
	*n = needed;
	return grown + (needed - more) * size;
}
