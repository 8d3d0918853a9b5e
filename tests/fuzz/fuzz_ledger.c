/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger of quotas.  A last line that fits is put behind what is tried, so
 * that lines are read, too; what is read prints as it.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "rules/ledger.h"

static void check_again(const struct ledger *ledger)
{
	struct ledger again;
	struct err why;
	char *text;
	size_t size, i;

	CHECK(ledger_format(ledger, &text, &size) == 0);
	CHECK(ledger_parse(text, size, &again, &why) == 0);
	CHECK(again.n_entries == ledger->n_entries);
	for (i = 0; i < again.n_entries; i++) {
		const struct ledger_entry *a = &ledger->entries[i];
		const struct ledger_entry *b = &again.entries[i];

		CHECK(ledger_compare(a, b) == 0);
		CHECK(a->begin_s == b->begin_s);
		CHECK(a->used_bytes == b->used_bytes);
	}
	ledger_clear(&again);
	free(text);
}

/* As ledger_format() does: a reader that knows only its own would not do. */
static size_t put_end(char *text, size_t size)
{
	uint64_t sum = 0xcbf29ce484222325;
	size_t i, lines = 0;

	for (i = 0; i < size; i++) {
		sum = (sum ^ (unsigned char)text[i]) * 0x100000001b3;
		lines += text[i] == '\n';
	}
	return sprintf(text + size, "end %zu %016llx\n", lines ? lines - 1 : 0,
		       (unsigned long long)sum);
}

static void try(const char *text, size_t size)
{
	struct ledger ledger = { 0 };
	struct err why = { "" };
	int r = ledger_parse(text, size, &ledger, &why);

	CHECK(r == 0 || r == -EINVAL);
	CHECK(r == 0 || *why.msg);
	if (r == 0)
		check_again(&ledger);
	ledger_clear(&ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 64);

	if (!text)
		return 0;
	memcpy(text, data, size);
	try(text, size);
	try(text, size + put_end(text, size));
	free(text);
	return 0;
}
