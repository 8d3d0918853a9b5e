/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/explain.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cgroup/explain.skel.h"
#include "pins/layout.h"
#include "pins/log.h"
#include "pins/object.h"
#include "rules/flow_abi.h"

/* As in rules/state.bpf.h. */
enum {
	ASK_OUT = 1 << 0,
	ASK_DEVICE = 1 << 1,
};

struct explainer {
	struct explain_bpf *skel;
	uint32_t slot; /* of the tables that are asked */
};

void explainer_close(struct explainer *explainer)
{
	explain_bpf__destroy(explainer->skel);
	free(explainer);
}

/*
 * The tables are in arrays of maps, as the chunks of counters and flows are.
 * All else is written when packets are decided.
 */
static bool is_table(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_ARRAY_OF_MAPS &&
	       strcmp(bpf_map__name(map), "counters") != 0 &&
	       strcmp(bpf_map__name(map), "flows") != 0;
}

/* Pins but those of tables are not taken. */
static int keep_to_itself(struct explain_bpf *skel)
{
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map(map, skel->obj) {
		r = is_table(map) ? 0 : bpf_map__set_pin_path(map, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Rules that look at any of these, or do any of those. */
static uint32_t count_rules(const struct image *image, uint32_t looks,
			    uint32_t does)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < image->n_rules; i++)
		n += image->rules[i].looks & looks ||
		     image->rules[i].does & does;
	return n;
}

/* Fragments are kept for nobody, and there are as many tokens as rules want. */
static int make_small(struct explain_bpf *skel, const struct image *image)
{
	int r = bpf_map__set_max_entries(skel->maps.fragments, 1024);

	if (r < 0)
		return r;
	r = bpf_map__set_max_entries(skel->maps.rule_logs,
				     count_rules(image, 0, DO_LOG) + 1);
	if (r < 0)
		return r;
	return bpf_map__set_max_entries(skel->maps.rule_limits,
					count_rules(image, LOOK_LIMIT, 0) + 1);
}

/* skel NULL: errno says why. */
static int load(struct explain_bpf *skel, const struct image *image,
		const struct log *log, struct err *err)
{
	int r = skel ? make_small(skel, image) : neg_errno();

	if (skel && r == 0)
		r = explain_bpf__load(skel);
	if (r < 0)
		return log_set(log, err, r, "load the program that explains");
	return 0;
}

/* The tokens that rules have now; a rule without would never fit. */
static int copy_limits(const struct explainer *explainer,
		       const struct tables *tables, const struct image *image)
{
	int fd = bpf_map__fd(explainer->skel->maps.rule_limits);
	struct rule_limit limit;
	size_t i;
	int r;

	for (i = 0; i < image->n_rules; i++) {
		const struct rule_row *rule = &image->rules[i];

		if (!(rule->looks & LOOK_LIMIT))
			continue;
		r = bpf_map_lookup_elem_flags(tables->rule_limits,
					      &rule->counter, &limit,
					      BPF_F_LOCK);
		if (r == 0)
			r = bpf_map_update_elem(fd, &rule->counter, &limit, 0);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static bool has_sources(const struct image *image)
{
	size_t i;

	for (i = 0; i < image->n_rules; i++)
		if (image->rules[i].limit_source)
			return true;
	return false;
}

/* Likewise, those of sources: all of them, as their place is BPF's business. */
static int copy_sources(const struct explainer *explainer,
			const struct tables *tables)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_F_LOCK);
	int fd = bpf_map__fd(explainer->skel->maps.source_limits);
	AUTO_FREE struct source_line *lines = NULL;
	AUTO_FREE uint32_t *keys = NULL;
	uint32_t at, n = SOURCE_LINES;
	int r;

	lines = calloc(SOURCE_LINES, sizeof(*lines));
	keys = calloc(SOURCE_LINES, sizeof(*keys));
	if (!lines || !keys)
		return -ENOMEM;
	r = bpf_map_lookup_batch(tables->source_limits, NULL, &at, keys, lines,
				 &n, &opts);
	if (r < 0 && r != -ENOENT)
		return r;
	return bpf_map_update_batch(fd, keys, lines, &n, &opts);
}

int explainer_open(const char *dir, const struct tables *tables,
		   const struct image *live, struct explainer **ret_explainer,
		   struct err *err)
{
	CLEANUP(explainer_closep) struct explainer *explainer = NULL;
	CLEANUP(log_end) struct log log;
	char maps[PATH_MAX];
	uint32_t generation;
	int r;

	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = maps);

	log_begin(&log);
	snprintf(maps, sizeof(maps), "%s/maps", dir);
	r = tables_generation(tables, &generation, err);
	if (r < 0)
		return r;
	explainer = calloc(1, sizeof(*explainer));
	if (!explainer)
		return err_set(err, -ENOMEM, "explain");
	explainer->slot = generation & 1;
	explainer->skel = explain_bpf__open_opts(&opts);
	if (explainer->skel && keep_to_itself(explainer->skel) < 0)
		return err_set(err, -EINVAL, "explain");
	if (explainer->skel &&
	    layout_check_object(explainer->skel->obj, err) < 0)
		return -EPROTO;
	r = load(explainer->skel, live, &log, err);
	if (r < 0)
		return r;
	r = copy_limits(explainer, tables, live);
	if (r == 0 && has_sources(live))
		r = copy_sources(explainer, tables);
	if (r < 0)
		return err_set(err, r, "copy the tokens of rules");
	*ret_explainer = TAKE_PTR(explainer);
	return 0;
}

