/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A compiled pattern, and the matcher that user space and BPF share. */
#ifndef WEIR_RULES_GLOB_ABI_H
#define WEIR_RULES_GLOB_ABI_H

#include <linux/types.h>

#define CGROUP_PATH_MAX	 256 /* of a pattern, with its NUL */
#define CGROUP_LEVEL_MAX 16  /* how deep below the root it may reach */
#define GLOB_CLASSES	 8   /* [...] in one pattern */

/* A token: what it is in the high byte, which in the low one. */
enum {
	GLOB_END = 0,
	GLOB_CHAR = 1 << 8,  /* | the character */
	GLOB_ANY = 2 << 8,   /* ? */
	GLOB_STAR = 3 << 8,  /* * */
	GLOB_CLASS = 4 << 8, /* | the index of its bitmap */
	GLOB_KIND = 0xff00,
};

struct glob_row {
	__u16 tokens[CGROUP_PATH_MAX];
	__u8 classes[GLOB_CLASSES][32]; /* bit c % 8 of byte c / 8 */
	__u32 group;			/* index of its row */
	__u32 level;			/* components, at least 1 */
};

_Static_assert(sizeof(struct glob_row) == 776, "no hidden padding");

/* Paths are matched in a buffer of this size, beyond which none matches. */
#define GLOB_PATH_MAX 512

/*
 * Tokens and characters tried before giving up.  A '*' starts over at most
 * once per character of its component, so this is far above what sane names
 * take; a name made to be slow ends in GLOB_TOO_HARD.
 */
#define GLOB_STEPS 512

static inline __attribute__((always_inline)) int glob_token_fits(
	const struct glob_row *row, __u16 token, __u8 c)
{
	if (c == 0)
		return 0;
	switch (token & GLOB_KIND) {
	case GLOB_CHAR:
		return (token & 0xff) == c;
	case GLOB_ANY:
		return c != '/';
	case GLOB_CLASS:
		return c != '/' &&
		       (row->classes[token & (GLOB_CLASSES - 1)][c / 8] >>
			(c % 8)) &
			       1;
	default:
		return 0;
	}
}

/* Where a match is. */
struct glob_cursor {
	__u32 token, at;	   /* what is compared next */
	__u32 star_token, star_at; /* where to start over; 0: no star yet */
};

enum {
	GLOB_TOO_HARD = -1,
	GLOB_FITS_NOT = 0,
	GLOB_FITS = 1,
	GLOB_GO_ON = 2,
};

/* Begins with a cursor of zeroes.  path has GLOB_PATH_MAX bytes. */
static inline __attribute__((always_inline)) int glob_step(
	const struct glob_row *row, const char *path, __u32 length,
	struct glob_cursor *cursor)
{
	__u32 t = cursor->token, p = cursor->at, again;
	__u16 token = row->tokens[t & (CGROUP_PATH_MAX - 1)];
	__u8 c = p < length ? path[p & (GLOB_PATH_MAX - 1)] : 0;

	if (token == GLOB_STAR) {
		cursor->token = cursor->star_token = t + 1;
		cursor->star_at = p;
		return GLOB_GO_ON;
	}
	if (token == GLOB_END && c == 0)
		return GLOB_FITS;
	if (glob_token_fits(row, token, c)) {
		cursor->token = t + 1;
		cursor->at = p + 1;
		return GLOB_GO_ON;
	}
	/* Let the last star take one more, but never a '/'. */
	again = cursor->star_at;
	if (!cursor->star_token || again >= length ||
	    path[again & (GLOB_PATH_MAX - 1)] == '/')
		return GLOB_FITS_NOT;
	cursor->token = cursor->star_token;
	cursor->at = cursor->star_at = again + 1;
	return GLOB_GO_ON;
}

#endif
