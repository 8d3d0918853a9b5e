/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "ctl/monitor.h"
#include "tests/unit/compile_text.h"

#define POLICY                                                 \
	"[group a]\nmatch = /a\nfilter-out = c\nout = 8mbit\n" \
	"[chain c]\npolicy = deny\n1 = allow udp\n5 = deny tcp log \"x\"\n"

struct world {
	struct kernel kernel;
	struct event_names names;
};

static void world_begin(struct world *world)
{
	struct err err;

	world->kernel = (struct kernel){ .generation = 7,
					 .live = compile_text(POLICY, NULL) };
	strcpy(world->kernel.mount, "/");
	assert_int_equal(event_names_begin(&world->kernel, &world->names, &err),
			 0);
}

static void world_end(struct world *world)
{
	event_names_clear(&world->names);
	image_free(world->kernel.live);
}

static struct monitor_event event_of(const struct world *world)
{
	const struct image *image = world->kernel.live;

	return (struct monitor_event){
		.kind = EVENT_VERDICT,
		.flags = EVENT_OUT | EVENT_PORTS,
		.verdict = ROW_DENY,
		.family = 4,
		.protocol = IPPROTO_TCP,
		.generation = 7,
		.whose = image->groups[0].uid,
		.counter = image->rules[1].counter,
		.dst = { [10] = 0xff, 0xff, 192, 0, 2, 1 },
		.dst_port = 25,
	};
}

static void a_verdict_is_that_of_its_rule(void **state)
{
	struct told_event told;
	struct monitor_event event;
	struct world world;

	(void)state;
	world_begin(&world);
	event = event_of(&world);
	event_look_up(&world.names, &event, &told);
	assert_non_null(told.rule);
	assert_int_equal(told.rule->number, 5);
	assert_string_equal(image_string(told.image, told.rule->log_prefix),
			    "x");
	assert_string_equal(image_string(told.image, told.chain->name), "c");
	assert_string_equal(image_string(told.image, told.place.group->name),
			    "a");
	assert_null(told.place.device);
	assert_null(told.place.cgroup);
	assert_string_equal(told.dst, "192.0.2.1");
	assert_string_equal(told.src, "");
	world_end(&world);
}

/* Its counter may be another rule's by now. */
static void a_rule_of_another_policy_is_not_named(void **state)
{
	struct told_event told;
	struct monitor_event event;
	struct world world;

	(void)state;
	world_begin(&world);
	event = event_of(&world);
	event.generation = 6;
	event_look_up(&world.names, &event, &told);
	assert_null(told.rule);
	assert_null(told.chain);
	assert_non_null(told.place.group);
	event = event_of(&world);
	event.counter = world.kernel.live->rules[0].counter;
	event_look_up(&world.names, &event, &told);
	assert_null(told.rule);
	world_end(&world);
}

static void what_cannot_be_is_looked_up_all_the_same(void **state)
{
	struct told_event told;
	struct monitor_event event;
	struct world world;

	(void)state;
	world_begin(&world);
	memset(&event, 0xff, sizeof(event));
	event_look_up(&world.names, &event, &told);
	assert_null(told.rule);
	assert_null(told.place.group);
	assert_null(told.place.device);
	event.generation = 7;
	event.kind = EVENT_VERDICT;
	event_look_up(&world.names, &event, &told);
	assert_null(told.place.device);
	world_end(&world);
}

static void protocols_have_names_or_numbers(void **state)
{
	struct monitor_event event = { .family = 6, .protocol = 58 };
	char text[PROTOCOL_TEXT_MAX];

	(void)state;
	event_protocol(&event, text);
	assert_string_equal(text, "icmp6");
	event.protocol = 200;
	event_protocol(&event, text);
	assert_string_equal(text, "200");
	event.family = 0;
	event_protocol(&event, text);
	assert_string_equal(text, "");
}

static void a_scope_is_that_of_a_group_and_its_limit(void **state)
{
	struct told_limit told = { .is_out = true };
	struct scope_key key = { 0 };
	struct world world;

	(void)state;
	world_begin(&world);
	key.group_uid = world.kernel.live->groups[0].uid;
	assert_true(event_look_up_limit(&world.names, &key, &told));
	assert_int_equal(told.rate_bytes, 1000000);
	assert_null(told.peer);
	key.group_uid++;
	assert_false(event_look_up_limit(&world.names, &key, &told));
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verdict_is_that_of_its_rule),
		cmocka_unit_test(a_rule_of_another_policy_is_not_named),
		cmocka_unit_test(what_cannot_be_is_looked_up_all_the_same),
		cmocka_unit_test(protocols_have_names_or_numbers),
		cmocka_unit_test(a_scope_is_that_of_a_group_and_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
