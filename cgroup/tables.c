/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "cgroup/asks.h"
#include "cgroup/flow_tables.h"
#include "cgroup/stamp.h"
#include "cgroup/stores.h"
#include "cgroup/table_array.h"
#include "cgroup/table_rows.h"
#include "cgroup/table_steps.h"
#include "pins/folder.h"
#include "pins/layout.h"

/* The first is strings, which no packet reads: see tables_settle. */
#define TABLE_OF(name, kind, key_size)                                     \
	{                                                                  \
#name, kind, key_size, sizeof(*((struct image *)0)->name), \
			offsetof(struct image, name),                      \
			offsetof(struct image, n_##name)                   \
	}
#define TABLE(name, kind) TABLE_OF(name, kind, 0)
#define HASH(name) \
	TABLE_OF(name, TABLE_HASH, sizeof(((struct image *)0)->name->key))

enum {
	TABLE_OF_STRINGS,
	TABLE_OF_SETS,
	TABLE_OF_IFACES,
	TABLE_OF_CHAINS,
	TABLE_OF_RULES,
	TABLE_OF_CLASS_NODES,
	TABLE_OF_CLASS_BUCKETS,
	TABLE_OF_CLASS_ENTRIES,
};

static const struct table_def defs[N_TABLES] = {
	TABLE(strings, TABLE_STRINGS),
	TABLE(sets, TABLE_ARRAY),
	HASH(ifaces),
	TABLE(chains, TABLE_ARRAY),
	TABLE(rules, TABLE_ARRAY),
	TABLE(class_nodes, TABLE_ARRAY),
	TABLE(class_buckets, TABLE_ARRAY),
	TABLE(class_entries, TABLE_ARRAY),
	TABLE(groups, TABLE_ARRAY),
	TABLE(peers, TABLE_ARRAY),
	TABLE(devices, TABLE_ARRAY),
	TABLE(globs, TABLE_ARRAY),
	HASH(paths),
	HASH(shares),
};

void tables_close(struct tables *tables)
{
	size_t i;

	close_fdp(&tables->generation);
	close_fdp(&tables->changes);
	close_fdp(&tables->asked);
	close_fdp(&tables->counters);
	close_fdp(&tables->rule_limits);
	close_fdp(&tables->rule_logs);
	close_fdp(&tables->source_limits);
	close_fdp(&tables->flows);
	close_fdp(&tables->elements);
	for (i = 0; i < N_TABLES; i++)
		close_fdp(&tables->slots[i]);
	free(tables);
}

/* All closed; NULL without memory. */
static struct tables *tables_new(void)
{
	struct tables *tables = malloc(sizeof(*tables));

	if (tables)
		memset(tables, -1, sizeof(*tables));
	return tables;
}

/* Those that are no tables: each with its place in struct tables. */
#define SINGLE(name)                                 \
	{                                            \
#name, offsetof(struct tables, name) \
	}

static const struct {
	const char *map;
	size_t offset;
} singles[] = {
	SINGLE(generation),    SINGLE(asked),	    SINGLE(changes),
	SINGLE(counters),      SINGLE(rule_limits), SINGLE(rule_logs),
	SINGLE(source_limits), SINGLE(flows),	    SINGLE(elements),
};

static int *single_of(struct tables *tables, size_t i)
{
	return (int *)((char *)tables + singles[i].offset);
}

int tables_open(const char *dir, struct tables **ret_tables, struct err *err)
{
	CLEANUP(tables_closep) struct tables *tables = tables_new();
	size_t i;
	int r = 0;

	if (!tables)
		return err_set(err, -ENOMEM, "open maps");
	for (i = 0; r == 0 && i < ARRAY_SIZE(singles); i++)
		r = folder_open_pin(dir, singles[i].map, single_of(tables, i),
				    err);
	for (i = 0; r == 0 && i < N_TABLES; i++) {
		r = folder_open_pin(dir, defs[i].map, &tables->slots[i], err);
		/* A version before this one had none: as if it were empty. */
		if (r == -ENOENT && i == TABLE_OF_IFACES)
			r = 0;
	}
	if (r < 0)
		return r;
	*ret_tables = TAKE_PTR(tables);
	return 0;
}

static int copy_map(const struct bpf_object *object, const char *name,
		    int *ret_fd, struct err *err)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	if (fd >= 0)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, neg_errno(), "open map '%s'", name);
	*ret_fd = fd;
	return 0;
}

