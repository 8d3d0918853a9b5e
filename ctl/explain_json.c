/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shape is interface: see JSON in weirctl(8). */
#include "ctl/explain.h"
#include "ctl/json.h"
#include "rules/describe.h"

static json_t *rule_json(const struct image *image, uint32_t index)
{
	const struct rule_row *rule = &image->rules[index];
	json_t *object = json_object();

	json_put(&object, "number", json_count(rule->number));
	json_put(&object, "text", json_text(image_string(image, rule->text)));
	json_put(&object, "file", json_text(image_string(image, rule->file)));
	json_put(&object, "line", json_count(rule->line));
	return object;
}

static json_t *almost_json(const struct explanation *explanation,
			   const struct almost *almost)
{
	json_t *object = rule_json(explanation->image, almost->rule);
	char why[WHY_MAX];

	explain_why(explanation, almost, why);
	json_put(&object, "missed",
		 json_text(explain_condition(almost->missed)));
	json_put(&object, "why", json_text(why));
	return object;
}

static json_t *chain_json(const struct explanation *explanation,
			  const struct met_chain *met)
{
	const struct image *image = explanation->image;
	const struct chain_row *chain = &image->chains[met->chain];
	json_t *object = json_object(), *list = json_array();
	json_t *through = json_array();
	uint32_t group = met->group, device = met->device;
	size_t i;

	for (i = 0; i < met->n_almost; i++)
		json_add(&list, almost_json(explanation, &met->almost[i]));
	for (i = 0; i < met->n_through; i++)
		json_add(&through, rule_json(image, met->through[i]));
	json_put(&object, "group",
		 json_text(group == NONE
				   ? NULL
				   : image_string(image,
						  image->groups[group].name)));
	json_put(&object, "cgroup", json_text(met->path));
	json_put(
		&object, "device",
		json_text(group != NONE
				  ? NULL
				  : image_string(image,
						 image->devices[device].name)));
	json_put(&object, "chain", json_text(image_string(image, chain->name)));
	json_put(&object, "verdict", json_text(describe_verdict(met->verdict)));
	json_put(&object, "by_policy", json_boolean(met->by_policy));
	json_put(&object, "rule",
		 met->rule == NONE ? json_null() : rule_json(image, met->rule));
	json_put(&object, "through", through);
	json_put(&object, "almost", list);
	json_put(&object, "almost_more", json_count(met->n_more));
	return object;
}

int explain_print_json(const struct explanation *explanation)
{
	const struct met_chain *refusal = explanation_refusal(explanation);
	json_t *root = json_object(), *list = json_array();
	char text[SAMPLE_TEXT_MAX];
	size_t i;

	sample_format(&explanation->sample, text);
	for (i = 0; i < explanation->n_chains; i++)
		json_add(&list,
			 chain_json(explanation, &explanation->chains[i]));
	json_put(&root, "packet", json_text(text));
	json_put(&root, "direction",
		 json_text(explanation->is_out ? "out" : "in"));
	json_put(&root, "verdict",
		 json_text(describe_verdict(refusal ? refusal->verdict
						    : ROW_ALLOW)));
	json_put(&root, "chains", list);
	return json_print(root);
}
