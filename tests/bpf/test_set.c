/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets in the kernel against lists walked one by one, also while they are
 * changed.  With WEIR_BENCH=1, what a look-up costs, and what a set takes.
 */
#include "tests/unit/unit.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <time.h>

#include "base/array.h"
#include "cgroup/live_sets.h"
#include "cgroup/tables.h"
#include "rules/compile.h"
#include "tests/bpf/set_test.h"
#include "tests/bpf/set_test.skel.h"

#define N_QUERIES (1 << 20)

static struct set_test_bpf *programs;
static struct tables *tables;
static struct image *live;
static uint32_t generation;
static struct set_query *queries;
static char place[] = "/tmp/weir-sets-XXXXXX";
static uint64_t seed;

static uint32_t random_below(uint64_t n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

static int set_up(void **state)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = place);
	const char *given = getenv("WEIR_SEED");
	struct err err;

	(void)state;
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	print_message("WEIR_SEED=%llu\n", (unsigned long long)seed);
	assert(unshare(CLONE_NEWNS) == 0);
	assert(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	assert(mkdtemp(place));
	assert(mount("bpf", place, "bpf", 0, NULL) == 0);
	programs = set_test_bpf__open_opts(&opts);
	assert(programs);
	assert(bpf_map__set_max_entries(programs->maps.queries, N_QUERIES) ==
	       0);
	assert(set_test_bpf__load(programs) == 0);
	assert(tables_open(place, &tables, &err) == 0);
	queries = mmap(NULL, N_QUERIES * sizeof(*queries),
		       PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(programs->maps.queries), 0);
	assert(queries != MAP_FAILED);
	live = image_new();
	assert(live);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(queries, N_QUERIES * sizeof(*queries));
	set_test_bpf__destroy(programs);
	tables_close(tables);
	image_free(live);
	umount2(place, MNT_DETACH);
	rmdir(place);
	return 0;
}

/* Puts a policy in force; how long compiling and writing took. */
static double use(const struct policy *policy)
{
	struct problems problems = { 0 };
	struct timespec before, after;
	struct image *image;
	struct err err;

	clock_gettime(CLOCK_MONOTONIC, &before);
	if (compile(policy, live, &problems, &image) < 0) {
		problems_print(&problems, stderr);
		assert(!"an image");
	}
	if (tables_write(tables, image, live, &err) < 0 ||
	    tables_switch(tables, ++generation, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		assert(!"tables");
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	image_free(live);
	live = image;
	return after.tv_sec - before.tv_sec +
	       (after.tv_nsec - before.tv_nsec) / 1e9;
}

/* Looks the first n queries up; nanoseconds for each. */
static uint32_t ask(uint32_t n, uint32_t repeat)
{
	char frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame), .repeat = repeat ?: n);
	uint32_t zero = 0;

	assert(bpf_map_update_elem(bpf_map__fd(programs->maps.cursors), &zero,
				   &zero, 0) == 0);
	assert(bpf_prog_test_run_opts(bpf_program__fd(programs->progs.look_up),
				      &opts) == 0);
	return opts.duration;
}

/* -------------------------------------------------------- the reference */

static bool has_port(const struct elements *elements,
		     const struct element *element, uint32_t port)
{
	return elements->kind != SET_OF_SERVICES ||
	       (port >= ELEMENT_PORT_FIRST(element) &&
		port <= ELEMENT_PORT_LAST(element));
}

static bool holds(const struct elements *elements, unsigned int family,
		  span_end key, uint32_t port)
{
	const struct element_list *list = &elements->of[family];
	size_t i;

	for (i = 0; i < list->n_list; i++)
		if (key >= list->list[i].first && key <= list->list[i].last &&
		    has_port(elements, &list->list[i], port))
			return true;
	return false;
}

/* What the sets hold, in the test that runs. */
static unsigned int kind;

static uint32_t random_port(void)
{
	return random_below(2) ? random_below(8) : 65526 + random_below(8);
}

