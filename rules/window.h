/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a TCP segment is within its connection's windows, for BPF as for
 * tests: arithmetic alone.  What is outside and what is only passed over are
 * those of netfilter since Linux 6.2; docs/state.md has what differs.
 *
 * A segment is outside if it begins behind all that the other side has offered
 * to take, or acknowledges what that has not sent.  What is older than the
 * windows is passed over: the receiver answers it, and nothing is learnt.
 */
#ifndef WEIR_RULES_WINDOW_H
#define WEIR_RULES_WINDOW_H

#include <linux/types.h>

#include "rules/flow_abi.h"
#include "rules/tcp_flags.h"

/* Numbers in host order. */
struct window_segment {
	__u32 sequence, acked;
	__u32 end;    /* the sequence number behind it; SYN and FIN have one */
	__u16 window; /* as it stands in the header */
	__u8 flags;
	__u8 role;   /* 0: of who spoke first */
	__u8 scale;  /* of a SYN: its option, 0 without */
	__u8 scaled; /* WINDOW_SCALED with it, else 0 */
	__u8 pad[2];
};

/* What the connection has come to, as window_judge needs it: bits. */
enum {
	WINDOW_CLOSING = 1 << 0, /* a FIN or an RST was believed */
	WINDOW_PROVEN = 1 << 1,	 /* as FLOW_PROVEN */
	WINDOW_REPLIED = 1 << 2, /* as FLOW_REPLIED */
};

enum {
	WINDOW_FITS,
	WINDOW_PASSED_OVER, /* part of it, but nothing is learnt */
	WINDOW_OUTSIDE,
};

/* A late acknowledgement may be so far behind: netfilter's. */
#define WINDOW_LATE_ACK 66000

/* What a segment is by its flags. */
static inline __attribute__((always_inline)) __u32 window_kind(__u32 flags)
{
	if (flags & TCP_RST)
		return WINDOW_RST;
	if (flags & TCP_SYN)
		return flags & TCP_ACK ? WINDOW_SYN_ACK : WINDOW_SYN;
	return flags & TCP_FIN ? WINDOW_FIN : WINDOW_ACK;
}

/* Of sequence numbers less than 2^31 apart. */
static inline __attribute__((always_inline)) int window_after(__u32 a, __u32 b)
{
	return (__s32)(b - a) < 0;
}

/* By arithmetic, here and below: the verifier follows each branch to the end.
 */
static inline __attribute__((always_inline)) __u32 window_at_least_1(
	__u32 window)
{
	return window + ((window - 1) >> 31);
}

/* A side begins with its SYN; that of an answer settles whether both scale. */
static inline __attribute__((always_inline)) void window_call(
	struct window_side *sender, struct window_side *receiver,
	const struct window_segment *segment)
{
	__u8 both = segment->scaled & receiver->flags;
	__u8 counts = (both / WINDOW_SCALED | (segment->role ^ 1)) & 1;

	sender->end = sender->edge = segment->end;
	sender->window = window_at_least_1(segment->window);
	sender->flags = (sender->flags & WINDOW_LIBERAL) | segment->scaled;
	sender->scale = segment->scale * counts;
	receiver->scale *= counts;
}

/*
 * The first segment that is looked at, of a connection's own or not: what came
 * before that is not known, and the scale neither.
 */
static inline __attribute__((always_inline)) void window_begin(
	struct window_side *sender, struct window_side *receiver,
	struct window_last *last, const struct window_segment *segment)
{
	__builtin_memset(receiver, 0, sizeof(*receiver));
	__builtin_memset(sender, 0, sizeof(*sender));
	__builtin_memset(last, 0, sizeof(*last));
	last->kind = window_kind(segment->flags);
	last->role = segment->role;
	if (last->kind == WINDOW_ACK)
		last->end = segment->end;
	if (last->kind == WINDOW_SYN && !segment->role) {
		window_call(sender, receiver, segment);
		return;
	}
	sender->flags = receiver->flags = WINDOW_LIBERAL;
	sender->end = segment->end;
	sender->window = window_at_least_1(segment->window);
	sender->edge = sender->end + sender->window;
}

/* The first segment of a side, where the other was heard before. */
static inline __attribute__((always_inline)) void window_answer(
	struct window_side *sender, struct window_side *receiver,
	const struct window_segment *segment)
{
	sender->end = segment->end;
	sender->window = window_at_least_1(segment->window << sender->scale);
	sender->edge = sender->end + sender->window;
	if (!receiver->window)
		receiver->end = receiver->edge = segment->acked;
	else if (segment->acked == receiver->end + 1)
		receiver->end++; /* it was a keepalive that is answered */
}

