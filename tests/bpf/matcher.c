/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/matcher.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "rules/compile.h"
#include "rules/flow_abi.h"
#include "rules/policy_text.h"
#include "tests/bpf/match_test.h"

struct match_test_bpf *matcher_programs;
struct match_answer matcher_answer;

static struct tables *tables;
static struct image *live;
static uint32_t generation;
static uint32_t t0; /* its ifindex */
static char place[] = "/tmp/weir-matcher-XXXXXX";

static void enter_namespaces(void)
{
	assert(unshare(CLONE_NEWNS | CLONE_NEWNET) == 0);
	assert(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	assert(mkdtemp(place));
	assert(mount("bpf", place, "bpf", 0, NULL) == 0);
	assert(system("modprobe -q veth; ip link add t0 type veth peer name t1 "
		      "&& ip link set lo up") == 0);
}

int matcher_set_up(void **state)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = place);
	struct err err;

	(void)state;
	enter_namespaces();
	t0 = if_nametoindex("t0");
	assert(t0 > 1);
	matcher_programs = match_test_bpf__open_opts(&opts);
	assert(matcher_programs);
	assert(match_test_bpf__load(matcher_programs) == 0);
	assert(tables_open(place, &tables, &err) == 0);
	live = image_new();
	assert(live);
	matcher_make_flows(MATCHER_SHARE, 1024);
	return 0;
}

const char *matcher_folder(void)
{
	return place;
}

int matcher_tear_down(void **state)
{
	(void)state;
	match_test_bpf__destroy(matcher_programs);
	tables_close(tables);
	image_free(live);
	umount2(place, MNT_DETACH);
	rmdir(place);
	return 0;
}

/* What cgroup and tc do at run time: give rules the index of their interface.
 */
static void fill_interfaces(struct image *image)
{
	size_t i;

	if (image_wants_ifaces(image)) {
		assert(image_add_iface(image, 1, "lo") == 0);
		assert(image_add_iface(image, t0, "t0") == 0);
	}
	for (i = 0; i < image->n_rules; i++)
		if (strcmp(image_string(image, image->rules[i].iface), "t0") ==
		    0)
			image->rules[i].ifindex = t0;
}

void matcher_use(const struct policy *policy)
{
	struct problems problems = { 0 };
	struct image *image;
	struct err err;

	if (compile(policy, live, &problems, &image) < 0) {
		problems_print(&problems, stderr);
		assert(!"an image");
	}
	problems_clear(&problems);
	fill_interfaces(image);
	if (tables_write(tables, image, live, &err) < 0 ||
	    tables_switch(tables, ++generation, &err) < 0 ||
	    tables_tidy_limits(tables, image, live, &err) < 0 ||
	    flow_tables_tidy(tables->flows, image, live, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		assert(!"tables");
	}
	image_free(live);
	live = image;
}

void matcher_use_text(const char *text)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct problems problems = { 0 };

	if (policy_read_text("text", text, strlen(text), &problems, &policy) <
	    0) {
		problems_print(&problems, stderr);
		assert(!"a policy");
	}
	problems_clear(&problems);
	matcher_use(policy);
}

uint32_t matcher_chain(const char *name)
{
	size_t i;

	for (i = 0; i < live->n_chains; i++)
		if (strcmp(image_string(live, live->chains[i].name), name) == 0)
			return i;
	assert(!"a chain");
	return NONE;
}

const uint32_t matcher_hooks[MATCHER_HOOKS] = {
	0,
	HOOK_OUT,
	HOOK_DEVICE,
	HOOK_DEVICE | HOOK_OUT,
	HOOK_DEVICE | HOOK_FRAMED,
	HOOK_DEVICE | HOOK_OUT | HOOK_FRAMED,
};

static const struct bpf_program *program_of(uint32_t hook)
{
	if (hook & HOOK_DEVICE)
		return matcher_programs->progs.match_device;
	return hook & HOOK_OUT ? matcher_programs->progs.match_egress
			       : matcher_programs->progs.match_ingress;
}

int matcher_ask(const struct question *q, const struct frame_spec *spec,
		uint32_t *ret_states)
{
	uint8_t bytes[FRAME_MAX];
	struct match_ask ask = {
		.chain = q->chain,
		.hook = q->hook,
		.place = q->place,
		.states = q->place != 0,
		.share = q->share ? q->share : MATCHER_SHARE,
		.windows = q->windows,
	};
	struct match_answer answer;
	struct __sk_buff context = {
		.mark = spec->mark,
		.ifindex = spec->ifindex ? spec->ifindex : t0,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes,
		    .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .repeat = 1);
	uint32_t zero = 0, ip;
	int allowed, fd = bpf_program__fd(program_of(q->hook));

	opts.data_size_in = frame_build(spec, bytes, &ip);
	assert(bpf_map_update_elem(bpf_map__fd(matcher_programs->maps.asks),
				   &zero, &ask, 0) == 0);
	assert(bpf_prog_test_run_opts(fd, &opts) == 0);
	assert(bpf_map_lookup_elem(bpf_map__fd(matcher_programs->maps.answers),
				   &zero, &answer) == 0);
	allowed = q->hook & HOOK_DEVICE ? opts.retval == 0 : opts.retval == 1;
	assert(allowed == (answer.decision == ROW_ALLOW));
	matcher_answer = answer;
	if (ret_states)
		*ret_states = answer.states;
	return answer.decision;
}

