/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/label.h"

#include <limits.h>
#include <net/if.h>
#include <string.h>

#define FIRST_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789"
#define CHARACTERS	 FIRST_CHARACTERS "_.-"

/* Fills in what would do: lower case, and '-' for what is not allowed. */
static void repair(const char *text, char *ret_text, size_t size)
{
	size_t i;

	for (i = 0; i < size - 1 && text[i]; i++) {
		char c = text[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (!strchr(i ? CHARACTERS : FIRST_CHARACTERS, c))
			c = i ? '-' : 'x';
		ret_text[i] = c;
	}
	ret_text[i] = '\0';
}

int label_check(const char *text, struct err *why)
{
	size_t n = strlen(text);
	char repaired[LABEL_MAX + 1];

	if (n > LABEL_MAX)
		return err_say(why, -EINVAL,
			       "name '%.80s' is %zu bytes long, %d at most",
			       text, n, LABEL_MAX);
	if (n > 0 && strchr(FIRST_CHARACTERS, *text) &&
	    strspn(text, CHARACTERS) == n)
		return 0;
	if (n == 0)
		return err_say(why, -EINVAL, "the name is missing");
	repair(text, repaired, sizeof(repaired));
	return err_say(why, -EINVAL,
		       "'%s' is not a name: lower case letters, digits, '_', "
		       "'.' and '-' (try %s)",
		       text, repaired);
}

int interface_check(const char *text, struct err *why)
{
	size_t n = strlen(text);

	if (n >= IFNAMSIZ)
		return err_say(why, -EINVAL,
			       "interface '%.80s' is %zu bytes long, %d at "
			       "most",
			       text, n, IFNAMSIZ - 1);
	if (strpbrk(text, "*?["))
		return err_say(why, -EINVAL,
			       "'%s' is not an interface: each is named in "
			       "full",
			       text);
	if (n == 0 || strpbrk(text, "/: \t,\"%") || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0)
		return err_say(why, -EINVAL,
			       "'%s' is not the name of an interface", text);
	return 0;
}

int netns_check(const char *text, struct err *why)
{
	if (*text == '/')
		return err_say(why, -EINVAL,
			       "'%.200s' is not a namespace: a name below "
			       "/run/netns, not a path",
			       text);
	if (!*text || strpbrk(text, "/ \t,\"") || strlen(text) > NAME_MAX ||
	    strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return err_say(why, -EINVAL,
			       "'%.200s' is not a name below /run/netns", text);
	return 0;
}