static inline __attribute__((always_inline)) __u32 window_late(
	const struct window_side *sender, const struct window_side *receiver)
{
	__u32 most = sender->window > WINDOW_LATE_ACK ? sender->window
						      : WINDOW_LATE_ACK;

	return receiver->end - most - 1;
}

/* Takes over what a segment within the windows says. */
static inline __attribute__((always_inline)) void window_learn(
	struct window_side *sender, struct window_side *receiver,
	const struct window_segment *segment, __u32 end, __u32 acked)
{
	__u32 window = segment->window;

	if (!(segment->flags & TCP_SYN))
		window <<= sender->scale;
	if (sender->window < window)
		sender->window = window;
	if (window_after(end, sender->end))
		sender->end = end;
	if (segment->flags & TCP_ACK && (!(sender->flags & WINDOW_ACKED) ||
					 window_after(acked, sender->acked))) {
		sender->acked = acked;
		sender->flags |= WINDOW_ACKED;
	}
	if (receiver->window && window_after(end, sender->edge))
		receiver->window += end - sender->edge;
	/* A window of nothing is probed with a byte. */
	if (window_after(acked + window, receiver->edge - 1))
		receiver->edge = acked + window_at_least_1(window);
}

/* Of a segment that begins behind the window. */
static inline __attribute__((always_inline)) int window_beyond(
	struct window_side *sender, const struct window_side *receiver,
	__u32 end, __u32 acked)
{
	__u32 beyond = end - sender->edge + 1;

	if (!receiver->window || beyond > receiver->window ||
	    window_after(acked, receiver->end) ||
	    !window_after(end, sender->end - receiver->window - 1) ||
	    !window_after(acked, window_late(sender, receiver)))
		return WINDOW_OUTSIDE;
	/* Some send a little more; who takes it will acknowledge it. */
	sender->end = end;
	return WINDOW_PASSED_OVER;
}

/* The windows themselves. */
static inline __attribute__((always_inline)) int window_compare(
	struct window_side *sender, struct window_side *receiver,
	const struct window_segment *segment, __u32 sequence, __u32 end,
	__u32 acked)
{
	if (window_after(sequence, sender->edge))
		return window_beyond(sender, receiver, end, acked);
	if (window_after(acked, receiver->end))
		return WINDOW_OUTSIDE;
	if (receiver->window &&
	    !window_after(end, sender->end - receiver->window - 1))
		return WINDOW_PASSED_OVER;
	if (!window_after(acked, window_late(sender, receiver)))
		return WINDOW_PASSED_OVER;
	window_learn(sender, receiver, segment, end, acked);
	return WINDOW_FITS;
}

/* opening: who was called has not been heard. */
static inline __attribute__((always_inline)) int window_check(
	struct window_side *sender, struct window_side *receiver,
	const struct window_segment *segment, int opening)
{
	__u32 sequence = segment->sequence, end = segment->end;
	__u32 acked = segment->acked, flags = segment->flags;
	int found;

	if (flags & TCP_SYN &&
	    (!sender->window ||
	     (!receiver->window && window_after(end, sender->end)))) {
		window_call(sender, receiver, segment);
		if (segment->role && !(flags & TCP_ACK))
			return WINDOW_FITS; /* both call at once */
	} else if (!sender->window) {
		window_answer(sender, receiver, segment);
	}
	/* Some put a zero beside the flag of an RST. */
	if (!(flags & TCP_ACK) || (flags & TCP_RST && !acked))
		acked = receiver->end;
	if (flags & TCP_RST && !sequence && opening)
		sequence = end = sender->end;
	found = window_compare(sender, receiver, segment, sequence, end, acked);
	return sender->flags & WINDOW_LIBERAL ? WINDOW_FITS : found;
}

/* What is to be done of an RST. */
enum {
	RESET_CHECK,
	RESET_DOUBT, /* the same, but it ends nothing */
	RESET_FITS,
	RESET_OUTSIDE,
};

/*
 * An RST ends a connection only where the receiver waits for exactly that
 * number (RFC 5961); one that answers what was passed over does, too.
 */
