/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which chains a packet meets, what each decides, and which rules almost
 * matched: as the matcher in the kernel says it.
 */
#ifndef WEIR_CTL_EXPLAIN_H
#define WEIR_CTL_EXPLAIN_H

#include "cgroup/explain.h"
#include "cgroup/find.h"
#include "rules/image.h"
#include "rules/policy.h"
#include "rules/sample.h"

/* Rules that almost matched are shown, for each chain; more are counted. */
#define ALMOST_MAX 10

/* A rule above the one that decides, of which one condition does not hold. */
struct almost {
	uint32_t rule;	 /* its row */
	uint32_t missed; /* one LOOK_*, or MISSED_LOOPBACK */
};

/* A chain that a packet meets. */
struct met_chain {
	uint32_t group;	  /* row of the group whose it is, or NONE … */
	uint32_t device;  /* … and then that of the device */
	const char *path; /* of the group's cgroup; NULL: none is there */
	uint32_t chain;	  /* its row */

	uint32_t verdict;	     /* ROW_* */
	uint32_t rule;		     /* row of the rule that decides, or NONE */
	uint32_t through[JUMPS_MAX]; /* rows of the jumps that led there */
	size_t n_through;
	bool by_policy; /* where no rule does; else what no chain decides */
	struct almost almost[ALMOST_MAX];
	size_t n_almost, n_more;
};

struct explanation {
	const struct image *image;
	bool is_out;
	struct sample sample;
	uint32_t ifindex; /* that it passes; NONE: not known */
	struct found_cgroups found;
	/* In the order in which the packet meets them. */
	struct met_chain *chains;
	size_t n_chains;
	const char *target; /* as it was called */
	const char *cgroup; /* that is meant; NULL: a device, or none there */
	size_t n_others;    /* cgroups of the group beside that */
};

void explanation_clear(struct explanation *explanation);

/* The first that does not allow the packet, or NULL. */
const struct met_chain *explanation_refusal(
	const struct explanation *explanation);

/*
 * explain_meet.c: fills in what the packet's words left open, and the chains
 * that are met.  mount: of cgroup2.  target: a group, a cgroup or a device.
 */
int explain_meet(struct explanation *explanation, const char *mount,
		 const char *target, struct err *err);

/* Likewise; path: of a cgroup, or NULL for what belongs to none. */
int explain_meet_cgroup(struct explanation *explanation, const char *mount,
			const char *path, struct err *err);

/* explain_ask.c: what each of the chains says. */
int explain_ask(struct explanation *explanation, struct explainer *explainer,
		struct err *err);

/* What one of them says, without the rules that almost matched. */
int explain_ask_chain(const struct explanation *explanation,
		      struct explainer *explainer, struct met_chain *met,
		      struct err *err);

/* "state", "from-port": how a condition is called. */
const char *explain_condition(uint32_t missed);

#define WHY_MAX 160

/* "the state is new" */
void explain_why(const struct explanation *explanation,
		 const struct almost *almost, char ret_why[static WHY_MAX]);

/* "group web at /web.slice", "device eth0" */
#define WHOSE_MAX 512
void explain_whose(const struct explanation *explanation,
		   const struct met_chain *met,
		   char ret_whose[static WHOSE_MAX]);

/* "allows", "denies", "rejects" */
const char *explain_does(uint32_t verdict);

void explain_print(const struct explanation *explanation);
int explain_print_json(const struct explanation *explanation);

#endif
