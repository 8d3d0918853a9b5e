/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/quota_figures.h"

#include <time.h>

#include "ctl/json.h"
#include "ctl/quotas.h"
#include "ctl/say.h"
#include "ctl/stats.h"
#include "rules/quota.h"

static const char *const counts_names[] = { "", "out", "in", "both" };

/* No packet may have come since the period began: then nothing was used. */
static int read_account(const struct kernel *kernel,
			const struct account_name *name,
			struct account_entry *ret_account, struct err *err)
{
	int r = accounts_find(&kernel->accounts, name, ret_account, err);

	return r == -ENOENT ? 0 : r;
}

int quota_figures_read(const struct kernel *kernel,
		       const struct group_row *group, const char *path,
		       struct quota_figures *ret_figures, struct err *err)
{
	struct quota_figures figures = { 0 };
	struct account_entry account = { 0 };
	struct calendar_period period;
	struct account_name name;
	int r;

	*ret_figures = figures;
	if (!group->quota.bytes || quota_account_name(group, path, &name) < 0)
		return 0;
	r = read_account(kernel, &name, &account, err);
	if (r == 0)
		r = accounts_period(&kernel->accounts, group->quota.period,
				    account.period_s, &period, &figures.end_s,
				    err);
	if (r == 0 && !calendar_is_over(account.period_s, &period))
		figures.used_bytes = account.used_bytes;
	if (r < 0 && r != -ENOENT)
		return r;
	figures.used_up = figures.used_bytes >= group->quota.bytes;
	*ret_figures = figures;
	return 0;
}

void quota_figures_show(const char *indent, const struct quota_row *quota,
			const struct quota_figures *figures)
{
	char amount[QUOTA_TEXT_MAX], used[32], end[32] = "?";
	time_t end_s = figures->end_s;
	struct tm tm;

	if (!quota->bytes)
		return;
	quota_format(quota->bytes, quota->period, amount);
	if (figures->end_s && localtime_r(&end_s, &tm))
		strftime(end, sizeof(end), "%Y-%m-%d %H:%M", &tm);
	show("%squota %s: %s used%s, until %s", indent, amount,
	     stats_bytes_text(figures->used_bytes, used),
	     figures->used_up ? ", which is all of it" : "", end);
}

json_t *quota_figures_json(const struct quota_row *quota,
			   const struct quota_figures *figures)
{
	json_t *object = json_object();

	json_put(&object, "quota_bytes", json_count(quota->bytes));
	json_put(&object, "period", json_text(period_name(quota->period)));
	json_put(&object, "counts", json_text(counts_names[quota->counts & 3]));
	json_put(&object, "after_bps",
		 quota->after_rate ? json_count(quota->after_rate * 8)
				   : json_null());
	json_put(&object, "used_bytes", json_count(figures->used_bytes));
	json_put(&object, "used_up", json_boolean(figures->used_up));
	json_put(&object, "period_end_s", json_count(figures->end_s));
	return object;
}
