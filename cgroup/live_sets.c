/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/live_sets.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <string.h>

#include "base/array.h"
#include "cgroup/stamp.h"
#include "pins/folder.h"
#include "pins/layout.h"

void live_sets_close(struct live_sets *sets)
{
	close_fdp(&sets->elements);
	close_fdp(&sets->rows);
	close_fdp(&sets->strings);
	close_fdp(&sets->changes);
	close_fdp(&sets->generation);
	*sets = LIVE_SETS_NONE;
}

/* ------------------------------------------------------------- opening */

static int open_generation(const char *dir, struct live_sets *sets,
			   struct err *err)
{
	uint32_t zero = 0;
	int r;

	r = folder_open_pin(dir, "generation", &sets->generation, err);
	if (r < 0)
		return r;
	r = bpf_map_lookup_elem(sets->generation, &zero, &sets->number);
	if (r < 0)
		return err_set(err, r, "read the generation");
	return sets->number ? 0 : -ENOENT;
}

bool live_sets_hold(const struct live_sets *sets)
{
	uint32_t zero = 0, number = 0;

	return bpf_map_lookup_elem(sets->generation, &zero, &number) == 0 &&
	       number == sets->number;
}

/* The table of the slot in force; *ret_fd stays where it is empty. */
static int open_table(const char *dir, const char *name, uint32_t slot,
		      size_t value_size, int *ret_fd, struct err *err)
{
	AUTO_CLOSE int outer = -1, inner = -1;
	uint32_t id;
	int r;

	r = folder_open_pin(dir, name, &outer, err);
	if (r < 0)
		return r;
	r = bpf_map_lookup_elem(outer, &slot, &id);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = bpf_map_get_fd_by_id(id);
	if (r < 0)
		return err_set(err, r, "read the live table '%s'", name);
	inner = r;
	r = layout_check(inner, name, value_size, err);
	if (r == 0)
		*ret_fd = TAKE_FD(inner);
	return r;
}

int live_sets_open(const char *dir, struct live_sets *ret_sets, struct err *err)
{
	CLEANUP(live_sets_close) struct live_sets sets = LIVE_SETS_NONE;
	int r;

	r = open_generation(dir, &sets, err);
	if (r == 0)
		r = folder_open_pin(dir, "elements", &sets.elements, err);
	if (r == 0)
		r = folder_open_pin(dir, "changes", &sets.changes, err);
	if (r == 0)
		r = open_table(dir, "sets", sets.number & 1,
			       sizeof(struct set_row), &sets.rows, err);
	if (r == 0)
		r = open_table(dir, "strings", sets.number & 1,
			       sizeof(struct strings_page), &sets.strings, err);
	if (r < 0)
		return r;
	*ret_sets = sets;
	sets = LIVE_SETS_NONE;
	return 0;
}

/* ------------------------------------------------------------- finding */

/* What fits of the text at off; it may go over from one page to the next. */
static int read_string(int fd, str_off off, char *text, size_t size)
{
	struct strings_page page;
	uint32_t number = off / STRINGS_PAGE, begin = off % STRINGS_PAGE;
	size_t n = 0;
	int r;

	while (n < size - 1) {
		r = bpf_map_lookup_elem(fd, &number, &page);
		if (r < 0)
			return r;
		for (; begin < STRINGS_PAGE && n < size - 1; begin++) {
			text[n] = page.bytes[begin];
			if (!text[n++])
				return 0;
		}
		begin = 0;
		number++;
	}
	text[n] = '\0';
	return 0;
}

int live_sets_read(const struct live_sets *sets, uint32_t index,
		   struct live_set *ret_set, struct err *err)
{
	struct live_set set = { 0 };
	int r;

	if (sets->rows < 0)
		return -ENOENT;
	r = bpf_map_lookup_elem(sets->rows, &index, &set.row);
	if (r == -ENOENT || (r == 0 && !set.row.name))
		return -ENOENT;
	if (r == 0)
		r = read_string(sets->strings, set.row.name, set.name,
				sizeof(set.name));
	if (r < 0)
		return err_set(err, r, "read the sets in force");
	*ret_set = set;
	return 0;
}

static int count_rows(const struct live_sets *sets, uint32_t *ret_n,
		      struct err *err)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int r;

	*ret_n = 0;
	if (sets->rows < 0)
		return 0;
	r = bpf_obj_get_info_by_fd(sets->rows, &info, &size);
	if (r < 0)
		return err_set(err, r, "read the sets in force");
	*ret_n = info.max_entries;
	return 0;
}

/* Named sets come first, by name: a few of many are looked at. */
int live_sets_find(const struct live_sets *sets, const char *name,
		   struct live_set *ret_set, struct err *err)
{
	struct live_set set;
	uint32_t low = 0, high, middle;
	int r, order;

