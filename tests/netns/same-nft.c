/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random policies for weir and for nft, and packets for both, by a seed.
 *
 *	same-nft write SEED RULES FOLDER DEVICE DEVICE
 *		policy.ini with chains for what arrives at the first device,
 *		policy.nft with such for what arrives at the second
 *	same-nft send SEED COUNT DEVICE...
 *		the same packets by each device, bare, as they are
 *	same-nft show SEED COUNT
 *		the same packets as text, one a line
 *
 * What the two do not mean the same by is left out: states, as nft has those
 * of its connection tracking; limits; and whose socket it is, as nft has none
 * that early.  IPv6's AH is an extension header to nft, and to weir the
 * protocol it is: none of that is sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "rules/address.h"
#include "rules/iface.h"
#include "rules/rule.h"
#include "tests/bpf/random_policy.h"
#include "tests/netns/nft_text.h"

#define ELEMENTS_MAX 6

static void die(const char *what)
{
	fprintf(stderr, "same-nft: %s: %s\n", what, strerror(errno));
	exit(1);
}

static FILE *create(const char *folder, const char *name)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "we");
	if (!out)
		die(path);
	return out;
}

/* ------------------------------------------------------------- policies */

/* What a rule is that says no more than both can: false if nobody could
 * write it. */
static bool rule_plain(struct rule *rule)
{
	AUTO_FREE char *text = NULL;
	struct rule read;
	struct err why;

	rule->states = 0;
	rule->has_uid = false;
	ifaces_clear(&rule->ifaces);
	if (rule_format(rule, &text) < 0 || rule_parse(text, &read, &why) < 0)
		return false;
	read.number = rule->number;
	read.where = rule->where;
	rule_clear(rule);
	*rule = read;
	return true;
}

/* As many elements as a line has room for. */
static void set_shorten(struct set *set)
{
	unsigned int family;

	for (family = 0; family < SET_FAMILIES; family++)
		if (set->elements.of[family].n_list > ELEMENTS_MAX)
			set->elements.of[family].n_list = ELEMENTS_MAX;
}

/* With the seed in each name, so that counters do not go on from others. */
static void name_with(const char *seed, char **name)
{
	char *longer;

	if (!*name)
		return;
	if (asprintf(&longer, "%s_%s", *name, seed) < 0)
		die("memory");
	free(*name);
	*name = longer;
}

static void chain_plain(struct chain *chain, const char *seed)
{
	size_t i, n = 0;

	name_with(seed, &chain->name);
	for (i = 0; i < chain->n_rules; i++) {
		name_with(seed, &chain->rules[i].chain);
		if (rule_plain(&chain->rules[i]))
			chain->rules[n++] = chain->rules[i];
		else
			rule_clear(&chain->rules[i]);
	}
	chain->n_rules = n;
}

/* Whether weir would read it: not what nobody jumps to, without a policy. */
static bool is_read(const struct policy *policy, const char *name)
{
	size_t i, j;

	for (i = 0; i < policy->n_chains; i++)
		for (j = 0; j < policy->chains[i].n_rules; j++) {
			const char *target = policy->chains[i].rules[j].chain;

			if (target && strcmp(target, name) == 0)
				return true;
		}
	return false;
}

static struct policy *make(const char *seed, size_t n_rules)
{
	struct random random = { .state = strtoull(seed, NULL, 0) * 2 + 1 };
	struct policy *policy = random_policy(&random, n_rules, false);
	size_t i;

	for (i = 0; i < policy->n_chains; i++)
		chain_plain(&policy->chains[i], seed);
	for (i = 0; i < policy->n_chains; i++)
		if (policy->chains[i].policy == VERDICT_NONE &&
		    !is_read(policy, policy->chains[i].name))
			policy->chains[i].policy = VERDICT_DENY;
	for (i = 0; i < policy->n_sets; i++)
		set_shorten(&policy->sets[i]);
	return policy;
}

static void write_set(const struct set *set, FILE *out)
{
	const struct elements *elements = &set->elements;
	char text[ELEMENT_TEXT_MAX];
	unsigned int family;
	size_t i;

	fprintf(out, "[set %s]\n", set->name);
	if (!elements_count(elements))
		return;
	fprintf(out, "elements =");
	for (family = 0; family < SET_FAMILIES; family++)
		for (i = 0; i < elements->of[family].n_list; i++) {
			element_format(&elements->of[family].list[i], family,
				       elements->kind, text);
			fprintf(out, " %s", text);
		}
	fputc('\n', out);
}

