/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/stores.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/crash.h"
#include "pins/layout.h"

#define LINE_BYTES sizeof(union set_line)

/* ---------------------------------------------------------- mapping */

static int open_store(int elements, uint32_t store)
{
	uint32_t id;
	int r;

	r = bpf_map_lookup_elem(elements, &store, &id);
	return r < 0 ? r : bpf_map_get_fd_by_id(id);
}

static int map_lines(int fd, uint32_t n, int protection,
		     struct store_map *ret_map)
{
	void *lines = mmap(NULL, (size_t)n * LINE_BYTES, protection, MAP_SHARED,
			   fd, 0);

	if (lines == MAP_FAILED)
		return neg_errno();
	ret_map->lines = (struct set_lines){
		.lines = lines,
		.n = n,
		.room = n,
		.is_fixed = true,
	};
	return 0;
}

#define PAGE_BYTES 4096

/* A call costs as much as several pages do, and what is near is wanted next.
 */
#define PIECE_BYTES (8 * PAGE_BYTES)
#define PIECE_LINES (PIECE_BYTES / LINE_BYTES)

/* In the place of a piece of the address space that was kept for it. */
static void map_piece(struct set_pages *pages, const struct set_lines *lines,
		      uint32_t piece)
{
	struct store_map *map =
		(struct store_map *)((char *)pages -
				     offsetof(struct store_map, pages));
	size_t begin = (size_t)piece * PIECE_BYTES;
	size_t size = map->size - begin;
	char *place = (char *)lines->lines + begin;

	if (map->mapped[piece])
		return;
	map->mapped[piece] = 1;
	if (size > PIECE_BYTES)
		size = PIECE_BYTES;
	if (mmap(place, size, map->protection, MAP_SHARED | MAP_FIXED, map->fd,
		 (off_t)begin) != MAP_FAILED)
		return;
	pages->r = neg_errno();
	/* Nothing is in there. */
	if (mprotect(place, size, PROT_READ | PROT_WRITE) < 0)
		abort();
}

static void map_pages(struct set_pages *pages, const struct set_lines *lines,
		      uint32_t first, uint32_t n)
{
	uint32_t piece;

	for (piece = first / PIECE_LINES;
	     piece <= (first + n - 1) / PIECE_LINES; piece++)
		map_piece(pages, lines, piece);
}

/* The address space for all of it; pieces come when they are wanted. */
static int keep_place(int fd, uint32_t n, int protection, struct store_map *map)
{
	size_t size = ((size_t)n * LINE_BYTES + PAGE_BYTES - 1) / PAGE_BYTES *
		      PAGE_BYTES;
	void *lines = mmap(NULL, size, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (lines == MAP_FAILED)
		return neg_errno();
	map->lines = (struct set_lines){
		.lines = lines,
		.n = n,
		.room = n,
		.is_fixed = true,
		.pages = &map->pages,
	};
	map->pages.map = map_pages;
	map->protection = protection;
	map->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	map->size = size;
	map->mapped = calloc(size / PIECE_BYTES + 1, 1);
	if (map->fd >= 0 && map->mapped)
		return 0;
	store_map_close(map);
	return -ENOMEM;
}

void store_map_close(struct store_map *map)
{
	if (map->lines.lines)
		munmap(map->lines.lines, (size_t)map->lines.n * LINE_BYTES);
	if (map->lines.pages)
		close_fdp(&map->fd);
	free(map->mapped);
	*map = (struct store_map){ 0 };
}

int store_map_open(int elements, uint32_t store, bool to_change,
		   struct store_map *ret_map, struct err *err)
{
	AUTO_CLOSE int fd = open_store(elements, store);
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int r = fd;

	if (r >= 0)
		r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return err_set(err, r, "open the elements of a set");
	if (info.value_size != LINE_BYTES)
		return layout_misfit("elements", err);
	if (to_change && sysconf(_SC_PAGESIZE) == PAGE_BYTES)
		r = keep_place(fd, info.max_entries, PROT_READ | PROT_WRITE,
			       ret_map);
	else
		r = map_lines(fd, info.max_entries,
			      to_change ? PROT_READ | PROT_WRITE : PROT_READ,
			      ret_map);
	if (r < 0)
		return err_set(err, r, "map the elements of a set");
	return 0;
}

/* ---------------------------------------------------------- writing */

/* A map with what is to be in a store; its descriptor. */
static int create(const struct store_content *content)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	uint64_t n = (uint64_t)content->n_lines + content->n_spare;
	AUTO_CLOSE int fd = -1;
	struct store_map map = { 0 };
	int r;

	if (n > SET_LINES_MAX)
		return -E2BIG;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "store", sizeof(uint32_t),
			    LINE_BYTES, n, &opts);
	if (fd < 0)
		return fd;
	r = map_lines(fd, n, PROT_READ | PROT_WRITE, &map);
	if (r < 0)
		return r;
	memcpy(map.lines.lines, content->lines,
	       (size_t)content->n_lines * LINE_BYTES);
	store_map_close(&map);
	return TAKE_FD(fd);
}

