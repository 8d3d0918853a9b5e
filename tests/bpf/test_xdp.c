/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What XDP drops against what device_in would do, by random policies and
 * packets: it drops what that denies by one of the chain's first rules, and
 * counts it alike; and nothing else.  WEIR_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "rules/compile.h"
#include "rules/policy_text.h"
#include "rules/rule.h"
#include "tc/device_abi.h"
#include "tc/xdp.skel.h"
#include "tests/bpf/device_world.h"
#include "tests/bpf/random_policy.h"

#define ROUNDS	15
#define PACKETS 300

/* What the kernel takes off a frame with a tag before tc. */
#define TAG 4

static struct device_world world;
static struct xdp_bpf *xdp;
static uint32_t t0;

static int set_up(void **state)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = world.place);

	(void)state;
	device_world_open(&world);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(system("modprobe -q veth; "
				"ip link add t0 type veth peer name t1 && "
				"ip link set lo up"),
			 0);
	t0 = if_nametoindex("t0");
	xdp = xdp_bpf__open_opts(&opts);
	assert_non_null(xdp);
	bpf_program__set_autoload(xdp->progs.device_early_frags, false);
	xdp->rodata->device_ifindex = t0;
	assert_int_equal(xdp_bpf__load(xdp), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	xdp_bpf__destroy(xdp);
	device_world_close(&world);
	return 0;
}

/* ----------------------------------------------------------- policies */

/* What is early, of the sets of a random policy and its addresses. */
static const char *const early_texts[] = {
	"deny from @n0",
	"deny from not @n1",
	"deny ip4 from @n2",
	"deny ip6 from @n0, @n1",
	"deny from 10.0.0.0/29, @n1",
	"deny from 10.0.1.4",
	"deny from 2001:db8::8-2001:db8::11",
	"deny ip4 from not 10.0.0.0/24",
	"deny ip6 from not 2001:db8::/32",
	"deny from 10.0.0.0/28, 2001:db8:1::/124",
};

static void make_early(struct random *random, struct rule *rule)
{
	struct rule early = { .number = rule->number, .where = rule->where };
	uint32_t i = random_below(random, ARRAY_SIZE(early_texts));
	struct err why;

	assert_int_equal(rule_parse(early_texts[i], &early, &why), 0);
	early.number = rule->number;
	early.where = rule->where;
	rule_clear(rule);
	*rule = early;
}

static void add_device(struct policy *policy)
{
	struct device *device = ARRAY_ADD(policy, devices);

	assert_non_null(device);
	device->name = strdup("d");
	device->filter_in = strdup("c");
	device->where.file = policy->files[0];
}

/*
 * Puts one in force, of which so many rules are early.  The row is that of a
 * packet without a classid, as a test cannot give it one.
 */
static void use(struct policy *policy, uint32_t n_early, bool framed)
{
	struct problems problems = { 0 };
	struct image *image = NULL;

	add_device(policy);
	if (compile(policy, world.live, &problems, &image) < 0)
		problems_print(&problems, stderr);
	problems_clear(&problems);
	assert_non_null(image);
	assert_in_range(image->devices[1].early,
			n_early < EARLY_MAX ? n_early : EARLY_MAX, EARLY_MAX);
	image->devices[0] = image->devices[1];
	image->devices[0].ifindex = t0;
	if (framed)
		image->devices[0].flags |= DEVICE_FRAMED;
	device_world_use(&world, image);
}

static void use_random(struct random *random)
{
	static const uint32_t sizes[] = { 4, 30, 30, 200 };
	uint32_t n_early = random_below(random, 8) ? random_below(random, 4)
						   : EARLY_MAX + 2;
	size_t n =
		n_early + random_below(random, sizes[random_below(random, 4)]);
	CLEANUP(policy_freep) struct policy *policy = NULL;
	uint32_t i;

	policy = random_policy(random, n, true);
	for (i = 0; i < n_early; i++)
		make_early(random, &policy->chains[0].rules[i]);
	use(policy, n_early, random_below(random, 2));
}

static void use_text(const char *text)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct problems problems = { 0 };

	assert_int_equal(policy_read_text("text", text, strlen(text), &problems,
					  &policy),
			 0);
	problems_clear(&problems);
	use(policy, 1, true);
}

/* ------------------------------------------------------------ packets */

/* The kernel runs no program on a packet with less than an IP header. */
static void random_frame(struct random *random, struct frame_spec *spec)
{
	int least;

	random_packet(random, spec);
	least = spec->family == 4 ? 20 : 40;
	spec->vlans = random_below(random, 3) ? 0 : random_below(random, 4);
	if (random_below(random, 12) == 0)
		spec->cut = least + random_below(random, 60);
	else if (random_below(random, 12) == 0)
		spec->claims = 40 + random_below(random, 120);
}