static void write_chain(const struct chain *chain, FILE *out)
{
	static const char *const verdicts[] = { "deny", "allow", "reject" };
	size_t i;

	fprintf(out, "[chain %s]\nstrict = yes\n", chain->name);
	if (chain->policy != VERDICT_NONE)
		fprintf(out, "policy = %s\n", verdicts[chain->policy]);
	for (i = 0; i < chain->n_rules; i++)
		fprintf(out, "%u = %s\n", chain->rules[i].number,
			chain->rules[i].text);
}

static void write_weir(const struct policy *policy, const char *device,
		       FILE *out)
{
	size_t i;

	fprintf(out, "[device %s]\nfilter-in = %s\n", device,
		policy->chains[0].name);
	for (i = 0; i < policy->n_chains; i++)
		write_chain(&policy->chains[i], out);
	for (i = 0; i < policy->n_sets; i++)
		write_set(&policy->sets[i], out);
}

static int run_write(char **args)
{
	CLEANUP(policy_freep)
	struct policy *policy = make(args[0], strtoul(args[1], NULL, 0));
	CLEANUP(fclosep) FILE *weir = create(args[2], "policy.ini");
	CLEANUP(fclosep) FILE *nft = create(args[2], "policy.nft");

	write_weir(policy, args[3], weir);
	nft_write(policy, args[4], nft);
	return 0;
}

/* -------------------------------------------------------------- packets */

static void packet_make(struct random *random, struct frame_spec *packet)
{
	do
		random_packet(random, packet);
	while (packet->family == 6 && packet->protocol == IPPROTO_AH);
}

static struct random packets_of(const char *seed)
{
	return (struct random){ .state =
					strtoull(seed, NULL, 0) * 2 + 0x10001 };
}

static void send_by(int fd, const char *device, const uint8_t *bytes,
		    size_t length)
{
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
				    .sll_ifindex = if_nametoindex(device) };
	int tries = 0;

	while (sendto(fd, bytes, length, 0, (struct sockaddr *)&name,
		      sizeof(name)) < 0)
		if (errno != ENOBUFS || ++tries > 1000)
			die(device);
}

static int run_send(char **args)
{
	struct random random = packets_of(args[0]);
	unsigned long n = strtoul(args[1], NULL, 0);
	AUTO_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct frame_spec packet;
	uint8_t bytes[FRAME_MAX];
	unsigned int ip;
	size_t length;
	char **device;

	if (fd < 0)
		die("socket");
	while (n-- > 0) {
		packet_make(&random, &packet);
		length = frame_build(&packet, bytes, &ip);
		for (device = args + 2; *device; device++)
			send_by(fd, *device, bytes, length);
	}
	return 0;
}

static int run_show(char **args)
{
	struct random random = packets_of(args[0]);
	unsigned long n = strtoul(args[1], NULL, 0);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	struct frame_spec packet;

	while (n-- > 0) {
		packet_make(&random, &packet);
		printf("IPv%d protocol %u %s:%u > %s:%u type %u flags %#x "
		       "dscp %u offset %u more %d payload %u options %u "
		       "extensions %u\n",
		       packet.family, packet.protocol,
		       inet_ntop(AF_INET6, &packet.src, src, sizeof(src)),
		       packet.sport,
		       inet_ntop(AF_INET6, &packet.dst, dst, sizeof(dst)),
		       packet.dport, packet.type, packet.flags, packet.dscp,
		       packet.offset, packet.more, packet.payload,
		       packet.options, packet.n_extensions);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int least; /* arguments */
		int (*run)(char **args);
	} verbs[] = {
		{ "write", 5, run_write },
		{ "send", 3, run_send },
		{ "show", 2, run_show },
	};
	size_t i;

	for (i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0 &&
		    argc - 2 >= verbs[i].least)
			return verbs[i].run(argv + 2);
	fprintf(stderr, "same-nft: write, send or show?\n");
	return 2;
}
