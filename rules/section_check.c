/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a section says as a whole, once all of its keys are read. */
#include <string.h>

#include "base/array.h"
#include "rules/group_row.h"
#include "rules/keys.h"
#include "rules/policy_reader.h"

#define BURST "-burst"

/* The section's key of that name, whatever it says, or NULL. */
static const struct ini_entry *find(const struct ini *ini,
				    const struct ini_section *section,
				    const char *name, size_t n)
{
	size_t i;

	for (i = section->first; i < section->first + section->n; i++)
		if (strncmp(ini->entries[i].key, name, n) == 0 &&
		    !ini->entries[i].key[n])
			return &ini->entries[i];
	return NULL;
}

static void check_needed(struct reader *reader, const struct ini *ini,
			 const struct ini_section *section,
			 enum section_kind kind, const char *name)
{
	static const char *const needed[N_SECTIONS] = {
		[SECTION_GROUP] = "match",
	};
	const char *key = needed[kind];

	if (key && !find(ini, section, key, strlen(key)))
		problem_add(reader->problems, reader->where.file, section->line,
			    "%s '%s' has no %s (it wants %s)",
			    sections[kind].name, name, key,
			    key_find(kind, key)->wants);
}

/* A burst is one of a rate. */
static void check_bursts(struct reader *reader, const struct ini *ini,
			 const struct ini_section *section)
{
	size_t i;

	for (i = section->first; i < section->first + section->n; i++) {
		const struct ini_entry *entry = &ini->entries[i];
		const char *dash = strstr(entry->key, BURST);
		int n = dash ? dash - entry->key : 0;

		if (dash && !dash[strlen(BURST)] &&
		    !find(ini, section, entry->key, n))
			problem_add(reader->problems, reader->where.file,
				    entry->line,
				    "%s: there is no %.*s beside it",
				    entry->key, n, entry->key);
	}
}

/* A quota says what comes after it, and nothing else does. */
static void check_quota(struct reader *reader, const struct ini *ini,
			const struct ini_section *section)
{
	const struct ini_entry *quota = find(ini, section, "quota", 5), *entry;
	static const char *const others[] = { "after", "quota-counts" };
	size_t i;

	if (quota && !find(ini, section, "after", 5))
		problem_add(reader->problems, reader->where.file, quota->line,
			    "quota: there is no after beside it (it wants %s)",
			    key_find(SECTION_GROUP, "after")->wants);
	for (i = 0; !quota && i < ARRAY_SIZE(others); i++) {
		entry = find(ini, section, others[i], strlen(others[i]));
		if (entry)
			problem_add(reader->problems, reader->where.file,
				    entry->line,
				    "%s: there is no quota beside it",
				    entry->key);
	}
}

/* Without the key it is auto, which fits all.  object: group or device. */
static void check_shaper(struct reader *reader, const struct ini *ini,
			 const struct ini_section *section,
			 enum section_kind kind, const void *object)
{
	const struct ini_entry *shaper = find(ini, section, "shaper", 6);
	bool by_source = find(ini, section, "in-from", 7) != NULL;
	bool has_in = find(ini, section, "in", 2) || by_source;
	bool has_out = find(ini, section, "out", 3) ||
		       find(ini, section, "out-to", 6);
	const struct device *device = object;
	const struct group *group = object;
	const char *misfit;

	if (!shaper)
		return;
	if (kind == SECTION_GROUP)
		misfit =
			group_misfit(group->shaper, has_in, has_out, by_source);
	else
		misfit = device_misfit(device->shaper, has_in, has_out);
	if (misfit)
		problem_add(reader->problems, reader->where.file, shaper->line,
			    "shaper: %s (try auto)", misfit);
}

/* Where nothing is limited, an exception is a slip. */
static void check_peers(struct reader *reader, const struct ini *ini,
			const struct ini_section *section, const char *key,
			const char *limit, const struct peer_limits *peers)
{
	size_t i;

	if (!peers->n_list || find(ini, section, limit, strlen(limit)))
		return;
	for (i = 0; i < peers->n_list; i++)
		if (peers->list[i].limit.rate_bps)
			return;
	problem_add(reader->problems, peers->where.file, peers->where.line,
		    "%s: there is no limit to except anything from (try %s = "
		    "10mbit beside it)",
		    key, limit);
}

static void check_min(struct reader *reader, const struct ini *ini,
		      const struct ini_section *section,
		      const struct group *group)
{
	const struct ini_entry *min = find(ini, section, "out-min", 7);

	if (min && group->out.rate_bps &&
	    group->out_min_bps > group->out.rate_bps)
		problem_add(reader->problems, reader->where.file, min->line,
			    "out-min: '%s' is more than the group's out, which "
			    "is a limit",
			    min->value);
}

static void check_group(struct reader *reader, const struct ini *ini,
			const struct ini_section *section,
			const struct group *group)
{
	check_min(reader, ini, section, group);
	check_quota(reader, ini, section);
	check_peers(reader, ini, section, "out-to", "out", &group->out_to);
	check_peers(reader, ini, section, "in-from", "in", &group->in_from);
}

void section_check(struct reader *reader, const struct ini *ini,
		   const struct ini_section *section, enum section_kind kind,
		   const char *name, void *object)
{
	/* What is missing may be in a line that could not be read. */
	if (section->has_bad_lines)
		return;
	check_needed(reader, ini, section, kind, name);
	if (kind == SECTION_CHAIN && !find(ini, section, "policy", 6))
		((struct chain *)object)->policy = VERDICT_NONE;
	if (kind != SECTION_GROUP && kind != SECTION_DEVICE)
		return;
	check_bursts(reader, ini, section);
	check_shaper(reader, ini, section, kind, object);
	if (kind == SECTION_GROUP)
		check_group(reader, ini, section, object);
}
