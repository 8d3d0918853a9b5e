/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/set_steps.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

void steps_clear(struct steps *steps)
{
	free(steps->list);
	*steps = (struct steps){ 0 };
}

int steps_add(struct steps *steps, span_end last, uint32_t value)
{
	struct step *step;

	if (steps->n_list && steps->list[steps->n_list - 1].value == value) {
		steps->list[steps->n_list - 1].last = last;
		return 0;
	}
	step = ARRAY_ADD(steps, list);
	if (!step)
		return -ENOMEM;
	step->last = last;
	step->value = value;
	return 0;
}

/*
 * The elements that have begun and not been seen to end, as a heap: the one
 * that lasts longest is on top.
 */
struct open_step {
	span_end last;
	uint32_t value;
};

struct heap {
	struct open_step *list;
	size_t n_list;
};

static int heap_push(struct heap *heap, span_end last, uint32_t value)
{
	struct open_step *added = ARRAY_ADD(heap, list);
	size_t i = heap->n_list - 1;

	if (!added)
		return -ENOMEM;
	while (i > 0 && heap->list[(i - 1) / 2].value < value) {
		heap->list[i] = heap->list[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap->list[i] = (struct open_step){ last, value };
	return 0;
}

static void heap_pop(struct heap *heap)
{
	struct open_step moved = heap->list[--heap->n_list];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < heap->n_list) {
		if (child + 1 < heap->n_list &&
		    heap->list[child + 1].value > heap->list[child].value)
			child++;
		if (heap->list[child].value <= moved.value)
			break;
		heap->list[i] = heap->list[child];
		i = child;
	}
	if (heap->n_list)
		heap->list[i] = moved;
}

/* Those that begin at or before a place; *next is the first that does not. */
static int push_begun(struct heap *heap, const struct element_list *elements,
		      size_t *next, span_end place, uint32_t now)
{
	const struct element *element;
	uint32_t until;
	int r;

	for (; *next < elements->n_list; (*next)++) {
		element = &elements->list[*next];
		until = element->seconds ? element->seconds : SET_FOREVER;
		if (element->first > place)
			break;
		if (until <= now || element->last < place)
			continue;
		r = heap_push(heap, element->last, until);
		if (r < 0)
			return r;
	}
	return 0;
}

static int sweep(struct steps *steps, struct heap *heap,
		 const struct element_list *elements, span_end first,
		 span_end last, uint32_t now)
{
	size_t next = 0;
	int r;

	for (;;) {
		uint32_t value = SET_OUT;
		span_end end = last;

		r = push_begun(heap, elements, &next, first, now);
		if (r < 0)
			return r;
		while (heap->n_list && heap->list[0].last < first)
			heap_pop(heap);
		if (heap->n_list) {
			value = heap->list[0].value;
			if (heap->list[0].last < end)
				end = heap->list[0].last;
		}
		/* What begins within may last longer. */
		if (next < elements->n_list &&
		    elements->list[next].first <= end)
			end = elements->list[next].first - 1;
		r = steps_add(steps, end, value);
		if (r < 0 || end == last)
			return r;
		first = end + 1;
	}
}

int steps_add_elements(struct steps *steps, const struct element_list *elements,
		       span_end first, span_end last, uint32_t now)
{
	struct heap heap = { 0 };
	int r;

	r = sweep(steps, &heap, elements, first, last, now);
	free(heap.list);
	return r;
}
