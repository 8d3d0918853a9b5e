/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int utf8_take(const unsigned char **pp, const unsigned char *end)
{
	static const int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = *pp;
	int code, n, i;

	if (*p < 0x80) {
		(*pp)++;
		return *p;
	}
	n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	if (*p < 0xc2 || *p > 0xf4 || end - p < n)
		return -1;
	code = *p & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return -1;
	*pp += n;
	return code;
}

bool utf8_is_control(int code)
{
	return (code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0);
}

bool utf8_is_invisible(int code)
{
	return code == 0x200b || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x2069) || code == 0xfeff;
}

char *utf8_printable(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	const unsigned char *end = p + strlen(text);
	char *copy = malloc(4 * strlen(text) + 1), *to = copy;

	if (!copy)
		return NULL;
	while (p < end) {
		const unsigned char *from = p;
		int code = utf8_take(&p, end);

		if (code >= 0 && !utf8_is_control(code) &&
		    !utf8_is_invisible(code)) {
			to = mempcpy(to, from, p - from);
			continue;
		}
		p += code < 0;
		for (; from < p; from++)
			to += sprintf(to, "\\x%02x", *from);
	}
	*to = '\0';
	return copy;
}
