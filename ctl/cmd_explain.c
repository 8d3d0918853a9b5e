/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "ctl/explain.h"
#include "ctl/kernel.h"
#include "ctl/say.h"

/* Whether the texts that are at hand are still those of what was asked. */
static int check_generation(const struct kernel *kernel, struct err *err)
{
	uint32_t now;
	int r = tables_generation(kernel->tables, &now, err);

	if (r < 0 || now == kernel->generation)
		return r;
	return err_say(err, -EAGAIN,
		       "another policy has come into force meanwhile: ask "
		       "again");
}

static int explain(const struct call *call, struct explanation *explanation,
		   struct err *err)
{
	CLEANUP(explainer_closep) struct explainer *explainer = NULL;
	CLEANUP(kernel_close) struct kernel kernel = { 0 };
	int r;

	r = kernel_open(&call->places, &kernel, err);
	if (r < 0)
		return r;
	if (!kernel.generation)
		return err_say(err, -ENOENT, "no policy is in force");
	explanation->image = kernel.live;
	r = explain_meet(explanation, kernel.mount, call->args[1], err);
	if (r == 0 && explanation->n_chains)
		r = explainer_open(call->places.bpffs, kernel.tables,
				   kernel.live, &explainer, err);
	if (r == 0 && explanation->n_chains)
		r = explain_ask(explanation, explainer, err);
	if (r == 0)
		r = check_generation(&kernel, err);
	if (r < 0)
		return r;
	if (call->json)
		return explain_print_json(explanation);
	explain_print(explanation);
	return EXIT_DONE;
}

int cmd_explain(const struct call *call)
{
	CLEANUP(explanation_clear) struct explanation explanation = { 0 };
	struct err err;
	int r;

	if (call->n_args < 3) {
		say("explain: name a direction, a group or device, and a "
		    "packet");
		return command_usage(call->command);
	}
	explanation.is_out = strcmp(call->args[0], "out") == 0;
	if (!explanation.is_out && strcmp(call->args[0], "in") != 0) {
		say("explain: '%.80s' is neither in nor out", call->args[0]);
		return command_usage(call->command);
	}
	if (sample_parse(call->args + 2, call->n_args - 2, explanation.is_out,
			 &explanation.sample, &err) < 0) {
		say("explain: %s", err.msg);
		return EXIT_USAGE;
	}
	r = explain(call, &explanation, &err);
	return r < 0 ? say_err(&err) : r;
}
