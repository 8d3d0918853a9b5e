/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rule sets as text, on standard output:
 *
 *	generate weir|nft|nft-sets|nft-intervals|nft-layers|iptables|ipset
 *		KIND N SEED [HOOK [FIRST [GUARD]]]
 *	generate networks PREFIX N
 *
 * KIND: exact tcp acl fw ipc; all rules allow.  HOOK, FIRST, GUARD: see
 * struct ruleset_nft; of iptables HOOK is the chain.  On standard error: how
 * many sets nft-sets or nft-layers wrote.  Each of networks has PREFIX before
 *it.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/bench-rules/ruleset.h"

static int usage(void)
{
	fprintf(stderr, "usage: generate FORMAT KIND N SEED [HOOK [FIRST "
			"[GUARD]]] | generate networks PREFIX N\n");
	return 2;
}

static int write_networks(const char *prefix, uint32_t n)
{
	uint32_t i, first, last, length;

	for (i = 0; i < n; i++) {
		ruleset_network(i, &first, &last);
		length = ruleset_prefix(first, last);
		printf("%s%u.%u.%u.%u", prefix, first >> 24, first >> 16 & 255,
		       first >> 8 & 255, first & 255);
		if (length < 32)
			printf("/%u", length);
		putchar('\n');
	}
	return 0;
}

static int write_rules(const struct ruleset *set, const char *format,
		       const struct ruleset_nft *nft)
{
	if (strcmp(format, "weir") == 0)
		ruleset_write_weir(set, stdout);
	else if (strcmp(format, "nft") == 0)
		ruleset_write_nft(set, nft, stdout);
	else if (strcmp(format, "nft-sets") == 0)
		fprintf(stderr, "%zu\n",
			ruleset_write_nft_sets(set, nft, "", stdout));
	else if (strcmp(format, "nft-intervals") == 0)
		ruleset_write_nft_sets(set, nft, "flags interval;", stdout);
	else if (strcmp(format, "nft-layers") == 0)
		fprintf(stderr, "%zu\n",
			ruleset_write_nft_layers(set, nft, stdout));
	else if (strcmp(format, "iptables") == 0)
		ruleset_write_iptables(set, nft->hook, stdout);
	else if (strcmp(format, "ipset") == 0)
		ruleset_write_ipset(set, stdout);
	else
		return usage();
	return 0;
}

int main(int argc, char **argv)
{
	CLEANUP(ruleset_freep) struct ruleset *set = NULL;
	struct ruleset_nft nft = {
		.hook = argc > 5 ? argv[5] : "input",
		.first = argc > 6 ? argv[6] : "",
		.guard = argc > 7 ? argv[7] : "",
	};
	int kind;

	if (argc == 4 && strcmp(argv[1], "networks") == 0)
		return write_networks(argv[2], strtoul(argv[3], NULL, 0));
	kind = argc < 5 ? -1 : ruleset_kind(argv[2]);
	if (kind < 0)
		return usage();
	set = ruleset_make(kind, strtoul(argv[3], NULL, 0),
			   strtoull(argv[4], NULL, 0));
	if (!set)
		return 1;
	ruleset_allow(set);
	return write_rules(set, argv[1], &nft);
}
