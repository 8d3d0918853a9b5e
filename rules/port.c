/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/port.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "rules/terms.h"

/* Names are not looked up: a policy must not depend on /etc/services. */
static const struct term services[] = {
	{ "ssh", 22 },	   { "smtp", 25 },   { "domain", 53 },
	{ "dns", 53 },	   { "http", 80 },   { "ntp", 123 },
	{ "imap", 143 },   { "https", 443 }, { "postgres", 5432 },
	{ "mysql", 3306 }, { NULL, 0 },
};

unsigned int port_of_service(const char *name)
{
	const struct term *service = term_find(services, name);

	return service ? service->value : 0;
}

static int not_a_port(const char *text, struct err *why)
{
	unsigned int port = port_of_service(text);

	if (port)
		return err_say(why, -EINVAL, "'%s' is not a port (try %u)",
			       text, port);
	return err_say(why, -EINVAL,
		       "'%.80s' is not a port (0 to 65535, or a range such as "
		       "1024-65535)",
		       text);
}

int port_parse(const char *text, struct port_range *ret_range, struct err *why)
{
	const char *p = text;
	uint64_t first, last;

	if (number_scan(&p, UINT16_MAX, &first) < 0)
		return not_a_port(text, why);
	last = first;
	if (*p == '-') {
		p++;
		if (number_scan(&p, UINT16_MAX, &last) < 0)
			return not_a_port(text, why);
	}
	if (*p)
		return not_a_port(text, why);
	if (first > last)
		return err_say(why, -EINVAL, "'%s' runs backwards (try %u-%u)",
			       text, (unsigned int)last, (unsigned int)first);
	ret_range->first = first;
	ret_range->last = last;
	return 0;
}

void port_format(const struct port_range *range,
		 char ret_text[static PORT_TEXT_MAX])
{
	char *end = number_format(range->first, ret_text);

	if (range->first == range->last)
		return;
	*end++ = '-';
	number_format(range->last, end);
}

static int compare_ports(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->last < y->last ? -1 : x->last > y->last;
}

void ports_sort(struct port_range *ports, size_t *n)
{
	size_t i, kept = 0;

	if (*n > 1)
		qsort(ports, *n, sizeof(*ports), compare_ports);
	for (i = 0; i < *n; i++)
		if (i == 0 || compare_ports(&ports[kept - 1], &ports[i]) != 0)
			ports[kept++] = ports[i];
	*n = kept;
}

void ports_merge(struct port_range *ports, size_t *n)
{
	size_t i, kept = 0;

	ports_sort(ports, n);
	for (i = 1; i < *n; i++) {
		struct port_range *last = &ports[kept];

		if (ports[i].first > last->last + 1)
			ports[++kept] = ports[i];
		else if (ports[i].last > last->last)
			last->last = ports[i].last;
	}
	if (*n)
		*n = kept + 1;
}
