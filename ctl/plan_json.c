/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/json.h"
#include "ctl/plan.h"

static json_t *change_json(const struct change *change)
{
	static const char *const actions[] = { "add", "change", "remove" };
	json_t *object = json_object();

	json_put(&object, "action", json_text(actions[change->action]));
	json_put(&object, "object", json_text(change->object));
	json_put(&object, "name", json_text(change->name));
	json_put(&object, "detail", json_text(change->detail));
	return object;
}

int plan_print_json(const struct plan *plan, uint32_t generation)
{
	json_t *root = json_object(), *changes = json_array();
	size_t i;

	for (i = 0; i < plan->changes.n_list; i++)
		json_add(&changes, change_json(&plan->changes.list[i]));
	json_put(&root, "generation", json_count(generation));
	json_put(&root, "empty", json_boolean(plan_is_empty(plan)));
	json_put(&root, "changes", changes);
	return json_print(root);
}