int tables_of_object(const struct bpf_object *object,
		     struct tables **ret_tables, struct err *err)
{
	CLEANUP(tables_closep) struct tables *tables = tables_new();
	size_t i;
	int r = 0;

	if (!tables)
		return err_set(err, -ENOMEM, "open maps");
	for (i = 0; r == 0 && i < ARRAY_SIZE(singles); i++)
		r = copy_map(object, singles[i].map, single_of(tables, i), err);
	for (i = 0; r == 0 && i < N_TABLES; i++)
		r = copy_map(object, defs[i].map, &tables->slots[i], err);
	if (r < 0)
		return r;
	*ret_tables = TAKE_PTR(tables);
	return 0;
}

int tables_generation(const struct tables *tables, uint32_t *ret_generation,
		      struct err *err)
{
	uint32_t zero = 0;
	int r;

	r = bpf_map_lookup_elem(tables->generation, &zero, ret_generation);
	if (r < 0)
		return err_set(err, r, "read the generation");
	return 0;
}

int tables_end_changes(const struct tables *tables, struct err *err)
{
	return stamp_end(tables->changes, err);
}

int tables_switch(const struct tables *tables, uint32_t generation,
		  struct err *err)
{
	uint32_t zero = 0;
	int r;

	r = tables_end_changes(tables, err);
	if (r < 0)
		return r;
	r = bpf_map_update_elem(tables->generation, &zero, &generation, 0);
	if (r < 0)
		return err_set(err, r, "switch to generation %u", generation);
	return 0;
}

/* So often may the policy change while it is read. */
#define READ_TRIES 100

