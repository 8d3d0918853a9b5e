/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/pattern.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "rules/glob.h"

/* The pattern without empty components, "." and a '/' at its end. */
static void clean(const char *pattern, char *ret_text)
{
	size_t n = 0;

	while (*pattern) {
		size_t length;

		pattern += strspn(pattern, "/");
		length = strcspn(pattern, "/");
		if (length > 0 && !(length == 1 && *pattern == '.')) {
			ret_text[n++] = '/';
			memcpy(ret_text + n, pattern, length);
			n += length;
		}
		pattern += length;
	}
	if (n == 0)
		ret_text[n++] = '/';
	ret_text[n] = '\0';
}

static int check_path(const char *pattern, struct err *why)
{
	char cleaned[CGROUP_PATH_MAX + 1];
	size_t n = strlen(pattern);
	const char *p;

	if (n >= CGROUP_PATH_MAX)
		return err_say(why, -EINVAL,
			       "'%.80s…' is %zu bytes long, %d at most",
			       pattern, n, CGROUP_PATH_MAX - 1);
	for (p = pattern; (p = strstr(p, "..")); p += 2)
		if ((p == pattern || p[-1] == '/') && (!p[2] || p[2] == '/'))
			return err_say(why, -EINVAL,
				       "'%s' has a '..' (write the path in "
				       "full)",
				       pattern);
	clean(pattern, cleaned);
	if (strncmp(pattern, "/sys/fs/cgroup/", 15) == 0)
		return err_say(why, -EINVAL,
			       "'%s' begins with the mount (try %s)", pattern,
			       cleaned + 14);
	if (strcmp(cleaned, pattern) != 0)
		return err_say(why, -EINVAL,
			       "'%s' is not a path below the cgroup mount (try "
			       "%s)",
			       pattern, cleaned);
	return 0;
}

int pattern_check(const char *pattern, struct err *why)
{
	struct glob_row row;
	int r;

	r = check_path(pattern, why);
	if (r < 0)
		return r;
	r = glob_compile(pattern, &row);
	if (r == -E2BIG)
		return err_say(why, -EINVAL,
			       "'%s' has more than %d [...] (try * or ?)",
			       pattern, GLOB_CLASSES);
	if (r < 0)
		return err_say(why, -EINVAL,
			       "'%s' has a [ that is not closed, or a range "
			       "that runs backwards (try [a-z])",
			       pattern);
	if (row.level > CGROUP_LEVEL_MAX)
		return err_say(why, -EINVAL,
			       "'%s' is %u folders deep, %d at most", pattern,
			       row.level, CGROUP_LEVEL_MAX);
	return 0;
}
