/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/table_steps.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>

#include "base/cleanup.h"

/*
 * An unchanged table of at most so many bytes is written once more into the
 * slot's own map: that takes less time than the kernel does to put another
 * there.  Both slots have the same map of what is larger; and where it has
 * changed, that of the slot that was in force is given back.
 */
#define COPY_MAX (1 << 20)

void table_steps_clear(struct table_steps *steps)
{
	size_t i;

	for (i = 0; i < steps->n_list; i++)
		close_fdp(&steps->list[i].inner);
	steps->n_list = 0;
}

/* The id of the map in a slot; 0: there is none. */
static int inner_id(int outer, uint32_t slot, uint32_t *ret_id)
{
	int r = bpf_map_lookup_elem(outer, &slot, ret_id);

	if (r == -ENOENT)
		*ret_id = 0;
	return r == -ENOENT ? 0 : r;
}

/* 1 where it was done, 0 where it cannot be. */
static int write_in_place(const struct table_def *def, uint32_t id,
			  const struct image *image)
{
	AUTO_CLOSE int fd = bpf_map_get_fd_by_id(id);
	int r;

	if (fd < 0)
		return fd;
	r = table_rows_write(def, fd, image);
	if (r == -ENOSPC || r == -EPROTO)
		return 0;
	return r < 0 ? r : 1;
}

/* A new map with the rows of image. */
static int make_map(const struct table_def *def, const struct image *image,
		    int *ret_fd)
{
	AUTO_CLOSE int fd = table_rows_create(def, image);
	int r;

	if (fd < 0)
		return fd;
	r = table_rows_write(def, fd, image);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* 1 where the step is to be done, 0 where there is nothing to do. */
static int prepare(struct table_step *step, const struct image *image,
		   const struct image *live)
{
	const struct table_def *def = step->def;
	size_t n = table_rows_count(def, image);
	uint32_t own, other = 0;
	bool same;
	int r;

	r = inner_id(step->outer, step->slot, &own);
	if (r == 0 && live)
		r = inner_id(step->outer, !step->slot, &other);
	if (r < 0)
		return r;
	if (n == 0)
		return own != 0;
	same = other && table_rows_equal(def, image, live);
	if (same && own == other)
		return 0;
	if (own && own != other && table_rows_is_array(def) &&
	    !(same && n * def->size > COPY_MAX)) {
		r = write_in_place(def, own, image);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	if (!same)
		r = make_map(def, image, &step->inner);
	else
		r = step->inner = bpf_map_get_fd_by_id(other);
	return r < 0 ? r : 1;
}

const struct table_step *table_step_make(struct table_steps *steps,
					 const struct table_def *def, int outer,
					 uint32_t slot,
					 const struct image *image,
					 const struct image *live)
{
	struct table_step *step = &steps->list[steps->n_list];

	assert(steps->n_list < TABLE_STEPS_MAX);
	*step = (struct table_step){
		.def = def, .outer = outer, .inner = -1, .slot = slot
	};
	step->result = prepare(step, image, live);
	steps->n_list += step->result == 1;
	return step->result < 0 ? step : NULL;
}

/* Whether the map is one that is not to be kept for the next policy. */
static bool is_large(uint32_t id)
{
	AUTO_CLOSE int fd = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return false;
	return (uint64_t)info.max_entries * info.value_size > COPY_MAX ||
	       (uint64_t)info.max_entries * info.key_size > COPY_MAX;
}

void table_step_release(struct table_steps *steps, const struct table_def *def,
			int outer, uint32_t slot)
{
	uint32_t own, other;

	assert(steps->n_list < TABLE_STEPS_MAX);
	if (inner_id(outer, slot, &own) < 0 ||
	    inner_id(outer, !slot, &other) < 0 || !own || own == other ||
	    !is_large(own))
		return;
	steps->list[steps->n_list++] = (struct table_step){
		.def = def, .outer = outer, .inner = -1, .slot = slot
	};
}

static void *do_step(void *data)
{
	struct table_step *step = data;
	int r;

	if (step->inner >= 0)
		r = bpf_map_update_elem(step->outer, &step->slot, &step->inner,
					0);
	else
		r = bpf_map_delete_elem(step->outer, &step->slot);
	/* The outer map is for rows of another size. */
	step->result = r == -EINVAL ? -EPROTO : r;
	return NULL;
}

/*
 * For each the kernel waits until the programs that run are through, some
 * milliseconds: all wait for the same ones.
 */
const struct table_step *table_steps_do(struct table_steps *steps)
{
	pthread_t threads[TABLE_STEPS_MAX];
	bool started[TABLE_STEPS_MAX] = { 0 };
	size_t i;

	for (i = 0; i < steps->n_list; i++)
		started[i] = i + 1 < steps->n_list &&
			     pthread_create(&threads[i], NULL, do_step,
					    &steps->list[i]) == 0;
	for (i = 0; i < steps->n_list; i++)
		if (!started[i])
			do_step(&steps->list[i]);
	for (i = 0; i < steps->n_list; i++)
		if (started[i])
			pthread_join(threads[i], NULL);
	for (i = 0; i < steps->n_list; i++)
		if (steps->list[i].result < 0)
			return &steps->list[i];
	return NULL;
}