/* What XDP does not leave to tc. */
static bool is_plain(const struct frame_spec *spec)
{
	return spec->cut == WHOLE && spec->claims == WHOLE && !spec->offset &&
	       !spec->n_extensions && !(spec->family == 6 && spec->more) &&
	       spec->vlans <= 2;
}

/* What was counted: by each early rule, and last by the device. */
struct counts {
	struct counter list[EARLY_MAX + 1];
};

static struct counter denied(void)
{
	int n = libbpf_num_possible_cpus(), i;
	AUTO_FREE struct device_tally *values = calloc(n, sizeof(*values));
	struct counter sum = { 0 };
	uint32_t index = 0;

	assert_int_equal(
		bpf_map_lookup_elem(
			bpf_map__fd(world.programs->maps.device_tallies),
			&index, values),
		0);
	for (i = 0; i < n; i++) {
		sum.packets += values[i].side[SIDE_IN].denied.packets;
		sum.bytes += values[i].side[SIDE_IN].denied.bytes;
	}
	return sum;
}

static void take_counts(struct counts *counts)
{
	const struct image *live = world.live;
	const struct device_row *row = &live->devices[0];
	uint32_t first = live->chains[row->chain_in].walk, i;
	struct err err;

	*counts = (struct counts){ 0 };
	for (i = 0; i < row->early; i++)
		assert_int_equal(tables_counter(world.tables,
						live->rules[first + i].counter,
						&counts->list[i], &err),
				 0);
	counts->list[EARLY_MAX] = denied();
}

/* Returns of how many packets an early rule was what decided. */
static uint64_t counts_since(const struct counts *before, struct counts *ret)
{
	uint64_t n = 0;
	size_t i;

	take_counts(ret);
	for (i = 0; i <= EARLY_MAX; i++) {
		ret->list[i].packets -= before->list[i].packets;
		ret->list[i].bytes -= before->list[i].bytes;
		if (i < EARLY_MAX)
			n += ret->list[i].packets;
	}
	return n;
}

static int run(const struct bpf_program *program, const uint8_t *bytes,
	       size_t length, struct __sk_buff *skb)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes,
		    .data_size_in = length, .ctx_in = skb,
		    .ctx_size_in = skb ? sizeof(*skb) : 0, .repeat = 1);

	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
	return (int)opts.retval;
}

/* ------------------------------------------------------------ compare */

/* Returns whether it was dropped. */
static bool compare(const struct frame_spec *spec, const char *what)
{
	struct __sk_buff skb = { .mark = spec->mark, .ifindex = t0 };
	struct counts before, at_tc, at_xdp;
	uint8_t bytes[FRAME_MAX];
	unsigned int ip;
	size_t length = frame_build(spec, bytes, &ip);
	bool is_early, is_denied, is_dropped;

	take_counts(&before);
	is_denied = run(world.programs->progs.device_in, bytes, length, &skb) ==
		    TC_ACT_SHOT;
	is_early = counts_since(&before, &at_tc) > 0;
	take_counts(&before);
	is_dropped = run(xdp->progs.device_early, bytes, length, NULL) ==
		     XDP_DROP;
	if (counts_since(&before, &at_xdp) != is_dropped)
		fail_msg("%s: dropped %d, but counted otherwise", what,
			 is_dropped);
	if (is_dropped && !(is_denied && is_early))
		fail_msg("%s: dropped, but tc would not have denied it", what);
	if (is_early && is_plain(spec) && !is_dropped)
		fail_msg("%s: tc denies it by an early rule", what);
	if (!is_dropped)
		return false;
	at_tc.list[EARLY_MAX].bytes -= spec->vlans ? TAG : 0;
	if (memcmp(&at_tc, &at_xdp, sizeof(at_tc)) != 0)
		fail_msg("%s: not counted as at tc", what);
	return true;
}

static void make_tally(void)
{
	AUTO_FREE struct device_tally *zero =
		calloc(libbpf_num_possible_cpus(), sizeof(*zero));
	uint32_t index = 0;

	assert_int_equal(
		bpf_map_update_elem(
			bpf_map__fd(world.programs->maps.device_tallies),
			&index, zero, BPF_ANY),
		0);
}

