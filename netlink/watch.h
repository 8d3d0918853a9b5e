/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Being told that links of our own network namespace change. */
#ifndef WEIR_NETLINK_WATCH_H
#define WEIR_NETLINK_WATCH_H

#include "base/cleanup.h"
#include "base/err.h"

struct watch;

int watch_open(struct watch **ret_watch, struct err *err);
void watch_close(struct watch *watch);
DEFINE_CLEANUP(struct watch *, watch_close);

/* To be polled for input; it stays the watch's. */
int watch_fd(const struct watch *watch);

/* Reads what has come, so that the next change wakes the poll again. */
void watch_drain(struct watch *watch);

#endif
