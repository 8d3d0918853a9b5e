/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One section of a policy file: what it is called, and its keys. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "rules/keys.h"
#include "rules/label.h"
#include "rules/policy_reader.h"
#include "rules/rule.h"
#include "rules/suggest.h"

#define RULE_NUMBER_MAX 4294967294U

/* Notes a rule: that all are there once is known only behind the section. */
static int note_rule(struct reader *reader, const struct ini_entry *entry)
{
	struct numbered *rule;
	const char **text;
	uint64_t number;

	if (number_parse(entry->key, RULE_NUMBER_MAX, &number) < 0 || !number ||
	    *entry->key == '0')
		return problem_add(reader->problems, reader->where.file,
				   reader->where.line,
				   "'%s' is not the number of a rule (1 to %u)",
				   entry->key, RULE_NUMBER_MAX);
	if (!*entry->value)
		return reader_error(reader,
				    "there is no rule (try allow, deny or "
				    "reject)");
	rule = ARRAY_ADD(reader, rules);
	text = rule ? ARRAY_ADD(reader, texts) : NULL;
	if (!text)
		return -ENOMEM;
	rule->number = number;
	rule->line = entry->line;
	*text = entry->value;
	return 0;
}

/* Adds what is wrong with a rule that could not be read. */
static int refuse_rule(struct reader *reader, struct rule *rule,
		       const char *text)
{
	struct err why;
	int r = rule_parse(text, rule, &why);

	if (r != -EINVAL)
		return r;
	problem_add(reader->problems, rule->where.file, rule->where.line,
		    "%u: %s", rule->number, why.msg);
	return 0;
}

static int add_rules(struct reader *reader, struct chain *chain)
{
	size_t i;

	if (reader->n_rules &&
	    !array_extend(&chain->rules, &chain->n_rules, sizeof(*chain->rules),
			  reader->n_rules))
		return -ENOMEM;
	for (i = 0; i < chain->n_rules; i++) {
		chain->rules[i].number = reader->rules[i].number;
		chain->rules[i].where.file = reader->where.file;
		chain->rules[i].where.line = reader->rules[i].line;
	}
	return 0;
}

/* Reads the rules of a chain when the section has been gone through. */
static int read_rules(struct reader *reader, struct chain *chain)
{
	int r = add_rules(reader, chain);
	size_t i;

	if (r < 0)
		return r;
	rules_parse(reader->texts, chain->n_rules, chain->rules);
	for (i = 0; r == 0 && i < chain->n_rules; i++)
		if (!chain->rules[i].text)
			r = refuse_rule(reader, &chain->rules[i],
					reader->texts[i]);
	reader->n_rules = reader->n_texts = 0;
	return r;
}

static int unknown_key(struct reader *reader, enum section_kind kind)
{
	const struct section *section = &sections[kind];
	const struct key *key;
	struct suggestion best;
	char all[256] = "";
	size_t n = 0;

	suggestion_begin(&best, reader->key);
	for (key = section->keys; key->name; key++) {
		suggestion_try(&best, key->name);
		n += snprintf(all + n, sizeof(all) - n, "%s%s", n ? ", " : "",
			      key->name);
	}
	return problem_add(
		reader->problems, reader->where.file, reader->where.line,
		"a %s has no key '%s' (try %s%s)", section->name, reader->key,
		best.word ? best.word : all,
		!best.word && section->numbered ? ", or the number of a rule"
						: "");
}

static int read_entry(struct reader *reader, enum section_kind kind,
		      const struct ini_entry *entry, void *object)
{
	const struct key *key;

	reader->key = entry->key;
	reader->where.line = entry->line;
	if (sections[kind].numbered && *entry->key >= '0' && *entry->key <= '9')
		return note_rule(reader, entry);
	key = key_find(kind, entry->key);
	if (!key)
		return unknown_key(reader, kind);
	if (!*entry->value)
		return reader_error(reader, "there is no value (it wants %s)",
				    key->wants);
	return key->parse(reader, entry->value, (char *)object + key->offset);
}

/* Where a policy keeps the objects of a section, and they their names. */
struct place {
	size_t array, n, size, name, where;
};

