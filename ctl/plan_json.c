/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/json.h"
#include "ctl/plan.h"

int plan_print_json(const struct plan *plan, uint32_t generation)
{
	static const char *const actions[] = { "add", "change", "remove" };
	json_t *changes = json_array();
	size_t i;

	for (i = 0; i < plan->changes.n_list; i++) {
		const struct change *change = &plan->changes.list[i];

		json_add(&changes,
			 json_pack("{s:s, s:s, s:s, s:s}", "action",
				   actions[change->action], "object",
				   change->object, "name", change->name,
				   "detail", change->detail));
	}
	return json_print(json_pack("{s:I, s:b, s:o}", "generation",
				    (json_int_t)generation, "empty",
				    plan_is_empty(plan), "changes", changes));
}
