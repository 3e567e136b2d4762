/* Goal: of what a client offers, only what can be kept is agreed to, and whatever is malformed is declined (RFC 7692, 7.1). */
#include "cmocka_all.h"

#include <string.h>
#include "ws/offer.h"

#define CLIENT_ALONE "; client_no_context_takeover"
#define BOTH_ALONE   "; server_no_context_takeover; client_no_context_takeover"
#define WINDOW	     "; server_max_window_bits=15"

/* answer NULL: declined. */
struct row {
	const char *header, *answer;
};

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct offer_agreed agreed;
		int result = offer_agree(rows[i].header, &agreed);

		print_message("%s\n", rows[i].header);
		assert_int_equal(result, rows[i].answer == NULL ? -1 : 0);
		if (rows[i].answer != NULL)
			assert_string_equal(agreed.answer, rows[i].answer);
	}
}

static void what_clients_say_is_agreed_to(void **state)
{
	static const struct row rows[] = {
		{"permessage-deflate", CLIENT_ALONE},
		{"permessage-deflate; client_max_window_bits", CLIENT_ALONE}, /* browsers */
		{"permessage-deflate; client_no_context_takeover", CLIENT_ALONE},
		{"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
		 BOTH_ALONE},
		{"permessage-deflate;client_max_window_bits=10", CLIENT_ALONE},
		{"permessage-deflate; server_max_window_bits=15", CLIENT_ALONE WINDOW},
		{"permessage-deflate; server_max_window_bits=\"15\"", CLIENT_ALONE WINDOW},
		{" permessage-deflate\t;\tclient_max_window_bits = \"1\\5\" ", CLIENT_ALONE},
		{"permessage-deflate; server_no_context_takeover; server_max_window_bits=15",
		 BOTH_ALONE WINDOW},
	};

	(void)state;
	check(rows, COUNT_OF(rows));
}

static void the_first_offer_that_can_be_kept_is_taken(void **state)
{
	static const struct row rows[] = {
		{"permessage-deflate, permessage-deflate; server_no_context_takeover",
		 CLIENT_ALONE},
		{"permessage-deflate; server_max_window_bits=10, permessage-deflate; "
		 "server_no_context_takeover",
		 BOTH_ALONE},
		{"permessage-bzip2; level=\"9\", permessage-deflate", CLIENT_ALONE},
		{", ,permessage-deflate,,", CLIENT_ALONE},
		{"permessage-deflate; unheard_of, permessage-deflate", CLIENT_ALONE},
	};

	(void)state;
	check(rows, COUNT_OF(rows));
}

static void an_offer_that_cannot_be_kept_is_declined(void **state)
{
	static const struct row rows[] = {
		{"", NULL},
		{"x-webkit-deflate-frame", NULL},
		{"Permessage-Deflate", NULL},
		{"permessage-deflate; unheard_of", NULL},
		{"permessage-deflate; server_no_context_takeover=1", NULL},
		{"permessage-deflate; client_no_context_takeover=\"\"", NULL},
		{"permessage-deflate; server_no_context_takeover; server_no_context_takeover",
		 NULL},
		{"permessage-deflate; client_max_window_bits; client_max_window_bits=9", NULL},
		{"permessage-deflate; server_max_window_bits", NULL},
		{"permessage-deflate; server_max_window_bits=14", NULL},
		{"permessage-deflate; server_max_window_bits=16", NULL},
		{"permessage-deflate; server_max_window_bits=015", NULL},
		{"permessage-deflate; server_max_window_bits=15x", NULL},
		{"permessage-deflate; client_max_window_bits=7", NULL},
		{"permessage-deflate; client_max_window_bits=-9", NULL},
		{"permessage-deflate; client_max_window_bits=", NULL},
	};

	(void)state;
	check(rows, COUNT_OF(rows));
}

static void a_header_that_is_no_list_offers_nothing(void **state)
{
	static const struct row rows[] = {
		{"permessage-deflate, @", NULL},
		{"permessage-deflate;", NULL},
		{"permessage-deflate; ; client_max_window_bits", NULL},
		{"permessage-deflate client_max_window_bits", NULL},
		{"permessage-deflate=1", NULL},
		{"permessage-deflate; client_max_window_bits=\"9", NULL},
		{"permessage-deflate; client_max_window_bits=\"9\\", NULL},
		{"permessage-deflate; client_max_window_bits=\"9 9\"", NULL},
		{"x; y=\"a, permessage-deflate\"", NULL},
	};

	(void)state;
	check(rows, COUNT_OF(rows));
}

static void a_word_that_is_too_long_is_known_by_nobody(void **state)
{
	char header[300] = "permessage-deflate; client_max_window_bits=9";
	struct offer_agreed agreed;

	(void)state;
	memset(header + strlen(header), '9', 200);
	assert_int_equal(offer_agree(header, &agreed), -1);
}

static void mentions_are_counted_as_libwebsockets_counts_them(void **state)
{
	static const struct {
		const char *header;
		unsigned mentions;
	} rows[] = {
		{"", 0},
		{"permessage-deflate", 1},
		{"permessage-deflate, permessage-deflate; x", 2},
		{"permessage-deflate;x=\"a, permessage-deflate, b\"", 2},
		{"per message-deflate", 1},
		{"permessage-deflate\tpermessage-deflate", 2},
		{"permessage-deflates, xpermessage-deflate", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(offer_mentions(rows[i].header), rows[i].mentions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_clients_say_is_agreed_to),
		cmocka_unit_test(the_first_offer_that_can_be_kept_is_taken),
		cmocka_unit_test(an_offer_that_cannot_be_kept_is_declined),
		cmocka_unit_test(a_header_that_is_no_list_offers_nothing),
		cmocka_unit_test(a_word_that_is_too_long_is_known_by_nobody),
		cmocka_unit_test(mentions_are_counted_as_libwebsockets_counts_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
