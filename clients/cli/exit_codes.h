/* exit_codes.h - what the program's exit status means, in one table: the code and --help follow it. */
#ifndef NEWSWIRE_CLI_EXIT_CODES_H
#define NEWSWIRE_CLI_EXIT_CODES_H

/* EXIT_CODE(name, number, help) */
#define EXIT_CODES(EXIT_CODE) \
	EXIT_CODE(OK, 0, \
		  "done; publish: every item is out, and durable (or heard, through Redis)") \
	EXIT_CODE(REFUSED, 1, "the server refused, or nobody heard it through Redis") \
	EXIT_CODE(USAGE, 2, "a wrong command line, or a file that cannot be read") \
	EXIT_CODE(UNREACHABLE, 3, "no server, or it cannot serve now, or no answer came") \
	EXIT_CODE(NOT_OUT, 4, \
		  "taken, but readers do not get it: under embargo, or a later version is out") \
	EXIT_CODE(FAILED, 5, "failed here: no memory, or output that cannot be written")

enum exit_code {
#define EXIT_AS_ENUM(name, number, help) CLI_##name = (number),
	EXIT_CODES(EXIT_AS_ENUM)
#undef EXIT_AS_ENUM
};

#endif
