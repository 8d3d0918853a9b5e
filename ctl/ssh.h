/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a policy would cut off the SSH connection that it is applied
 * through, as SSH_CONNECTION names it.
 */
#ifndef WEIR_CTL_SSH_H
#define WEIR_CTL_SSH_H

#include <stdbool.h>

#include "rules/image.h"

#define SSH_CONNECTION_MAX 160

/*
 * The value of SSH_CONNECTION: our own, or, where that is not set, the one that
 * the nearest process above us has which was started with it.  Set to nothing
 * it is none.
 */
bool ssh_connection(char ret_value[static SSH_CONNECTION_MAX]);

/*
 * Warns on standard error, with the rule's file and line, or says why it was
 * not looked at; without such a connection it does nothing.  mount: of cgroup2.
 */
void ssh_warn(const struct image *image, const char *mount);

/*
 * The same for an image that was only compiled: rules get the index of the
 * interface of that connection.
 */
void ssh_warn_compiled(struct image *image);

#endif
