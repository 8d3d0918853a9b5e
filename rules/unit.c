/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/unit.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "rules/suggest.h"

struct unit {
	const char *name;
	uint64_t scale;
};

/* Largest first, powers of 1000 before those of 1024. */
static const struct unit rate_units[] = {
	{ "tbit", 1000000000000 }, { "gbit", 1000000000 }, { "mbit", 1000000 },
	{ "kbit", 1000 },	   { "bit", 1 },	   { "gibit", 1 << 30 },
	{ "mibit", 1 << 20 },	   { "kibit", 1 << 10 },   { NULL, 0 },
};

static const struct unit size_units[] = {
	{ "gb", 1000000000 }, { "mb", 1000000 },  { "kb", 1000 },
	{ "b", 1 },	      { "gib", 1 << 30 }, { "mib", 1 << 20 },
	{ "kib", 1 << 10 },   { NULL, 0 },
};

static const struct unit volume_units[] = {
	{ "tb", 1000000000000 },
	{ "gb", 1000000000 },
	{ "mb", 1000000 },
	{ "kb", 1000 },
	{ "b", 1 },
	{ "tib", 1ULL << 40 },
	{ "gib", 1 << 30 },
	{ "mib", 1 << 20 },
	{ "kib", 1 << 10 },
	{ NULL, 0 },
};

#define DECIMALS_MAX 12

/*
 * A number with a unit behind it.  *ptext is left at the unit; the value is
 * whole + fraction / fraction_scale.
 */
struct amount {
	uint64_t whole, fraction, fraction_scale;
};

static int amount_scan(const char **ptext, struct amount *ret)
{
	struct amount amount = { .fraction_scale = 1 };
	const char *p = *ptext;
	int r, decimals = 0;

	r = number_scan(&p, UINT64_MAX, &amount.whole);
	if (r < 0)
		return r;
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return -EINVAL;
		for (; isdigit((unsigned char)*p); p++) {
			if (decimals == DECIMALS_MAX && *p == '0')
				continue;
			if (++decimals > DECIMALS_MAX)
				return -EDOM;
			amount.fraction = amount.fraction * 10 + (*p - '0');
			amount.fraction_scale *= 10;
		}
	}
	*ptext = p;
	*ret = amount;
	return 0;
}

static const struct unit *unit_find(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (strcmp(units->name, name) == 0)
			return units;
	return NULL;
}

/* -EINVAL: not understood; -ERANGE: too large; -EDOM: not a whole number. */
static int parse(const char *text, const struct unit *units,
		 uint64_t *ret_value)
{
	const struct unit *unit;
	struct amount amount;
	uint64_t value, part;
	int r;

	r = amount_scan(&text, &amount);
	if (r < 0)
		return r;
	unit = unit_find(units, text);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(amount.whole, unit->scale, &value) ||
	    __builtin_mul_overflow(amount.fraction, unit->scale, &part))
		return -ERANGE;
	if (part % amount.fraction_scale)
		return -EDOM;
	part /= amount.fraction_scale;
	if (__builtin_add_overflow(value, part, ret_value))
		return -ERANGE;
	return 0;
}

/* The unit that a wrong one was meant to be, or NULL. */
static const char *unit_guess(const struct unit *units, const char *read)
{
	static const char *const tails[] = { "/s", "/sec", "ps", "s" };
	char name[16];
	struct suggestion best;
	size_t i, n = 0;

	for (; *read; read++) {
		if (*read == ' ')
			continue;
		if (n == sizeof(name) - 1 || isdigit((unsigned char)*read))
			return NULL;
		name[n++] = tolower((unsigned char)*read);
	}
	name[n] = '\0';
	for (i = 0; i < ARRAY_SIZE(tails); i++) {
		size_t n_tail = strlen(tails[i]);

		if (n > n_tail && strcmp(name + n - n_tail, tails[i]) == 0)
			name[n -= n_tail] = '\0';
	}
	if (n == 0)
		return units == rate_units ? "mbit" : "kb";
	suggestion_begin(&best, name);
	for (; units->name; units++) {
		if (strcmp(name, units->name) == 0 ||
		    (n == 1 && *name == *units->name))
			return units->name;
		suggestion_try(&best, units->name);
	}
	return best.word;
}

/* Whether the unit counts bytes, as people or tc write it. */
static bool means_bytes(const char *unit)
{
	size_t n = strlen(unit);

	return strpbrk(unit, "B") || strcasestr(unit, "byte") ||
	       (n > 1 && strcasecmp(unit + n - 1, "b") == 0);
}

/* The k, m, g or t that a unit begins with, as a string; "" without one. */
static void scale_of(const char *unit, char ret_scale[static 2])
{
	ret_scale[0] = tolower((unsigned char)*unit);
	ret_scale[1] = '\0';
	if (!*unit || !strchr("kmgt", *ret_scale))
		*ret_scale = '\0';
}

/* bps is 8 bits to tc and one bit to most people: neither is guessed. */
static int refuse_bps(const char *text, const char *unit,
		      const struct amount *amount, struct err *why)
{
	char scale[2], or_bytes[48] = "";

	scale_of(unit, scale);
	if (!amount->fraction)
		snprintf(or_bytes, sizeof(or_bytes), " or %" PRIu64 "%sbit",
			 amount->whole * 8, scale);
	return err_say(why, -EINVAL,
		       "'%.80s' is not a rate: bps means bits to some and "
		       "bytes to others (try %.*s%sbit%s)",
		       text, (int)(unit - text), text, scale, or_bytes);
}

static int refuse_bytes(const char *text, const char *unit, uint64_t whole,
			struct err *why)
{
	char scale[2];

