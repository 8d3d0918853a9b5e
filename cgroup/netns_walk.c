/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/netns_walk.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "cgroup/netns_sockets.h"

/* A read that meets a million sockets without output is to be read again. */
#define READS_MAX 64

void netns_walk_clear(struct netns_walk *walk)
{
	free(walk->list);
	*walk = (struct netns_walk){ 0 };
}

/* A descriptor of the namespace of a process, and its inode; -1: gone. */
static int open_netns(pid_t pid, uint64_t *ret_inode)
{
	AUTO_CLOSE int fd = -1;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	*ret_inode = st.st_ino;
	return TAKE_FD(fd);
}

static bool is_seen(const struct netns_walk *walk, uint64_t inode)
{
	size_t i;

	for (i = 0; i < walk->n_list; i++)
		if (walk->list[i].inode == inode)
			return true;
	return false;
}

static int add_process(struct netns_walk *walk, pid_t pid)
{
	struct netns_seen *entry;
	AUTO_CLOSE int fd = -1;
	uint64_t inode;

	fd = open_netns(pid, &inode);
	if (fd < 0 || is_seen(walk, inode))
		return 0;
	entry = ARRAY_ADD(walk, list);
	if (!entry)
		return -ENOMEM;
	*entry = (struct netns_seen){ .inode = inode, .pid = pid };
	return 0;
}

static int add_folder(struct netns_walk *walk, const char *folder)
{
	CLEANUP(fclosep) FILE *file = NULL;
	char path[PATH_MAX], line[32];
	int r = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	file = fopen(path, "re");
	while (r == 0 && file && fgets(line, sizeof(line), file))
		r = add_process(walk, atoi(line));
	return r;
}

int netns_walk_add(struct netns_walk *walk, const char *folder, struct err *err)
{
	AUTO_FREE char *root = strdup(folder);
	char *roots[] = { root, NULL };
	FTS *tree = root ? fts_open(roots, FTS_PHYSICAL | FTS_NOSTAT, NULL)
			 : NULL;
	FTSENT *entry;
	int r = tree ? 0 : neg_errno();

	while (r == 0 && (entry = fts_read(tree)))
		if (entry->fts_info == FTS_D)
			r = add_folder(walk, entry->fts_path);
	if (tree)
		fts_close(tree);
	return r < 0 ? err_set(err, r, "look for sockets in '%s'", folder) : 0;
}

int netns_walk_attach(struct bpf_object_skeleton *skeleton,
		      struct bpf_link **ret_link)
{
	struct bpf_link *link;
	int r;

	r = bpf_object__load_skeleton(skeleton);
	if (r < 0)
		return r;
	link = bpf_program__attach_iter(
		bpf_object__next_program(*skeleton->obj, NULL), NULL);
	if (!link)
		return neg_errno();
	*ret_link = link;
	return 0;
}

static int read_iterator(const struct bpf_link *link)
{
	AUTO_CLOSE int fd = bpf_iter_create(bpf_link__fd(link));
	char nothing[64];
	ssize_t n = 1;
	int i;

	if (fd < 0)
		return fd;
	for (i = 0; i < READS_MAX && n != 0; i++) {
		n = read(fd, nothing, sizeof(nothing));
		if (n < 0 && errno != EAGAIN)
			return neg_errno();
	}
	return 0;
}

/*
 * In the namespace of seen, which has so many sockets.  An iterator looks at
 * the whole table of all namespaces' connections, which takes milliseconds: not
 * for one that has none.  What is opened since hears of its rate by itself.
 */
static int run_here(struct netns_seen *seen, uint64_t sockets,
		    const struct bpf_link *link)
{
	seen->is_idle = sockets != UINT64_MAX && sockets == netns_listeners();
	return seen->is_idle ? 0 : read_iterator(link);
}

/* In the namespace of a process; own is this thread's. */
static int run_in(struct netns_seen *seen, const struct bpf_link *link, int own)
{
	AUTO_CLOSE int fd = -1;
	uint64_t inode, sockets;
	int r;

	if (seen->is_idle)
		return 0;
	fd = open_netns(seen->pid, &inode);
	if (fd < 0 || inode != seen->inode)
		return 0;
	sockets = netns_sockets(seen->pid);
	if (setns(fd, CLONE_NEWNET) < 0)
		return neg_errno();
	r = run_here(seen, sockets, link);
	if (setns(own, CLONE_NEWNET) < 0)
		abort(); /* nothing may be done to the wrong machine */
	return r;
}

int netns_walk_run(struct netns_walk *walk, const struct bpf_link *link,
		   struct err *err)
{
	AUTO_CLOSE int own = -1;
	size_t i;
	int r = 0;

	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return err_set(err, neg_errno(), "open /proc/self/ns/net");
	for (i = 0; r == 0 && i < walk->n_list; i++)
		r = run_in(&walk->list[i], link, own);
	return r < 0 ? err_set(err, r, "walk over the sockets") : 0;
}