/* The inner map in a slot; -1 where the table is empty there. */
static int open_inner(int outer, uint32_t slot, int *ret_fd)
{
	uint32_t id;
	int r;

	r = bpf_map_lookup_elem(outer, &slot, &id);
	if (r == -ENOENT) {
		*ret_fd = -1;
		return 0;
	}
	if (r < 0)
		return r;
	r = bpf_map_get_fd_by_id(id);
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

/* Those that are large, and that nobody changes in an image that was read. */
static bool is_mapped(size_t table)
{
	return table == TABLE_OF_STRINGS ||
	       (table >= TABLE_OF_RULES && table <= TABLE_OF_CLASS_ENTRIES);
}

/* The table of one slot, into image. */
static int read_table(const struct tables *tables, size_t table, uint32_t slot,
		      bool in_place, struct image *image)
{
	AUTO_CLOSE int inner = -1;
	int r;

	if (tables->slots[table] < 0)
		return 0;
	r = open_inner(tables->slots[table], slot, &inner);
	if (r == 0 && inner >= 0)
		r = table_rows_read(&defs[table], inner,
				    in_place && is_mapped(table), image);
	return r;
}

static int read_slot(const struct tables *tables, uint32_t slot, bool in_place,
		     struct image *image, struct err *err)
{
	size_t i;
	int r;

	for (i = 0; i < N_TABLES; i++) {
		r = read_table(tables, i, slot, in_place, image);
		if (r == -EPROTO)
			return layout_misfit(defs[i].map, err);
		if (r < 0)
			return err_set(err, r, "read the live table '%s'",
				       defs[i].map);
	}
	return stores_look(tables->elements, image, err);
}

/*
 * Who reads without the lock may be overtaken: the slot is written again two
 * generations later, so what was read is whole if this one is in force still.
 */
int tables_read(const struct tables *tables, bool in_place,
		struct image **ret_image, struct err *err)
{
	uint32_t generation, again;
	int try, r;

	for (try = 0; try < READ_TRIES; try++) {
		CLEANUP(image_freep) struct image *image = image_new();

		if (!image)
			return err_set(err, -ENOMEM, "read the live policy");
		r = tables_generation(tables, &generation, err);
		if (r == 0 && generation > 0)
			r = read_slot(tables, generation & 1, in_place, image,
				      err);
		if (tables_generation(tables, &again, err) == 0 &&
		    again != generation)
			continue;
		if (r < 0)
			return r;
		image_sort(image);
		*ret_image = TAKE_PTR(image);
		return 0;
	}
	return err_say(err, -EAGAIN,
		       "read the live policy: it changed %d times meanwhile",
		       READ_TRIES);
}

/*
 * The map of strings is put where it is already: that changes nothing, but
 * the kernel waits until all programs that run are through, as always when it
 * replaces a map in an array of maps.
 */
int tables_settle(const struct tables *tables, struct err *err)
{
	uint32_t generation, slot, settled;
	AUTO_CLOSE int inner = -1;
	int r;

	r = tables_generation(tables, &generation, err);
	if (r < 0 || generation == 0)
		return r;
	slot = generation & 1;
	r = open_inner(tables->slots[0], slot, &inner);
	if (r == 0 && inner < 0)
		r = -ENOENT;
	if (r == 0)
		r = table_array_settled(inner, &settled);
	if (r == 0 && settled == generation)
		return 0;
	if (r == 0)
		r = bpf_map_update_elem(tables->slots[0], &slot, &inner, 0);
	if (r == 0)
		r = table_array_settle(inner, generation);
	if (r == -EPROTO)
		return layout_misfit(defs[0].map, err);
	if (r < 0)
		return err_set(err, r, "wait for running programs");
	return 0;
}

void tables_release(const struct tables *tables)
{
	CLEANUP(table_steps_clear) struct table_steps steps = { 0 };
	struct err ignored;
	uint32_t generation;
	size_t i;

	if (tables_settle(tables, &ignored) < 0 ||
	    tables_generation(tables, &generation, &ignored) < 0)
		return;
	for (i = 0; i < N_TABLES; i++)
		table_step_release(&steps, &defs[i], tables->slots[i],
				   !(generation & 1));
	table_steps_do(&steps);
}

/* Of the sets that the slot has until now, the stores. */
static int write_stores(const struct tables *tables, uint32_t slot,
			const struct image *image, const struct image *live,
			struct err *err)
{
	CLEANUP(image_freep) struct image *before = image_new();
	int r = before ? 0 : -ENOMEM;

	if (r == 0)
		r = read_table(tables, TABLE_OF_SETS, slot, false, before);
	if (r == -EPROTO)
		return layout_misfit("sets", err);
	if (r < 0)
		return err_set(err, r, "read the sets before these");
	return stores_write(tables->elements, before, live, image, err);
}

int tables_write(const struct tables *tables, const struct image *image,
		 const struct image *live, struct err *err)
{
	CLEANUP(table_steps_clear) struct table_steps steps = { 0 };
	const struct table_step *failed = NULL;
	uint32_t generation, slot;
	size_t i;
	int r;

	r = tables_generation(tables, &generation, err);
	if (r == 0)
		r = tables_settle(tables, err);
	if (r < 0)
		return r;
	slot = (generation + 1) & 1;
	r = asks_write(tables->asked, slot, image, err);
	if (r < 0)
		return r;
	r = write_stores(tables, slot, image, generation ? live : NULL, err);
	if (r == 0)
		r = flow_tables_write(tables->flows, image,
				      generation ? live : NULL, err);
	if (r < 0)
		return r;
	for (i = 0; i < N_TABLES && !failed; i++)
		failed = table_step_make(&steps, &defs[i], tables->slots[i],
					 slot, image, generation ? live : NULL);
	if (!failed)
		failed = table_steps_do(&steps);
	if (failed && failed->result == -EPROTO)
		return layout_misfit(failed->def->map, err);
	if (failed)
		return err_set(err, failed->result, "write the table '%s'",
			       failed->def->map);
	return tables_prepare_counters(tables, image, live, err);
}
