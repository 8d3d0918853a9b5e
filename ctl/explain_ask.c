/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the matcher in the kernel says of a packet, chain by chain. */
#include <stdio.h>
#include <string.h>

#include "ctl/explain.h"

/* Not conditions of their own. */
#define LOOK_NOTS (LOOK_SRC_NOT | LOOK_DST_NOT | LOOK_LOOPBACK)

static struct explain_packet packet_of(const struct explanation *explanation,
				       const uint8_t *frame, size_t size)
{
	const struct sample *sample = &explanation->sample;

	return (struct explain_packet){
		.frame = frame,
		.size = size,
		.is_out = explanation->is_out,
		.states = sample->states,
		.ifindex = explanation->ifindex,
		.mark = sample->mark,
		.uid = sample->has_uid ? sample->uid : NONE,
	};
}

/* The rule of a chain that counts there; NONE: the policy, or nothing. */
static uint32_t find_rule(const struct image *image,
			  const struct chain_row *chain, uint32_t counter)
{
	uint32_t i;

	for (i = chain->walk; i < chain->walk + chain->walk_count; i++)
		if (i < image->n_rules && image->rules[i].counter == counter)
			return i;
	return NONE;
}

/* ------------------------------------------------------------- almost */

/* How many conditions of a rule hold, but for those that most rules have. */
static int score(const struct rule_row *row, uint32_t missed)
{
	uint32_t held = row->looks & ~missed & ~LOOK_NOTS & ~LOOK_LIMIT;

	return __builtin_popcount(held & ~(LOOK_PROTOCOL | LOOK_FAMILY));
}

/*
 * Whether a rule is worth telling of: that udp is not tcp says nothing, unless
 * all the rest fits.
 */
static bool is_almost(const struct rule_row *row, uint32_t *missed)
{
	if (*missed == 0 && row->looks & LOOK_LIMIT)
		*missed = LOOK_LIMIT;
	if (__builtin_popcount(*missed) != 1)
		return false;
	return !(*missed & (LOOK_PROTOCOL | LOOK_FAMILY)) ||
	       score(row, *missed) > 0;
}

/* Of a rule with several protocols, one is told of. */
static bool is_for_other_protocol(const struct image *image,
				  const struct almost *before,
				  const struct almost *almost)
{
	return before->rule + 1 == almost->rule &&
	       before->missed == almost->missed &&
	       image->rules[before->rule].counter ==
		       image->rules[almost->rule].counter;
}

/* Those with the most conditions that hold are kept; before is in order. */
static void add_almost(const struct image *image, struct met_chain *met,
		       const struct almost *almost)
{
	int its = score(&image->rules[almost->rule], almost->missed);
	size_t i, worst = 0;

	if (met->n_almost &&
	    is_for_other_protocol(image, &met->almost[met->n_almost - 1],
				  almost))
		return;
	if (met->n_almost < ALMOST_MAX) {
		met->almost[met->n_almost++] = *almost;
		return;
	}
	met->n_more++;
	for (i = 1; i < ALMOST_MAX; i++)
		if (score(&image->rules[met->almost[i].rule],
			  met->almost[i].missed) <=
		    score(&image->rules[met->almost[worst].rule],
			  met->almost[worst].missed))
			worst = i;
	if (score(&image->rules[met->almost[worst].rule],
		  met->almost[worst].missed) >= its)
		return;
	memmove(&met->almost[worst], &met->almost[worst + 1],
		(ALMOST_MAX - worst - 1) * sizeof(*almost));
	met->almost[ALMOST_MAX - 1] = *almost;
}

/* Leaves the jumps whose rules end before index. */
static void leave(const struct image *image, struct met_chain *met,
		  uint32_t index)
{
	while (met->n_through &&
	       image->rules[met->through[met->n_through - 1]].skip <= index)
		met->n_through--;
}

/*
 * Goes the packet's way up to the rule that decides, by what each rule misses,
 * and adds those that almost matched.
 */
