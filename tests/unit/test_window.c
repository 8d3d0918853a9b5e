/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The windows of TCP: what is within, also where numbers wrap around. */
#include "tests/unit/unit.h"

#include <string.h>

#include "rules/window.h"

#define A TCP_ACK
#define S TCP_SYN
#define F TCP_FIN
#define R TCP_RST

enum {
	CALLER,
	CALLED
};

/* A connection as a device sees it; numbers count from where it began. */
struct talk {
	struct flow_window window;
	uint32_t isn[2]; /* of who calls and who is called */
	uint32_t come;
	int has_begun;
};

static int tell(struct talk *talk, const struct window_segment *segment)
{
	struct flow_window *w = &talk->window;
	struct window_side *sender = &w->sides[segment->role];
	struct window_side *receiver = &w->sides[!segment->role];

	if (segment->role)
		talk->come |= WINDOW_REPLIED;
	if (talk->has_begun)
		return window_judge(sender, receiver, &w->last, segment,
				    talk->come);
	window_begin(sender, receiver, &w->last, segment);
	talk->has_begun = 1;
	return WINDOW_FITS;
}

static int say(struct talk *talk, uint8_t role, uint8_t flags,
	       uint32_t sequence, uint32_t acked, uint32_t length,
	       uint16_t window)
{
	struct window_segment segment = {
		.sequence = talk->isn[role] + sequence,
		.acked = flags & A ? talk->isn[!role] + acked : 0,
		.window = window,
		.flags = flags,
		.role = role,
	};

	segment.end = segment.sequence + length + !!(flags & (S | F));
	return tell(talk, &segment);
}

static int call(struct talk *talk, uint8_t role, uint8_t flags, uint16_t window,
		int scale)
{
	struct window_segment segment = {
		.sequence = talk->isn[role],
		.acked = flags & A ? talk->isn[!role] + 1 : 0,
		.end = talk->isn[role] + 1,
		.window = window,
		.flags = flags,
		.role = role,
		.scale = scale < 0 ? 0 : scale,
		.scaled = scale < 0 ? 0 : WINDOW_SCALED,
	};

	return tell(talk, &segment);
}

/* Where connections begin: so that numbers wrap around early and late. */
static const uint32_t starts[][2] = {
	{ 100, 900 },
	{ 0xffffffff, 0xfffffff0 },
	{ 0xffff8000, 0x7fffffff },
	{ 0, 0xfffffffe },
	{ 0x80000000, 0x7fff0000 },
};

/* Open, with windows of so many bytes, and these scales or none (-1). */
static struct talk open_talk(size_t start, uint16_t window, int scale,
			     int scale_called)
{
	struct talk talk = { 0 };

	memcpy(talk.isn, starts[start], sizeof(talk.isn));
	assert_int_equal(call(&talk, CALLER, S, window, scale), WINDOW_FITS);
	assert_int_equal(call(&talk, CALLED, S | A, window, scale_called),
			 WINDOW_FITS);
	assert_int_equal(say(&talk, CALLER, A, 1, 1, 0, window), WINDOW_FITS);
	talk.come |= WINDOW_PROVEN;
	return talk;
}

#define EACH_START(i) \
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)

static void data_is_within_what_was_offered(void **state)
{
	(void)state;
	EACH_START(i)
	{
		struct talk t = open_talk(i, 1000, -1, -1);

		assert_int_equal(say(&t, CALLER, A, 1, 1, 500, 1000),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, A, 501, 1, 500, 1000),
				 WINDOW_FITS);
		/* A little too much is passed over, more is outside. */
		assert_int_equal(say(&t, CALLER, A, 1002, 1, 100, 1000),
				 WINDOW_PASSED_OVER);
		assert_int_equal(say(&t, CALLER, A, 1002, 1, 1000, 1000),
				 WINDOW_OUTSIDE);
		assert_int_equal(say(&t, CALLER, A | F, 90000, 1, 0, 1000),
				 WINDOW_OUTSIDE);
		assert_int_equal(say(&t, CALLER, A, 0x7fff0000, 1, 10, 1000),
				 WINDOW_OUTSIDE);
		/* The other side takes it, and offers more. */
		assert_int_equal(say(&t, CALLED, A, 1, 1001, 0, 1000),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, A, 1002, 1, 999, 1000),
				 WINDOW_FITS);
	}
}

static void nobody_acknowledges_what_was_not_sent(void **state)
{
	(void)state;
	EACH_START(i)
	{
		struct talk t = open_talk(i, 1000, -1, -1);

		assert_int_equal(say(&t, CALLED, A, 1, 2, 0, 1000),
				 WINDOW_OUTSIDE);
		say(&t, CALLER, A, 1, 1, 100, 1000);
		assert_int_equal(say(&t, CALLED, A, 1, 102, 0, 1000),
				 WINDOW_OUTSIDE);
		assert_int_equal(say(&t, CALLED, A, 1, 101, 0, 1000),
				 WINDOW_FITS);
	}
}

