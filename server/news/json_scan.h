/* json_scan.h - where a JSON value ends, without decoding it: strings, escapes and nesting are minded, nothing else.
 *
 * Of valid JSON what is found is exact; what stands inside is for a real parser to judge. All take
 * and return places between `at` and `end`.
 * Threads       Any.
 */
#ifndef NEWSWIRE_NEWS_JSON_SCAN_H
#define NEWSWIRE_NEWS_JSON_SCAN_H

/* Behind the white space that begins at `at`. */
const char *json_skip_space(const char *at, const char *end);
/* Before the white space that ends at `end`. */
const char *json_drop_space(const char *begin, const char *end);
/* Behind the string whose opening quote is at `at`; end if it has no end. */
const char *json_skip_string(const char *at, const char *end);
/* The comma or bracket that ends the element or member which begins at `at`; end if there is none. */
const char *json_end_of_element(const char *at, const char *end);

#endif
