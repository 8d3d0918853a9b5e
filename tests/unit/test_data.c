/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/data: each bad/NAME.ini gets exactly the messages in NAME.txt, each
 * good/NAME.ini is read as NAME.txt says.  Run in the repo's root, or with
 * the folder as argument; with WRITE=1 the texts are written, to be looked
 * at before they are committed.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/address.h"
#include "rules/policy.h"
#include "rules/port.h"
#include "rules/quota.h"
#include "rules/rule.h"
#include "rules/unit.h"

static const char *folder = "tests/data";

static void print_limit(const char *name, const struct limit *limit, FILE *out)
{
	char rate[RATE_TEXT_MAX], burst[SIZE_TEXT_MAX];

	if (!limit->rate_bps)
		return;
	rate_format(limit->rate_bps, rate);
	size_format(limit->burst_bytes, burst);
	fprintf(out, " %s %s burst %s", name, rate, burst);
}

static void print_filters(const char *in, const char *out_name, FILE *out)
{
	fprintf(out, " filter-in %s filter-out %s", in ? in : "-",
		out_name ? out_name : "-");
}

static void print_quota(const struct quota *quota, FILE *out)
{
	char text[QUOTA_TEXT_MAX];

	if (!quota->bytes)
		return;
	quota_format(quota->bytes, quota->period, text);
	fprintf(out, " quota %s counts %u after %" PRIu64, text, quota->counts,
		quota->after_bps);
}

static void print_peers(const char *name, const struct peer_limits *limits,
			FILE *out)
{
	char rate[RATE_TEXT_MAX];
	size_t i;

	for (i = 0; i < limits->n_list; i++) {
		const struct peer_limit *limit = &limits->list[i];

		rate_format(limit->limit.rate_bps, rate);
		fprintf(out, " %s %s %s", name, limit->text,
			limit->limit.rate_bps ? rate : "none");
	}
}

static void print_share(const struct group *group, FILE *out)
{
	char rate[RATE_TEXT_MAX];

	if (group->out_min_bps) {
		rate_format(group->out_min_bps, rate);
		fprintf(out, " out-min %s", rate);
	}
	if (group->weight)
		fprintf(out, " weight %d", (int)group->weight);
	if (group->priority != PRIORITY_NORMAL)
		fprintf(out, " priority %d", group->priority);
}

static void print_group(const struct group *group, FILE *out)
{
	size_t i;

	fprintf(out, "group %s", group->name);
	for (i = 0; i < group->n_matches; i++)
		fprintf(out, " %s", group->matches[i]);
	fprintf(out, " share %d shaper %d", group->share, group->shaper);
	print_limit("out", &group->out, out);
	print_limit("in", &group->in, out);
	print_peers("out-to", &group->out_to, out);
	print_peers("in-from", &group->in_from, out);
	print_share(group, out);
	print_quota(&group->quota, out);
	print_filters(group->filter_in, group->filter_out, out);
	putc('\n', out);
}

static void print_device(const struct device *device, FILE *out)
{
	fprintf(out, "device %s netns %s shaper %d takeover %d", device->name,
		device->netns ? device->netns : "-", device->shaper,
		device->takeover);
	if (device->tcp_windows)
		fprintf(out, " tcp-windows");
	print_limit("out", &device->out, out);
	print_limit("in", &device->in, out);
	print_filters(device->filter_in, device->filter_out, out);
	putc('\n', out);
}

/* Rules in canonical form, which must read as the same again. */
static void print_chain(const struct chain *chain, FILE *out)
{
	size_t i;

	fprintf(out, "chain %s policy %d strict %d\n", chain->name,
		chain->policy, chain->strict);
	for (i = 0; i < chain->n_rules; i++) {
		const struct rule *rule = &chain->rules[i];
		struct rule again = { 0 };
		struct err why;

		fprintf(out, "  %u = %s\n", rule->number, rule->text);
		if (rule_parse(rule->text, &again, &why) < 0)
			fail_msg("%s: %s", rule->text, why.msg);
		assert_string_equal(again.text, rule->text);
		rule_clear(&again);
	}
}

static void print_set(const struct set *set, FILE *out)
{
	char text[ELEMENT_TEXT_MAX];
	unsigned int family;
	size_t i;

	fprintf(out, "set %s", set->name);
	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < set->elements.of[family].n_list; i++) {
			element_format(&set->elements.of[family].list[i],
				       family, set->elements.kind, text);
			fprintf(out, " %s", text);
		}
	putc('\n', out);
}

static void print_policy(const struct policy *policy, FILE *out)
{
	size_t i;

	for (i = 0; i < policy->n_groups; i++)
		print_group(&policy->groups[i], out);
	for (i = 0; i < policy->n_devices; i++)
		print_device(&policy->devices[i], out);
	for (i = 0; i < policy->n_chains; i++)
		print_chain(&policy->chains[i], out);
	for (i = 0; i < policy->n_sets; i++)
		print_set(&policy->sets[i], out);
}

/* What the file is read as, or what is wrong with it. */
static char *outcome(char *name, bool *ret_good)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct problems problems = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	r = policy_read(&name, 1, &problems, &policy);
	assert_true(r == 0 || r == -EINVAL);
	assert_int_equal(r == 0, problems.n_list == 0);
	if (policy)
		print_policy(policy, out);
	problems_print(&problems, out);
	problems_clear(&problems);
	fclose(out);
	*ret_good = r == 0;
	return text;
}

static char *whole(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *in = fopen(path, "re");

	if (!in || getdelim(&text, &size, EOF, in) < 0) {
		free(text);
		text = strdup("");
	}
	if (in)
		fclose(in);
	return text;
}

static bool is_as_expected(char *name, bool good)
{
	char path[512], *got, *expected;
	bool is_good, same;

	snprintf(path, sizeof(path), "%.*s.txt", (int)(strlen(name) - 4), name);
	got = outcome(name, &is_good);
	if (getenv("WRITE")) {
		FILE *out = fopen(path, "we");

		assert_non_null(out);
		fputs(got, out);
		fclose(out);
	}
	expected = whole(path);
	same = strcmp(got, expected) == 0 && is_good == good;
	if (!same)
		print_error("%s:\n--- expected\n%s--- got\n%s", name, expected,
			    got);
	free(expected);
	free(got);
	return same;
}

static void assert_all(const char *kind, bool good, size_t at_least)
{
	char *back = getcwd(NULL, 0);
	size_t i, n_wrong = 0;
	glob_t files;

	assert_int_equal(chdir(folder), 0);
	assert_int_equal(chdir(kind), 0);
	assert_int_equal(glob("*.ini", 0, NULL, &files), 0);
	assert_true(files.gl_pathc >= at_least);
	for (i = 0; i < files.gl_pathc; i++)
		n_wrong += !is_as_expected(files.gl_pathv[i], good);
	globfree(&files);
	assert_int_equal(chdir(back), 0);
	free(back);
	assert_int_equal(n_wrong, 0);
}

static void every_bad_file_gets_exactly_its_messages(void **state)
{
	(void)state;
	assert_all("bad", false, 60);
}

static void every_good_file_is_read_as_it_says(void **state)
{
	(void)state;
	assert_all("good", true, 20);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bad_file_gets_exactly_its_messages),
		cmocka_unit_test(every_good_file_is_read_as_it_says),
	};

	if (argc > 1)
		folder = argv[1];
	return RUN(tests);
}