static inline __attribute__((always_inline)) int window_reset(
	const struct window_side *receiver, const struct window_last *last,
	const struct window_segment *segment, __u32 come, int opening)
{
	int established = come & WINDOW_PROVEN, doubt = RESET_CHECK;
	__u32 sequence = segment->sequence;

	if (come & WINDOW_CLOSING)
		return RESET_FITS;
	if (receiver->flags & WINDOW_ACKED && last->kind != WINDOW_SYN) {
		if (!sequence && !established)
			return RESET_CHECK;
		if (window_after(receiver->acked, sequence))
			return RESET_OUTSIDE;
		if (!established || sequence == receiver->acked ||
		    (last->kind == WINDOW_ACK && last->role == segment->role &&
		     sequence == last->end))
			return RESET_CHECK;
		doubt = RESET_DOUBT;
	}
	if (segment->acked == last->end &&
	    ((come & WINDOW_REPLIED && last->kind == WINDOW_SYN) ||
	     (!established && last->kind == WINDOW_ACK)))
		return RESET_FITS;
	if (opening && last->kind == WINDOW_ACK && last->role &&
	    sequence == last->acked)
		return RESET_FITS;
	return doubt;
}

static inline __attribute__((always_inline)) void window_note(
	struct window_last *last, const struct window_segment *segment,
	__u32 kind)
{
	last->kind = kind;
	last->role = segment->role;
	last->end = segment->end;
	last->window = segment->window;
	if (kind == WINDOW_SYN) {
		last->scale = segment->scale;
		last->flags = segment->scaled;
	}
}

/*
 * A SYN/ACK that answers a SYN which was passed over: both ends know better.
 * Who called begins as that SYN had it, the other with the segment.
 */
static inline __attribute__((always_inline)) int window_catch_up(
	struct window_side *sender, struct window_side *receiver,
	const struct window_last *last, const struct window_segment *segment)
{
	if (last->kind != WINDOW_SYN || last->role == segment->role ||
	    segment->acked != last->end)
		return 0;
	receiver->end = receiver->edge = last->end;
	receiver->window = window_at_least_1(last->window);
	receiver->scale = last->scale;
	receiver->flags = last->flags;
	sender->end = sender->edge = sender->window = sender->acked = 0;
	sender->scale = 0;
	sender->flags &= WINDOW_LIBERAL;
	return 1;
}

/* Whether a segment is noted only; the flags of the table of TCP allow it. */
static inline __attribute__((always_inline)) int window_is_noted(
	struct window_side *sender, struct window_side *receiver,
	const struct window_last *last, const struct window_segment *segment,
	__u32 kind, __u32 come)
{
	if (kind == WINDOW_SYN)
		return !segment->role && receiver->window;
	if (kind == WINDOW_SYN_ACK)
		return segment->role && sender->window &&
		       !window_catch_up(sender, receiver, last, segment);
	/* The other end has half of an older one, and says so. */
	return kind == WINDOW_ACK && segment->role && !sender->window &&
	       !(sender->flags & WINDOW_LIBERAL) && !(come & WINDOW_CLOSING);
}

/*
 * What a segment is to the windows: WINDOW_*; sender, receiver and last become
 * what they are behind it.  Not for the first one: window_begin.
 */
static inline __attribute__((always_inline)) int window_judge(
	struct window_side *sender, struct window_side *receiver,
	struct window_last *last, const struct window_segment *segment,
	__u32 come)
{
	__u32 kind = window_kind(segment->flags);
	int opening = segment->role ? !sender->window : !receiver->window;
	int found = WINDOW_FITS, reset = RESET_CHECK;

	if (window_is_noted(sender, receiver, last, segment, kind, come)) {
		window_note(last, segment, kind);
		last->acked = segment->acked;
		return kind == WINDOW_ACK ? WINDOW_FITS : WINDOW_PASSED_OVER;
	}
	if (kind == WINDOW_RST)
		reset = window_reset(receiver, last, segment, come, opening);
	if (reset == RESET_OUTSIDE)
		return WINDOW_OUTSIDE;
	if (reset != RESET_FITS)
		found = window_check(sender, receiver, segment, opening);
	if (found != WINDOW_FITS)
		return found;
	last->kind = kind;
	last->role = segment->role;
	if (kind == WINDOW_ACK)
		last->end = segment->end;
	return reset == RESET_DOUBT ? WINDOW_PASSED_OVER : WINDOW_FITS;
}

#endif
