/* Goal: all workers share one port, nobody else does, and who has a port that is taken is named.
 */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "listening.h"

static char error[512];

static void the_kernel_chooses_a_port_and_all_share_it(void **state)
{
	struct sockaddr_in a = {0};
	socklen_t len;
	uint16_t port = 0;
	int fds[3] = {-1, -1, -1};

	(void)state;
	assert_int_equal(listening_open(fds, 3, "127.0.0.1", &port, error, sizeof error), 0);
	assert_int_not_equal(port, 0);
	for (int i = 0; i < 3; i++) {
		len = sizeof a;
		assert_int_equal(getsockname(fds[i], (struct sockaddr *)&a, &len), 0);
		assert_int_equal(ntohs(a.sin_port), port);
		assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
	}
	listening_close(fds, 3);
	assert_int_equal(fds[0], -1);
}

static void a_port_in_use_is_refused_though_it_could_be_shared(void **state)
{
	char expected[64];
	uint16_t port = 0;
	int first[1], second[2];

	(void)state;
	assert_int_equal(listening_open(first, 1, "127.0.0.1", &port, error, sizeof error), 0);
	assert_int_equal(listening_open(second, 2, "127.0.0.1", &port, error, sizeof error), -1);
	snprintf(expected, sizeof expected, "port %u is in use by ", port);
	assert_non_null(strstr(error, expected));
	snprintf(expected, sizeof expected, "(process %d)", (int)getpid());
	assert_non_null(strstr(error, expected));
	assert_int_equal(second[0], -1);
	listening_close(first, 1);
	assert_int_equal(listening_open(second, 2, "127.0.0.1", &port, error, sizeof error), 0);
	listening_close(second, 2);
}

static void an_address_that_is_not_ours_is_told(void **state)
{
	uint16_t port = 0;
	int fds[1];

	(void)state;
	assert_int_equal(listening_open(fds, 1, "192.0.2.1", &port, error, sizeof error), -1);
	assert_string_equal(error, "this machine has no address 192.0.2.1: correct --bind");
}

static void ipv6_is_listened_on_too(void **state)
{
	uint16_t port = 0;
	int fds[1];

	(void)state;
	if (listening_open(fds, 1, "::1", &port, error, sizeof error) < 0)
		skip(); /* a machine without IPv6 */
	listening_close(fds, 1);
}

static void the_url_is_one_that_works_on_this_machine(void **state)
{
	char url[96];

	(void)state;
	listening_url(false, "127.0.0.1", 8080, url, sizeof url);
	assert_string_equal(url, "http://127.0.0.1:8080");
	listening_url(false, "0.0.0.0", 80, url, sizeof url);
	assert_string_equal(url, "http://127.0.0.1:80");
	listening_url(false, "::", 80, url, sizeof url);
	assert_string_equal(url, "http://127.0.0.1:80");
	listening_url(false, "::1", 80, url, sizeof url);
	assert_string_equal(url, "http://[::1]:80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_chooses_a_port_and_all_share_it),
		cmocka_unit_test(a_port_in_use_is_refused_though_it_could_be_shared),
		cmocka_unit_test(an_address_that_is_not_ours_is_told),
		cmocka_unit_test(ipv6_is_listened_on_too),
		cmocka_unit_test(the_url_is_one_that_works_on_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
