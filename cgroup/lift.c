/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/lift.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "cgroup/lift.skel.h"
#include "pins/log.h"

DEFINE_CLEANUP(struct lift_bpf *, lift_bpf__destroy);
DEFINE_CLEANUP(struct bpf_link *, bpf_link__destroy);

/* Namespaces that were seen to already, by inode number. */
struct seen {
	uint64_t *inodes;
	size_t n_inodes;
};

static void seen_clear(struct seen *seen)
{
	free(seen->inodes);
}

/* Whether it is new; it is seen from then on. */
static bool see(struct seen *seen, uint64_t inode)
{
	uint64_t *entry;
	size_t i;

	for (i = 0; i < seen->n_inodes; i++)
		if (seen->inodes[i] == inode)
			return false;
	entry = ARRAY_ADD(seen, inodes);
	if (entry)
		*entry = inode;
	return true;
}

/* Runs the iterator over the sockets of this thread's namespace. */
static int run_iterator(const struct bpf_link *link)
{
	AUTO_CLOSE int fd = bpf_iter_create(bpf_link__fd(link));
	char nothing[64];
	ssize_t n;

	if (fd < 0)
		return fd;
	do
		n = read(fd, nothing, sizeof(nothing));
	while (n > 0 || (n < 0 && errno == EAGAIN));
	return n < 0 ? neg_errno() : 0;
}

/* The same in the namespace of a process; one that has gone is fine. */
static int lift_process(const struct bpf_link *link, const char *pid, int own,
			struct seen *seen)
{
	AUTO_CLOSE int netns = -1;
	char path[64];
	struct stat st;
	int r;

	snprintf(path, sizeof(path), "/proc/%.16s/ns/net", pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0 || fstat(netns, &st) < 0 || !see(seen, st.st_ino))
		return 0;
	if (setns(netns, CLONE_NEWNET) < 0)
		return neg_errno();
	r = run_iterator(link);
	if (setns(own, CLONE_NEWNET) < 0)
		abort(); /* nothing may be done to the wrong machine */
	return r;
}

static int lift_folder(const struct bpf_link *link, const char *folder, int own,
		       struct seen *seen)
{
	char path[PATH_MAX], line[32];
	CLEANUP(fclosep) FILE *file = NULL;
	int r = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	file = fopen(path, "re");
	while (r == 0 && file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		r = lift_process(link, line, own, seen);
	}
	return r;
}

static int lift_tree(const struct bpf_link *link, char *root, int own,
		     struct seen *seen)
{
	char *roots[] = { root, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOSTAT, NULL);
	FTSENT *entry;
	int r = 0;

	while (tree && r == 0 && (entry = fts_read(tree)))
		if (entry->fts_info == FTS_D)
			r = lift_folder(link, entry->fts_path, own, seen);
	if (tree)
		fts_close(tree);
	return r;
}

/* The link to an iterator of all sockets. */
static int attach(const char *dir, struct lift_bpf **ret_skel,
		  struct bpf_link **ret_link, struct err *err)
{
	CLEANUP(lift_bpf__destroyp) struct lift_bpf *skel = NULL;
	CLEANUP(log_end) struct log log;
	char maps[PATH_MAX];
	int r;

	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = maps);

	log_begin(&log);
	snprintf(maps, sizeof(maps), "%s/maps", dir);
	skel = lift_bpf__open_opts(&opts);
	r = skel ? lift_bpf__load(skel) : neg_errno();
	if (r == 0)
		*ret_link =
			bpf_program__attach_iter(skel->progs.lift_pacing, NULL);
	if (r == 0 && !*ret_link)
		r = neg_errno();
	if (!skel || r < 0)
		return err_say(err, -EOPNOTSUPP,
			       "this kernel cannot lift the pacing of sockets "
			       "that are open: it stays until they close");
	*ret_skel = TAKE_PTR(skel);
	return 0;
}

int lift_sockets(const char *dir, char *const *cgroups, size_t n_cgroups,
		 struct err *err)
{
	CLEANUP(lift_bpf__destroyp) struct lift_bpf *skel = NULL;
	CLEANUP(bpf_link__destroyp) struct bpf_link *link = NULL;
	CLEANUP(seen_clear) struct seen seen = { 0 };
	AUTO_CLOSE int own = -1;
	size_t i;
	int r;

	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return err_set(err, neg_errno(), "open /proc/self/ns/net");
	r = attach(dir, &skel, &link, err);
	for (i = 0; r == 0 && i < n_cgroups; i++) {
		r = lift_tree(link, cgroups[i], own, &seen);
		if (r < 0)
			err_set(err, r, "lift pacing in cgroup '%s'",
				cgroups[i]);
	}
	return r;
}

int lift_probe(void)
{
	CLEANUP(lift_bpf__destroyp) struct lift_bpf *skel = lift_bpf__open();
	CLEANUP(log_end) struct log log;
	int r;

	log_begin(&log);
	if (!skel)
		return neg_errno();
	r = bpf_map__set_pin_path(skel->maps.sockets, NULL);
	return r < 0 ? r : lift_bpf__load(skel);
}
