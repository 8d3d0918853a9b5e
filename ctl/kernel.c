/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/kernel.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/crash.h"
#include "cgroup/asks.h"
#include "cgroup/mount.h"
#include "cgroup/probe.h"
#include "ctl/lock.h"
#include "pins/bpffs.h"
#include "pins/folder.h"
#include "pins/layout.h"
#include "rules/flow_abi.h"
#include "rules/monitor_abi.h"
#include "tc/answer_abi.h"

static int open_loaded(struct kernel *kernel, struct err *err)
{
	const char *dir = kernel->places->bpffs;
	char maps[PATH_MAX];
	int r;

	snprintf(maps, sizeof(maps), "%s/maps", dir);
	r = tables_open(maps, &kernel->tables, err);
	if (r == 0)
		r = scopes_open(dir, &kernel->scopes, err);
	if (r == 0)
		r = accounts_open(dir, &kernel->accounts, err);
	if (r < 0)
		return r;
	/* Those of another version of weir are none of ours. */
	r = programs_open(dir, &kernel->programs, err);
	if (r < 0)
		return r;
	return loader_open(dir, &kernel->loader, err);
}

static void close_loaded(struct kernel *kernel)
{
	if (kernel->tables)
		tables_close(TAKE_PTR(kernel->tables));
	scopes_close(&kernel->scopes);
	accounts_close(&kernel->accounts);
	programs_close(&kernel->programs);
	loader_close(&kernel->loader);
	kernel->scopes = (struct scopes){ -1, -1, -1 };
	kernel->accounts = ACCOUNTS_NONE;
	memset(&kernel->programs, -1, sizeof(kernel->programs));
	memset(&kernel->loader, -1, sizeof(kernel->loader));
	kernel->loaded = false;
}

void kernel_close(struct kernel *kernel)
{
	if (!kernel->places)
		return;
	close_loaded(kernel);
	image_freep(&kernel->live);
	kernel->live = NULL;
}

int kernel_read_live(struct kernel *kernel, struct err *err)
{
	struct image *live = NULL;
	int r;

	if (!kernel->loaded)
		return 0;
	r = tables_generation(kernel->tables, &kernel->generation, err);
	if (r == 0)
		r = tables_read(kernel->tables, kernel->in_place, &live, err);
	if (r < 0)
		return r;
	image_freep(&kernel->live);
	kernel->live = live;
	return 0;
}

/* The kernel writes values as long as they are: longer ones beyond the end. */
static int check_layouts(const struct kernel *kernel, struct err *err)
{
	const struct {
		int fd;
		const char *map;
		size_t value_size;
	} maps[] = {
		{ kernel->scopes.scopes, "scopes", sizeof(struct scope) },
		{ kernel->accounts.accounts, "accounts",
		  sizeof(struct account) },
		{ kernel->accounts.calendars, "calendars",
		  sizeof(struct calendar) },
		{ kernel->accounts.state, "calendar_state",
		  sizeof(struct calendar_state) },
		{ kernel->tables->rule_limits, "rule_limits",
		  sizeof(struct rule_limit) },
		{ kernel->tables->rule_logs, "rule_logs",
		  sizeof(struct rule_log) },
		{ kernel->tables->source_limits, "source_limits",
		  sizeof(struct source_line) },
		{ kernel->tables->flows, "flows", sizeof(uint32_t) },
		{ kernel->loader.tallies, "device_tallies",
		  sizeof(struct device_tally) },
		{ kernel->loader.answers, "device_answers",
		  sizeof(struct device_answers) },
	};
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < ARRAY_SIZE(maps); i++)
		r = layout_check(maps[i].fd, maps[i].map, maps[i].value_size,
				 err);
	return r;
}

static int read_loaded(struct kernel *kernel, struct err *err)
{
	int r;

	if (!kernel->loaded)
		return 0;
	r = check_layouts(kernel, err);
	return r < 0 ? r : kernel_read_live(kernel, err);
}

/*
 * What cannot be read of another version's policy need not be, to go: anchors
 * and marks tell of what there is.
 */
static int read_to_clear(struct kernel *kernel, struct err *err)
{
	int r = read_loaded(kernel, err);

	if (r == -EPROTO)
		r = tables_generation(kernel->tables, &kernel->generation, err);
	return r;
}

static int read_to_edit(struct kernel *kernel, struct err *err)
{
	kernel->in_place = true;
	return read_loaded(kernel, err);
}

/* Whether there are maps, be they another version's or not whole. */
static int find_pins(struct kernel *kernel, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char maps[PATH_MAX];
	int r;

	snprintf(maps, sizeof(maps), "%s/maps", kernel->places->bpffs);
	r = folder_find_pin(maps, "generation", &fd, err);
	kernel->had_pins = fd >= 0;
	return r;
}

typedef int (*read_fn)(struct kernel *kernel, struct err *err);

/* What is pinned, and by read_it what is in force. */
static int open_and_read(read_fn read_it, const struct places *places,
			 struct kernel *ret_kernel, struct err *err)
{
	CLEANUP(kernel_close) struct kernel kernel = { .places = places };
	int r;

