/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/image_abi.h"
#include "rules/policy.h"
#include "rules/policy_text.h"

/* A folder of its own for each test that needs files. */
static char folder[] = "/tmp/weir-test-policy-XXXXXX";

static int folder_make(void **state)
{
	(void)state;
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int folder_remove(void **state)
{
	static const char *const files[] = { "a.ini", "b.ini", "set.txt",
					     "fifo" };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		unlink(files[i]);
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void put(const char *name, const char *text)
{
	FILE *out = fopen(name, "we");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static struct policy *text_policy(const char *text)
{
	struct problems problems = { 0 };
	struct policy *policy = NULL;
	int r;

	r = policy_read_text("t.ini", text, strlen(text), &problems, &policy);
	problems_print(&problems, stderr);
	assert_int_equal(r, 0);
	return policy;
}

/* What is said of the files, in one string. */
static void assert_problems(char *const *files, size_t n, const char *expected)
{
	struct problems problems = { 0 };
	struct policy *policy = NULL;
	char *text = NULL;
	size_t size;
	FILE *out;

	assert_int_equal(policy_read(files, n, &problems, &policy), -EINVAL);
	assert_null(policy);
	out = open_memstream(&text, &size);
	problems_print(&problems, out);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	problems_clear(&problems);
}

static void every_key_reaches_its_field(void **state)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	const struct group *group;
	const struct device *device;

	(void)state;
	policy = text_policy("[group web]\nmatch = /a, /b/*\nout = 200mbit\n"
			     "in = 1gbit\nout-burst = 256kb\nin-burst = 1mb\n"
			     "filter-in = c\nfilter-out = d\nshare = all\n"
			     "shaper = police\nout-to = @s none\n"
			     "in-from = 10.0.0.0/8 5mbit\n[set s]\n"
			     "[device eth0]\nout = 1gbit\nin = 2gbit\n"
			     "out-burst = 1b\nin-burst = 2b\nfilter-in = d\n"
			     "filter-out = c\nshaper = htb\nnetns = blue\n"
			     "takeover = yes\nxdp = no\ntcp-windows = yes\n"
			     "[chain d]\npolicy = reject\nstrict = yes\n"
			     "[chain c]\npolicy = allow\n");
	group = &policy->groups[0];
	assert_string_equal(group->name, "web");
	assert_int_equal(group->where.line, 1);
	assert_string_equal(group->where.file, "t.ini");
	assert_int_equal(group->n_matches, 2);
	assert_string_equal(group->matches[1], "/b/*");
	assert_int_equal(group->out.rate_bps, 200000000);
	assert_int_equal(group->out.burst_bytes, 256000);
	assert_int_equal(group->in.rate_bps, 1000000000);
	assert_int_equal(group->in.burst_bytes, 1000000);
	assert_string_equal(group->filter_in, "c");
	assert_string_equal(group->filter_out, "d");
	assert_int_equal(group->share, SHARE_ALL);
	assert_int_equal(group->shaper, SHAPER_POLICE);
	assert_string_equal(group->out_to.list[0].peers.sets[0], "s");
	assert_int_equal(group->out_to.list[0].limit.rate_bps, 0);
	assert_int_equal(group->out_to.where.line, 11);
	assert_string_equal(group->in_from.list[0].text, "10.0.0.0/8");
	assert_int_equal(group->in_from.list[0].limit.rate_bps, 5000000);

	device = &policy->devices[0];
	assert_string_equal(device->name, "eth0");
	assert_int_equal(device->out.rate_bps, 1000000000);
	assert_int_equal(device->in.rate_bps, 2000000000);
	assert_int_equal(device->out.burst_bytes, 1);
	assert_int_equal(device->in.burst_bytes, 2);
	assert_string_equal(device->filter_in, "d");
	assert_string_equal(device->filter_out, "c");
	assert_int_equal(device->shaper, SHAPER_HTB);
	assert_string_equal(device->netns, "blue");
	assert_true(device->takeover);
	assert_int_equal(device->xdp, XDP_NO);
	assert_true(device->tcp_windows);
	assert_int_equal(policy_chain(policy, "d")->policy, VERDICT_REJECT);
	assert_true(policy_chain(policy, "d")->strict);
	assert_false(policy_chain(policy, "c")->strict);
}

static void rules_come_in_the_order_of_their_numbers(void **state)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	const struct chain *chain;

	(void)state;
	policy = text_policy("[chain c]\n30 = deny\n4294967294 = allow gre\n"
			     "9 = allow tcp\npolicy = deny\n10 = allow udp\n");
	chain = policy_chain(policy, "c");
	assert_int_equal(chain->n_rules, 4);
	assert_int_equal(chain->rules[0].number, 9);
	assert_int_equal(chain->rules[0].where.line, 4);
	assert_int_equal(chain->rules[1].number, 10);
	assert_int_equal(chain->rules[2].number, 30);
	assert_int_equal(chain->rules[3].number, 4294967294);
}

static void chains_and_sets_are_found_by_name(void **state)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;

	(void)state;
	policy =
		text_policy("[set z]\nelements = 80\n[chain z]\npolicy = deny\n"
			    "[set a]\n[chain b]\npolicy = deny\n");
	assert_string_equal(policy_chain(policy, "z")->name, "z");
	assert_string_equal(policy_chain(policy, "b")->name, "b");
	assert_null(policy_chain(policy, "a"));
	assert_true(policy_set(policy, "z")->elements.kind);
	assert_true(policy_set(policy, "z")->is_given);
	assert_false(policy_set(policy, "a")->elements.kind);
	assert_false(policy_set(policy, "a")->is_given);
	assert_null(policy_set(policy, "b"));
}

