/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ctl/files.h"
#include "ctl/say.h"
#include "rules/compile.h"

int cmd_check(const struct call *call)
{
	CLEANUP(problems_clear) struct problems problems = { 0 };
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(image_freep) struct image *image = NULL;
	int status;

	status = files_read(call, &policy);
	if (status != EXIT_DONE)
		return status;
	if (compile(policy, NULL, &problems, &image) < 0)
		return files_refuse(&problems);
	printf("good: %zu groups, %zu devices, %zu chains with %zu rules, "
	       "%zu sets\n",
	       policy->n_groups, policy->n_devices, policy->n_chains,
	       image->n_rules, policy->n_sets);
	return EXIT_DONE;
}
