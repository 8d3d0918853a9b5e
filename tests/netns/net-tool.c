/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of netlink/ and tc/ as commands, for the tests of this
 * folder: net-tool VERB ARGUMENT…  Prints the sentence of a failure and ends
 * with its errno.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "netlink/class.h"
#include "netlink/filter.h"
#include "netlink/foreign.h"
#include "tc/container.h"
#include "tc/device.h"

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

/* ------------------------------------------------------------ devices */

/* A policy of one device: the row alone, in the slot of the generation. */
struct session {
	struct loader loader;
	struct netns_view *view;
	struct device_have have;
	struct device device;
	int devices, generation; /* maps */
};

static const char *places(void)
{
	const char *dir = getenv("WEIR_BPFFS");

	return dir ? dir : "/sys/fs/bpf/weir";
}

static void end(struct session *session)
{
	loader_close(&session->loader);
	netns_view_closep(&session->view);
}

static int begin(const char *name, const char *index, struct session *session)
{
	char path[512];
	uint32_t number = (uint32_t)atoi(index);
	int r;

	memset(&session->loader, -1, sizeof(session->loader));
	r = loader_ensure(places(), &error);
	if (r == 0)
		r = loader_open(places(), &session->loader, &error);
	if (r == 0)
		r = netns_view_open(getenv("NETNS"), &session->view, &error);
	if (r == 0)
		r = device_read(session->view, &session->loader, name, number,
				&session->have, &error);
	if (r < 0) {
		end(session);
		return r;
	}
	snprintf(path, sizeof(path), "%s/maps/devices", places());
	session->devices = bpf_obj_get(path);
	snprintf(path, sizeof(path), "%s/maps/generation", places());
	session->generation = bpf_obj_get(path);
	session->device = (struct device){
		.view = session->view,
		.loader = &session->loader,
		.link = session->have.link,
		.index = number,
		.state_dir = getenv("WEIR_STATE"),
	};
	return 0;
}

static int read_row(struct session *session, uint32_t generation,
		    struct device_row *row)
{
	uint32_t slot = generation & 1, id;
	int inner, r;

	*row = (struct device_row){ 0 };
	r = bpf_map_lookup_elem(session->devices, &slot, &id);
	if (r < 0)
		return 0;
	inner = bpf_map_get_fd_by_id(id);
	bpf_map_lookup_elem(inner, &session->device.index, row);
	close(inner);
	return 0;
}

static int write_row(struct session *session, uint32_t generation,
		     const struct device_row *row)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	uint32_t slot = generation & 1, zero = 0, old, i;
	struct device_row other;
	int inner, from, r;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "devices", 4, sizeof(*row),
			       2048, &opts);
	slot = !slot;
	if (bpf_map_lookup_elem(session->devices, &slot, &old) == 0) {
		from = bpf_map_get_fd_by_id(old);
		for (i = 0; i < 2048; i++)
			if (bpf_map_lookup_elem(from, &i, &other) == 0 &&
			    other.in_use)
				bpf_map_update_elem(inner, &i, &other, 0);
		close(from);
	}
	slot = !slot;
	bpf_map_update_elem(inner, &session->device.index, row, 0);
	r = bpf_map_update_elem(session->devices, &slot, &inner, 0);
	close(inner);
	if (r == 0)
		r = bpf_map_update_elem(session->generation, &zero, &generation,
					0);
	return r < 0 ? err_set(&error, r, "write the row") : 0;
}

/* The class for a limit: *ret_class and, of the turn before, *ret_old. */
static int make_class(struct session *session, int side, uint64_t bits,
		      uint32_t live_class, uint32_t *ret_class, int *ret_old)
{
	struct limit_row limit = { bits / 8,
				   getenv("BURST")
					   ? strtoull(getenv("BURST"), NULL, 0)
					   : 0 };
	struct link ifb;
	int turn = live_class ? !DEVICE_CLASS_TURN(live_class) : 0, r;

	*ret_class = 0;
	*ret_old = live_class ? (int)DEVICE_CLASS_TURN(live_class) : -1;
	if (!bits)
		return 0;
	if (live_class &&
	    device_class_is(&session->have.side[side].turn[!turn], &limit)) {
		*ret_class = live_class;
		*ret_old = -1;
		return 0;
	}
	r = side == SIDE_OUT
		    ? device_ensure_root(&session->device, SHAPE_HTB,
					 getenv("TAKEOVER"), &error)
		    : device_ensure_ifb(&session->device, &ifb, &error);
	if (r == 0)
		r = device_ensure_class(&session->device, side, turn, &limit,
					&error);
	*ret_class = DEVICE_CLASS(session->device.index, turn);
	return r;
}

/* apply DEV INDEX OUT IN, in bits per second; 0: no limit */
static int run_apply(char **args)
{
	struct session session = { 0 };
	struct device_row row = { 0 }, live;
	uint32_t generation, zero = 0, i;
	int old[2], r;

	r = begin(args[0], args[1], &session);
	if (r < 0)
		return r;
	bpf_map_lookup_elem(session.generation, &zero, &generation);
	read_row(&session, generation, &live);
	row.in_use = 1;
	row.ifindex = session.device.link.ifindex;
	row.chain_in = row.chain_out = NONE;
	r = make_class(&session, SIDE_OUT, strtoull(args[2], NULL, 0),
		       live.out_class, &row.out_class, &old[SIDE_OUT]);
	if (r == 0)
		r = make_class(&session, SIDE_IN, strtoull(args[3], NULL, 0),
			       live.in_class, &row.in_class, &old[SIDE_IN]);
	if (r == 0)
		r = netns_view_refresh(session.view, &error);
	if (r == 0)
		r = device_read(session.view, &session.loader, args[0],
				session.device.index, &session.have, &error);
	row.in_ifindex = row.in_class ? session.have.ifb.ifindex : 0;
	if (r == 0)
		r = device_reset_tally(&session.loader, session.device.index,
				       &error);
	for (i = 0; r == 0 && i < 2; i++)
		r = device_ensure_filter(&session.device, i, &error);
	if (r == 0)
		r = write_row(&session, generation + 1, &row);
	for (i = 0; r == 0 && i < 2; i++)
		if (old[i] >= 0)
			r = device_remove_class(&session.device, i, old[i],
						&error);
	if (r == 0 && !row.out_class && live.out_class)
		r = device_remove_root(&session.device, &error);
	if (r == 0 && !row.in_class && live.in_class)
		r = device_remove_ifb(&session.device, &error);
	end(&session);
	return r;
}

