/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which groups a cgroup is in.  The answer is kept in `members`; where it is
 * not there, or is of another generation, the cgroup's path is put together
 * from the kernel's own names and looked up: so a cgroup that was made after
 * the policy was applied is known from its first packet on.
 *
 * What cannot be found out (a cgroup nested 64 deep, a name that cannot be read
 * or that a pattern is not done with in GLOB_STEPS, a path too long for a
 * pattern as deep) is a fault: counted, and the packet denied, or a process
 * could hide from its rules by making such a cgroup.
 */
#ifndef WEIR_CGROUP_MEMBER_BPF_H
#define WEIR_CGROUP_MEMBER_BPF_H

#include "cgroup/account.bpf.h"
#include "cgroup/cgroup_abi.h"
#include "cgroup/members.bpf.h"
#include "rules/kernel.bpf.h"
#include "rules/tables.bpf.h"

#define GLOB_STRIDE 16

/* BPF makes an element, uses it and removes it.  Key: a random number. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct place);
} places SEC(".maps");

/* User space never writes: an element of zeroes to begin with. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct place);
} blanks SEC(".maps");

/* BPF counts, user space reads.  Index: FAULT_*. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FAULTS);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} faults SEC(".maps");

static __always_inline void fault(__u32 which)
{
	__u64 *count = bpf_map_lookup_elem(&faults, &which);

	if (count)
		(*count)++;
}

/*
 * What follows is in global functions with plain numbers for arguments: the
 * verifier then looks at each of them once, not once for every path here.
 * They return 0, or negative for a fault, unless they say else.
 */

/* The folder above; 0 above the root. */
__noinline __u64 folder_above(__u64 folder)
{
	return kernel_folder_parent(folder);
}

/* Finds out how deep the folder lies. */
__noinline int place_depth(__u64 key, __u64 folder)
{
	struct place *place = bpf_map_lookup_elem(&places, &key);
	int depth;

	if (!place)
		return -1;
	for (depth = 0; depth < DEPTH_MAX; depth++) {
		folder = folder_above(folder);
		if (!folder) {
			place->depth = depth;
			return 0;
		}
	}
	return -1;
}

/* Notes the folders from it up to the root, those that matches can reach. */
__noinline int place_folders(__u64 key, __u64 folder)
{
	struct place *place = bpf_map_lookup_elem(&places, &key);
	__u32 i, level;

	if (!place)
		return -1;
	for (i = 0; i < DEPTH_MAX; i++) {
		level = place->depth - i;
		if (level <= CGROUP_LEVEL_MAX)
			place->kernfs[level] = folder;
		if (level == 0)
			return 0;
		folder = folder_above(folder);
	}
	return -1;
}

_Static_assert(!(SCOPES_MAX & (SCOPES_MAX - 1)), "a mask bounds an index");

/*
 * The account of the quota of the nth group that was found, which holds at a
 * level: by the path so far.
 */
__noinline int member_account(__u64 key, __u32 group, __u32 level, __u32 nth)
{
	struct place *place = bpf_map_lookup_elem(&places, &key), *blank;
	const struct group_row *row;
	__u32 end, zero = 0;
	__u64 id;

	blank = bpf_map_lookup_elem(&blanks, &zero);
	if (!place || !blank || level > CGROUP_LEVEL_MAX || nth >= SCOPES_MAX)
		return -1;
	row = table_group(place->member.generation & 1, group);
	if (!row)
		return -1;
	READ(place->name, &blank->name);
	place->name.group_uid = row->quota.uid;
	place->name.period = row->quota.period;
	if (!row->quota.all) {
		end = level ? place->ends[level] : 1;
		if (end >= ACCOUNT_PATH_MAX)
			return -1;
		/* Bounds in words that the verifier of 5.10 knows, too. */
		barrier_var(end);
		bpf_probe_read_kernel(place->name.path,
				      end & (GLOB_PATH_MAX - 1), place->path);
	}
	id = account_get(&place->name);
	if (!id)
		fault(FAULT_ACCOUNT);
	barrier_var(nth);
	place->member.scopes[nth & (SCOPES_MAX - 1)].account = id;
	return 0;
}

/*
 * Adds a group that holds at a level, unless it is there already, or a
 * GROUP_LIMITED has taken that cgroup: paths are looked up before patterns.
 */
__noinline int member_add(__u64 key, __u32 group, __u32 level)
{
	struct place *place = bpf_map_lookup_elem(&places, &key);
	const struct group_row *row;
	__u32 i, count;

	if (!place || level > CGROUP_LEVEL_MAX)
		return -1;
	row = table_group(place->member.generation & 1, group);
	if (!row || place->taken >> level & 1)
		return 0;
	if (row->flags & GROUP_LIMITED)
		place->taken |= 1 << level;
	if (row->quota.bytes && place->member.flags & MEMBER_QUOTA)
		place->member.flags |= MEMBER_QUOTAS;
	place->member.flags |= group_asks(row);
	if (row->flags & KEEP_STATES && level >= place->share_level) {
		place->member.share = row->flow_share;
		place->share_level = level;
	}
	count = place->member.count;
	for (i = 0; i < SCOPES_MAX; i++) {
		if (i >= count)
			break;
		if (place->member.scopes[i].group == group &&
		    place->member.scopes[i].cgroup == place->ids[level])
			return 0;
	}
	if (count >= SCOPES_MAX) {
		fault(FAULT_TOO_MANY);
		return -1;
	}
	place->member.scopes[count].group = group;
	place->member.scopes[count].cgroup = place->ids[level];
	place->member.count = count + 1;
	return row->quota.bytes ? member_account(key, group, level, count) : 0;
}

