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
#include "tests/bpf/match_test.h"

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

void matcher_open(struct matcher *m)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = place);
	struct err err;

	*m = (struct matcher){ 0 };
	enter_namespaces();
	m->t0 = if_nametoindex("t0");
	assert(m->t0 > 1);
	m->programs = match_test_bpf__open_opts(&opts);
	assert(m->programs);
	assert(match_test_bpf__load(m->programs) == 0);
	assert(tables_open(place, &m->tables, &err) == 0);
	m->image = image_new();
	assert(m->image);
}

void matcher_close(struct matcher *m)
{
	match_test_bpf__destroy(m->programs);
	tables_close(m->tables);
	image_free(m->image);
	umount2(place, MNT_DETACH);
	rmdir(place);
}

struct policy *matcher_policy(const char *text)
{
	struct problems problems = { 0 };
	char file[] = "/tmp/weir-policy-XXXXXX", *files[] = { file };
	struct policy *policy;
	int fd = mkstemp(file);

	assert(fd >= 0);
	assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	if (policy_read(files, 1, &problems, &policy) < 0) {
		problems_print(&problems, stderr);
		assert(!"a policy");
	}
	problems_clear(&problems);
	unlink(file);
	return policy;
}

/* What cgroup and tc do at run time: give rules the index of their interface.
 */
static void fill_interfaces(const struct matcher *m, struct image *image)
{
	size_t i;

	for (i = 0; i < image->n_rules; i++)
		if (strcmp(image_string(image, image->rules[i].iface), "t0") ==
		    0)
			image->rules[i].ifindex = m->t0;
}

void matcher_use(struct matcher *m, const struct policy *policy)
{
	struct problems problems = { 0 };
	struct image *image;
	struct err err;

	if (compile(policy, m->image, &problems, &image) < 0) {
		problems_print(&problems, stderr);
		assert(!"an image");
	}
	problems_clear(&problems);
	fill_interfaces(m, image);
	if (tables_write(m->tables, image, m->image, &err) < 0 ||
	    tables_switch(m->tables, ++m->generation, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		assert(!"tables");
	}
	image_free(m->image);
	m->image = image;
}

void matcher_use_text(struct matcher *m, const char *text)
{
	CLEANUP(policy_freep) struct policy *policy = matcher_policy(text);

	matcher_use(m, policy);
}

uint32_t matcher_chain(const struct matcher *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->image->n_chains; i++)
		if (strcmp(image_string(m->image, m->image->chains[i].name),
			   name) == 0)
			return i;
	assert(!"a chain");
	return NONE;
}

static const struct bpf_program *program_of(const struct matcher *m,
					    uint32_t hook)
{
	if (hook & HOOK_DEVICE)
		return m->programs->progs.match_device;
	return hook & HOOK_OUT ? m->programs->progs.match_egress
			       : m->programs->progs.match_ingress;
}

int matcher_ask(const struct matcher *m, const struct question *q,
		const struct frame_spec *spec, uint32_t *ret_states)
{
	uint8_t bytes[FRAME_MAX];
	struct match_ask ask = {
		.chain = q->chain,
		.hook = q->hook,
		.place = q->place,
		.states = q->place != 0,
	};
	struct match_answer answer;
	struct __sk_buff context = {
		.mark = spec->mark,
		.ifindex = spec->ifindex ? spec->ifindex : m->t0,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes,
		    .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .repeat = 1);
	uint32_t zero = 0, ip;
	int allowed, fd = bpf_program__fd(program_of(m, q->hook));

	opts.data_size_in = frame_build(spec, bytes, &ip);
	assert(bpf_map_update_elem(bpf_map__fd(m->programs->maps.asks), &zero,
				   &ask, 0) == 0);
	assert(bpf_prog_test_run_opts(fd, &opts) == 0);
	assert(bpf_map_lookup_elem(bpf_map__fd(m->programs->maps.answers),
				   &zero, &answer) == 0);
	allowed = q->hook & HOOK_DEVICE ? opts.retval == 0 : opts.retval == 1;
	assert(allowed == (answer.decision == ROW_ALLOW));
	if (ret_states)
		*ret_states = answer.states;
	return answer.decision;
}

int matcher_ask_text(const struct matcher *m, const struct question *q,
		     const char *text, uint32_t *ret_states)
{
	struct frame_spec spec;

	frame_parse(text, &spec);
	return matcher_ask(m, q, &spec, ret_states);
}

struct counter matcher_count(const struct matcher *m, uint32_t chain,
			     uint32_t number)
{
	const struct chain_row *row = &m->image->chains[chain];
	uint32_t id = row->counter, i;
	struct counter sum;
	struct err err;

	for (i = row->first; number && i < row->first + row->count; i++)
		if (m->image->rules[i].number == number)
			id = m->image->rules[i].counter;
	assert(!number || id != row->counter);
	assert(tables_counter(m->tables, id, &sum, &err) == 0);
	return sum;
}

size_t matcher_flows(const struct matcher *m)
{
	int fd = bpf_map__fd(m->programs->maps.flows);
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

void matcher_forget(const struct matcher *m)
{
	int fd = bpf_map__fd(m->programs->maps.flows);
	struct flow_key key;

	while (bpf_map_get_next_key(fd, NULL, &key) == 0)
		bpf_map_delete_elem(fd, &key);
}