static void xdp_drops_what_tc_denies_by_the_first_rules(void **state)
{
	const char *given = getenv("WEIR_SEED");
	unsigned long seed = given ? strtoul(given, NULL, 0)
				   : (unsigned long)time(NULL);
	struct random random = { .state = seed * 2 + 1 };
	size_t n_dropped = 0, n_tagged = 0;
	uint32_t round, i;
	char what[128];

	(void)state;
	print_message("WEIR_SEED=%lu\n", seed);
	make_tally();
	for (round = 0; round < ROUNDS; round++) {
		use_random(&random);
		for (i = 0; i < PACKETS; i++) {
			struct frame_spec spec;
			bool is_dropped;

			random_frame(&random, &spec);
			snprintf(what, sizeof(what),
				 "seed %lu, round %u, packet %u", seed, round,
				 i);
			is_dropped = compare(&spec, what);
			n_dropped += is_dropped;
			n_tagged += is_dropped && spec.vlans;
		}
	}
	print_message("%d packets, %zu dropped, %zu of them with tags\n",
		      ROUNDS * PACKETS, n_dropped, n_tagged);
	assert_true(n_dropped > ROUNDS * PACKETS / 10);
	assert_true(n_tagged > ROUNDS);
}

static int ask_text(const char *text)
{
	uint8_t bytes[FRAME_MAX];
	struct frame_spec spec;
	unsigned int ip;
	size_t length;

	frame_parse(text, &spec);
	length = frame_build(&spec, bytes, &ip);
	return run(xdp->progs.device_early, bytes, length, NULL);
}

static const char banned[] = "[chain c]\npolicy = allow\n"
			     "10 = deny from 10.0.0.0/8, 2001:db8::/32\n";

static void what_takes_more_than_a_look_goes_on(void **state)
{
	static const char *const dropped[] = {
		"udp 10.0.0.1:1 > 10.0.0.2:2",
		"udp 10.0.0.1:1 > 10.0.0.2:2 len=0",
		"udp 10.0.0.1:1 > 10.0.0.2:2 len=24 frag=0+ fragid=7",
		"tcp 10.0.0.1:1 > 10.0.0.2:2 options=10",
		"icmp 10.0.0.1 > 10.0.0.2 vlan vlan",
		"47 10.0.0.1 > 10.0.0.2 len=0",
		"tcp [2001:db8::1]:1 > [2001:db9::1]:2",
		"icmp6 [2001:db8::1] > [2001:db9::1] vlan",
	};
	static const char *const goes_on[] = {
		"arp",
		/* The rule of its first may let it pass. */
		"udp 10.0.0.1 > 10.0.0.2 len=24 frag=3 fragid=7",
		"udp 10.0.0.1:1 > 10.0.0.2:2 vlan vlan vlan",
		"udp [2001:db8::1]:1 > [2001:db9::1]:2 ext=60",
		"udp [2001:db8::1]:1 > [2001:db9::1]:2 len=24 frag=0+",
		"udp [2001:db8::1]:1 > [::ffff:10.0.0.1]:2",
		"udp 10.0.0.1:1 > 10.0.0.2:2 claims=27",
		"udp 10.0.0.1:1 > 10.0.0.2:2 claims=39",
		"icmp 10.0.0.1 > 10.0.0.2 claims=27",
		"tcp 10.0.0.1:1 > 10.0.0.2:2 claims=39",
		"tcp 10.0.0.1:1 > 10.0.0.2:2 claims=19",
		"tcp 10.0.0.1:1 > 10.0.0.2:2 cut=39 claims=39",
		"icmp6 [2001:db8::1] > [2001:db9::1] claims=47",
		"udp 10.0.0.1:1 > 10.0.0.2:2 cut=37",
		"udp 11.0.0.1:1 > 10.0.0.2:2",
	};
	size_t i;

	(void)state;
	make_tally();
	use_text(banned);
	for (i = 0; i < ARRAY_SIZE(dropped); i++)
		if (ask_text(dropped[i]) != XDP_DROP)
			fail_msg("goes on: %s", dropped[i]);
	for (i = 0; i < ARRAY_SIZE(goes_on); i++)
		if (ask_text(goes_on[i]) != XDP_PASS)
			fail_msg("is dropped: %s", goes_on[i]);
}

/* Changes the row in force. */
static void set_ifindex(uint32_t ifindex)
{
	struct device_row row = world.live->devices[0];
	uint32_t slot = world.generation & 1, id, zero = 0;
	AUTO_CLOSE int inner = -1;

	row.ifindex = ifindex;
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(world.programs->maps.devices),
				    &slot, &id),
		0);
	inner = bpf_map_get_fd_by_id(id);
	assert_int_equal(bpf_map_update_elem(inner, &zero, &row, BPF_ANY), 0);
}

static void the_row_of_another_device_is_none_of_its(void **state)
{
	static const char text[] = "udp 10.0.0.1:1 > 10.0.0.2:2";

	(void)state;
	make_tally();
	use_text(banned);
	assert_int_equal(ask_text(text), XDP_DROP);
	set_ifindex(t0 + 1);
	assert_int_equal(ask_text(text), XDP_PASS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xdp_drops_what_tc_denies_by_the_first_rules),
		cmocka_unit_test(what_takes_more_than_a_look_goes_on),
		cmocka_unit_test(the_row_of_another_device_is_none_of_its),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