/* One step of a match: GLOB_*. */
__noinline int member_glob_step(__u64 key, __u32 slot, __u32 index)
{
	const struct glob_row *row = table_glob(slot, index);
	struct place *place = bpf_map_lookup_elem(&places, &key);

	if (!row || !place || row->level > CGROUP_LEVEL_MAX)
		return GLOB_TOO_HARD;
	return glob_step(row, place->path, place->ends[row->level],
			 &place->cursor);
}

/* GLOB_STRIDE steps of it, so that no loop is longer than that. */
__noinline int member_glob_stride(__u64 key, __u32 slot, __u32 index)
{
	int step, fits = GLOB_TOO_HARD;

	for (step = 0; step < GLOB_STRIDE; step++) {
		fits = member_glob_step(key, slot, index);
		if (fits != GLOB_GO_ON)
			break;
	}
	return fits;
}

/* Adds the group of a pattern where that matches; 1 if there is none. */
__noinline int member_try_glob(__u64 key, __u32 slot, __u32 index)
{
	const struct glob_row *row = table_glob(slot, index);
	struct place *place = bpf_map_lookup_elem(&places, &key);
	int step, fits;

	if (!row || !row->level)
		return 1;
	if (!place || row->level > CGROUP_LEVEL_MAX)
		return -1;
	if (place->depth < row->level)
		return 0;
	if (!place->ends[row->level])
		return -1; /* too long */
	place->cursor = (struct glob_cursor){ 0 };
	for (step = 0; step < GLOB_STEPS; step += GLOB_STRIDE) {
		fits = member_glob_stride(key, slot, index);
		if (fits == GLOB_FITS)
			return member_add(key, row->group, row->level);
		if (fits != GLOB_GO_ON)
			return fits;
	}
	return -1;
}

/*
 * Appends the name at level to the path.  The end of the path then; 0 where it
 * is too long; negative where the name cannot be read.
 */
__noinline int place_append(__u64 key, __u32 level, __u32 end)
{
	struct place *place = bpf_map_lookup_elem(&places, &key);
	long length;

	if (!place || level > CGROUP_LEVEL_MAX || end >= GLOB_PATH_MAX - 1)
		return 0;
	place->ids[level] = kernel_folder_id(place->kernfs[level]);
	place->path[end] = '/';
	if (level == 0)
		return 1;
	length =
		kernel_folder_name(place->kernfs[level], &place->path[end + 1]);
	if (length <= 1 || length > 256)
		return -1;
	end += length; /* its NUL makes up for the '/' */
	if (end >= GLOB_PATH_MAX)
		return 0;
	place->ends[level] = end;
	return end;
}

/* Adds the groups whose path is that of the cgroup or of one above it. */
__noinline int member_by_path(__u64 key, __u32 slot)
{
	struct place *place = bpf_map_lookup_elem(&places, &key);
	const struct path_value *found;
	__u32 level;
	int end = 0;

	if (!place)
		return -1;
	for (level = 0; level <= CGROUP_LEVEL_MAX; level++) {
		if (level > place->depth)
			break;
		end = place_append(key, level, level == 1 ? 0 : end);
		if (end < 0)
			return -1;
		/* Too long, and so are all below.  Patterns need what fits. */
		if (!end)
			break;
		if (end >= CGROUP_PATH_MAX)
			continue;
		found = table_path(slot, (const struct path_key *)place->path);
		if (found && member_add(key, found->group, level) < 0)
			return -1;
	}
	return 0;
}

__noinline int member_by_glob(__u64 key, __u32 slot)
{
	int r = 0;
	__u32 i;

	for (i = 0; i < GLOBS_MAX; i++) {
		r = member_try_glob(key, slot, i);
		if (r != 0)
			break;
	}
	return r < 0 ? -1 : 0;
}

/* Finds the groups of a cgroup and keeps them. */
__noinline int member_find(__u64 cgroup, __u64 sock, __u32 generation)
{
	__u64 folder = kernel_cgroup_folder(sock), key;
	__u32 zero = 0, slot = generation & 1;
	struct place *place;
	int r = -1;

	key = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
	place = bpf_map_lookup_elem(&blanks, &zero);
	if (!place || !folder ||
	    bpf_map_update_elem(&places, &key, place, BPF_NOEXIST) < 0)
		return -1;
	place = bpf_map_lookup_elem(&places, &key);
	if (place) {
		place->member.cgroup = cgroup;
		place->member.generation = generation;
		if (place_depth(key, folder) == 0 &&
		    place_folders(key, folder) == 0 &&
		    member_by_path(key, slot) == 0 &&
		    member_by_glob(key, slot) == 0)
			r = bpf_map_update_elem(&members, &cgroup,
						&place->member, BPF_ANY);
	}
	bpf_map_delete_elem(&places, &key);
	return r < 0 ? -1 : 0;
}

/*
 * Has them looked for again with the next packet.  The entry stays: who is
 * about to forget it still reads it, and what is removed from an LRU map is
 * anybody's at once.  So does the slot that is told from its generation.
 */
static __always_inline void member_forget(__u64 cgroup)
{
	struct member *member = bpf_map_lookup_elem(&members, &cgroup);

	if (member)
		member->generation = MEMBER_FORGOTTEN |
				     (member->generation & 1);
}

/*
 * The groups of the cgroup with this id, that the socket at address sock
 * belongs to; NULL for a fault, where the packet must be denied.
 */
static __always_inline const struct member *member_get(__u64 id, void *sock,
						       __u32 generation)
{
	struct member *member = bpf_map_lookup_elem(&members, &id);

	if (member && member->cgroup == id && member->generation == generation)
		return member;
	if (member_find(id, kernel_address(sock), generation) < 0) {
		fault(FAULT_MEMBER);
		return NULL;
	}
	return bpf_map_lookup_elem(&members, &id);
}

#endif
