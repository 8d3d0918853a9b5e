/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "100gb/month": so many bytes in each hour, day, week or month. */
#ifndef WEIR_RULES_QUOTA_H
#define WEIR_RULES_QUOTA_H

#include <stdint.h>

#include "base/err.h"
#include "rules/calendar_abi.h"
#include "rules/unit.h"

/* -EINVAL, and why says what would do. */
int quota_parse(const char *text, uint64_t *ret_bytes,
		enum quota_period *ret_period, struct err *why);

#define QUOTA_TEXT_MAX (SIZE_TEXT_MAX + 8)

void quota_format(uint64_t bytes, unsigned int period,
		  char ret_text[static QUOTA_TEXT_MAX]);

/* "hour", "day", "week" or "month"; "?" for what is none of them. */
const char *period_name(unsigned int period);

/* PERIODS where no period is called so. */
enum quota_period period_find(const char *name);

#endif
