/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/quota.h"

#include <stdio.h>
#include <string.h>

#include "rules/terms.h"

static const struct term period_terms[] = {
	{ "hour", PERIOD_HOUR },
	{ "day", PERIOD_DAY },
	{ "week", PERIOD_WEEK },
	{ "month", PERIOD_MONTH },
	{ NULL, 0 },
};

const char *period_name(unsigned int period)
{
	const char *name = term_name(period_terms, period);

	return name ? name : "?";
}

enum quota_period period_find(const char *name)
{
	const struct term *term = term_find(period_terms, name);

	return term ? (enum quota_period)term->value : PERIODS;
}

static int refuse_period(const char *text, const char *slash, struct err *why)
{
	int n = slash - text;
	struct suggestion best;

	suggestion_begin(&best, slash + 1);
	terms_suggest(period_terms, &best);
	if (best.word)
		return err_say(why, -EINVAL,
			       "'%.80s' is not a quota (try %.*s/%s)", text, n,
			       text, best.word);
	return err_say(why, -EINVAL,
		       "'%.80s' is not a quota: a period is hour, day, week or "
		       "month (try %.*s/month)",
		       text, n, text);
}

int quota_parse(const char *text, uint64_t *ret_bytes,
		enum quota_period *ret_period, struct err *why)
{
	const char *slash = strchr(text, '/');
	enum quota_period period;
	char volume[64] = "";
	uint64_t bytes;
	int r;

	if (!slash)
		return err_say(why, -EINVAL,
			       "'%.80s' is not a quota: it needs a period (try "
			       "100gb/month)",
			       text);
	if (slash - text >= (int)sizeof(volume))
		return err_say(why, -EINVAL,
			       "'%.80s' is not a quota (try 100gb/month)",
			       text);
	memcpy(volume, text, slash - text);
	r = volume_parse(volume, &bytes, why);
	if (r < 0)
		return r;
	period = period_find(slash + 1);
	if (period == PERIODS)
		return refuse_period(text, slash, why);
	*ret_bytes = bytes;
	*ret_period = period;
	return 0;
}

void quota_format(uint64_t bytes, unsigned int period,
		  char ret_text[static QUOTA_TEXT_MAX])
{
	char volume[SIZE_TEXT_MAX];

	volume_format(bytes, volume);
	snprintf(ret_text, QUOTA_TEXT_MAX, "%s/%s", volume,
		 period_name(period));
}
