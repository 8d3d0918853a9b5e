/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tc/container.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "netlink/link.h"
#include "netlink/netns.h"

/* A namespace that was looked at, and its veths with an end in ours. */
struct known_netns {
	uint64_t inode;
	struct container_veth *veths;
	size_t n_veths;
	bool has_other_way;
};

struct container_finder {
	int own; /* descriptor of our namespace */
	uint64_t own_inode;
	struct conn *conn;
	struct links links; /* of our namespace */
	struct known_netns *known;
	size_t n_known;
};

void container_finder_free(struct container_finder *finder)
{
	size_t i;

	if (!finder)
		return;
	close_fdp(&finder->own);
	conn_close(finder->conn);
	links_clear(&finder->links);
	for (i = 0; i < finder->n_known; i++)
		free(finder->known[i].veths);
	free(finder->known);
	free(finder);
}

int container_finder_new(struct container_finder **ret_finder, struct err *err)
{
	CLEANUP(container_finder_freep) struct container_finder *finder = NULL;
	int r;

	finder = calloc(1, sizeof(*finder));
	if (!finder)
		return err_set(err, -ENOMEM, "look for containers");
	finder->own = -1;
	r = netns_open(NULL, &finder->own, err);
	if (r == 0)
		r = netns_inode(finder->own, &finder->own_inode, err);
	if (r == 0)
		r = conn_open(-1, &finder->conn, err);
	if (r == 0)
		r = links_read(finder->conn, &finder->links, err);
	if (r < 0)
		return err_wrap(err, r, "look for containers");
	*ret_finder = TAKE_PTR(finder);
	return 0;
}

void container_clear(struct container *container)
{
	free(container->veths);
	*container = (struct container){ 0 };
}

/* --------------------------------------------------------- namespaces */

/* The numbers that the two namespaces know each other by. */
struct numbers {
	int32_t ours_there, theirs_here;
};

/*
 * Both ends have to name each other: an index alone could be that of another
 * device, in a third namespace or made since.
 */
static const struct link *host_side(const struct container_finder *finder,
				    const struct link *inner,
				    const struct numbers *numbers)
{
	const struct link *host;

	if (strcmp(inner->kind, "veth") != 0 || !inner->peer ||
	    inner->peer_nsid == LINK_NO_NSID ||
	    inner->peer_nsid != numbers->ours_there)
		return NULL;
	host = links_by_index(&finder->links, inner->peer);
	if (!host || strcmp(host->kind, "veth") != 0 ||
	    host->peer != inner->ifindex ||
	    host->peer_nsid != numbers->theirs_here)
		return NULL;
	return host;
}

/*
 * Whether what comes by this link has passed no veth: hardware, or one upon a
 * device of another namespace, as a macvlan is.
 */
static bool is_other_way(const struct link *inner)
{
	if (!(inner->flags & IFF_UP) || inner->flags & IFF_LOOPBACK ||
	    strcmp(inner->kind, "veth") == 0)
		return false;
	return !*inner->kind || inner->peer_nsid != LINK_NO_NSID;
}

static int add_veths(const struct container_finder *finder,
		     const struct links *inside, const struct numbers *numbers,
		     struct known_netns *known)
{
	size_t i;

	for (i = 0; i < inside->n_list; i++) {
		const struct link *inner = &inside->list[i];
		const struct link *host = host_side(finder, inner, numbers);
		struct container_veth *veth;

		known->has_other_way |= is_other_way(inner);
		if (!host)
			continue;
		veth = ARRAY_ADD(known, veths);
		if (!veth)
			return -ENOMEM;
		veth->ifindex = host->ifindex;
		veth->inner_ifindex = inner->ifindex;
		veth->netns = known->inode;
		memcpy(veth->name, host->name, sizeof(veth->name));
		memcpy(veth->inner_name, inner->name, sizeof(veth->inner_name));
	}
	return 0;
}

static int look_inside(const struct container_finder *finder, int netns,
		       struct known_netns *known, struct err *err)
{
	CLEANUP(conn_closep) struct conn *conn = NULL;
	CLEANUP(links_clear) struct links inside = { 0 };
	struct numbers numbers;
	int r;

	r = netns_inode(netns, &known->inode, err);
	if (r == 0)
		r = conn_open(netns, &conn, err);
	/* Listing veths gives namespaces their numbers. */
	if (r == 0)
		r = links_read(conn, &inside, err);
	if (r == 0)
		r = link_nsid(conn, finder->own, &numbers.ours_there, err);
	if (r == 0)
		r = link_nsid(finder->conn, netns, &numbers.theirs_here, err);
	if (r < 0)
		return r;
	r = add_veths(finder, &inside, &numbers, known);
	return r < 0 ? err_set(err, r, "list veths") : 0;
}

static const struct known_netns *find_known(
	const struct container_finder *finder, uint64_t inode)
{
	size_t i;

	for (i = 0; i < finder->n_known; i++)
		if (finder->known[i].inode == inode)
			return &finder->known[i];
	return NULL;
}

