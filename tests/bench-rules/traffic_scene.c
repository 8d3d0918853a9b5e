/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "tests/bench-rules/traffic.h"

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static const struct ruleset_rule *any_rule(struct ground *ground)
{
	return &ground->set->rules[ruleset_below(&ground->random,
						 ground->set->n_rules)];
}

/* ------------------------------------------------------------- sockets */

static int serve(struct ground *ground, unsigned int index, int type)
{
	const struct options *options = ground->options;
	int fd = socket_in(options, options->to, options->cgroup, type, 0);

	socket_bind(fd, INADDR_ANY, RULESET_PORT_FIRST + index);
	ground->servers[index] = fd;
	return fd;
}

static int server_of(struct ground *ground, const struct ruleset_rule *rule,
		     int type)
{
	unsigned int index = rule->dport_first - RULESET_PORT_FIRST;

	if (ground->servers[index] < 0)
		serve(ground, index, type);
	return ground->servers[index];
}

static void serve_all(struct ground *ground)
{
	unsigned int i;

	for (i = 0; i < RULESET_PORTS; i++)
		serve(ground, i, SOCK_DGRAM);
}

static void raw_open(struct ground *ground, const char *cgroup)
{
	ground->raw = socket_in(ground->options, ground->options->from, cgroup,
				SOCK_RAW, IPPROTO_RAW);
}

/* A client that the rule lets in. */
static int client_of(struct ground *ground, const struct ruleset_rule *rule,
		     uint16_t port)
{
	const struct options *options = ground->options;
	int fd =
		socket_in(options, options->from, options->home, SOCK_DGRAM, 0);

	socket_bind(fd, rule->src_first, port);
	socket_connect(fd, ground->server, rule->dport_first);
	return fd;
}

/* ---------------------------------------------- one flow, both connected */

/* Of the rule in the middle: who tries one after the other tries half. */
static void known_prepare(struct ground *ground)
{
	const struct ruleset_rule *rule =
		&ground->set->rules[ground->set->n_rules / 2];
	int server = server_of(ground, rule, SOCK_DGRAM);

	ground->clients[0] = client_of(ground, rule, 5000);
	ground->n_clients = 1;
	socket_connect(server, rule->src_first, 5000);
}

static void known_play(struct ground *ground, size_t first, size_t n,
		       struct tally *tally)
{
	size_t i;

	(void)first;
	tally->sent += n;
	batch_send(ground->clients[0], n);
	for (i = 0; i < RULESET_PORTS; i++)
		if (ground->servers[i] >= 0)
			tally->passed += drain(ground->servers[i]);
}

/* ------------------------------------- 64 peers of an unconnected server */

#define PEERS 64

static void peers_prepare(struct ground *ground)
{
	const struct ruleset_rule *rule = any_rule(ground);
	uint16_t port = rule->dport_first;

	server_of(ground, rule, SOCK_DGRAM);
	/* Others of the same port, as far as there are; else of the same rule.
	 */
	while (ground->n_clients < PEERS) {
		size_t tries = 0;

		do
			rule = any_rule(ground);
		while (rule->dport_first != port && tries++ < 10000);
		if (rule->dport_first != port)
			die("no rule for port %u", port);
		ground->clients[ground->n_clients] =
			client_of(ground, rule, 5000 + ground->n_clients);
		ground->n_clients++;
	}
}

static void peers_play(struct ground *ground, size_t first, size_t n,
		       struct tally *tally)
{
	static const char payload[PACKET - 28];
	size_t i;

	tally->sent += n;
	for (i = 0; i < n; i++)
		send(ground->clients[(first + i) % PEERS], payload,
		     sizeof(payload), 0);
	for (i = 0; i < RULESET_PORTS; i++)
		if (ground->servers[i] >= 0)
			tally->passed += drain(ground->servers[i]);
}

/* ------------------------------------------ packets as they are, arriving */

static void arriving_prepare(struct ground *ground)
{
	raw_open(ground, ground->options->home);
	serve_all(ground);
}

static void packet_of(struct ground *ground, const struct ruleset_rule *rule,
		      uint16_t sport, struct ruleset_packet *packet)
{
	*packet = (struct ruleset_packet){ .src = rule->src_first,
					   .dst = ground->server,
					   .sport = sport,
					   .dport = rule->dport_first,
					   .protocol = IPPROTO_UDP };
}

static void arriving_play(struct ground *ground, size_t first, size_t n,
			  struct tally *tally)
{
	size_t i;

	tally->sent += n;
	raw_send(ground->raw, ground->packets + first, n);
	for (i = 0; i < RULESET_PORTS; i++)
		tally->passed += drain(ground->servers[i]);
}

static void flow_packet(struct ground *ground, size_t flow,
			struct ruleset_packet *packet)
{
	packet_of(ground, &ground->set->rules[flow % ground->set->n_rules],
		  10000 + flow / ground->set->n_rules, packet);
}

/*
 * Each of so many flows once, in the order of the rules: known from now on.
 * Who takes a millisecond for a packet does not come to the end, and would
 * not know them any better.
 */
