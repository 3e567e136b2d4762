/* close.c - the table of close reasons, looked up. */
#include "reader/close.h"

#include "base/base.h"
#include "base/counters.h"

static const struct {
	const char *reason;
	int code;
	enum counter_id counter, tool_counter;
} rows[CLOSE_COUNT] = {
#define CLOSE_AS_ROW(name, number, text) \
	[CLOSE_##name] = {text, number, COUNTER_CLOSED_##name, COUNTER_TOOL_CLOSED_##name},
	NEWSWIRE_CLOSES(CLOSE_AS_ROW)
#undef CLOSE_AS_ROW
};

int close_code(enum close_why why)
{
	MUST(why > CLOSE_NONE && why < CLOSE_COUNT);
	return rows[why].code;
}

const char *close_reason(enum close_why why)
{
	MUST(why > CLOSE_NONE && why < CLOSE_COUNT);
	return rows[why].reason;
}

enum close_why close_of_code(int code)
{
	for (int why = CLOSE_NONE + 1; why < CLOSE_COUNT; why++)
		if (rows[why].code == code)
			return (enum close_why)why;
	return CLOSE_INTERNAL;
}

void close_count(enum close_why why)
{
	MUST(why > CLOSE_NONE && why < CLOSE_COUNT);
	counters_mine->value[rows[why].counter]++;
}

void close_count_tool(enum close_why why)
{
	MUST(why > CLOSE_NONE && why < CLOSE_COUNT);
	counters_mine->value[rows[why].tool_counter]++;
}
