/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What real sockets show: the states of a TCP connection at cgroup hooks,
 * and what can be decided at connect() and sendmsg().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/array.h"
#include "cgroup/mount.h"
#include "tests/bpf/match_test.h"
#include "tests/bpf/matcher.h"

static char cgroup[PATH_MAX + 64], home[PATH_MAX];
static struct bpf_link *links[8];
static size_t n_links;

static void enter_cgroup(const char *path)
{
	char file[sizeof(cgroup) + 16];
	FILE *out;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	out = fopen(file, "we");
	assert_non_null(out);
	fputs("0\n", out);
	assert_int_equal(fclose(out), 0);
}

static void attach(struct bpf_program *program)
{
	AUTO_CLOSE int fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	links[n_links] = bpf_program__attach_cgroup(program, fd);
	assert_non_null(links[n_links]);
	n_links++;
}

static void detach_all(void)
{
	while (n_links)
		bpf_link__destroy(links[--n_links]);
}

/* -------------------------------------------------------- TCP states */

static uint32_t seen_by(uint32_t out, uint8_t flags, uint8_t mask)
{
	int fd = bpf_map__fd(matcher_programs->maps.seen);
	uint32_t i, sum = 0, states;

	for (i = 0; i < 256; i++) {
		uint32_t index = MATCH_SEEN(out, i);

		if ((i & mask) != flags)
			continue;
		assert_int_equal(bpf_map_lookup_elem(fd, &index, &states), 0);
		sum |= states;
	}
	return sum;
}

static void forget_seen(void)
{
	int fd = bpf_map__fd(matcher_programs->maps.seen);
	uint32_t index, zero = 0;

	for (index = 0; index < MATCH_SEEN(2, 0); index++)
		assert_int_equal(bpf_map_update_elem(fd, &index, &zero, 0), 0);
}

union any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t address(const char *text, uint16_t port, union any *any)
{
	memset(any, 0, sizeof(*any));
	if (inet_pton(AF_INET, text, &any->in.sin_addr) == 1) {
		any->in.sin_family = AF_INET;
		any->in.sin_port = htons(port);
		return sizeof(any->in);
	}
	assert_int_equal(inet_pton(AF_INET6, text, &any->in6.sin6_addr), 1);
	any->in6.sin6_family = AF_INET6;
	any->in6.sin6_port = htons(port);
	return sizeof(any->in6);
}

