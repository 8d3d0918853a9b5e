/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/address.h"
#include "rules/label.h"
#include "rules/port.h"

int endpoint_add_set(const char *text, char ***names, size_t *n,
		     struct err *why)
{
	AUTO_FREE char *copy = NULL;
	char **name;
	int r;

	r = label_check(text + 1, why);
	if (r < 0)
		return err_wrap(why, r, "'%.80s'", text);
	copy = strdup(text + 1);
	name = copy ? array_grow(names, n, sizeof(**names)) : NULL;
	if (!name)
		return err_set(why, -ENOMEM, "parse");
	*name = TAKE_PTR(copy);
	return 0;
}

int endpoint_add_address(struct endpoint *endpoint, const char *text,
			 struct err *why)
{
	struct network network, *added;
	int r;

	if (*text == '@')
		return endpoint_add_set(text, &endpoint->sets,
					&endpoint->n_sets, why);
	r = network_parse(text, &network, why);
	if (r < 0)
		return r;
	added = ARRAY_ADD(endpoint, networks);
	if (!added)
		return err_set(why, -ENOMEM, "parse");
	*added = network;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void endpoint_sort_sets(char **names, size_t *n)
{
	size_t i, kept = 0;

	if (*n)
		qsort(names, *n, sizeof(*names), compare_names);
	for (i = 0; i < *n; i++) {
		if (i > 0 && strcmp(names[kept - 1], names[i]) == 0)
			free(names[i]);
		else
			names[kept++] = names[i];
	}
	*n = kept;
}

void endpoint_sort(struct endpoint *endpoint)
{
	networks_merge(endpoint->networks, &endpoint->n_networks);
	ports_merge(endpoint->ports, &endpoint->n_ports);
	endpoint_sort_sets(endpoint->sets, &endpoint->n_sets);
	endpoint_sort_sets(endpoint->port_sets, &endpoint->n_port_sets);
}

void endpoint_put_addresses(const struct endpoint *endpoint, struct text *out)
{
	char network[NETWORK_TEXT_MAX];
	const char *comma = "";
	size_t i;

	for (i = 0; i < endpoint->n_networks; i++) {
		network_format(&endpoint->networks[i], network);
		text_put(out, comma);
		text_put(out, network);
		comma = ",";
	}
	for (i = 0; i < endpoint->n_sets; i++) {
		text_put(out, comma);
		text_char(out, '@');
		text_put(out, endpoint->sets[i]);
		comma = ",";
	}
}

void endpoint_clear(struct endpoint *endpoint)
{
	size_t i;

	for (i = 0; i < endpoint->n_sets; i++)
		free(endpoint->sets[i]);
	for (i = 0; i < endpoint->n_port_sets; i++)
		free(endpoint->port_sets[i]);
	free(endpoint->sets);
	free(endpoint->port_sets);
	free(endpoint->networks);
	free(endpoint->ports);
}