/* -ESRCH where the process has gone meanwhile. */
static int know_netns(struct container_finder *finder, pid_t pid,
		      const struct known_netns **ret_known, struct err *err)
{
	struct known_netns known = { 0 }, *place;
	AUTO_CLOSE int netns = -1;
	int r;

	r = netns_open_pid(pid, &netns, err);
	if (r < 0)
		return r;
	r = look_inside(finder, netns, &known, err);
	place = r < 0 ? NULL : ARRAY_ADD(finder, known);
	if (!place) {
		free(known.veths);
		return r < 0 ? r : err_set(err, -ENOMEM, "list veths");
	}
	*place = known;
	*ret_known = place;
	return 0;
}

/* ---------------------------------------------------------- processes */

static bool has_netns(const struct container *container, uint64_t inode)
{
	size_t i;

	for (i = 0; i < container->n_veths; i++)
		if (container->veths[i].netns == inode)
			return true;
	return false;
}

static int add_netns(struct container *container,
		     const struct known_netns *known, struct err *err)
{
	size_t i;

	container->has_other_way |= known->has_other_way;
	if (has_netns(container, known->inode))
		return 0;
	for (i = 0; i < known->n_veths; i++) {
		struct container_veth *veth = ARRAY_ADD(container, veths);

		if (!veth)
			return err_set(err, -ENOMEM, "list veths");
		*veth = known->veths[i];
	}
	return 0;
}

static int add_process(struct container_finder *finder, pid_t pid,
		       struct container *container, struct err *err)
{
	const struct known_netns *known = NULL;
	uint64_t inode;
	int r;

	r = netns_inode_pid(pid, &inode, err);
	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return r;
	container->n_processes++;
	if (inode == finder->own_inode) {
		container->n_host++;
		return 0;
	}
	known = find_known(finder, inode);
	if (!known) {
		r = know_netns(finder, pid, &known, err);
		if (r == -ESRCH)
			return 0;
		if (r < 0 || !known)
			return r;
	}
	return add_netns(container, known, err);
}

/*
 * In a threaded cgroup the file cannot be read (-EOPNOTSUPP): its processes
 * are in that of the cgroup above.  A process of another pid namespace is 0.
 */
static int add_processes(struct container_finder *finder, int folder,
			 struct container *container, struct err *err)
{
	CLEANUP(fclosep) FILE *file = NULL;
	AUTO_CLOSE int fd = -1;
	char line[32];
	uint64_t pid;
	int r;

	fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENODEV
			       ? 0
			       : err_set(err, neg_errno(),
					 "read 'cgroup.procs'");
	file = fdopen(fd, "r");
	if (!file)
		return err_set(err, neg_errno(), "read 'cgroup.procs'");
	TAKE_FD(fd);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (number_parse(line, INT32_MAX, &pid) < 0 || pid == 0)
			continue;
		if (container->n_processes >= CONTAINER_PROCESSES_MAX) {
			container->truncated = true;
			return 0;
		}
		r = add_process(finder, (pid_t)pid, container, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ------------------------------------------------------------ folders */

/* Those that are still to be looked at, by path. */
struct folders {
	char **paths;
	size_t n_paths;
	size_t n_seen;
};

static void folders_clear(struct folders *folders)
{
	while (folders->n_paths > 0)
		free(folders->paths[--folders->n_paths]);
	free(folders->paths);
}

static int add_folder(struct folders *folders, const char *path,
		      const char *name)
{
	AUTO_FREE char *copy = NULL;
	char **place;

	if (asprintf(&copy, "%s%s%s", path, name ? "/" : "", name ? name : "") <
	    0) {
		copy = NULL;
		return -ENOMEM;
	}
	place = ARRAY_ADD(folders, paths);
	if (!place)
		return -ENOMEM;
	*place = TAKE_PTR(copy);
	folders->n_seen++;
	return 0;
}

static int add_children(struct folders *folders, const char *path, DIR *dir,
			struct container *container)
{
	struct dirent *entry;
	int r;

	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (folders->n_seen >= CONTAINER_FOLDERS_MAX) {
			container->truncated = true;
			return 0;
		}
		r = add_folder(folders, path, entry->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_cgroup(struct container_finder *finder, const char *path,
		      struct folders *folders, struct container *container,
		      struct err *err)
{
	CLEANUP(closedirp) DIR *dir = opendir(path);
	int r;

	if (!dir)
		return err_set(err, neg_errno(), "open cgroup '%s'", path);
	r = add_processes(finder, dirfd(dir), container, err);
	if (r < 0)
		return err_wrap(err, r, "cgroup '%s'", path);
	r = add_children(folders, path, dir, container);
	return r < 0 ? err_set(err, r, "cgroup '%s'", path) : 0;
}

int container_find(struct container_finder *finder, const char *cgroup,
		   struct container *ret_container, struct err *err)
{
	CLEANUP(container_clear) struct container container = { 0 };
	CLEANUP(folders_clear) struct folders folders = { 0 };
	bool first = true;
	int r;

	r = add_folder(&folders, cgroup, NULL);
	if (r < 0)
		return err_set(err, r, "cgroup '%s'", cgroup);
	while (folders.n_paths > 0) {
		AUTO_FREE char *path = folders.paths[--folders.n_paths];

		r = add_cgroup(finder, path, &folders, &container, err);
		/* One below that vanishes has no processes any more. */
		if (r < 0 && (first || (r != -ENOENT && r != -ENODEV)))
			return r;
		first = false;
	}
	*ret_container = container;
	container = (struct container){ 0 };
	return 0;
}