static void an_empty_policy_is_fine(void **state)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;

	(void)state;
	policy = text_policy("");
	assert_null(policy_chain(policy, "c"));
	assert_null(policy_set(policy, "s"));
	assert_int_equal(policy->n_groups, 0);
}

static void several_files_are_one_policy(void **state)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct problems problems = { 0 };
	char *files[] = { "a.ini", "b.ini" };

	(void)state;
	put("a.ini", "[group web]\nmatch = /a\nfilter-in = c\n");
	put("b.ini", "[chain c]\npolicy = deny\n1 = allow from @s\n"
		     "[set s]\nfile = set.txt\n");
	put("set.txt", "192.0.2.1\n");
	assert_int_equal(policy_read(files, 2, &problems, &policy), 0);
	assert_int_equal(policy->n_groups, 1);
	assert_int_equal(policy->n_files, 2);
	assert_string_equal(policy_chain(policy, "c")->where.file, "b.ini");
	assert_int_equal(elements_count(&policy_set(policy, "s")->elements), 1);
}

static void names_are_unique_across_files(void **state)
{
	char *files[] = { "a.ini", "b.ini" };

	(void)state;
	put("a.ini", "[group web]\nmatch = /a\n");
	put("b.ini", "\n[group web]\nmatch = /a\n[group db]\nmatch = /b\n"
		     "out = 1\n");
	assert_problems(files, 2,
			"b.ini:2: error: [group web] is already at a.ini:1\n"
			"b.ini:3: error: match: group 'web' has '/a' already, "
			"at a.ini:2\n"
			"b.ini:6: error: out: '1' is not a rate (try 1mbit)\n");
}

static void the_errors_of_all_files_come_in_one_go(void **state)
{
	char *files[] = { "b.ini", "/nonexistent", "a.ini", "." };

	(void)state;
	put("a.ini", "[group web]\nmatch = a\n");
	put("b.ini", "[set s]\nfile = set.txt\n");
	put("set.txt", "x\n");
	assert_problems(files, 4,
			"set.txt:1: error: 'x' is neither an address nor a "
			"port (of interfaces, a set says first: holds = "
			"interfaces)\n"
			"/nonexistent: error: open: No such file or directory\n"
			"a.ini:2: error: match: 'a' is not a path below the "
			"cgroup mount (try /a)\n"
			".: error: read: Is a directory\n");
}

