/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image in the kernel: writing it beside the one in force, switching to
 * it, and reading back what is in force.  The maps are pinned by the first
 * load of the programs (cgroup/programs.h); here they are only opened.
 */
#ifndef WEIR_CGROUP_TABLES_H
#define WEIR_CGROUP_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "rules/image.h"

#define N_TABLES 14

struct bpf_object;

struct tables {
	int generation; /* the map's descriptor, likewise below */
	int changes;	/* cgroup/stamp.h */
	int asked;	/* cgroup/asks.h */
	/* Arrays of maps, two slots each; -1 of a table that came later. */
	int slots[N_TABLES];
	int elements; /* stores of sets: cgroup/stores.h */
	int counters;
	int rule_limits;
	int rule_logs;
	int source_limits;
	int flows; /* cgroup/flow_tables.h */
};

/* -ENOENT, without a sentence, where nothing of ours is pinned in dir. */
int tables_open(const char *dir, struct tables **ret_tables, struct err *err);

/* Those of an object that is loaded and has them all; it may go before. */
int tables_of_object(const struct bpf_object *object,
		     struct tables **ret_tables, struct err *err);
void tables_close(struct tables *tables);
DEFINE_CLEANUP(struct tables *, tables_close);

/* 0 as long as no policy was ever switched to. */
int tables_generation(const struct tables *tables, uint32_t *ret_generation,
		      struct err *err);

/*
 * The image in force; an empty one in generation 0.  What is in stores is not
 * read.  in_place: strings, rules and classifiers are the kernel's own memory,
 * not to be changed, for who keeps the lock as long as they are read: what is
 * in force is not written.
 */
int tables_read(const struct tables *tables, bool in_place,
		struct image **ret_image, struct err *err);

/*
 * Writes image to the slot that is not in force; packets see nothing of it.
 * live is what is in force: where a table has not
 * changed, the new slot gets the same map.  Also makes room for the image's
 * counters, rule limits and flows.
 */
int tables_write(const struct tables *tables, const struct image *image,
		 const struct image *live, struct err *err);

/*
 * Waits until no program reads the slot that is not in force, unless that was
 * done since the last switch.  tables_write does so first; where there is time
 * for it before, it need not wait then.
 */
int tables_settle(const struct tables *tables, struct err *err);

/*
 * Does so, and gives back the large maps of that slot.  To be called under the
 * lock, as who writes is.
 */
void tables_release(const struct tables *tables);

/* The one atomic step: from now on packets see what was written last. */
int tables_switch(const struct tables *tables, uint32_t generation,
		  struct err *err);

/*
 * What a change of a set that was killed on its way has left: verdicts are kept
 * again.  Part of tables_switch; for who has nothing to switch to.
 */
int tables_end_changes(const struct tables *tables, struct err *err);

/*
 * Part of tables_write: makes room for the counters of image, and sets those
 * to zero that no rule of live has.
 */
int tables_prepare_counters(const struct tables *tables,
			    const struct image *image, const struct image *live,
			    struct err *err);

/*
 * Removes the token states of rules that are not in image any more, those of
 * what they may log, too.  was: the
 * image before it.
 */
int tables_tidy_limits(const struct tables *tables, const struct image *image,
		       const struct image *was, struct err *err);

/* The sum of a counter over all processors. */
int tables_counter(const struct tables *tables, uint32_t counter,
		   struct counter *ret_sum, struct err *err);

/* Of all rules and chains of the image in force, into arrays as long. */
int tables_counters(const struct tables *tables, const struct image *image,
		    struct counter *rules, struct counter *chains,
		    struct err *err);

/*
 * What the kernel has given for the tables of both slots, for what rules count
 * and keep, and for the flows of image, which is in force: by its own account.
 */
int tables_memory(const struct tables *tables, const struct image *image,
		  uint64_t *ret_bytes, struct err *err);

#endif