static int run_show(char **args)
{
	static const char *const roots[] = { "default", "ours", "foreign" };
	struct session session = { 0 };
	struct device_have *have = &session.have;
	struct device_figures figures[2];
	int i, r;

	r = begin(args[0], args[1], &session);
	if (r == 0)
		r = device_figures(&session.loader, have, session.device.index,
				   figures, &error);
	if (r < 0)
		return r;
	printf("root=%s clsact=%d others=%zu ifb=%s mark=%x\n",
	       roots[have->root], have->has_clsact, have->foreign_filters,
	       have->ifb.ifindex ? have->ifb.name : "-", have->mark.flags);
	for (i = 0; i < 2; i++)
		printf("%s filter=%d/%u root=%d turns=%d%d passed=%llu/%llu denied=%llu dropped=%llu/%llu backlog=%u\n",
		       i == SIDE_IN ? "in" : "out", have->side[i].has_filter,
		       have->side[i].filter_index, have->side[i].has_root,
		       have->side[i].turn[0].present,
		       have->side[i].turn[1].present,
		       (unsigned long long)figures[i].passed.bytes,
		       (unsigned long long)figures[i].passed.packets,
		       (unsigned long long)figures[i].denied.packets,
		       (unsigned long long)figures[i].dropped.bytes,
		       (unsigned long long)figures[i].dropped.packets,
		       figures[i].backlog_bytes);
	end(&session);
	return 0;
}

/* What is kept of devices of this namespace that have gone. */
static int forget_gone(struct session *session)
{
	CLEANUP(device_traces_clear) struct device_traces traces = { 0 };
	const struct netns_view *view = session->view;
	size_t i;
	int r;

	r = device_traces_read(&session->loader, &traces, &error);
	for (i = 0; r == 0 && i < traces.n_list; i++)
		if (traces.list[i].netns_id == view->id &&
		    !links_by_index(&view->links, traces.list[i].ifindex))
			r = device_forget(&traces.list[i], view,
					  &session->loader,
					  session->device.state_dir, &error);
	return r;
}

static int run_remove(char **args)
{
	struct session session = { 0 };
	int r;

	r = begin(args[0], args[1], &session);
	if (r < 0)
		return r;
	if (r == 0)
		r = device_remove(&session.device, &error);
	if (r == 0)
		r = netns_view_refresh(session.view, &error);
	if (r == 0)
		r = forget_gone(&session);
	end(&session);
	return r;
}

/* container PATH…: one finder for all */
static int run_container(char **args)
{
	struct container_finder *finder;
	struct container container;
	size_t i;
	int r;

	r = container_finder_new(&finder, &error);
	for (; r == 0 && *args; args++) {
		r = container_find(finder, *args, &container, &error);
		if (r < 0)
			break;
		printf("processes=%zu host=%zu veths=%zu\n",
		       container.n_processes, container.n_host,
		       container.n_veths);
		for (i = 0; i < container.n_veths; i++)
			printf("%s %u inner=%s %u\n", container.veths[i].name,
			       container.veths[i].ifindex,
			       container.veths[i].inner_name,
			       container.veths[i].inner_ifindex);
		container_clear(&container);
	}
	container_finder_freep(&finder);
	return r;
}

/* xdp DEV: a program that passes all, run by the driver; rmxdp DEV: no more */
static int set_xdp(const char *name, bool present)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct link link;
	int fd = -1, r = find(name, &link);

	if (r < 0)
		return r;
	if (present)
		fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "others", "GPL", pass,
				   ARRAY_SIZE(pass), NULL);
	r = bpf_xdp_attach((int)link.ifindex, fd, XDP_FLAGS_DRV_MODE, NULL);
	return r < 0 ? err_set(&error, r, "set xdp of '%s'", name) : 0;
}

static int run_xdp(char **args)
{
	return set_xdp(args[0], true);
}

static int run_rmxdp(char **args)
{
	return set_xdp(args[0], false);
}

static const struct verb {
	const char *name;
	int n_args;
	int (*run)(char **args);
} verbs[] = {
	{ "links", 0, run_links },	   { "ifb", 1, run_ifb },
	{ "unlink", 1, run_unlink },	   { "htb", 1, run_htb },
	{ "rmroot", 1, run_rmroot },	   { "class", 3, run_class },
	{ "rmclass", 2, run_rmclass },	   { "save", 2, run_save },
	{ "restore", 2, run_restore },	   { "clsact", 1, run_clsact },
	{ "filters", 1, run_filters },	   { "apply", 4, run_apply },
	{ "show", 2, run_show },	   { "remove", 2, run_remove },
	{ "container", 1, run_container }, { "xdp", 1, run_xdp },
	{ "rmxdp", 1, run_rmxdp },
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
