/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ctl/explain.h"
#include "ctl/say.h"
#include "rules/describe.h"

void explain_whose(const struct explanation *explanation,
		   const struct met_chain *met,
		   char ret_whose[static WHOSE_MAX])
{
	const struct image *image = explanation->image;
	char name[DESCRIBE_MAX];

	if (met->group == NONE) {
		describe_device_name(image, &image->devices[met->device], name);
		snprintf(ret_whose, WHOSE_MAX, "device %s", name);
		return;
	}
	snprintf(ret_whose, WHOSE_MAX, "group %s%s%s",
		 image_string(image, image->groups[met->group].name),
		 met->path ? " at " : "", met->path ? met->path : "");
}

const char *explain_does(uint32_t verdict)
{
	static const char *const words[] = { "denies", "allows", "rejects" };

	return verdict <= ROW_REJECT ? words[verdict] : "denies";
}

static void print_rule(const struct image *image, const char *indent,
		       uint32_t index)
{
	const struct rule_row *rule = &image->rules[index];

	show("%s%s:%u: %u = %s", indent, image_string(image, rule->file),
	     rule->line, rule->number, image_string(image, rule->text));
}

/* What decides where no rule does. */
static void print_end(const struct explanation *explanation,
		      const struct met_chain *met)
{
	const struct image *image = explanation->image;
	const struct chain_row *chain = &image->chains[met->chain];

	if (met->by_policy)
		show("  %s:%u: no rule matches: policy = %s",
		     image_string(image, chain->file), chain->line,
		     describe_verdict(chain->policy));
	else if (explanation->ifindex == 1)
		show("  no rule matches: the policy is not for what passes lo");
	else
		show("  no rule matches: the policy is not for what keeps the "
		     "network working (see strict in weir.conf)");
}

static void print_almost(const struct explanation *explanation,
			 const struct met_chain *met)
{
	char why[WHY_MAX];
	size_t i;

	for (i = 0; i < met->n_almost; i++) {
		explain_why(explanation, &met->almost[i], why);
		show("  almost, but %s:", why);
		print_rule(explanation->image, "    ", met->almost[i].rule);
	}
	if (met->n_more)
		show("  and %zu more rules of which one condition does not "
		     "hold",
		     met->n_more);
}

static void print_chain(const struct explanation *explanation,
			const struct met_chain *met)
{
	const struct image *image = explanation->image;
	char whose[WHOSE_MAX];
	size_t i;

	explain_whose(explanation, met, whose);
	show("%s: chain %s %s it", whose,
	     image_string(image, image->chains[met->chain].name),
	     explain_does(met->verdict));
	for (i = 0; i < met->n_through; i++)
		print_rule(image, "  ", met->through[i]);
	if (met->rule != NONE)
		print_rule(image, "  ", met->rule);
	else
		print_end(explanation, met);
	print_almost(explanation, met);
}

static void print_verdict(const struct explanation *explanation)
{
	const struct met_chain *refusal = explanation_refusal(explanation);
	const struct image *image = explanation->image;
	char whose[WHOSE_MAX];

	if (!explanation->n_chains) {
		show("allowed: no chain is met");
		return;
	}
	if (!refusal) {
		show("allowed");
		return;
	}
	explain_whose(explanation, refusal, whose);
	show("%s by chain %s of %s",
	     refusal->verdict == ROW_REJECT ? "rejected" : "denied",
	     image_string(image, image->chains[refusal->chain].name), whose);
}

void explain_print(const struct explanation *explanation)
{
	char text[SAMPLE_TEXT_MAX];
	size_t i;

	sample_format(&explanation->sample, text);
	show("%s: %s", explanation->is_out ? "out" : "in", text);
	if (explanation->n_others)
		show("(at one of the %zu cgroups of group %s: name another by "
		     "its path)",
		     explanation->n_others + 1, explanation->target);
	for (i = 0; i < explanation->n_chains; i++)
		print_chain(explanation, &explanation->chains[i]);
	print_verdict(explanation);
}