/* Few bits vary, so that much overlaps. */
static void random_element(unsigned int family, struct element *element)
{
	unsigned int shift = random_below(family == SET_IP4 ? 24 : 72);
	span_end size = (span_end)1 << shift;

	element->first = ((span_end)random_below(200) + 1) * size;
	element->last = element->first + (random_below(4) + 1) * size - 1;
	element->seconds = 0;
	element->ports = 0;
	if (kind == SET_OF_SERVICES) {
		element->ports = random_port();
		element->ports = element->ports << 16 |
				 (element->ports + random_below(3));
	}
	if (random_below(2)) {
		span_end first = element_top(family) - element->last;

		element->last = element_top(family) - element->first;
		element->first = first;
	}
}

static span_end random_key(const struct elements *elements, unsigned int family)
{
	const struct element_list *list = &elements->of[family];
	struct element element;
	int away = (int)random_below(3) - 1;

	if (list->n_list && random_below(4))
		element = list->list[random_below(list->n_list)];
	else
		random_element(family, &element);
	return ((random_below(2) ? element.first : element.last) + away) &
	       element_top(family);
}

#define MAPPED (0xffffULL << 32)

/* The same in an IPv6 address for IPv4, and for no IPv4 address otherwise. */
static void query_is(struct set_query *query, uint32_t set, unsigned int family,
		     span_end key)
{
	uint64_t halves[2];

	span_end_split(key, halves);
	*query = (struct set_query){
		.high = halves[0],
		.low = halves[1] | (family == SET_IP4 ? MAPPED : 0),
		.set = set,
		.found = 9,
	};
}

/* Asks for n random keys of a set. */
static void assert_agrees(uint32_t set, const struct elements *elements,
			  uint32_t n)
{
	AUTO_FREE bool *want = calloc(n, sizeof(*want));
	uint32_t i;

	assert_non_null(want);
	for (i = 0; i < n; i++) {
		unsigned int family = random_below(2);
		span_end key = random_key(elements, family);

		/* It would be one of IPv4. */
		if (family == SET_IP6 && key >> 32 == 0xffff)
			key = 0;
		query_is(&queries[i], set, family, key);
		queries[i].port = random_port() + random_below(3);
		want[i] = holds(elements, family, key, queries[i].port);
	}
	ask(n, 0);
	for (i = 0; i < n; i++)
		assert_int_equal(queries[i].found, want[i]);
}

static void fill(struct elements *elements, size_t n)
{
	struct element element;

	while (n-- > 0) {
		unsigned int family = random_below(2);

		random_element(family, &element);
		assert_int_equal(elements_add(elements, family, &element), 0);
	}
	assert_int_equal(elements_sort(elements), 0);
}

static void set_is(struct set *set, const char *name, size_t n)
{
	*set = (struct set){ .name = (char *)name, .is_given = true };
	set->where.file = "x";
	set->holds = true;
	set->elements.kind = kind;
	fill(&set->elements, n);
}

static void sets_have_what_they_were_made_of(void **state)
{
	static const size_t sizes[] = { 0, 1, 5, 40, 300, 2000 };
	struct set set;
	struct policy policy = { .sets = &set, .n_sets = 1 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		set_is(&set, "s", sizes[i]);
		use(&policy);
		assert_agrees(0, &set.elements, 20000);
		elements_clear(&set.elements);
	}
}

/* What changed, in a list. */
static void take(struct elements *elements, const struct set_change *change)
{
	struct element_list *list = &elements->of[change->family];
	size_t i, n = 0;

	for (i = 0; i < list->n_list; i++)
		if (element_order(&list->list[i], &change->element) != 0)
			list->list[n++] = list->list[i];
	list->n_list = n;
	if (change->is_add)
		assert_int_equal(elements_add(elements, change->family,
					      &change->element),
				 0);
}

static void changes_are_in_force_at_once(void **state)
{
	CLEANUP(live_sets_close) struct live_sets sets = LIVE_SETS_NONE;
	struct set set;
	struct policy policy = { .sets = &set, .n_sets = 1 };
	struct live_set found;
	struct set_change change;
	struct set_changes changes = { &change, 1 };
	struct err err;
	size_t n;
	int i;

	(void)state;
	set_is(&set, "s", 100);
	use(&policy);
	assert_int_equal(live_sets_open(place, &sets, &err), 0);
	assert_int_equal(live_sets_find(&sets, "r", &found, &err), -ENOENT);
	assert_int_equal(live_sets_find(&sets, "s", &found, &err), 0);
	for (i = 0; i < 200; i++) {
		const struct element_list *list;

		change.family = random_below(2);
		list = &set.elements.of[change.family];
		change.is_add = random_below(2);
		random_element(change.family, &change.element);
		if (!change.is_add && list->n_list)
			change.element = list->list[random_below(list->n_list)];
		assert_int_equal(
			live_set_change(&sets, &found, &changes, &n, &err), 0);
		take(&set.elements, &change);
		assert_agrees(0, &set.elements, 500);
	}
	elements_clear(&set.elements);
}