static void files_of_sets_are_beside_the_policy(void **state)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct problems problems = { 0 };
	char path[64];
	char *files[] = { path };

	(void)state;
	put("a.ini", "[set s]\nfile = set.txt\n");
	put("set.txt", "22\n80-90\n");
	snprintf(path, sizeof(path), "%s/a.ini", folder);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(policy_read(files, 1, &problems, &policy), 0);
	assert_int_equal(chdir(folder), 0);
	assert_true(policy->sets[0].elements.kind);
	assert_int_equal(elements_count(&policy->sets[0].elements), 2);
}

static void a_fifo_can_be_the_policy_but_not_a_set(void **state)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct problems problems = { 0 };
	char *files[] = { "fifo" }, *sets[] = { "a.ini" };
	pid_t pid;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	pid = fork();
	if (pid == 0) {
		put("fifo", "[set s]\n");
		_exit(0);
	}
	assert_int_equal(policy_read(files, 1, &problems, &policy), 0);
	assert_int_equal(policy->n_sets, 1);
	put("a.ini", "[set s]\nfile = fifo\n");
	assert_problems(sets, 1,
			"a.ini:2: error: file: 'fifo': open: not a "
			"plain file\n");
}

static void standard_input_has_a_name_in_messages(void **state)
{
	char *files[] = { "-" };
	int saved = dup(STDIN_FILENO), fd;

	(void)state;
	put("a.ini", "[set s]\nx = 1\n");
	fd = open("a.ini", O_RDONLY | O_CLOEXEC);
	dup2(fd, STDIN_FILENO);
	assert_problems(files, 1,
			"<stdin>:2: error: a set has no key 'x' "
			"(try holds, elements, file)\n");
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fd);
}

static void ten_thousand_unknown_chains_stay_cheap(void **state)
{
	struct problems problems = { 0 };
	struct policy *policy = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int i;

	(void)state;
	for (i = 0; i < 10000; i++)
		fprintf(out,
			"[group g%d]\nmatch = /%d\nfilter-in = x%d\n"
			"[chain c%d]\npolicy = deny\n",
			i, i, i, i);
	fclose(out);
	assert_int_equal(
		policy_read_text("t.ini", text, size, &problems, &policy),
		-EINVAL);
	assert_int_equal(problems.n_list + problems.n_left_out, 10000);
	free(text);
	problems_clear(&problems);
}

/* So many patterns, and an error. */
static char *large_policy(size_t n_globs)
{
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	fputs("[group g]\nmatch = /plain", out);
	for (i = 0; i < n_globs; i++)
		fprintf(out, " /%zu*", i);
	fputs("\nout = 1\n", out);
	fclose(out);
	return text;
}

static void what_is_too_much_does_not_hide_other_errors(void **state)
{
	char *files[] = { "a.ini" };
	char *most = large_policy(GLOBS_MAX);
	char *more = large_policy(GLOBS_MAX + 2);

	(void)state;
	put("a.ini", most);
	assert_problems(files, 1,
			"a.ini:3: error: out: '1' is not a rate (try 1mbit)\n");
	put("a.ini", more);
	assert_problems(files, 1,
			"a.ini:2: error: match: with '/129*' the policy has "
			"130 patterns with *, ? or [, at most 128 are "
			"possible\n"
			"a.ini:3: error: out: '1' is not a rate (try 1mbit)\n");
	free(most);
	free(more);
}

#define WITH_FOLDER(test) \
	cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_reaches_its_field),
		cmocka_unit_test(rules_come_in_the_order_of_their_numbers),
		cmocka_unit_test(chains_and_sets_are_found_by_name),
		cmocka_unit_test(an_empty_policy_is_fine),
		WITH_FOLDER(several_files_are_one_policy),
		WITH_FOLDER(names_are_unique_across_files),
		WITH_FOLDER(the_errors_of_all_files_come_in_one_go),
		WITH_FOLDER(files_of_sets_are_beside_the_policy),
		WITH_FOLDER(a_fifo_can_be_the_policy_but_not_a_set),
		WITH_FOLDER(standard_input_has_a_name_in_messages),
		WITH_FOLDER(what_is_too_much_does_not_hide_other_errors),
		cmocka_unit_test(ten_thousand_unknown_chains_stay_cheap),
	};

	return RUN(tests);
}