static void what_is_old_is_passed_over(void **state)
{
	(void)state;
	EACH_START(i)
	{
		struct talk t = open_talk(i, 1000, -1, -1);
		uint32_t n;

		for (n = 0; n < 100; n++) {
			assert_int_equal(
				say(&t, CALLER, A, 1 + n * 1000, 1, 1000, 1000),
				WINDOW_FITS);
			assert_int_equal(
				say(&t, CALLED, A, 1, 1001 + n * 1000, 0, 1000),
				WINDOW_FITS);
		}
		/* Sent again: as far back as a window fits, and further. */
		assert_int_equal(say(&t, CALLER, A, 99001, 1, 1000, 1000),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, A, 1, 1, 1000, 1000),
				 WINDOW_PASSED_OVER);
		assert_int_equal(say(&t, CALLED, A, 1, 99001, 0, 1000),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLED, A, 1, 1001, 0, 1000),
				 WINDOW_PASSED_OVER);
		/* A keepalive begins with what was acknowledged. */
		assert_int_equal(say(&t, CALLER, A, 100000, 1, 0, 1000),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, A, 100000, 1, 1, 1000),
				 WINDOW_FITS);
	}
}

static void windows_have_the_scale_that_both_called_with(void **state)
{
	static const int scales[] = { 0, 7, 14 };
	size_t j;

	(void)state;
	EACH_START(i)
	{
		for (j = 0; j < 3; j++) {
			struct talk t = open_talk(i, 1000, 3, scales[j]);
			uint32_t most = 1000u << scales[j];

			/* Of the SYN itself it is not scaled. */
			assert_int_equal(say(&t, CALLER, A, 2002, 1, 10, 1000),
					 WINDOW_OUTSIDE);
			say(&t, CALLER, A, 1, 1, 1000, 1000);
			say(&t, CALLED, A, 1, 1001, 0, 1000);
			assert_int_equal(
				say(&t, CALLER, A, 1001 + most, 1, 1, 1000),
				WINDOW_FITS);
			t = open_talk(i, 1000, -1, scales[j]);
			say(&t, CALLER, A, 1, 1, 1000, 1000);
			say(&t, CALLED, A, 1, 1001, 0, 1000);
			assert_int_equal(
				say(&t, CALLER, A, 2002, 1, 2000, 1000),
				WINDOW_OUTSIDE);
		}
	}
}

static void a_window_of_nothing_is_probed_with_a_byte(void **state)
{
	(void)state;
	EACH_START(i)
	{
		struct talk t = open_talk(i, 1000, -1, -1);

		say(&t, CALLER, A, 1, 1, 1000, 1000);
		assert_int_equal(say(&t, CALLED, A, 1, 1001, 0, 0),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, A, 1001, 1, 1, 1000),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, A, 1003, 1, 2000, 1000),
				 WINDOW_OUTSIDE);
	}
}

static void a_reset_has_the_number_that_is_waited_for(void **state)
{
	(void)state;
	EACH_START(i)
	{
		struct talk t = open_talk(i, 1000, -1, -1), other;

		say(&t, CALLED, A, 1, 1, 100, 1000);
		say(&t, CALLER, A, 1, 101, 0, 1000);
		assert_int_equal(say(&t, CALLED, R, 100, 0, 0, 0),
				 WINDOW_OUTSIDE);
		assert_int_equal(say(&t, CALLED, R, 90000, 0, 0, 0),
				 WINDOW_OUTSIDE);
		assert_int_equal(say(&t, CALLED, R, 200, 0, 0, 0),
				 WINDOW_PASSED_OVER);
		other = t;
		assert_int_equal(say(&t, CALLED, R, 101, 0, 0, 0), WINDOW_FITS);
		/* Behind data that is not acknowledged yet. */
		say(&other, CALLED, A, 101, 1, 50, 1000);
		assert_int_equal(say(&other, CALLED, R | A, 151, 1, 0, 0),
				 WINDOW_FITS);
		other.come |= WINDOW_CLOSING;
		assert_int_equal(say(&other, CALLED, R, 90000, 0, 0, 0),
				 WINDOW_FITS);
	}
}