	r = count_rows(sets, &high, err);
	while (r == 0 && low < high) {
		middle = low + (high - low) / 2;
		r = live_sets_read(sets, middle, &set, err);
		if (r < 0 && r != -ENOENT)
			return r;
		order = r == 0 ? strcmp(set.name, name) : 1;
		r = 0;
		if (order == 0) {
			*ret_set = set;
			return 0;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return r < 0 ? r : -ENOENT;
}

/* ------------------------------------------------------------- reading */

static int explain(int code, const struct live_set *set, struct err *err)
{
	if (code == -EPROTO)
		return layout_misfit("elements", err);
	return err_set(err, code, "set '%s'", set->name);
}

int live_set_elements(const struct live_sets *sets, const struct live_set *set,
		      struct elements *ret_elements, struct err *err)
{
	CLEANUP(store_map_close) struct store_map map = { 0 };
	int r;

	r = store_map_open(sets->elements, set->row.store, false, &map, err);
	if (r < 0)
		return r;
	r = store_read(&map.lines, set->row.head, store_now(), NULL,
		       ret_elements);
	return r < 0 ? explain(r, set, err) : 0;
}

int live_set_count(const struct live_sets *sets, const struct live_set *set,
		   size_t *ret_n, struct err *err)
{
	CLEANUP(store_map_close) struct store_map map = { 0 };
	int r;

	r = store_map_open(sets->elements, set->row.store, false, &map, err);
	if (r < 0)
		return r;
	r = store_count(&map.lines, set->row.head, store_now(), ret_n);
	return r < 0 ? explain(r, set, err) : 0;
}

int live_set_look(const struct live_sets *sets, const struct live_set *set,
		  unsigned int family, const struct element *element,
		  struct set_look *ret_look, struct err *err)
{
	CLEANUP(store_map_close) struct store_map map = { 0 };
	int r;

	r = store_map_open(sets->elements, set->row.store, true, &map, err);
	if (r < 0)
		return r;
	r = store_look(&map.lines, set->row.head, store_now(), family, element,
		       ret_look);
	if (r == 0)
		r = map.pages.r;
	return r < 0 ? explain(r, set, err) : 0;
}

/* ------------------------------------------------------------ changing */

/* Whether or not it was changed, verdicts are kept again. */
static int end_change(const struct live_sets *sets, int result, struct err *err)
{
	struct err ignored;

	if (result == 0)
		return stamp_end(sets->changes, err);
	stamp_end(sets->changes, &ignored);
	return result;
}

int live_set_replace(const struct live_sets *sets, const struct live_set *set,
		     const struct elements *elements, struct err *err)
{
	CLEANUP(set_lines_clear) struct set_lines lines = { 0 };
	struct store_content content = { .store = set->row.store };
	struct elements its = *elements;
	uint32_t head = 0;
	int r;

	if (elements_count(elements) > ELEMENTS_MAX)
		return err_say(err, -E2BIG,
			       "set '%s' would have more than %u elements",
			       set->name, ELEMENTS_MAX);
	/* Also where there are none. */
	its.kind = set->row.kind;
	r = store_make(&its, store_now(), &lines, &head);
	if (r == -E2BIG)
		return err_say(err, r, STORE_OVERLAPS, set->name,
			       elements_count(elements),
			       (unsigned long long)store_overlaps_max(
				       elements_count(elements)));
	if (r < 0)
		return explain(r, set, err);
	lines.lines[head].head.changed = 1;
	content.lines = lines.lines;
	content.n_lines = lines.n;
	content.n_spare = store_spare(lines.n, true);
	r = stamp_begin(sets->changes, err);
	if (r == 0)
		r = store_put(sets->elements, &content, err);
	return end_change(sets, r, err);
}

/* With room for more changes; nothing that was meant to be in is lost. */
static int make_anew(const struct live_sets *sets, const struct live_set *set,
		     uint32_t now, const struct set_changes *changes,
		     struct err *err)
{
	CLEANUP(elements_clear) struct elements elements = { 0 };
	CLEANUP(store_map_close) struct store_map map = { 0 };
	int r;

	r = store_map_open(sets->elements, set->row.store, false, &map, err);
	if (r < 0)
		return r;
	r = store_read(&map.lines, set->row.head, now, changes, &elements);
	if (r < 0)
		return explain(r, set, err);
	return live_set_replace(sets, set, &elements, err);
}

int live_set_change(const struct live_sets *sets, const struct live_set *set,
		    const struct set_changes *changes, size_t *ret_n,
		    struct err *err)
{
	CLEANUP(store_map_close) struct store_map map = { 0 };
	uint32_t now = store_now();
	int r;

	r = store_map_open(sets->elements, set->row.store, true, &map, err);
	if (r < 0)
		return r;
	r = stamp_begin(sets->changes, err);
	if (r < 0)
		return r;
	r = store_change(&map.lines, set->row.head, now, changes, ret_n);
	if (r == -ENOSPC || r == -E2BIG) {
		*ret_n = changes->n_list;
		r = make_anew(sets, set, now, changes, err);
	} else if (r < 0) {
		r = explain(r, set, err);
	}
	return end_change(sets, r, err);
}
