/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a store, and trees in them; only for the makers of stores. */
#ifndef WEIR_RULES_SET_TREE_H
#define WEIR_RULES_SET_TREE_H

#include "rules/set_steps.h"

struct set_lines;

/*
 * For lines that are mapped when they are wanted, because to map all takes
 * longer than to change one.  Where that fails, others are there in their
 * place, and r says why.
 */
struct set_pages {
	void (*map)(struct set_pages *pages, const struct set_lines *lines,
		    uint32_t first, uint32_t n);
	int r;
};

/* Either grows, or has room for so many and no more. */
struct set_lines {
	union set_line *lines;
	uint32_t n, room;
	bool is_fixed;		 /* and somebody else's */
	struct set_pages *pages; /* NULL: all is there */
};

/* Line i, below n or room. */
static inline union set_line *set_line_at(const struct set_lines *lines,
					  uint32_t i)
{
	if (lines->pages)
		lines->pages->map(lines->pages, lines, i, 1);
	return &lines->lines[i];
}

void set_lines_clear(struct set_lines *lines);

/*
 * Takes the next n lines, zeroed, and says which is the first.  -ENOSPC where
 * there is no room for them, -ENOMEM.
 */
int set_lines_take(struct set_lines *lines, uint32_t n, uint32_t *ret_first);

/* Likewise, as words of values. */
int set_lines_take_words(struct set_lines *lines, size_t n,
			 uint32_t *ret_first);

/*
 * Makes a tree of steps that go up to the greatest address.  Its line; 0 where
 * all have the value none.
 */
int tree_make(struct set_lines *lines, unsigned int family,
	      const struct steps *steps, uint32_t none, uint32_t *ret_tree);

/* The address of a tree's key, one of n_keys, as far as lines reach. */
span_end tree_key(const struct set_lines *lines, const struct set_tree *tree,
		  uint32_t index);

/* The number of the interval that an address is in. */
uint32_t tree_interval(const struct set_lines *lines,
		       const struct set_tree *tree, span_end address);

/* The value of the interval; where they alternate, SET_OUT or SET_FOREVER. */
uint32_t tree_value(const struct set_lines *lines, const struct set_tree *tree,
		    uint32_t interval);

#endif
