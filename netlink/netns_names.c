/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "netlink/netns.h"

void netns_names_clear(struct netns_names *names)
{
	while (names->n_list > 0)
		free(names->list[--names->n_list].text);
	free(names->list);
	*names = (struct netns_names){ 0 };
}

static int add_name(struct netns_names *names, uint64_t inode, const char *text)
{
	AUTO_FREE char *copy = strdup(text);
	struct netns_name *name = copy ? ARRAY_ADD(names, list) : NULL;

	if (!name)
		return -ENOMEM;
	name->inode = inode;
	name->text = TAKE_PTR(copy);
	return 0;
}

int netns_names_read(struct netns_names *ret_names, struct err *err)
{
	CLEANUP(netns_names_clear) struct netns_names names = { 0 };
	CLEANUP(closedirp) DIR *dir = opendir(NETNS_FOLDER);
	struct dirent *entry;
	struct stat st;

	*ret_names = (struct netns_names){ 0 };
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return err_set(err, neg_errno(), "read '%s'", NETNS_FOLDER);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &st, 0) < 0)
			continue;
		if (add_name(&names, st.st_ino, entry->d_name) < 0)
			return err_set(err, -ENOMEM, "read '%s'", NETNS_FOLDER);
	}
	*ret_names = names;
	names = (struct netns_names){ 0 };
	return 0;
}

const char *netns_names_find(const struct netns_names *names, uint64_t inode)
{
	size_t i;

	for (i = 0; i < names->n_list; i++)
		if (names->list[i].inode == inode)
			return names->list[i].text;
	return NULL;
}