static void so_it_is_with_services(void **state)
{
	kind = SET_OF_SERVICES;
	sets_have_what_they_were_made_of(state);
	changes_are_in_force_at_once(state);
	kind = SET_OF_NETWORKS;
}

/* With ports of their own, that those within have beside theirs. */
static void services_lie_within_others(void **state)
{
	static const unsigned int widths[] = { 24, 20, 16, 12, 8, 0 };
	struct set set;
	struct policy policy = { .sets = &set, .n_sets = 1 };
	size_t i, j;

	kind = SET_OF_SERVICES;
	set_is(&set, "s", 0);
	for (i = 0; i < ARRAY_SIZE(widths); i++)
		for (j = 0; j < 100; j++) {
			struct element element = { .first = 10U << 24 };

			if (j % 2)
				element.first += (uint32_t)random_below(4)
						 << widths[i];
			element.last = element.first + (1U << widths[i]) - 1;
			element.ports = random_port() * 0x10001;
			assert_int_equal(
				elements_add(&set.elements, SET_IP4, &element),
				0);
		}
	assert_int_equal(elements_sort(&set.elements), 0);
	use(&policy);
	assert_agrees(0, &set.elements, 50000);
	elements_clear(&set.elements);
	kind = SET_OF_NETWORKS;
	(void)state;
}

static void a_timeout_ends_by_itself(void **state)
{
	CLEANUP(live_sets_close) struct live_sets sets = LIVE_SETS_NONE;
	struct set set = { .name = (char *)"t", .where.file = "x" };
	struct policy policy = { .sets = &set, .n_sets = 1 };
	struct timespec tick = { .tv_nsec = 50000000 };
	struct set_change change = { SET_IP4, true, { 7, 9, 0, 0 } };
	struct set_changes changes = { &change, 1 };
	struct live_set found;
	struct err err;
	size_t n;
	int i;

	(void)state;
	use(&policy);
	assert_int_equal(live_sets_open(place, &sets, &err), 0);
	assert_int_equal(live_sets_find(&sets, "t", &found, &err), 0);
	change.element.seconds = store_until(store_now(), 1);
	assert_int_equal(live_set_change(&sets, &found, &changes, &n, &err), 0);
	query_is(&queries[0], 0, SET_IP4, 8);
	ask(1, 0);
	/* By a timeout: rules/set.bpf.h. */
	assert_int_equal(queries[0].found, 3);
	for (i = 0; i < 100 && queries[0].found; i++) {
		nanosleep(&tick, NULL);
		ask(1, 0);
	}
	assert_in_range(i, 15, 60);
	assert_int_equal(live_set_count(&sets, &found, &n, &err), 0);
	assert_int_equal(n, 0);
}

static void a_list_of_sets_has_what_each_has(void **state)
{
	struct set list[3];
	struct rule rule = { .protocol = PROTOCOL_ANY,
			     .dscp = DSCP_ANY,
			     .number = 1,
			     .text = (char *)"" };
	struct chain chain = { .name = (char *)"c",
			       .rules = &rule,
			       .n_rules = 1 };
	struct policy policy = {
		.sets = list, .n_sets = 3, .chains = &chain, .n_chains = 1
	};
	char *names[] = { (char *)"a", (char *)"b", (char *)"c" };
	struct elements all = { .kind = kind };
	unsigned int family;
	size_t i, j;

	(void)state;
	rule.where.file = chain.where.file = "x";
	rule.from.sets = names;
	rule.from.n_sets = 3;
	for (i = 0; i < 3; i++) {
		set_is(&list[i], names[i], 20);
		for (family = 0; family < SET_FAMILIES; family++)
			for (j = 0; j < list[i].elements.of[family].n_list; j++)
				elements_add(
					&all, family,
					&list[i].elements.of[family].list[j]);
	}
	use(&policy);
	assert_int_equal(live->rules[0].src.set, 3);
	assert_agrees(3, &all, 20000);
	for (i = 0; i < 3; i++)
		elements_clear(&list[i].elements);
	elements_clear(&all);
}

