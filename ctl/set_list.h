/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WEIR_CTL_SET_LIST_H
#define WEIR_CTL_SET_LIST_H

#include "ctl/command.h"

/* weirctl set list [SET]; what to exit with. */
int set_list(const struct call *call);

#endif
