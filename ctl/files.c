/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/files.h"

#include <glob.h>
#include <string.h>

#include "cgroup/probe.h"
#include "ctl/say.h"
#include "rules/compile.h"
#include "rules/policy.h"
#include "rules/warn.h"

#define FOLDER "/etc/weir"

void files_free(struct policy *policy)
{
	policy_free(policy);
}

/* The exit status for what came of reading or compiling the policy. */
static int conclude(struct problems *problems, const char *doing, int r)
{
	if (r == 0)
		return EXIT_DONE;
	if (!problems->n_list) {
		say("%s the policy: %s", doing, strerror(-r));
		return EXIT_REFUSED;
	}
	problems_sort(problems);
	problems_print(problems, stderr);
	return EXIT_USAGE;
}

static int read_policy(char *const *files, size_t n_files,
		       struct policy **ret_policy)
{
	CLEANUP(problems_clear) struct problems problems = { 0 };
	int r = policy_read(files, n_files, &problems, ret_policy);

	return conclude(&problems, "read", r);
}

int files_read(const struct call *call, struct policy **ret_policy)
{
	glob_t found = { 0 };
	int r;

	if (call->n_args)
		return read_policy(call->args, call->n_args, ret_policy);
	r = glob(FOLDER "/weir.ini", 0, NULL, &found);
	if (r == 0 || r == GLOB_NOMATCH)
		r = glob(FOLDER "/weir.d/*.ini", GLOB_APPEND, NULL, &found);
	if (found.gl_pathc == 0) {
		globfree(&found);
		say("there is neither " FOLDER "/weir.ini nor " FOLDER
		    "/weir.d/*.ini: name the policy's FILE");
		return EXIT_USAGE;
	}
	r = read_policy(found.gl_pathv, found.gl_pathc, ret_policy);
	globfree(&found);
	return r;
}

int files_compile(const struct policy *policy, const struct image *live,
		  struct image **ret_image)
{
	CLEANUP(problems_clear) struct problems problems = { 0 };
	int r = compile(policy, live, &problems, ret_image);

	return conclude(&problems, "compile", r);
}

/* The kernel is asked only where it matters, as that takes a while. */
static void warn_of_kernel(const struct policy *policy,
			   struct problems *warnings)
{
	CLEANUP(problems_clear) struct problems unanswered = { 0 };

	policy_warn_unanswered(policy, &unanswered);
	if (unanswered.n_list && probe_icmp_send() < 0)
		policy_warn_unanswered(policy, warnings);
}

void files_warn(const struct policy *policy)
{
	CLEANUP(problems_clear) struct problems warnings = { 0 };

	if (policy_warn(policy, &warnings) < 0) {
		say("look for rules that never match: out of memory");
		return;
	}
	warn_of_kernel(policy, &warnings);
	problems_sort(&warnings);
	problems_print_warnings(&warnings, stderr);
}