static void flows_prepare(struct ground *ground)
{
	double end = now_seconds() + 3;
	struct tally tally = { 0 };
	size_t n, flow = 0;

	arriving_prepare(ground);
	while (flow < ground->options->flows && now_seconds() < end) {
		for (n = 0; n < BATCH && flow < ground->options->flows; n++)
			flow_packet(ground, flow++, &ground->packets[n]);
		arriving_play(ground, 0, n, &tally);
	}
}

static void flows_pick(struct ground *ground, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		flow_packet(
			ground,
			ruleset_below(&ground->random, ground->options->flows),
			&ground->packets[i]);
}

static void answer(struct ground *ground, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct ruleset_packet *p = &ground->packets[i];

		socket_send(ground->servers[p->dport - RULESET_PORT_FIRST],
			    p->src, p->sport);
	}
}

/* As flows_prepare, and each is answered once: both sides have spoken. */
static void talks_prepare(struct ground *ground)
{
	struct tally tally = { 0 };
	size_t n, flow = 0;

	arriving_prepare(ground);
	while (flow < ground->options->flows) {
		for (n = 0; n < BATCH && flow < ground->options->flows; n++)
			flow_packet(ground, flow++, &ground->packets[n]);
		arriving_play(ground, 0, n, &tally);
		answer(ground, n);
	}
}

/* Each of a flow that was not there before, of any rule. */
static void first_pick(struct ground *ground, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		packet_of(ground, any_rule(ground),
			  1024 + ground->sequence++ % 64000,
			  &ground->packets[i]);
}

/* From all networks of a set; the rules of the set are not looked at. */
static void networks_pick(struct ground *ground, size_t n)
{
	uint32_t first, last;
	size_t i;

	for (i = 0; i < n; i++) {
		ruleset_network(
			ruleset_below(&ground->random, ground->options->flows),
			&first, &last);
		ground->packets[i] = (struct ruleset_packet){
			.src = first +
			       ruleset_below(&ground->random, last - first + 1),
			.dst = ground->server,
			.sport = 1024 + ground->sequence++ % 64000,
			.dport = RULESET_PORT_FIRST,
			.protocol = IPPROTO_UDP,
		};
	}
}

/* ------------------------------------------- of five fields, and leaving */

static void leaving_prepare(struct ground *ground)
{
	raw_open(ground, ground->options->cgroup);
}

static void mixed_pick(struct ground *ground, size_t n)
{
	struct ruleset_trace trace = { .random = ground->random };
	size_t i;

	for (i = 0; i < n; i++)
		ruleset_packet(ground->set, &trace, &ground->packets[i]);
	ground->random = trace.random;
}

static void leaving_play(struct ground *ground, size_t first, size_t n,
			 struct tally *tally)
{
	tally->sent += n;
	tally->passed += raw_send(ground->raw, ground->packets + first, n);
}

/* ------------------------------------------------ connect, accept, close */

static void tcp_prepare(struct ground *ground)
{
	unsigned int i;

	for (i = 0; i < RULESET_PORTS; i++)
		if (listen(serve(ground, i, SOCK_STREAM), 1024) < 0)
			die("listen");
	/* From now on all that is made is a client. */
	close(socket_in(ground->options, ground->options->from,
			ground->options->home, SOCK_DGRAM, 0));
}

static void tcp_once(struct ground *ground, struct tally *tally)
{
	static const struct linger now = { .l_onoff = 1 };
	const struct ruleset_rule *rule = any_rule(ground);
	AUTO_CLOSE int client = socket(AF_INET, SOCK_STREAM, 0);
	AUTO_CLOSE int accepted = -1;

	tally->sent++;
	if (client < 0)
		die("socket");
	setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	socket_bind(client, rule->src_first, 0);
	socket_connect(client, ground->server, rule->dport_first);
	accepted =
		accept(ground->servers[rule->dport_first - RULESET_PORT_FIRST],
		       NULL, NULL);
	tally->passed += accepted >= 0;
}

static void tcp_play(struct ground *ground, size_t first, size_t n,
		     struct tally *tally)
{
	size_t i;

	(void)first;
	for (i = 0; i < n; i++)
		tcp_once(ground, tally);
}

static void pick_nothing(struct ground *ground, size_t n)
{
	(void)ground;
	(void)n;
}

const struct scene scenes[] = {
	{ "known", known_prepare, pick_nothing, known_play },
	{ "peers", peers_prepare, pick_nothing, peers_play },
	{ "flows", flows_prepare, flows_pick, arriving_play },
	{ "talks", talks_prepare, flows_pick, arriving_play },
	{ "first", arriving_prepare, first_pick, arriving_play },
	{ "networks", arriving_prepare, networks_pick, arriving_play },
	{ "mixed", leaving_prepare, mixed_pick, leaving_play },
	{ "tcp", tcp_prepare, pick_nothing, tcp_play },
};
const size_t n_scenes = ARRAY_SIZE(scenes);
