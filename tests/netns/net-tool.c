/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of netlink/ and tc/ as commands, for the tests of this
 * folder: net-tool VERB ARGUMENT…  Prints the sentence of a failure and ends
 * with its errno.
 */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "netlink/class.h"
#include "netlink/filter.h"
#include "netlink/foreign.h"
#include "tc/device_abi.h"

static struct conn *conn;
static struct err error;

static int find(const char *name, struct link *link)
{
	return link_find(conn, name, link, &error);
}

static int run_links(char **args)
{
	struct links links;
	size_t i;
	int r;

	(void)args;
	r = links_read(conn, &links, &error);
	if (r < 0)
		return r;
	for (i = 0; i < links.n_list; i++)
		printf("%u %s kind=%s peer=%u nsid=%d mtu=%u queues=%u oper=%u\n",
		       links.list[i].ifindex, links.list[i].name,
		       links.list[i].kind, links.list[i].peer,
		       links.list[i].peer_nsid, links.list[i].mtu,
		       links.list[i].tx_queues, links.list[i].operstate);
	links_clear(&links);
	return 0;
}

static int run_ifb(char **args)
{
	struct link want = { .group = 7 }, link;

	snprintf(want.name, sizeof(want.name), "%s", args[0]);
	return link_ensure_ifb(conn, &want, &link, &error);
}

static int run_unlink(char **args)
{
	struct link link;
	int r = find(args[0], &link);

	return r < 0 ? r : link_remove(conn, &link, &error);
}

static int run_htb(char **args)
{
	struct link link;
	int r = find(args[0], &link);

	return r < 0 ? r
		     : qdisc_ensure_htb(conn, &link, DEVICE_MAJOR,
					args[1] != NULL, &error);
}

static int run_rmroot(char **args)
{
	struct link link;
	int r = find(args[0], &link);

	return r < 0 ? r : qdisc_remove_root(conn, &link, DEVICE_MAJOR, &error);
}

/* class DEV TURN BITS */
static int run_class(char **args)
{
	struct link link;
	uint32_t id = DEVICE_CLASS(1, atoi(args[1]));
	struct htb_rate rate = { .rate_bytes = strtoull(args[2], NULL, 0) / 8 };
	struct classes classes;
	const struct class *class;
	int r = find(args[0], &link);

	if (r == 0)
		r = class_ensure_htb(conn, &link, id, DEVICE_MAJOR, &rate,
				     &error);
	if (r == 0)
		r = qdisc_ensure_bfifo(conn, &link, id,
				       0x77660000 +
					       (uint32_t)atoi(args[1]) * 65536,
				       100000, &error);
	if (r == 0)
		r = classes_read(conn, &link, &classes, &error);
	if (r < 0)
		return r;
	class = classes_find(&classes, id);
	printf("same=%d\n", class && class_has_rate(class, &rate));
	classes_clear(&classes);
	return 0;
}

static int run_rmclass(char **args)
{
	struct link link;
	int r = find(args[0], &link);

	return r < 0 ? r
		     : class_remove(conn, &link, DEVICE_CLASS(1, atoi(args[1])),
				    &error);
}

static int run_save(char **args)
{
	struct link link;
	int r = find(args[0], &link);

	return r < 0 ? r : foreign_save(conn, &link, args[1], 7, &error);
}

static int run_restore(char **args)
{
	struct link link;
	int r = find(args[0], &link);

	return r < 0 ? r
		     : foreign_restore(conn, &link, args[1], DEVICE_MAJOR,
				       &error);
}

static int run_clsact(char **args)
{
	struct link link;
	bool made;
	int r = find(args[0], &link);

	return r < 0 ? r : qdisc_ensure_clsact(conn, &link, &made, &error);
}

static int run_filters(char **args)
{
	struct filters filters;
	struct link link;
	size_t i;
	int r = find(args[0], &link);

	if (r == 0)
		r = filters_read(conn, &link, &filters, &error);
	if (r < 0)
		return r;
	for (i = 0; i < filters.n_list; i++)
		printf("%s %s chain=%u handle=%x prio=%u proto=%x prog=%u class=%u name=%s\n",
		       filters.list[i].side == HOOK_IN ? "in" : "out",
		       filters.list[i].kind, filters.list[i].chain,
		       filters.list[i].handle, filters.list[i].priority,
		       filters.list[i].protocol, filters.list[i].program,
		       filters.list[i].classid, filters.list[i].name);
	filters_clear(&filters);
	return 0;
}

static const struct verb {
	const char *name;
	int n_args;
	int (*run)(char **args);
} verbs[] = {
	{ "links", 0, run_links },     { "ifb", 1, run_ifb },
	{ "unlink", 1, run_unlink },   { "htb", 1, run_htb },
	{ "rmroot", 1, run_rmroot },   { "class", 3, run_class },
	{ "rmclass", 2, run_rmclass }, { "save", 2, run_save },
	{ "restore", 2, run_restore }, { "clsact", 1, run_clsact },
	{ "filters", 1, run_filters },
};

int main(int argc, char **argv)
{
	size_t i;
	int r;

	r = conn_open(-1, &conn, &error);
	for (i = 0; r == 0 && i < ARRAY_SIZE(verbs); i++) {
		if (argc < 2 || strcmp(argv[1], verbs[i].name) != 0 ||
		    argc - 2 < verbs[i].n_args)
			continue;
		r = verbs[i].run(argv + 2);
		conn_close(conn);
		if (r < 0)
			fprintf(stderr, "%s\n", error.msg);
		return -r;
	}
	fprintf(stderr, "%s\n", r < 0 ? error.msg : "usage");
	return 2;
}