	scale_of(unit, scale);
	return err_say(why, -EINVAL,
		       "'%.80s' is not a rate: rates count bits, eight to a "
		       "byte (try %" PRIu64 "%sbit)",
		       text, whole * 8, scale);
}

static int refuse(const char *text, const char *what, const struct unit *units,
		  const char *example, struct err *why)
{
	const char *unit = text, *guess = NULL;
	struct amount amount;

	if (amount_scan(&unit, &amount) == 0)
		guess = unit_guess(units, unit);
	if (unit != text && units == rate_units &&
	    amount.whole < UINT64_MAX / 8) {
		if (strcasestr(unit, "bps"))
			return refuse_bps(text, unit, &amount, why);
		if (means_bytes(unit) && !amount.fraction)
			return refuse_bytes(text, unit, amount.whole, why);
	}
	if (units != rate_units && strcasestr(unit, "bit"))
		return err_say(why, -EINVAL,
			       "'%.80s' is not a %s: %ss count bytes "
			       "(try %s)",
			       text, what, what, example);
	if (!guess)
		return err_say(why, -EINVAL, "'%.80s' is not a %s (try %s)",
			       text, what, example);
	return err_say(why, -EINVAL, "'%.80s' is not a %s (try %.*s%s)", text,
		       what, (int)(unit - text), text, guess);
}

int rate_parse(const char *text, uint64_t *ret_bps, struct err *why)
{
	uint64_t bps;
	int r;

	r = parse(text, rate_units, &bps);
	if (r == -EDOM)
		return err_say(why, -EINVAL,
			       "'%.80s' is not a whole number of bits per "
			       "second",
			       text);
	if (r == -ERANGE || (r == 0 && bps > RATE_MAX_BPS))
		return err_say(why, -EINVAL,
			       "'%.80s' is too fast (1kbit to 100tbit)", text);
	if (r < 0)
		return refuse(text, "rate", rate_units, "10mbit", why);
	if (bps < RATE_MIN_BPS)
		return err_say(why, -EINVAL,
			       "'%.80s' is too slow (1kbit to 100tbit; a chain "
			       "with policy = deny lets nothing pass)",
			       text);
	*ret_bps = bps;
	return 0;
}

int size_parse(const char *text, uint64_t *ret_bytes, struct err *why)
{
	uint64_t bytes;
	int r;

	r = parse(text, size_units, &bytes);
	if (r == -EDOM)
		return err_say(why, -EINVAL,
			       "'%.80s' is not a whole number of bytes", text);
	if (r == -ERANGE || (r == 0 && (bytes > SIZE_MAX_BYTES || !bytes)))
		return err_say(why, -EINVAL,
			       "'%.80s' is out of range (1b to 1000gb)", text);
	if (r < 0)
		return refuse(text, "size", size_units, "256kb", why);
	*ret_bytes = bytes;
	return 0;
}

int volume_parse(const char *text, uint64_t *ret_bytes, struct err *why)
{
	uint64_t bytes;
	int r;

	r = parse(text, volume_units, &bytes);
	if (r == -EDOM)
		return err_say(why, -EINVAL,
			       "'%.80s' is not a whole number of bytes", text);
	if (r == -ERANGE || (r == 0 && (bytes > VOLUME_MAX_BYTES || !bytes)))
		return err_say(why, -EINVAL,
			       "'%.80s' is out of range (1b to 1000tb)", text);
	if (r < 0)
		return refuse(text, "volume", volume_units, "100gb", why);
	*ret_bytes = bytes;
	return 0;
}

static bool is_binary(const struct unit *unit)
{
	return unit->scale > 1 && !(unit->scale & (unit->scale - 1));
}

/* The largest binary unit that is not above value, or NULL. */
static const struct unit *unit_binary(const struct unit *units, uint64_t value)
{
	for (; units->name; units++)
		if (is_binary(units) && units->scale <= value)
			return units;
	return NULL;
}

/* Whether value needs at most three decimals in that unit. */
static bool is_short(const struct unit *unit, uint64_t value)
{
	uint64_t step = unit->scale >= 1000 ? unit->scale / 1000 : 1;

	return value >= unit->scale && value % step == 0;
}

/* 256kib stays what it is; else three decimals, down to the unit itself. */
static const struct unit *unit_for(const struct unit *units, uint64_t value)
{
	const struct unit *binary = unit_binary(units, value);

	while (value < units->scale && units->scale > 1)
		units++;
	if (binary && value % units->scale && value % binary->scale == 0)
		return binary;
	while (units->scale > 1 && !is_short(units, value))
		units++;
	return units;
}

static void format(uint64_t value, const struct unit *units, char *text,
		   size_t size)
{
	const struct unit *unit = unit_for(units, value);
	uint64_t whole = value / unit->scale, rest = value % unit->scale;
	int decimals = 3;

	if (rest == 0) {
		snprintf(text, size, "%" PRIu64 "%s", whole, unit->name);
		return;
	}
	for (rest /= unit->scale / 1000; rest % 10 == 0; decimals--)
		rest /= 10;
	snprintf(text, size, "%" PRIu64 ".%0*" PRIu64 "%s", whole, decimals,
		 rest, unit->name);
}

void rate_format(uint64_t bps, char ret_text[static RATE_TEXT_MAX])
{
	format(bps, rate_units, ret_text, RATE_TEXT_MAX);
}

void size_format(uint64_t bytes, char ret_text[static SIZE_TEXT_MAX])
{
	format(bytes, size_units, ret_text, SIZE_TEXT_MAX);
}

void volume_format(uint64_t bytes, char ret_text[static SIZE_TEXT_MAX])
{
	format(bytes, volume_units, ret_text, SIZE_TEXT_MAX);
}