static void so_has_a_list_of_sets_of_services(void **state)
{
	kind = SET_OF_SERVICES;
	a_list_of_sets_has_what_each_has(state);
	kind = SET_OF_NETWORKS;
}

/* --------------------------------------------------------------- bench */

static uint64_t memory_of(uint32_t store)
{
	struct bpf_map_info info = { 0 };
	uint32_t id, size = sizeof(info);
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *file;
	int fd;

	assert(bpf_map_lookup_elem(tables->elements, &store, &id) == 0);
	fd = bpf_map_get_fd_by_id(id);
	assert(fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	close(fd);
	return bytes;
}

/* Networks of /24 and longer in IPv4, of /48 and longer in IPv6. */
static void random_network(unsigned int family, bool is_long,
			   struct element *element)
{
	unsigned int bits = random_below(family == SET_IP4 ? 9 : 17);
	span_end hosts = ((span_end)1 << bits) - 1;
	span_end first = random_below(1U << 31);

	if (family == SET_IP4) {
		first = first << 1 | random_below(2);
	} else {
		first = (span_end)0x2 << 124 | first << 93 |
			(span_end)random_below(1U << 29) << 64;
		hosts = hosts << 64 | UINT64_MAX;
		if (is_long) {
			first |= random_below(1U << 31);
			hosts = 0;
		}
	}
	element->first = first & ~hosts;
	element->last = first | hosts;
	element->seconds = 0;
}

static void measure(unsigned int family, bool is_long, size_t n)
{
	struct set set = { .name = (char *)"s", .is_given = true };
	struct policy policy = { .sets = &set, .n_sets = 1 };
	struct element element;
	uint32_t floor, cold, hot, i;
	double seconds;

	set.where.file = "x";
	for (i = 0; i < n; i++) {
		random_network(family, is_long, &element);
		assert_int_equal(elements_add(&set.elements, family, &element),
				 0);
	}
	assert_int_equal(elements_sort(&set.elements), 0);
	seconds = use(&policy);
	for (i = 0; i < N_QUERIES; i++) {
		random_network(family, is_long, &element);
		if (i % 2)
			element = set.elements.of[family].list[random_below(
				set.elements.of[family].n_list)];
		query_is(&queries[i], NONE, family, element.first);
	}
	ask(N_QUERIES, 0);
	floor = ask(N_QUERIES, 0);
	for (i = 0; i < N_QUERIES; i++)
		queries[i].set = 0;
	ask(N_QUERIES, 0);
	cold = ask(N_QUERIES, 0);
	for (i = 64; i < N_QUERIES; i++)
		queries[i] = queries[i % 64];
	ask(N_QUERIES, 0);
	hot = ask(N_QUERIES, 0);
	print_message("ip%c%s %7zu: %4u ns cold, %4u ns hot (and %u for the "
		      "test), %5.1f MB, made and written in %.1f ms\n",
		      family == SET_IP4 ? '4' : '6', is_long ? " /128" : "", n,
		      cold - floor, hot - floor, floor,
		      memory_of(live->sets[0].store) / 1e6, seconds * 1e3);
	elements_clear(&set.elements);
}

static void what_a_look_up_costs(void **state)
{
	static const size_t sizes[] = { 10, 1000, 100000, 1000000 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		measure(SET_IP4, false, sizes[i]);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		measure(SET_IP6, false, sizes[i]);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		measure(SET_IP6, true, sizes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_have_what_they_were_made_of),
		cmocka_unit_test(changes_are_in_force_at_once),
		cmocka_unit_test(so_it_is_with_services),
		cmocka_unit_test(services_lie_within_others),
		cmocka_unit_test(a_timeout_ends_by_itself),
		cmocka_unit_test(a_list_of_sets_has_what_each_has),
		cmocka_unit_test(so_has_a_list_of_sets_of_services),
	};
	const struct CMUnitTest benches[] = {
		cmocka_unit_test(what_a_look_up_costs),
	};

	if (getenv("WEIR_BENCH"))
		return cmocka_run_group_tests(benches, set_up, tear_down);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