static void a_call_that_is_refused_or_sent_again(void **state)
{
	(void)state;
	EACH_START(i)
	{
		struct talk t = { 0 };
		struct window_segment refused = { .flags = R | A,
						  .role = CALLED };

		memcpy(t.isn, starts[i], sizeof(t.isn));
		call(&t, CALLER, S, 1000, 7);
		assert_int_equal(call(&t, CALLER, S, 1000, 7), WINDOW_FITS);
		refused.acked = t.isn[CALLER] + 1;
		assert_int_equal(tell(&t, &refused), WINDOW_FITS);
		/* With another number, from which all counts then. */
		memset(&t, 0, sizeof(t));
		memcpy(t.isn, starts[i], sizeof(t.isn));
		call(&t, CALLER, S, 1000, 7);
		t.isn[CALLER] += 5000;
		assert_int_equal(call(&t, CALLER, S, 1000, 7), WINDOW_FITS);
		assert_int_equal(call(&t, CALLED, S | A, 1000, 7), WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, A, 1, 1, 1000, 8),
				 WINDOW_FITS);
	}
}

/* RFC 5961: the receiver answers with what it has, or takes it. */
static void a_call_in_a_connection_is_passed_over(void **state)
{
	(void)state;
	EACH_START(i)
	{
		struct talk t = open_talk(i, 1000, -1, -1), other;

		say(&t, CALLED, A, 1, 1, 100, 1000);
		say(&t, CALLER, A, 1, 101, 0, 1000);
		t.isn[CALLER] += 70000000;
		assert_int_equal(call(&t, CALLER, S, 500, 7),
				 WINDOW_PASSED_OVER);
		other = t;
		/* The answer is of the old one: so is what follows. */
		t.isn[CALLER] -= 70000000;
		assert_int_equal(say(&t, CALLED, A, 101, 1, 0, 1000),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, R, 1, 0, 0, 0), WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, A, 1, 101, 10, 1000),
				 WINDOW_FITS);
		/* It is of the new one. */
		other.isn[CALLED] += 9000000;
		assert_int_equal(call(&other, CALLED, S | A, 1000, 7),
				 WINDOW_FITS);
		assert_int_equal(say(&other, CALLER, A, 1, 1, 1000, 8),
				 WINDOW_FITS);
		assert_int_equal(say(&other, CALLED, A, 1, 1001, 1024, 8),
				 WINDOW_FITS);
	}
}

static void both_may_call_at_once(void **state)
{
	(void)state;
	EACH_START(i)
	{
		struct talk t = { 0 };

		memcpy(t.isn, starts[i], sizeof(t.isn));
		call(&t, CALLER, S, 1000, -1);
		assert_int_equal(call(&t, CALLED, S, 1000, -1), WINDOW_FITS);
		assert_int_equal(call(&t, CALLER, S | A, 1000, -1),
				 WINDOW_FITS);
		call(&t, CALLED, S | A, 1000, -1);
		assert_int_equal(say(&t, CALLER, A, 1, 1, 100, 1000),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLED, A, 1, 101, 100, 1000),
				 WINDOW_FITS);
	}
}

static void of_what_was_picked_up_the_scale_is_not_known(void **state)
{
	(void)state;
	EACH_START(i)
	{
		struct talk t = { 0 };

		memcpy(t.isn, starts[i], sizeof(t.isn));
		assert_int_equal(say(&t, CALLER, A, 5000, 7000, 100, 10),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLED, A, 7000, 5100, 100, 10),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, A, 90000, 7100, 100, 10),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLED, A, 700000, 95100, 100, 10),
				 WINDOW_FITS);
	}
}

static void the_other_end_has_half_of_an_older_one(void **state)
{
	(void)state;
	EACH_START(i)
	{
		struct talk t = { 0 };

		memcpy(t.isn, starts[i], sizeof(t.isn));
		call(&t, CALLER, S, 1000, -1);
		assert_int_equal(say(&t, CALLED, A, 700000, 90000, 0, 1000),
				 WINDOW_FITS);
		assert_int_equal(say(&t, CALLER, R, 90000, 0, 0, 0),
				 WINDOW_FITS);
		/* Then it is no answer to the call any more. */
		t.come |= WINDOW_CLOSING;
		assert_int_equal(say(&t, CALLED, A, 700000, 90000, 0, 1000),
				 WINDOW_OUTSIDE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_is_within_what_was_offered),
		cmocka_unit_test(nobody_acknowledges_what_was_not_sent),
		cmocka_unit_test(what_is_old_is_passed_over),
		cmocka_unit_test(windows_have_the_scale_that_both_called_with),
		cmocka_unit_test(a_window_of_nothing_is_probed_with_a_byte),
		cmocka_unit_test(a_reset_has_the_number_that_is_waited_for),
		cmocka_unit_test(a_call_that_is_refused_or_sent_again),
		cmocka_unit_test(a_call_in_a_connection_is_passed_over),
		cmocka_unit_test(both_may_call_at_once),
		cmocka_unit_test(of_what_was_picked_up_the_scale_is_not_known),
		cmocka_unit_test(the_other_end_has_half_of_an_older_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
