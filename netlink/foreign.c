/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/foreign.h"

#include <fcntl.h>
#include <limits.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crash.h"
#include "netlink/tree.h"
#include "netlink/tcmsg.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* The file: this, then netlink messages one after the other. */
struct file_header {
	char magic[8];
	char boot[40]; /* the qdisc was of this boot of the machine */
};

#define MAGIC	 "weirtc1"
#define FILE_MAX (16U << 20)

static int read_boot(char ret_boot[40], struct err *err)
{
	CLEANUP(fclosep) FILE *file = fopen(BOOT_ID, "re");

	memset(ret_boot, 0, 40);
	if (!file || !fgets(ret_boot, 40, file))
		return err_set(err, neg_errno(), "read '%s'", BOOT_ID);
	ret_boot[strcspn(ret_boot, "\n")] = '\0';
	return 0;
}

/* --------------------------------------------------------------- file */

static int write_all(FILE *file, const struct file_header *header,
		     const struct tree *tree)
{
	size_t i;

	if (fwrite(header, sizeof(*header), 1, file) != 1)
		return neg_errno();
	for (i = 0; i < tree->n_requests; i++) {
		const struct nlmsghdr *request = tree->requests[i];
		static const char padding[NLMSG_ALIGNTO];
		size_t len = request->nlmsg_len, pad = NLMSG_ALIGN(len) - len;

		if (fwrite(request, len, 1, file) != 1 ||
		    (pad && fwrite(padding, pad, 1, file) != 1))
			return neg_errno();
	}
	if (fflush(file) != 0 || fsync(fileno(file)) < 0)
		return neg_errno();
	return 0;
}

static void temporary_path(const char *path, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s.new", path);
}

/* Under another name first, so that the name never has half of it. */
static int write_file(const char *path, const struct tree *tree,
		      struct err *err)
{
	CLEANUP(fclosep) FILE *file = NULL;
	struct file_header header = { .magic = MAGIC };
	char temporary[PATH_MAX];
	int fd, r;

	r = read_boot(header.boot, err);
	if (r < 0)
		return r;
	temporary_path(path, temporary);
	fd = open(temporary,
		  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return err_set(err, neg_errno(), "write '%s'", temporary);
	r = write_all(file, &header, tree);
	crash_point();
	if (r == 0 && rename(temporary, path) < 0)
		r = neg_errno();
	if (r < 0) {
		unlink(temporary);
		return err_set(err, r, "write '%s'", path);
	}
	return 0;
}

/* *ret_size is 0 where there is no such file. */
static int read_bytes(const char *path, char **ret_bytes, size_t *ret_size,
		      struct err *err)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "re");
	AUTO_FREE char *bytes = NULL;
	struct stat st;

	*ret_size = 0;
	if (!file && errno == ENOENT)
		return 0;
	if (!file || fstat(fileno(file), &st) < 0)
		return err_set(err, neg_errno(), "read '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX ||
	    st.st_size < (off_t)sizeof(struct file_header))
		return err_say(err, -EBADMSG, "read '%s': not a file of weir's",
			       path);
	bytes = malloc((size_t)st.st_size);
	if (!bytes)
		return err_set(err, -ENOMEM, "read '%s'", path);
	if (fread(bytes, (size_t)st.st_size, 1, file) != 1)
		return err_set(err, -EIO, "read '%s'", path);
	*ret_size = (size_t)st.st_size;
	*ret_bytes = TAKE_PTR(bytes);
	return 0;
}

/* Only what a tree can have, whole. */
static int parse(const char *bytes, size_t size, struct tree *tree)
{
	const struct nlmsghdr *request;
	struct tcmsg_view view;
	int r;

	while (size > 0) {
		request = (const void *)bytes;
		if (size < NLMSG_HDRLEN || request->nlmsg_len > size ||
		    request->nlmsg_len < NLMSG_LENGTH(sizeof(struct tcmsg)) ||
		    NLMSG_ALIGN(request->nlmsg_len) > size ||
		    (request->nlmsg_type != RTM_NEWQDISC &&
		     request->nlmsg_type != RTM_NEWTCLASS &&
		     request->nlmsg_type != RTM_NEWTFILTER) ||
		    tcmsg_parse(request, &view) < 0)
			return -EBADMSG;
		r = tree_add(tree, request);
		if (r < 0)
			return r;
		bytes += NLMSG_ALIGN(request->nlmsg_len);
		size -= NLMSG_ALIGN(request->nlmsg_len);
	}
	return tree_root(tree) ? 0 : -EBADMSG;
}

/* *ret_found is false where there is none, or one of another boot. */
static int read_file(const char *path, struct tree *ret_tree, bool *ret_found,
		     struct err *err)
{
	CLEANUP(tree_clear) struct tree tree = { 0 };
	const struct file_header *header;
	AUTO_FREE char *bytes = NULL;
	size_t size;
	char boot[40];
	int r;

	*ret_found = false;
	r = read_bytes(path, &bytes, &size, err);
	if (r < 0 || size == 0)
		return r;
	r = read_boot(boot, err);
	if (r < 0)
		return r;
	header = (const void *)bytes;
	if (memcmp(header->magic, MAGIC, sizeof(header->magic)) != 0)
		return err_say(err, -EBADMSG, "read '%s': not a file of weir's",
			       path);
	if (memcmp(header->boot, boot, sizeof(boot)) != 0)
		return 0;
	r = parse(bytes + sizeof(*header), size - sizeof(*header), &tree);
	if (r < 0)
		return err_set(err, r, "read '%s'", path);
	*ret_found = true;
	*ret_tree = tree;
	tree = (struct tree){ 0 };
	return 0;
}

