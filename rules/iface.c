/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/iface.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/endpoint.h"
#include "rules/label.h"

#define NAME_BYTES sizeof(span_end)

_Static_assert(IFNAMSIZ == NAME_BYTES, "a name is a number");

span_end iface_number(const char *name)
{
	size_t n = strnlen(name, NAME_BYTES - 1), i;
	span_end number = 0;

	for (i = 0; i < NAME_BYTES; i++)
		number = number << 8 | (i < n ? (unsigned char)name[i] : 0);
	return number;
}

static int check_beginning(const char *name, struct err *why)
{
	if (!*name)
		return err_say(why, -EINVAL,
			       "'*' is every interface (try eth* or wl*)");
	/* "." and ".." are no names, but begin some. */
	return name[strspn(name, ".")] ? interface_check(name, why) : 0;
}

int iface_parse(const char *text, struct element *ret_element, struct err *why)
{
	size_t n = strlen(text);
	bool is_beginning = n && text[n - 1] == '*';
	char name[IFNAMSIZ + 1];
	span_end first;
	int r;

	/* One byte more, so that what is too long is seen to be. */
	snprintf(name, sizeof(name), "%.*s", (int)(n - is_beginning), text);
	if (strpbrk(name, "*?["))
		return err_say(why, -EINVAL,
			       "'%.80s' is not an interface ('*' stands at the "
			       "end of a name alone)",
			       text);
	if (is_beginning && strlen(name) < IFNAMSIZ)
		r = check_beginning(name, why);
	else
		r = interface_check(text, why);
	if (r < 0)
		return r;
	first = iface_number(name);
	*ret_element = (struct element){ .first = first, .last = first };
	if (is_beginning)
		ret_element->last |= ~(span_end)0 >> 8 * strlen(name);
	return 0;
}

void iface_format(const struct element *element,
		  char ret_text[static IFACE_TEXT_MAX])
{
	span_end same = element->first ^ element->last;
	size_t i;

	_Static_assert(IFACE_TEXT_MAX > NAME_BYTES + 1, "holds all");
	for (i = 0; i < NAME_BYTES; i++) {
		unsigned int shift = 8 * (NAME_BYTES - 1 - i);

		if (same >> shift)
			break;
		ret_text[i] = element->first >> shift & 0xff;
	}
	if (same)
		ret_text[i++] = '*';
	ret_text[i] = '\0';
}

/* ---------------------------------------------------------- of a rule */

int ifaces_add(struct ifaces *ifaces, const char *text, struct err *why)
{
	struct element element, *added;
	int r;

	if (*text == '@')
		return endpoint_add_set(text, &ifaces->sets, &ifaces->n_sets,
					why);
	r = iface_parse(text, &element, why);
	if (r < 0)
		return r;
	added = ARRAY_ADD(&ifaces->names, list);
	if (!added)
		return err_set(why, -ENOMEM, "parse");
	*added = element;
	return 0;
}

int ifaces_sort(struct ifaces *ifaces)
{
	endpoint_sort_sets(ifaces->sets, &ifaces->n_sets);
	return element_list_sort(&ifaces->names);
}

bool ifaces_are_one(const struct ifaces *ifaces,
		    char ret_name[static IFACE_TEXT_MAX])
{
	const struct element *name = ifaces->names.list;

	if (ifaces->n_sets || ifaces->names.n_list != 1 ||
	    name->first != name->last)
		return false;
	iface_format(name, ret_name);
	return true;
}

static bool has_range(const struct ifaces *ifaces, const struct element *wanted)
{
	size_t i;

	for (i = 0; i < ifaces->names.n_list; i++)
		if (ifaces->names.list[i].first <= wanted->first &&
		    ifaces->names.list[i].last >= wanted->last)
			return true;
	return false;
}

bool ifaces_may_have(const struct ifaces *ifaces, const char *name)
{
	struct element element = { .first = iface_number(name),
				   .last = iface_number(name) };

	return ifaces->n_sets || has_range(ifaces, &element);
}

bool ifaces_within(const struct ifaces *b, const struct ifaces *a)
{
	size_t i, j = 0;

	for (i = 0; i < b->names.n_list; i++)
		if (!has_range(a, &b->names.list[i]))
			return false;
	/* Names of sets are in order. */
	for (i = 0; i < b->n_sets; i++) {
		while (j < a->n_sets && strcmp(a->sets[j], b->sets[i]) < 0)
			j++;
		if (j == a->n_sets || strcmp(a->sets[j], b->sets[i]) != 0)
			return false;
	}
	return true;
}

void ifaces_put(const struct ifaces *ifaces, struct text *out)
{
	char name[IFACE_TEXT_MAX];
	const char *comma = "";
	size_t i;

	for (i = 0; i < ifaces->names.n_list; i++) {
		iface_format(&ifaces->names.list[i], name);
		text_put(out, comma);
		text_put(out, name);
		comma = ",";
	}
	for (i = 0; i < ifaces->n_sets; i++) {
		text_put(out, comma);
		text_char(out, '@');
		text_put(out, ifaces->sets[i]);
		comma = ",";
	}
}

void ifaces_clear(struct ifaces *ifaces)
{
	size_t i;

	for (i = 0; i < ifaces->n_sets; i++)
		free(ifaces->sets[i]);
	free(ifaces->sets);
	free(ifaces->names.list);
	*ifaces = (struct ifaces){ 0 };
}