static void follow(const struct image *image, struct met_chain *met,
		   const uint32_t *missed, uint32_t n)
{
	const struct chain_row *chain = &image->chains[met->chain];
	uint32_t counter = met->rule == NONE ? chain->counter
					     : image->rules[met->rule].counter;
	uint32_t i = 0;

	while (i < n) {
		struct almost almost = { chain->walk + i, missed[i] };
		const struct rule_row *row = &image->rules[almost.rule];
		bool leads = row->verdict > ROW_REJECT;
		bool is_jump = row->verdict == ROW_JUMP;

		leave(image, met, i);
		if (!missed[i] && !leads && row->counter == counter) {
			met->rule = almost.rule;
			return;
		}
		if (!missed[i] && is_jump && met->n_through < JUMPS_MAX)
			met->through[met->n_through++] = almost.rule;
		if ((missed[i] || !leads) && is_almost(row, &almost.missed))
			add_almost(image, met, &almost);
		/* Damaged tables do not lead back. */
		if (leads && is_jump == (missed[i] != 0) && row->skip > i)
			i = row->skip;
		else
			i++;
	}
	met->n_through = 0;
}

static int ask_almost(const struct explanation *explanation,
		      struct explainer *explainer,
		      const struct explain_packet *packet,
		      struct met_chain *met, struct err *err)
{
	const struct image *image = explanation->image;
	const struct chain_row *chain = &image->chains[met->chain];
	AUTO_FREE uint32_t *missed = NULL;
	uint32_t n = chain->walk_count;
	int r;

	/* Of copies, which of them decides is seen on the way. */
	if (chain->walk == chain->first && met->rule != NONE)
		n = met->rule - chain->walk + 1;
	if (chain->walk > image->n_rules ||
	    chain->walk_count > image->n_rules - chain->walk)
		return err_set(err, -EPROTO, "explain");
	missed = calloc((size_t)n + 1, sizeof(*missed));
	if (!missed)
		return err_set(err, -ENOMEM, "explain");
	r = explainer_missed(explainer, packet, chain->walk, n, missed, err);
	if (r == 0)
		follow(image, met, missed, n);
	return r;
}

/* ---------------------------------------------------------- the whole */

static int ask_chain(const struct explanation *explanation,
		     struct explainer *explainer,
		     const struct explain_packet *packet, struct met_chain *met,
		     struct err *err)
{
	const struct chain_row *chain = &explanation->image->chains[met->chain];
	uint32_t counter;
	int r;

	r = explainer_decide(explainer, packet, met->chain, met->group == NONE,
			     &met->verdict, &counter, err);
	if (r < 0)
		return r;
	met->rule = find_rule(explanation->image, chain, counter);
	met->by_policy = counter == chain->counter;
	return 0;
}

int explain_ask_chain(const struct explanation *explanation,
		      struct explainer *explainer, struct met_chain *met,
		      struct err *err)
{
	uint8_t frame[SAMPLE_FRAME_MAX];
	size_t size = sample_build(&explanation->sample, frame);
	struct explain_packet packet = packet_of(explanation, frame, size);

	return ask_chain(explanation, explainer, &packet, met, err);
}

int explain_ask(struct explanation *explanation, struct explainer *explainer,
		struct err *err)
{
	uint8_t frame[SAMPLE_FRAME_MAX];
	size_t i, size = sample_build(&explanation->sample, frame);
	struct explain_packet packet = packet_of(explanation, frame, size);
	int r = 0;

	for (i = 0; r == 0 && i < explanation->n_chains; i++) {
		struct met_chain *met = &explanation->chains[i];

		r = ask_chain(explanation, explainer, &packet, met, err);
		if (r == 0)
			r = ask_almost(explanation, explainer, &packet, met,
				       err);
	}
	return r;
}

const struct met_chain *explanation_refusal(
	const struct explanation *explanation)
{
	size_t i;

	for (i = 0; i < explanation->n_chains; i++)
		if (explanation->chains[i].verdict != ROW_ALLOW)
			return &explanation->chains[i];
	return NULL;
}