int explainer_open_image(const struct image *image,
			 struct explainer **ret_explainer, struct err *err)
{
	CLEANUP(explainer_closep) struct explainer *explainer = NULL;
	CLEANUP(tables_closep) struct tables *tables = NULL;
	CLEANUP(image_freep) struct image *nothing = image_new();
	CLEANUP(log_end) struct log log;
	struct image asked = *image;
	int r;

	/* Each table takes its time, and the matcher reads but these. */
	asked.n_strings = asked.n_groups = asked.n_peers = asked.n_paths = 0;
	asked.n_globs = asked.n_devices = asked.n_shares = 0;
	log_begin(&log);
	explainer = calloc(1, sizeof(*explainer));
	if (!explainer || !nothing)
		return err_set(err, -ENOMEM, "explain");
	/* What is written first is for the first generation. */
	explainer->slot = 1;
	explainer->skel = explain_bpf__open();
	if (explainer->skel && object_pin_nothing(explainer->skel->obj) < 0)
		return err_set(err, -EINVAL, "explain");
	if (explainer->skel)
		bpf_program__set_autoload(explainer->skel->progs.explain_rows,
					  false);
	r = load(explainer->skel, image, &log, err);
	if (r < 0)
		return r;
	r = tables_of_object(explainer->skel->obj, &tables, err);
	if (r == 0)
		r = tables_write(tables, &asked, nothing, err);
	if (r < 0)
		return r;
	*ret_explainer = TAKE_PTR(explainer);
	return 0;
}

/* One run of a program. */
static int run(const struct explainer *explainer,
	       const struct bpf_program *program,
	       const struct explain_packet *packet,
	       const struct explain_ask *ask, struct explain_answer *ret_answer,
	       struct err *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->frame,
		    .data_size_in = packet->size, .repeat = 1);
	uint32_t zero = 0;
	int r;

	r = bpf_map_update_elem(bpf_map__fd(explainer->skel->maps.asks), &zero,
				ask, 0);
	if (r == 0)
		r = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	if (r == -EOPNOTSUPP || r == -ENOTSUP)
		return err_say(err, -EOPNOTSUPP,
			       "this kernel does not run programs of tc for a "
			       "packet that is made up (BPF_PROG_TEST_RUN)");
	if (r == 0)
		r = bpf_map_lookup_elem(
			bpf_map__fd(explainer->skel->maps.answers), &zero,
			ret_answer);
	if (r < 0)
		return err_set(err, r, "ask the matcher in the kernel");
	return 0;
}

static struct explain_ask ask_for(const struct explainer *explainer,
				  const struct explain_packet *packet)
{
	return (struct explain_ask){
		.slot = explainer->slot,
		.hook = packet->is_out ? ASK_OUT : 0,
		.states = packet->states,
		.ifindex = packet->ifindex,
		.mark = packet->mark,
		.uid = packet->uid,
	};
}

int explainer_decide(struct explainer *explainer,
		     const struct explain_packet *packet, uint32_t chain,
		     bool is_device, uint32_t *ret_verdict,
		     uint32_t *ret_counter, struct err *err)
{
	struct explain_ask ask = ask_for(explainer, packet);
	struct explain_answer answer;
	int r;

	ask.chain = chain;
	ask.hook |= is_device ? ASK_DEVICE : 0;
	r = run(explainer, explainer->skel->progs.explain_decide, packet, &ask,
		&answer, err);
	if (r < 0)
		return r;
	*ret_verdict = answer.decided & 0xff;
	*ret_counter = answer.decided >> 32;
	return 0;
}

int explainer_missed(struct explainer *explainer,
		     const struct explain_packet *packet, uint32_t first,
		     uint32_t count, uint32_t *ret_missed, struct err *err)
{
	struct explain_ask ask = ask_for(explainer, packet);
	struct explain_answer answer;
	uint32_t done;
	int r;

	for (done = 0; done < count; done += ask.count) {
		ask.first = first + done;
		ask.count = count - done < EXPLAIN_ROWS ? count - done
							: EXPLAIN_ROWS;
		r = run(explainer, explainer->skel->progs.explain_rows, packet,
			&ask, &answer, err);
		if (r < 0)
			return r;
		memcpy(ret_missed + done, answer.missed,
		       ask.count * sizeof(*ret_missed));
	}
	return 0;
}