/* ---------------------------------------------------------- rehearsal */

static int compare_on(struct conn *conn, const struct link *stage,
		      struct tree *tree, const struct link *link,
		      struct err *err)
{
	CLEANUP(tree_clear) struct tree again = { 0 };
	int r;

	r = tree_replay(conn, stage, tree, err);
	if (r == 0)
		r = tree_read(conn, stage, &again, err);
	if (r < 0)
		return err_wrap(err, -EOPNOTSUPP,
				"device '%s': its qdisc could not be put back",
				link->name);
	if (!tree_equal(tree, &again))
		return err_say(
			err, -EOPNOTSUPP,
			"device '%s': its qdisc could not be put back as it is",
			link->name);
	return 0;
}

static void stage_name(uint32_t ifindex, char ret_name[IFNAMSIZ])
{
	snprintf(ret_name, IFNAMSIZ, "weirt%u", ifindex);
}

static int rehearse(struct conn *conn, const struct link *link,
		    struct tree *tree, uint32_t group, struct err *err)
{
	struct link want = { .group = group, .tx_queues = link->tx_queues };
	struct link stage;
	struct err ignored;
	int r;

	stage_name(link->ifindex, want.name);
	r = link_ensure_ifb(conn, &want, &stage, err);
	if (r < 0)
		return err_wrap(err, r, "device '%s': rehearse", link->name);
	crash_point();
	r = compare_on(conn, &stage, tree, link, err);
	crash_point();
	if (r < 0) {
		link_remove(conn, &stage, &ignored);
		return r;
	}
	return link_remove(conn, &stage, err);
}

/* ----------------------------------------------------------- the verbs */

int foreign_save(struct conn *conn, const struct link *link, const char *path,
		 uint32_t group, struct err *err)
{
	CLEANUP(tree_clear) struct tree tree = { 0 };
	int r;

	r = tree_read(conn, link, &tree, err);
	if (r < 0)
		return r;
	r = rehearse(conn, link, &tree, group, err);
	if (r < 0)
		return r;
	r = write_file(path, &tree, err);
	if (r < 0)
		return err_wrap(err, r, "device '%s': keep its qdisc",
				link->name);
	return 0;
}

static int remove_stage(struct conn *conn, uint32_t ifindex, uint32_t group,
			struct err *err)
{
	char name[IFNAMSIZ];
	struct link stage;
	int r;

	stage_name(ifindex, name);
	r = link_find(conn, name, &stage, err);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	if (strcmp(stage.kind, "ifb") != 0 || stage.group != group)
		return 0;
	return link_remove(conn, &stage, err);
}

static int remove_file(const char *path, struct err *err)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, neg_errno(), "remove '%s'", path);
	return 0;
}

int foreign_forget(struct conn *conn, uint32_t ifindex, const char *path,
		   uint32_t group, struct err *err)
{
	char temporary[PATH_MAX];
	int r;

	temporary_path(path, temporary);
	r = remove_file(temporary, err);
	if (r == 0)
		r = remove_file(path, err);
	return r < 0 || !conn ? r : remove_stage(conn, ifindex, group, err);
}

enum plan {
	REPLAY,	      /* what is there gives way to it */
	AFTER_REMOVE, /* half of it is there */
	LEAVE,	      /* it is back, or somebody has put another there */
};

static int make_plan(struct conn *conn, const struct link *link,
		     struct tree *saved, uint32_t handle, enum plan *ret_plan,
		     struct err *err)
{
	CLEANUP(tree_clear) struct tree now = { 0 };
	const struct nlmsghdr *root;
	const struct tcmsg *is, *was;
	int r;

	r = tree_read(conn, link, &now, err);
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	root = tree_root(&now);
	is = root ? nlmsg_data(root) : NULL;
	was = nlmsg_data(tree_root(saved));
	*ret_plan = LEAVE;
	if (!is && r == 0)
		*ret_plan = REPLAY;
	if (is && is->tcm_handle == handle)
		*ret_plan = REPLAY;
	else if (is && is->tcm_handle == was->tcm_handle &&
		 !tree_equal(&now, saved))
		*ret_plan = AFTER_REMOVE;
	return 0;
}

static int replay(struct conn *conn, const struct link *link,
		  struct tree *saved, uint32_t handle, struct err *err)
{
	const struct tcmsg *root = nlmsg_data(tree_root(saved));
	enum plan plan;
	int r;

	r = make_plan(conn, link, saved, handle, &plan, err);
	if (r < 0 || plan == LEAVE)
		return r;
	if (plan == AFTER_REMOVE) {
		r = qdisc_remove_root(conn, link, root->tcm_handle, err);
		if (r < 0)
			return r;
	}
	return tree_replay(conn, link, saved, err);
}

int foreign_restore(struct conn *conn, const struct link *link,
		    const char *path, uint32_t handle, struct err *err)
{
	CLEANUP(tree_clear) struct tree saved = { 0 };
	bool found;
	int r;

	r = read_file(path, &saved, &found, err);
	if (r < 0)
		return r;
	if (found) {
		r = replay(conn, link, &saved, handle, err);
		if (r < 0)
			return r;
	}
	return remove_file(path, err);
}
