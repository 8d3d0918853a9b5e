/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ownership that can be checked by reading one function: every owning local
 * carries its destructor and an initial value, and leaves by TAKE_PTR.
 */
#ifndef WEIR_BASE_CLEANUP_H
#define WEIR_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Gives the pointer away and leaves NULL behind. */
#define TAKE_PTR(ptr)                            \
	({                                       \
		__typeof__(ptr) *pptr_ = &(ptr); \
		__typeof__(ptr) taken_ = *pptr_; \
		*pptr_ = NULL;                   \
		taken_;                          \
	})

/* Gives the descriptor away and leaves -1 behind. */
#define TAKE_FD(fd)                 \
	({                          \
		int *pfd_ = &(fd);  \
		int taken_ = *pfd_; \
		*pfd_ = -1;         \
		taken_;             \
	})

/* Defines name##p(), the cleanup of a local of type `struct x *`. */
#define DEFINE_CLEANUP(type, free_fn)            \
	static inline void free_fn##p(type *ptr) \
	{                                        \
		if (*ptr)                        \
			free_fn(*ptr);           \
	}                                        \
	struct cleanup_needs_a_semicolon_

static inline void close_fdp(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* The argument is a pointer to the local, whatever its pointer type. */
static inline void free_bufp(void *local)
{
	free(*(void **)local);
}

DEFINE_CLEANUP(FILE *, fclose);
DEFINE_CLEANUP(DIR *, closedir);

#define AUTO_CLOSE CLEANUP(close_fdp)
#define AUTO_FREE  CLEANUP(free_bufp)

#endif