static void talk(const char *host)
{
	AUTO_CLOSE int listener = -1, client = -1, server = -1;
	char buffer[16];
	union any any;
	socklen_t size = address(host, 5555, &any);
	int on = 1;

	listener = socket(any.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	client = socket(any.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(listener, &any.sa, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(connect(client, &any.sa, size), 0);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	assert_int_equal(write(client, "hello", 5), 5);
	assert_int_equal(read(server, buffer, sizeof(buffer)), 5);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	assert_int_equal(read(server, buffer, sizeof(buffer)), 0);
	assert_int_equal(shutdown(server, SHUT_WR), 0);
	assert_int_equal(read(client, buffer, sizeof(buffer)), 0);
}

enum {
	FIN = 1,
	SYN = 2,
	RST = 4,
	ACK = 16,
};

static void a_socket_knows_its_own_state(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };
	size_t i;

	(void)state;
	attach(matcher_programs->progs.watch_egress);
	attach(matcher_programs->progs.watch_ingress);
	for (i = 0; i < ARRAY_SIZE(hosts); i++) {
		uint32_t out;

		forget_seen();
		talk(hosts[i]);
		for (out = 0; out < 2; out++) {
			assert_int_equal(seen_by(out, SYN, SYN | ACK),
					 PACKET_NEW);
			/* 5.10 does not show what IPv6 answers a SYN with. */
			if (seen_by(out, SYN | ACK, SYN | ACK) || !out)
				assert_int_equal(
					seen_by(out, SYN | ACK, SYN | ACK),
					PACKET_ESTABLISHED);
			assert_int_equal(seen_by(out, ACK, SYN | ACK),
					 PACKET_ESTABLISHED);
		}
	}
	/* Nobody had to keep a flow. */
	assert_int_equal(matcher_flows(), 0);
	detach_all();
}

static void a_refusal_answers_a_connection(void **state)
{
	AUTO_CLOSE int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union any any;
	socklen_t size = address("127.0.0.1", 9, &any);

	(void)state;
	attach(matcher_programs->progs.watch_egress);
	attach(matcher_programs->progs.watch_ingress);
	forget_seen();
	assert_int_equal(connect(client, &any.sa, size), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(seen_by(1, SYN, SYN | ACK), PACKET_NEW);
	assert_int_equal(seen_by(0, RST, RST), PACKET_ESTABLISHED);
	detach_all();
}

/* ----------------------------------------------- connect and sendmsg */

static const char policy[] =
	"[set nets]\nelements = 198.51.100.0/24, 2001:db8:5::/48\n"
	"[chain ports]\npolicy = deny\n"
	"10 = allow tcp to port 80\n20 = reject tcp to port 113\n"
	"30 = allow udp to port 53\n40 = deny to 192.0.2.66\n"
	"[chain sets]\npolicy = allow\n10 = deny to @nets\n"
	"[chain states]\npolicy = deny\n10 = allow established\n"
	"20 = allow udp new\n"
	"[chain later]\npolicy = deny\n10 = deny tcp to port 1\n"
	"20 = allow mark 5\n30 = deny\n"
	"[chain bound]\npolicy = deny\n10 = allow from 127.0.0.5\n"
	"20 = allow tcp from port 7777\n"
	"[chain users]\npolicy = deny\n10 = allow uid 0\n"
	"[chain others]\npolicy = deny\n10 = allow uid 1000\n"
	"[chain flags]\npolicy = allow\n10 = deny tcp flags SYN/SYN,ACK\n"
	"[chain lo]\npolicy = deny\n10 = deny tcp to port 80 iface lo\n"
	"[chain limited]\npolicy = deny\n10 = allow tcp limit 1/m\n"
	"[chain jumps]\npolicy = deny\n"
	"10 = jump part tcp to port 80-90\n20 = return tcp to port 95\n"
	"30 = allow tcp to port 91-99\n"
	"40 = jump part tcp to port 100 mark 5\n"
	"50 = allow tcp to port 100-101\n"
	"60 = return tcp to port 102 from 127.0.0.6\n"
	"70 = allow tcp to port 102\n"
	"[chain part]\npolicy = deny\n10 = deny tcp to port 81\n"
	"20 = return tcp to port 82\n30 = allow tcp to port 80-85\n";

/* Rules that no call here is about: with them the classifier is used. */
static void write_filler(FILE *out, int n)
{
	int i;

	for (i = 0; i < n; i++)
		fprintf(out, "%d = deny 253 to 203.0.113.%d\n", 1000 + i, i);
}

/* A section by section; calls ask a chain that is some group's filter. */
static void write_policy(FILE *out, int filler)
{
	const char *line = policy, *end;
	char name[16];

	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (line != policy && strncmp(line, "[chain ", 7) == 0 &&
		    strncmp(line, "[chain ports]", 13) != 0)
			write_filler(out, filler);
		if (sscanf(line, "[chain %15[a-z]", name) == 1)
			fprintf(out,
				"[group %s]\nmatch = /%s\n"
				"filter-out = %s\n",
				name, name, name);
		fprintf(out, "%.*s\n", (int)(end - line), line);
	}
	write_filler(out, filler);
}

/*
 * And a chain in which what may refuse a call is first, and what does so is
 * behind many more rules.
 */
static void use_policy(int filler)
{
	AUTO_FREE char *text = NULL;
	FILE *out;
	size_t size;
	int i;

	out = open_memstream(&text, &size);
	assert_non_null(out);
	write_policy(out, filler);
	fputs("[group wary]\nmatch = /wary\nfilter-out = wary\n"
	      "[chain wary]\npolicy = allow\n1 = deny mark 5\n",
	      out);
	for (i = 10; i < 310; i++)
		fprintf(out, "%d = allow udp to port %d\n", i, i);
	fputs("400 = reject tcp to port 26\n"
	      "410 = deny tcp length 1000-1500\n"
	      "420 = deny tcp to port 25\n"
	      "430 = allow mark 6\n"
	      "440 = deny tcp to port 27\n",
	      out);
	assert_int_equal(fclose(out), 0);
	matcher_use_text(text);
}

enum {
	LATER = DECIDE_LATER,
	TCP = SOCK_STREAM,
	UDP = SOCK_DGRAM,
	SEND = 1 << 8, /* a message by a socket that is not connected */
};

static const struct {
	const char *chain;
	int type;
	const char *host;
	uint16_t port;
	const char *source; /* bound to, or NULL */
	uint16_t source_port;
	int decision;
} calls[] = {
	{ "ports", TCP, "192.0.2.1", 80, NULL, 0, ROW_ALLOW },
	{ "ports", TCP, "192.0.2.1", 81, NULL, 0, ROW_DENY },
	{ "ports", TCP, "192.0.2.1", 113, NULL, 0, ROW_REJECT },
	{ "ports", TCP, "2001:db8::1", 80, NULL, 0, ROW_ALLOW },
	{ "ports", TCP, "2001:db8::1", 113, NULL, 0, ROW_REJECT },
	{ "ports", TCP, "::ffff:192.0.2.1", 81, NULL, 0, ROW_DENY },
	{ "ports", UDP, "192.0.2.1", 53, NULL, 0, ROW_ALLOW },
	{ "ports", UDP, "192.0.2.1", 54, NULL, 0, ROW_DENY },
	{ "ports", UDP | SEND, "192.0.2.1", 53, NULL, 0, ROW_ALLOW },
	{ "ports", UDP | SEND, "192.0.2.66", 80, NULL, 0, ROW_DENY },
	{ "ports", UDP | SEND, "2001:db8::1", 54, NULL, 0, ROW_DENY },
	{ "ports", TCP, "127.0.0.1", 81, NULL, 0, ROW_ALLOW },
	{ "ports", TCP, "::1", 81, NULL, 0, ROW_ALLOW },
	{ "ports", TCP, "0.0.0.0", 81, NULL, 0, ROW_ALLOW },
	{ "ports", TCP, "::", 81, NULL, 0, ROW_ALLOW },
	{ "ports", TCP, "::ffff:127.0.0.1", 81, NULL, 0, ROW_ALLOW },
	{ "sets", TCP, "198.51.100.9", 1, NULL, 0, ROW_DENY },
	{ "sets", TCP, "198.51.101.9", 1, NULL, 0, ROW_ALLOW },
	{ "sets", TCP, "2001:db8:5::9", 1, NULL, 0, ROW_DENY },
	{ "sets", TCP, "::ffff:198.51.100.9", 1, NULL, 0, ROW_DENY },
	{ "sets", UDP | SEND, "2001:db8:5::9", 1, NULL, 0, ROW_DENY },
	{ "states", TCP, "192.0.2.1", 1, NULL, 0, ROW_DENY },
	{ "states", UDP, "192.0.2.1", 1, NULL, 0, ROW_ALLOW },
	{ "states", UDP, "192.0.2.1", 1, "0.0.0.0", 7777, LATER },
	{ "states", UDP | SEND, "192.0.2.1", 1, NULL, 0, LATER },
	{ "later", TCP, "192.0.2.1", 1, NULL, 0, ROW_DENY },
	{ "later", TCP, "192.0.2.1", 2, NULL, 0, LATER },
	{ "bound", TCP, "192.0.2.1", 2, NULL, 0, LATER },
	{ "bound", TCP, "192.0.2.1", 2, "127.0.0.5", 0, ROW_ALLOW },
	{ "bound", TCP, "192.0.2.1", 2, "127.0.0.6", 7776, ROW_DENY },
	{ "bound", TCP, "192.0.2.1", 2, "127.0.0.6", 7777, ROW_ALLOW },
	{ "users", TCP, "192.0.2.1", 2, NULL, 0, ROW_ALLOW },
	{ "others", TCP, "192.0.2.1", 2, NULL, 0, ROW_DENY },
	{ "flags", TCP, "192.0.2.1", 2, NULL, 0, ROW_DENY },
	{ "flags", UDP, "192.0.2.1", 2, NULL, 0, ROW_ALLOW },
	{ "lo", TCP, "127.0.0.1", 80, NULL, 0, ROW_DENY },
	{ "lo", TCP, "127.0.0.1", 81, NULL, 0, ROW_ALLOW },
	{ "lo", TCP, "192.0.2.1", 81, NULL, 0, ROW_DENY },
	{ "lo", TCP, "192.0.2.1", 80, NULL, 0, ROW_DENY },
	{ "limited", TCP, "192.0.2.1", 80, NULL, 0, LATER },
	{ "jumps", TCP, "192.0.2.1", 80, NULL, 0, ROW_ALLOW },
	{ "jumps", TCP, "192.0.2.1", 81, NULL, 0, ROW_DENY },
	{ "jumps", TCP, "2001:db8::1", 81, NULL, 0, ROW_DENY },
	{ "jumps", TCP, "192.0.2.1", 82, NULL, 0, ROW_DENY },
	{ "jumps", TCP, "192.0.2.1", 85, NULL, 0, ROW_ALLOW },
	{ "jumps", TCP, "192.0.2.1", 86, NULL, 0, ROW_DENY },
	{ "jumps", TCP, "2001:db8::1", 91, NULL, 0, ROW_ALLOW },
	{ "jumps", TCP, "192.0.2.1", 95, NULL, 0, ROW_DENY },
	/* Whether it will be led on is not known. */
	{ "jumps", TCP, "192.0.2.1", 100, NULL, 0, LATER },
	{ "jumps", TCP, "192.0.2.1", 101, NULL, 0, ROW_ALLOW },
	{ "jumps", TCP, "192.0.2.1", 102, NULL, 0, LATER },
	{ "wary", TCP, "192.0.2.1", 25, NULL, 0, ROW_DENY },
	{ "wary", TCP, "192.0.2.1", 26, NULL, 0, ROW_REJECT },
	{ "wary", TCP, "192.0.2.1", 27, NULL, 0, LATER },
	{ "wary", TCP, "192.0.2.1", 28, NULL, 0, LATER },
	{ "wary", TCP, "2001:db8::1", 25, NULL, 0, ROW_DENY },
	{ "wary", UDP, "192.0.2.1", 15, NULL, 0, LATER },
};

/* The errno of the call, or 0. */
static int call(size_t i)
{
	AUTO_CLOSE int fd = -1;
	union any any;
	socklen_t size = address(calls[i].host, calls[i].port, &any);
	int r;

	fd = socket(any.sa.sa_family,
		    (calls[i].type & ~SEND) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	if (calls[i].source) {
		union any source;
		socklen_t n =
			address(calls[i].source, calls[i].source_port, &source);
		int on = 1;

		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		assert_int_equal(bind(fd, &source.sa, n), 0);
	}
	if (calls[i].type & SEND)
		r = sendto(fd, "x", 1, 0, &any.sa, size);
	else
		r = connect(fd, &any.sa, size);
	return r < 0 ? errno : 0;
}

/* For the n-th time: counters go on. */
static void check_calls(int filler, size_t n)
{
	int asks = bpf_map__fd(matcher_programs->maps.asks);
	int answers = bpf_map__fd(matcher_programs->maps.answers);
	struct match_answer answer, none = { .decision = NONE };
	uint32_t zero = 0;
	size_t i;

	use_policy(filler);
	attach(matcher_programs->progs.match_connect4);
	attach(matcher_programs->progs.match_connect6);
	attach(matcher_programs->progs.match_sendmsg4);
	attach(matcher_programs->progs.match_sendmsg6);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		struct match_ask ask = {
			.chain = matcher_chain(calls[i].chain),
		};
		uint32_t refused = calls[i].decision == ROW_DENY ||
				   calls[i].decision == ROW_REJECT;
		int error;

		bpf_map_update_elem(asks, &zero, &ask, 0);
		bpf_map_update_elem(answers, &zero, &none, 0);
		error = call(i);
		bpf_map_lookup_elem(answers, &zero, &answer);
		if ((int)answer.decision != calls[i].decision ||
		    (error == EPERM) != refused)
			fail_msg("%s: %s port %u, case %zu: decided %d, "
				 "errno %d",
				 calls[i].chain, calls[i].host, calls[i].port,
				 i, (int)answer.decision, error);
	}
	detach_all();
	/* Refusals are counted, the rest when it is sent. */
	i = matcher_chain("ports");
	assert_int_equal(matcher_count(i, 10).packets, 0);
	assert_int_equal(matcher_count(i, 20).packets, 2 * n);
	assert_int_equal(matcher_count(i, 20).bytes, 0);
	assert_int_equal(matcher_count(i, 40).packets, n);
	assert_int_equal(matcher_count(i, 0).packets, 4 * n);
	i = matcher_chain("wary");
	assert_int_equal(matcher_count(i, 1).packets, 0);
	assert_int_equal(matcher_count(i, 420).packets, 2 * n);
}

static void a_call_is_decided_by_what_is_known(void **state)
{
	(void)state;
	check_calls(0, 1);
}

static void a_call_is_decided_by_what_is_known_in_a_long_chain(void **state)
{
	(void)state;
	check_calls(20, 2);
}

static int set_up(void **state)
{
	struct err err;

	if (mount_find_cgroup2(home, &err) < 0) {
		print_error("%s\n", err.msg);
		return -1;
	}
	snprintf(cgroup, sizeof(cgroup), "%s/weir-test-%d", home, getpid());
	if (mkdir(cgroup, 0755) < 0)
		return -1;
	matcher_set_up(state);
	assert_int_equal(system("ip address add 192.0.2.100/24 dev t0; "
				"ip address add 2001:db8::100/64 dev t0 nodad; "
				"ip link set t0 up; ip link set t1 up; "
				"ip route add default dev t0; "
				"ip -6 route add default dev t0"),
			 0);
	enter_cgroup(cgroup);
	return 0;
}

static int tear_down(void **state)
{
	detach_all();
	enter_cgroup(home);
	rmdir(cgroup);
	return matcher_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_knows_its_own_state),
		cmocka_unit_test(a_refusal_answers_a_connection),
		cmocka_unit_test(a_call_is_decided_by_what_is_known),
		cmocka_unit_test(
			a_call_is_decided_by_what_is_known_in_a_long_chain),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