#define PLACE(type, array)                                                \
	{                                                                 \
		offsetof(struct policy, array),                           \
			offsetof(struct policy, n_##array),               \
			sizeof(struct type), offsetof(struct type, name), \
			offsetof(struct type, where)                      \
	}

static const struct place places[N_SECTIONS] = {
	[SECTION_GROUP] = PLACE(group, groups),
	[SECTION_DEVICE] = PLACE(device, devices),
	[SECTION_CHAIN] = PLACE(chain, chains),
	[SECTION_SET] = PLACE(set, sets),
};

static void *object_at(struct policy *policy, enum section_kind kind,
		       size_t index)
{
	char *array;

	memcpy(&array, (char *)policy + places[kind].array, sizeof(array));
	return array + index * places[kind].size;
}

static char **name_of(void *object, enum section_kind kind)
{
	return (char **)((char *)object + places[kind].name);
}

static struct where *where_of(void *object, enum section_kind kind)
{
	return (struct where *)((char *)object + places[kind].where);
}

/* A new object of the kind, name and where filled in; NULL: no memory. */
static void *add_object(struct reader *reader, enum section_kind kind,
			const char *name, size_t *ret_index)
{
	char *policy = (char *)reader->policy;
	size_t *n = (size_t *)(policy + places[kind].n);
	AUTO_FREE char *copy = strdup(name);
	void *object;

	if (!copy)
		return NULL;
	object = array_grow(policy + places[kind].array, n, places[kind].size);
	if (!object)
		return NULL;
	*where_of(object, kind) = reader->where;
	*name_of(object, kind) = TAKE_PTR(copy);
	*ret_index = *n - 1;
	return object;
}

static int unknown_section(struct reader *reader, const char *text,
			   const char *kind, const char *name)
{
	struct suggestion best;
	int i;

	suggestion_begin(&best, kind);
	for (i = 0; i < N_SECTIONS; i++)
		suggestion_try(&best, sections[i].name);
	if (!best.word)
		return problem_add(reader->problems, reader->where.file,
				   reader->where.line,
				   "'[%s]' is not a section (try group, "
				   "device, chain or set)",
				   text);
	return problem_add(reader->problems, reader->where.file,
			   reader->where.line,
			   "'[%s]' is not a section (try [%s %s])", text,
			   best.word, *name ? name : "NAME");
}

/* Splits "kind name"; the problem is added where it cannot be done. */
static int split_section(struct reader *reader,
			 const struct ini_section *section,
			 enum section_kind *ret_kind, const char **ret_name)
{
	size_t n = strcspn(section->text, " \t");
	const char *name = section->text + n + strspn(section->text + n, " \t");
	char kind[INI_LINE_MAX];
	struct err why;
	int i, r;

	snprintf(kind, sizeof(kind), "%.*s", (int)n, section->text);
	for (i = 0; i < N_SECTIONS; i++)
		if (strcmp(sections[i].name, kind) == 0)
			break;
	if (i == N_SECTIONS)
		return unknown_section(reader, section->text, kind, name);
	if (!*name)
		return problem_add(
			reader->problems, reader->where.file, section->line,
			"[%s] needs a name (try [%s NAME])", kind, kind);
	r = i == SECTION_DEVICE ? interface_check(name, &why)
				: label_check(name, &why);
	if (r < 0)
		problem_add(reader->problems, reader->where.file, section->line,
			    "[%s]: %s", section->text, why.msg);
	*ret_kind = i;
	*ret_name = name;
	return 0;
}

int section_read(struct reader *reader, const struct ini *ini,
		 const struct ini_section *section)
{
	enum section_kind kind;
	const char *name;
	size_t index, first, i;
	const struct where *where;
	void *object;
	int r;

	reader->where.line = section->line;
	if (split_section(reader, section, &kind, &name) < 0)
		return 0;
	object = add_object(reader, kind, name, &index);
	if (!object)
		return -ENOMEM;
	name = *name_of(object, kind);
	r = names_add(&reader->names, kind, name, index, &first);
	if (r < 0)
		return r;
	if (r > 0) {
		where = where_of(object_at(reader->policy, kind, first), kind);
		problem_add(reader->problems, reader->where.file, section->line,
			    "[%s %s] is already at %s:%d", sections[kind].name,
			    name, where->file, where->line);
	}
	for (i = 0; i < section->n; i++) {
		r = read_entry(reader, kind, &ini->entries[section->first + i],
			       object);
		if (r == -ENOMEM)
			return r;
	}
	r = kind == SECTION_CHAIN ? read_rules(reader, object) : 0;
	if (r < 0)
		return r;
	section_check(reader, ini, section, kind, name, object);
	return 0;
}