	memset(&kernel.programs, -1, sizeof(kernel.programs));
	memset(&kernel.loader, -1, sizeof(kernel.loader));
	kernel.scopes = (struct scopes){ -1, -1, -1 };
	kernel.accounts = ACCOUNTS_NONE;
	r = probe_allowed(err);
	if (r == 0)
		r = mount_find_cgroup2(kernel.mount, err);
	if (r < 0)
		return r;
	kernel.live = image_new();
	if (!kernel.live)
		return err_set(err, -ENOMEM, "read what is in force");
	r = find_pins(&kernel, err);
	if (r == 0)
		r = open_loaded(&kernel, err);
	if (r < 0 && r != -ENOENT)
		return r;
	kernel.loaded = r == 0;
	if (!kernel.loaded) {
		close_loaded(&kernel);
		r = loader_open(places->bpffs, &kernel.loader, err);
	}
	if (r == 0)
		r = read_it(&kernel, err);
	if (r < 0)
		return r;
	*ret_kernel = kernel;
	kernel.places = NULL;
	return 0;
}

int kernel_open(const struct places *places, struct kernel *ret_kernel,
		struct err *err)
{
	return open_and_read(read_loaded, places, ret_kernel, err);
}

static int open_locked(read_fn read_it, const struct places *places,
		       int *ret_lock, struct kernel *ret_kernel,
		       struct err *err)
{
	AUTO_CLOSE int lock = lock_take(places->run, err);
	int r;

	if (lock < 0)
		return lock;
	r = folder_check(places->state, err);
	if (r == 0)
		r = folder_check(places->bpffs, err);
	if (r == 0)
		r = open_and_read(read_it, places, ret_kernel, err);
	if (r < 0) {
		lock_remove(places->run);
		return r;
	}
	*ret_lock = TAKE_FD(lock);
	return 0;
}

int kernel_open_locked(const struct places *places, int *ret_lock,
		       struct kernel *ret_kernel, struct err *err)
{
	return open_locked(read_loaded, places, ret_lock, ret_kernel, err);
}

int kernel_open_to_edit(const struct places *places, int *ret_lock,
			struct kernel *ret_kernel, struct err *err)
{
	return open_locked(read_to_edit, places, ret_lock, ret_kernel, err);
}

int kernel_open_to_clear(const struct places *places, int *ret_lock,
			 struct kernel *ret_kernel, struct err *err)
{
	return open_locked(read_to_clear, places, ret_lock, ret_kernel, err);
}

/* The kernel's words for it do not help where the maps are another version's.
 */
static int explain(const char *dir, int code, struct err *err)
{
	if (code == -EPROTO ||
	    (!programs_have_others(dir) && !loader_have_others(dir)))
		return code;
	return err_wrap(err, code,
			"another version of weir is in force (run weirctl "
			"clear, then weirctl apply)");
}

uint32_t kernel_needs(const struct kernel *kernel, const struct image *image)
{
	uint32_t asks = asks_of(image);

	if (kernel->loaded && image->n_groups)
		asks |= asks_lasting(kernel->tables->asked,
				     kernel->generation & 1);
	return programs_needed(asks);
}

int kernel_load(struct kernel *kernel, const struct image *image,
		struct err *err)
{
	const char *dir = kernel->places->bpffs;
	uint32_t needed = kernel_needs(kernel, image);
	bool devices = loader_needed(image);
	int r;

	if (kernel->loaded && programs_have(&kernel->programs, needed) &&
	    (!devices || loader_is_whole(&kernel->loader)))
		return 0;
	r = folder_make(kernel->places->state, err);
	if (r < 0)
		return r;
	r = bpffs_ensure(dir, err);
	crash_point();
	if (r == 0)
		r = programs_ensure(dir, needed, err);
	if (r == 0 && devices)
		r = loader_ensure(dir, err);
	if (r < 0)
		return explain(dir, r, err);
	close_loaded(kernel);
	r = open_loaded(kernel, err);
	if (r == -ENOENT)
		return err_say(err, r, "the maps pinned in '%s' are not whole",
			       dir);
	if (r < 0)
		return r;
	kernel->loaded = true;
	return kernel_read_live(kernel, err);
}

/* Whoever points WEIR_BPFFS at a folder that he shares keeps what is his. */
static int remove_pins(const char *dir, struct err *err)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/links", dir);
	r = folder_remove(path, err);
	snprintf(path, sizeof(path), "%s/maps", dir);
	if (r == 0)
		r = folder_remove(path, err);
	if (r == 0)
		r = folder_remove_all(dir, "programs-", NULL, err);
	if (r == 0)
		r = folder_remove_all(dir, "xdp-", NULL, err);
	return r < 0 ? r : folder_remove_all(dir, "tc-", NULL, err);
}

int kernel_unload(struct kernel *kernel, struct err *err)
{
	const char *dir = kernel->places->bpffs;
	int r;

	close_loaded(kernel);
	/* Pins are on a bpffs; a folder that is none is somebody else's. */
	if (bpffs_is_at(dir)) {
		r = remove_pins(dir, err);
		if (r < 0)
			return r;
	}
	rmdir(dir); /* fails where it is a mount of its own */
	crash_point();
	r = bpffs_release(dir, err);
	rmdir(dir);
	rmdir(kernel->places->state);
	if (r < 0)
		return err_wrap(err, r,
				"nothing is in force any more, but a mount "
				"stays");
	return 0;
}
