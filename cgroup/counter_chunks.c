/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/counter_chunks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/err.h"

static size_t chunk_size(const struct chunk *chunk)
{
	return (size_t)chunk->cpus * COUNTER_CHUNK * sizeof(*chunk->cells);
}

void chunk_close(struct chunk *chunk)
{
	if (chunk->cells)
		munmap(chunk->cells, chunk_size(chunk));
	chunk->cells = NULL;
}

/* -ENOENT where there is none. */
static int chunk_find(int counters, uint32_t number)
{
	struct bpf_map_info info = { 0 };
	uint32_t id, size = sizeof(info);
	AUTO_CLOSE int fd = -1;
	int r;

	r = bpf_map_lookup_elem(counters, &number, &id);
	if (r < 0)
		return r;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return fd;
	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return r;
	if (info.value_size != sizeof(struct counter_cell))
		return -EPROTO;
	return TAKE_FD(fd);
}

int chunk_go_to(struct chunk *chunk, int counters, uint32_t number)
{
	AUTO_CLOSE int fd = -1;
	void *memory;

	if (chunk->cells && chunk->number == number)
		return 0;
	fd = chunk_find(counters, number);
	if (fd < 0)
		return fd;
	memory = mmap(NULL, chunk_size(chunk), PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return neg_errno();
	chunk_close(chunk);
	chunk->cells = memory;
	chunk->number = number;
	return 0;
}

/* New elements of an array are zero. */
static int chunk_create(uint32_t cpus)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "counter_chunk",
			      sizeof(uint32_t), sizeof(struct counter_cell),
			      cpus * COUNTER_CHUNK, &opts);
}

/* So many new ones are put into the map at once: each is an open file. */
#define NEW_MAX 128

struct new_chunks {
	uint32_t numbers[NEW_MAX];
	int fds[NEW_MAX];
	uint32_t n;
};

static void new_chunks_clear(struct new_chunks *chunks)
{
	while (chunks->n > 0)
		close_fdp(&chunks->fds[--chunks->n]);
}

static int new_chunks_add(struct new_chunks *chunks, uint32_t number,
			  uint32_t cpus)
{
	int fd = chunk_create(cpus);

	if (fd < 0)
		return fd;
	chunks->numbers[chunks->n] = number;
	chunks->fds[chunks->n] = fd;
	chunks->n++;
	return 0;
}

/*
 * For each that is put there by itself the kernel waits until the programs
 * that run are through, some milliseconds; for all at once, where it knows
 * that, only once.
 */
static int new_chunks_put(struct new_chunks *chunks, int counters)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t i, n = chunks->n;
	int r = 0;

	if (n > 0 && bpf_map_update_batch(counters, chunks->numbers,
					  chunks->fds, &n, &opts) < 0)
		for (i = 0; r == 0 && i < chunks->n; i++)
			r = bpf_map_update_elem(counters, &chunks->numbers[i],
						&chunks->fds[i], 0);
	new_chunks_clear(chunks);
	return r;
}

int chunks_ensure(int counters, const bool *wanted, uint32_t cpus)
{
	CLEANUP(new_chunks_clear) struct new_chunks chunks = { .n = 0 };
	uint32_t number, id;
	int r = 0;

	for (number = 0; number < COUNTER_CHUNKS; number++) {
		if (!wanted[number])
			continue;
		r = bpf_map_lookup_elem(counters, &number, &id);
		if (r == -ENOENT)
			r = new_chunks_add(&chunks, number, cpus);
		if (r == 0 && chunks.n == NEW_MAX)
			r = new_chunks_put(&chunks, counters);
		if (r < 0)
			return r;
	}
	return new_chunks_put(&chunks, counters);
}
