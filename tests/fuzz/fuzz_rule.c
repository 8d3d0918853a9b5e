/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What parses has a canonical text that parses to the same rule. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "rules/rule.h"
#include "tests/fuzz/rule_same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rule first = { 0 }, second = { 0 };
	char *text = fuzz_string(data, size);
	struct err why = { "" };
	int r;

	r = rule_parse(text, &first, &why);
	CHECK(r == 0 || r == -EINVAL);
	if (r == 0) {
		CHECK(rule_parse(first.text, &second, &why) == 0);
		CHECK(rule_same(&first, &second));
		rule_clear(&second);
	} else {
		CHECK(*why.msg && strlen(why.msg) < sizeof(why.msg) - 1);
	}
	rule_clear(&first);
	free(text);
	return 0;
}
