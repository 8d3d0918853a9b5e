/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_begin(struct text *text)
{
	text->bytes = NULL;
	text->n = 0;
	text->room = sizeof(text->few);
	text->failed = false;
}

/* Doubles the room until n bytes more have it. */
static bool grow(struct text *text, size_t n)
{
	size_t room = text->room;
	char *bytes;

	while (room - text->n < n)
		room *= 2;
	bytes = realloc(text->bytes, room);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	if (!text->bytes)
		memcpy(bytes, text->few, text->n);
	text->bytes = bytes;
	text->room = room;
	return true;
}

void text_add(struct text *text, const char *bytes, size_t n)
{
	if (text->room - text->n < n && !grow(text, n))
		return;
	memcpy((text->bytes ? text->bytes : text->few) + text->n, bytes, n);
	text->n += n;
}

void text_put(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_char(struct text *text, char c)
{
	text_add(text, &c, 1);
}

void text_number(struct text *text, uint32_t number)
{
	char digits[11];

	text_add(text, digits, number_format(number, digits) - digits);
}

void text_hex(struct text *text, uint32_t number)
{
	char digits[16];

	text_add(text, digits,
		 snprintf(digits, sizeof(digits), "0x%x", number));
}

int text_take(struct text *text, char **ret_string)
{
	char *string = NULL;

	if (!text->failed)
		string = malloc(text->n + 1);
	if (string) {
		memcpy(string, text->bytes ? text->bytes : text->few, text->n);
		string[text->n] = '\0';
		*ret_string = string;
	}
	free(text->bytes);
	text_begin(text);
	return string ? 0 : -ENOMEM;
}

char *number_format(uint32_t number, char *ret_text)
{
	char digits[10];
	size_t n = 0, i;

	do {
		digits[n++] = '0' + number % 10;
		number /= 10;
	} while (number);
	for (i = 0; i < n; i++)
		ret_text[i] = digits[n - 1 - i];
	ret_text[n] = '\0';
	return ret_text + n;
}