int matcher_ask_text(const struct question *q, const char *text,
		     uint32_t *ret_states)
{
	struct frame_spec spec;

	frame_parse(text, &spec);
	return matcher_ask(q, &spec, ret_states);
}

uint32_t matcher_counter(uint32_t chain, uint32_t number)
{
	const struct chain_row *row = &live->chains[chain];
	uint32_t id = row->counter, i;

	for (i = row->first; number && i < row->first + row->count; i++)
		if (live->rules[i].number == number)
			id = live->rules[i].counter;
	assert(!number || id != row->counter);
	return id;
}

struct counter matcher_count(uint32_t chain, uint32_t number)
{
	struct counter sum;
	struct err err;

	assert(tables_counter(tables, matcher_counter(chain, number), &sum,
			      &err) == 0);
	return sum;
}

void matcher_set_recent(uint32_t chain, uint32_t number, uint64_t recent)
{
	uint32_t counter = matcher_counter(chain, number), id, key, cpu;
	uint32_t chunk = counter / COUNTER_CHUNK;
	struct counter_cell cell = { .recent = recent };
	AUTO_CLOSE int fd = -1;

	assert(bpf_map_lookup_elem(tables->counters, &chunk, &id) == 0);
	fd = bpf_map_get_fd_by_id(id);
	for (cpu = 0; cpu < (uint32_t)libbpf_num_possible_cpus(); cpu++) {
		key = cpu * COUNTER_CHUNK + counter % COUNTER_CHUNK;
		assert(bpf_map_update_elem(fd, &key, &cell, 0) == 0);
	}
}

static void make_flows(uint32_t share, uint32_t room, bool windows)
{
	const struct flow_room wants = { .flows = room };
	struct err err;

	assert(flow_table_put(tables->flows, share, &wants, 0, windows, &err) ==
	       0);
}

void matcher_make_flows(uint32_t share, uint32_t room)
{
	make_flows(share, room, false);
}

void matcher_make_windows(uint32_t share, uint32_t room)
{
	make_flows(share, room, true);
}

void matcher_open_flows(const struct question *q, const char *text, uint32_t n)
{
	uint8_t bytes[FRAME_MAX];
	struct match_ask ask = {
		.hook = q->hook,
		.place = q->place,
		.share = q->share ? q->share : MATCHER_SHARE,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .repeat = n);
	int fd = bpf_program__fd(matcher_programs->progs.match_open);
	uint32_t zero = 0, ip;
	struct frame_spec spec;

	frame_parse(text, &spec);
	opts.data_size_in = frame_build(&spec, bytes, &ip);
	assert(bpf_map_update_elem(bpf_map__fd(matcher_programs->maps.asks),
				   &zero, &ask, 0) == 0);
	assert(bpf_prog_test_run_opts(fd, &opts) == 0);
	assert(opts.retval == 0);
}

struct flow_figures matcher_figures(uint32_t share)
{
	struct flow_figures figures;
	struct err err;

	assert(flow_figures_read(tables->flows, share ? share : MATCHER_SHARE,
				 &figures, &err) == 0);
	return figures;
}

void matcher_age(uint32_t share, unsigned int seconds)
{
	CLEANUP(flow_map_close) struct flow_map map = { 0 };
	uint32_t i, way;

	assert(flow_map_open(tables->flows, share, &map) == 0);
	for (i = 1; i <= flow_map_lines(&map); i++)
		for (way = 0; way < FLOW_WAYS; way++)
			map.blocks[i].line.untils[way] -=
				FLOW_TICKS((uint64_t)seconds);
}

size_t matcher_flows(void)
{
	return matcher_figures(MATCHER_SHARE).held;
}

size_t matcher_fragments(void)
{
	int fd = bpf_map__fd(matcher_programs->maps.fragments);
	struct flow_key key, next;
	void *at = NULL;
	size_t n = 0;

	while (bpf_map_get_next_key(fd, at, &next) == 0) {
		key = next;
		at = &key;
		n++;
	}
	return n;
}

void matcher_forget(void)
{
	int fd = bpf_map__fd(matcher_programs->maps.fragments);
	struct flow_key key;

	matcher_make_flows(MATCHER_SHARE, 1024);
	while (bpf_map_get_next_key(fd, NULL, &key) == 0)
		bpf_map_delete_elem(fd, &key);
}