int store_put(int elements, const struct store_content *content,
	      struct err *err)
{
	AUTO_CLOSE int fd = create(content);
	int r = fd;

	crash_point();
	if (r >= 0)
		r = bpf_map_update_elem(elements, &content->store, &fd, 0);
	crash_point();
	/* The outer map is for lines of another size. */
	if (r == -EINVAL)
		return layout_misfit("elements", err);
	if (r < 0)
		return err_set(err, r, "write the elements of a set");
	return 0;
}

static void mark_used(const struct image *image, unsigned char *used,
		      unsigned char value)
{
	size_t i;

	for (i = 0; image && i < image->n_sets; i++)
		if (image->sets[i].store < STORES_MAX)
			used[image->sets[i].store] = value;
}

/* What is left of a killed apply is written over, sooner or later. */
static int remove_old(int elements, const struct image *before,
		      const struct image *live, const struct image *image)
{
	AUTO_FREE unsigned char *used = calloc(STORES_MAX, 1);
	uint32_t i;
	int r;

	if (!used)
		return -ENOMEM;
	mark_used(before, used, 1);
	mark_used(live, used, 0);
	mark_used(image, used, 0);
	for (i = 0; i < STORES_MAX; i++) {
		if (!used[i])
			continue;
		r = bpf_map_delete_elem(elements, &i);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

int stores_write(int elements, const struct image *before,
		 const struct image *live, const struct image *image,
		 struct err *err)
{
	size_t i;
	int r;

	r = remove_old(elements, before, live, image);
	if (r < 0)
		return err_set(err, r, "remove the elements of a set");
	for (i = 0; r == 0 && i < image->n_stores; i++)
		r = store_put(elements, &image->stores[i], err);
	return r;
}

/* ---------------------------------------------------------- reading */

static int read_head(int elements, const struct set_row *row,
		     union set_line *ret_line)
{
	AUTO_CLOSE int fd = open_store(elements, row->store);

	if (fd < 0)
		return fd;
	return bpf_map_lookup_elem(fd, &row->head, ret_line);
}

static int count(int elements, struct set_row *row, struct err *err)
{
	CLEANUP(store_map_close) struct store_map map = { 0 };
	size_t n = 0;
	int r;

	r = store_map_open(elements, row->store, false, &map, err);
	if (r < 0)
		return r;
	r = store_count(&map.lines, row->head, store_now(), &n);
	if (r == -EPROTO)
		return layout_misfit("elements", err);
	if (r < 0)
		return err_set(err, r, "count the elements of a set");
	row->elements = n;
	return 0;
}

static bool is_named(const struct image *image, size_t index)
{
	return *image_string(image, image->sets[index].name) != '\0';
}

int stores_look(int elements, struct image *image, struct err *err)
{
	union set_line line;
	size_t i;
	int r = 0;

	/* Named ones come first. */
	for (i = 0; r == 0 && i < image->n_sets && is_named(image, i); i++) {
		struct set_row *row = &image->sets[i];

		r = read_head(elements, row, &line);
		if (r < 0)
			return err_set(err, r, "read the elements of set '%s'",
				       image_string(image, row->name));
		if (line.head.root || line.head.changed)
			row->digest = 0;
		if (line.head.root || line.head.changed ||
		    line.head.untils[SET_IP4] || line.head.untils[SET_IP6])
			r = count(elements, row, err);
	}
	return r;
}
