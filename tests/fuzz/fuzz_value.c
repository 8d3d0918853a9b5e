/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values: the first byte says of which kind.  What is read prints as it. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "rules/address.h"
#include "rules/glob.h"
#include "rules/label.h"
#include "rules/pattern.h"
#include "rules/port.h"
#include "rules/quota.h"
#include "rules/suggest.h"
#include "rules/unit.h"
#include "rules/words.h"

static int check_rate(const char *text, struct err *why)
{
	char printed[RATE_TEXT_MAX];
	uint64_t value, again;
	int r = rate_parse(text, &value, why);

	if (r < 0)
		return r;
	rate_format(value, printed);
	CHECK(rate_parse(printed, &again, why) == 0 && again == value);
	return 0;
}

static int check_size(const char *text, struct err *why)
{
	char printed[SIZE_TEXT_MAX];
	uint64_t value, again;
	int r = size_parse(text, &value, why);

	if (r < 0)
		return r;
	size_format(value, printed);
	CHECK(size_parse(printed, &again, why) == 0 && again == value);
	return 0;
}

static int check_network(const char *text, struct err *why)
{
	char printed[NETWORK_TEXT_MAX];
	struct network network, again;
	int r = network_parse(text, &network, why);

	if (r < 0)
		return r;
	CHECK(memcmp(&network.first, &network.last, 16) <= 0);
	network_format(&network, printed);
	CHECK(network_parse(printed, &again, why) == 0);
	CHECK(network_compare(&network, &again) == 0);
	return 0;
}

static int check_port(const char *text, struct err *why)
{
	char printed[PORT_TEXT_MAX];
	struct port_range range, again;
	int r = port_parse(text, &range, why);

	if (r < 0)
		return r;
	CHECK(range.first <= range.last);
	port_format(&range, printed);
	CHECK(port_parse(printed, &again, why) == 0);
	CHECK(again.first == range.first && again.last == range.last);
	return 0;
}

static int check_quota(const char *text, struct err *why)
{
	enum quota_period period, again_period;
	char printed[QUOTA_TEXT_MAX];
	uint64_t value, again;
	int r = quota_parse(text, &value, &period, why);

	if (r < 0)
		return r;
	quota_format(value, period, printed);
	CHECK(quota_parse(printed, &again, &again_period, why) == 0);
	CHECK(again == value && again_period == period);
	return 0;
}

/* A pattern without wildcards matches itself, and nothing longer. */
static int check_pattern(const char *text, struct err *why)
{
	char path[GLOB_PATH_MAX] = "";
	struct glob_row row;
	int r = pattern_check(text, why);

	if (r < 0)
		return r;
	CHECK(strlen(text) < CGROUP_PATH_MAX);
	CHECK(glob_compile(text, &row) == 0);
	strcpy(path, text);
	if (!glob_has_wildcards(text)) {
		CHECK(glob_match(&row, path, strlen(path)) == 1);
		strcat(path, "/x");
		CHECK(glob_match(&row, path, strlen(path)) == 0);
	}
	return 0;
}

static int check_words(const char *text, struct err *why)
{
	struct words words;
	size_t i, n = 0;
	int r = words_split(text, &words, why);

	if (r < 0)
		return r;
	for (i = 0; i < words.n_list; i++) {
		n += strlen(words.list[i].text) + words.list[i].comma;
		CHECK(words.list[i].quoted || *words.list[i].text);
	}
	CHECK(n <= strlen(text));
	words_clear(&words);
	return 0;
}

static int check_labels(const char *text, struct err *why)
{
	struct suggestion best;
	int r = label_check(text, why);

	suggestion_begin(&best, text);
	suggestion_try(&best, "established");
	suggestion_try(&best, "in");
	if (r == 0)
		CHECK(interface_check(text, why) == 0 || strlen(text) > 15);
	if (r == 0)
		CHECK(netns_check(text, why) == 0);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const checks[])(const char *text, struct err *why) = {
		check_rate,    check_size,  check_network, check_port,
		check_pattern, check_words, check_labels,  check_quota,
	};
	struct err why = { "" };
	char *text;
	int r;

	if (!size)
		return 0;
	text = fuzz_string(data + 1, size - 1);
	r = checks[*data % 8](text, &why); /* '0' is the first */
	CHECK(r == 0 || r == -EINVAL);
	CHECK(r == 0 || *why.msg);
	free(text);
	return 0;
}
