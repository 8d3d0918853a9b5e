/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking the matcher in the kernel about a packet that was made up.  Nothing
 * of what packets leave behind is touched: counters, tokens and flows are the
 * explainer's own; of tokens it begins with a copy.
 */
#ifndef WEIR_CGROUP_EXPLAIN_H
#define WEIR_CGROUP_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cgroup/explain_abi.h"
#include "cgroup/tables.h"

struct explainer;

struct explain_packet {
	const uint8_t *frame; /* from the Ethernet header on */
	size_t size;
	bool is_out;	  /* it leaves; else it arrives */
	uint32_t states;  /* PACKET_* */
	uint32_t ifindex; /* NONE: one that no rule names */
	uint32_t mark;
	uint32_t uid; /* NONE: no user */
};

/* Longer packets are refused by the kernels there are. */
#define EXPLAIN_LENGTH_MAX 3000

/*
 * Of the policy in force, which live is, with its tables pinned below dir.
 * -EOPNOTSUPP where the kernel does not run such programs, with a sentence.
 */
int explainer_open(const char *dir, const struct tables *tables,
		   const struct image *live, struct explainer **ret_explainer,
		   struct err *err);

/*
 * Of one that is not in force: what the matcher reads of it is written for the
 * explainer.  explainer_decide only.
 */
int explainer_open_image(const struct image *image,
			 struct explainer **ret_explainer, struct err *err);

void explainer_close(struct explainer *explainer);
DEFINE_CLEANUP(struct explainer *, explainer_close);

/*
 * What a chain, by its row, decides; is_device: at a device, else at a cgroup.
 * *ret_counter: of the rule or policy that does, or NONE.
 */
int explainer_decide(struct explainer *explainer,
		     const struct explain_packet *packet, uint32_t chain,
		     bool is_device, uint32_t *ret_verdict,
		     uint32_t *ret_counter, struct err *err);

/*
 * What the packet does not satisfy of each of the rows first … first + count -
 * 1 of rules: LOOK_* but for LOOK_LIMIT, and MISSED_LOOPBACK.
 */
int explainer_missed(struct explainer *explainer,
		     const struct explain_packet *packet, uint32_t first,
		     uint32_t count, uint32_t *ret_missed, struct err *err);

#endif
