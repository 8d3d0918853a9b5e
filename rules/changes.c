/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/image_diff.h"

void changes_clear(struct changes *changes)
{
	size_t i;

	for (i = 0; i < changes->n_list; i++)
		free(changes->list[i].name);
	free(changes->list);
	*changes = (struct changes){ 0 };
}

/* One piece of memory for both texts: of rules there can be very many. */
int change_add_text(struct changes *changes, enum change_action action,
		    const char *object, const char *name, const char *detail)
{
	size_t n_name = strlen(name) + 1, n_detail = strlen(detail) + 1;
	AUTO_FREE char *texts = malloc(n_name + n_detail);
	struct change *change;

	change = texts ? ARRAY_ADD(changes, list) : NULL;
	if (!change)
		return -ENOMEM;
	memcpy(texts, name, n_name);
	memcpy(texts + n_name, detail, n_detail);
	change->action = action;
	change->object = object;
	change->name = TAKE_PTR(texts);
	change->detail = change->name + n_name;
	return 0;
}

int change_add(struct changes *changes, enum change_action action,
	       const char *object, const char *name, const char *fmt, ...)
{
	AUTO_FREE char *detail = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&detail, fmt, ap);
	va_end(ap);
	if (r < 0) {
		detail = NULL;
		return -ENOMEM;
	}
	return change_add_text(changes, action, object, name, detail);
}
