/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/number.h"

#include <errno.h>
#include <strings.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static int scan(const char **ptext, int base, uint64_t max, uint64_t *ret_value)
{
	const char *p = *ptext;
	uint64_t value = 0;

	if (digit(*p) >= base)
		return -EINVAL;
	for (; digit(*p) < base; p++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit(*p), &value) ||
		    value > max)
			return -ERANGE;
	}
	*ptext = p;
	*ret_value = value;
	return 0;
}

static int parse(const char *text, int base, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;
	int r;

	r = scan(&text, base, max, &value);
	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

int number_scan(const char **ptext, uint64_t max, uint64_t *ret_value)
{
	return scan(ptext, 10, max, ret_value);
}

int number_parse(const char *text, uint64_t max, uint64_t *ret_value)
{
	return parse(text, 10, max, ret_value);
}

int number_parse_any(const char *text, uint64_t max, uint64_t *ret_value)
{
	if (strncasecmp(text, "0x", 2) == 0)
		return parse(text + 2, 16, max, ret_value);
	return parse(text, 10, max, ret_value);
}
