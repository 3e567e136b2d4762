/* html_write.c - writes what the allow-list knows, in one form only. */
#include "news/html_write.h"

#include <string.h>
#include <strings.h>

enum { URL_MAX_LEN = 2048, NUMBER_MAX_LEN = 5, LANG_MAX_LEN = 35 };

/* --- the allow-list -------------------------------------------------------------------------- */

/* An element without a rule is left out, but not what it holds. */
struct rule {
	const char *name; /* what it is written as */
	bool empty;	  /* it holds nothing and has no end tag */
	bool gone;	  /* it goes, with all that it holds */
};

#define KEEP(tag, as)  [GUMBO_TAG_##tag] = {as, false, false}
#define EMPTY(tag, as) [GUMBO_TAG_##tag] = {as, true, false}
#define GONE(tag)      [GUMBO_TAG_##tag] = {NULL, false, true}

/* The page's own headings are the two above h3. */
static const struct rule rules[GUMBO_TAG_LAST + 1] = {
	KEEP(P, "p"),
	EMPTY(BR, "br"),
	EMPTY(HR, "hr"),
	KEEP(H1, "h3"),
	KEEP(H2, "h3"),
	KEEP(H3, "h3"),
	KEEP(H4, "h4"),
	KEEP(H5, "h5"),
	KEEP(H6, "h6"),
	KEEP(UL, "ul"),
	KEEP(OL, "ol"),
	KEEP(LI, "li"),
	KEEP(DL, "dl"),
	KEEP(DT, "dt"),
	KEEP(DD, "dd"),
	KEEP(BLOCKQUOTE, "blockquote"),
	KEEP(PRE, "pre"),
	KEEP(FIGURE, "figure"),
	KEEP(FIGCAPTION, "figcaption"),
	EMPTY(IMG, "img"),
	KEEP(A, "a"),
	KEEP(EM, "em"),
	KEEP(STRONG, "strong"),
	KEEP(I, "i"),
	KEEP(B, "b"),
	KEEP(U, "u"),
	KEEP(S, "s"),
	KEEP(SUB, "sub"),
	KEEP(SUP, "sup"),
	KEEP(SMALL, "small"),
	KEEP(MARK, "mark"),
	KEEP(CITE, "cite"),
	KEEP(Q, "q"),
	KEEP(ABBR, "abbr"),
	KEEP(CODE, "code"),
	KEEP(INS, "ins"),
	KEEP(DEL, "del"),
	KEEP(TABLE, "table"),
	KEEP(CAPTION, "caption"),
	KEEP(THEAD, "thead"),
	KEEP(TBODY, "tbody"),
	KEEP(TFOOT, "tfoot"),
	KEEP(TR, "tr"),
	KEEP(TH, "th"),
	KEEP(TD, "td"),
	/* Blocks that only part what they hold from the rest. */
	KEEP(DIV, "div"),
	KEEP(SECTION, "div"),
	KEEP(ARTICLE, "div"),
	KEEP(ASIDE, "div"),
	KEEP(HEADER, "div"),
	KEEP(FOOTER, "div"),
	KEEP(MAIN, "div"),
	KEEP(NAV, "div"),
	KEEP(ADDRESS, "div"),
	KEEP(CENTER, "div"),
	KEEP(DETAILS, "div"),
	KEEP(SUMMARY, "div"),
	/* What is no prose. */
	GONE(SCRIPT),
	GONE(STYLE),
	GONE(NOSCRIPT),
	GONE(TEMPLATE),
	GONE(TITLE),
	GONE(IFRAME),
	GONE(NOFRAMES),
	GONE(NOEMBED),
	GONE(OBJECT),
	GONE(APPLET),
	GONE(EMBED),
	GONE(AUDIO),
	GONE(VIDEO),
	GONE(CANVAS),
	GONE(SVG),
	GONE(MATH),
	GONE(FORM),
	GONE(INPUT),
	GONE(BUTTON),
	GONE(SELECT),
	GONE(TEXTAREA),
	GONE(MARQUEE),
	GONE(FRAMESET),
	GONE(XMP),
	GONE(PLAINTEXT),
	GONE(LISTING),
};

static const struct rule svg_or_math = {NULL, false, true};

static const struct rule *rule_of(const GumboElement *element)
{
	if (element->tag_namespace != GUMBO_NAMESPACE_HTML)
		return &svg_or_math;
	return &rules[element->tag <= GUMBO_TAG_LAST ? element->tag : GUMBO_TAG_LAST];
}

/* --- addresses ------------------------------------------------------------------------------- */

static const char *value_of(const GumboElement *element, const char *name)
{
	const GumboAttribute *attribute = gumbo_get_attribute(&element->attributes, name);

	return attribute ? attribute->value : NULL;
}

/* Schemes that may be written; a picture cannot be mail. */
static const struct {
	const char *start;
	bool shows;
} schemes[] = {{"https://", true}, {"http://", true}, {"mailto:", false}};

/* An address without the white space around it, or NULL if it is none that we write: relative ones
 * mean nothing on a wire, and browsers overlook white space and controls inside a scheme. */
static const char *read_url(const char *text, bool is_picture, size_t *len)
{
	if (text == NULL)
		return NULL;
	text += strspn(text, " \t\n\r\f");
	*len = strlen(text);
	while (*len > 0 && strchr(" \t\n\r\f", text[*len - 1]))
		--*len;
	if (*len > URL_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < *len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return NULL;
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		size_t start = strlen(schemes[i].start);
		if (*len > start && strncasecmp(text, schemes[i].start, start) == 0)
			return schemes[i].shows || !is_picture ? text : NULL;
	}
	return NULL;
}

/* Is the element itself written? A link that goes nowhere is only its text. */
static bool is_written(const GumboElement *element, const struct rule *rule)
{
	size_t len;

	if (rule->name == NULL)
		return false;
	if (element->tag_namespace == GUMBO_NAMESPACE_HTML && element->tag == GUMBO_TAG_A)
		return read_url(value_of(element, "href"), false, &len) != NULL;
	if (element->tag_namespace == GUMBO_NAMESPACE_HTML && element->tag == GUMBO_TAG_IMG)
		return read_url(value_of(element, "src"), true, &len) != NULL;
	return true;
}

/* --- writing --------------------------------------------------------------------------------- */

/* `special` are those of &<>" that may not stand here as they are; text ends behind len, or at a NUL. */
static void write_escaped(const char *text, size_t len, const char *special, struct buf *out)
{
	const char *end = text + len;

	for (;;) {
		size_t plain = strcspn(text, special);
		if (plain >= (size_t)(end - text)) {
			buf_add(out, text, (size_t)(end - text));
			return;
		}
		buf_add(out, text, plain);
		text += plain;
		buf_adds(out, *text == '&'   ? "&amp;"
			      : *text == '<' ? "&lt;"
			      : *text == '>' ? "&gt;"
					     : "&quot;");
		text++;
	}
}

static void write_attribute(const char *name, const char *value, size_t len, struct buf *out)
{
	buf_addc(out, ' ');
	buf_adds(out, name);
	buf_adds(out, "=\"");
	write_escaped(value, len, "&<>\"", out);
	buf_addc(out, '"');
}

static void write_number(const GumboElement *element, const char *name, struct buf *out)
{
	const char *value = value_of(element, name);
	size_t len = value ? strlen(value) : 0;

	if (len > 0 && len <= NUMBER_MAX_LEN && strspn(value, "0123456789") == len)
		write_attribute(name, value, len, out);
}

/* The language and the direction of a passage change how it is read aloud and set. */
static void write_language(const GumboElement *element, struct buf *out)
{
	static const char tag[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	const char *lang = value_of(element, "lang"), *dir = value_of(element, "dir");
	size_t len = lang ? strlen(lang) : 0;

	if (len > 0 && len <= LANG_MAX_LEN && strspn(lang, tag) == len)
		write_attribute("lang", lang, len, out);
	if (dir && (strcmp(dir, "ltr") == 0 || strcmp(dir, "rtl") == 0 || strcmp(dir, "auto") == 0))
		write_attribute("dir", dir, strlen(dir), out);
}

static void write_picture(const GumboElement *element, struct buf *out)
{
	const char *alt = value_of(element, "alt");
	size_t len = 0;
	const char *src = read_url(value_of(element, "src"), true, &len);

	write_attribute("src", src, len, out);
	write_attribute("alt", alt ? alt : "", alt ? strlen(alt) : 0, out);
	write_number(element, "width", out);
	write_number(element, "height", out);
}

static void write_link(const GumboElement *element, struct buf *out)
{
	size_t len = 0;
	const char *href = read_url(value_of(element, "href"), false, &len);

	write_attribute("href", href, len, out);
	buf_adds(out, " rel=\"noopener nofollow\"");
}

/* The parser drops one line feed behind <pre>: one more keeps the one that is meant. */
static void keep_line_feed(const GumboElement *element, struct buf *out)
{
	const GumboNode *first = element->children.length ? element->children.data[0] : NULL;

	if (first && (first->type == GUMBO_NODE_TEXT || first->type == GUMBO_NODE_WHITESPACE) &&
	    first->v.text.text[0] == '\n')
		buf_addc(out, '\n');
}

static void write_start(const GumboElement *element, const struct rule *rule, struct buf *out)
{
	buf_addc(out, '<');
	buf_adds(out, rule->name);
	write_language(element, out);
	if (element->tag == GUMBO_TAG_A)
		write_link(element, out);
	if (element->tag == GUMBO_TAG_IMG)
		write_picture(element, out);
	if (element->tag == GUMBO_TAG_OL)
		write_number(element, "start", out);
	if (element->tag == GUMBO_TAG_TD || element->tag == GUMBO_TAG_TH) {
		write_number(element, "colspan", out);
		write_number(element, "rowspan", out);
	}
	buf_addc(out, '>');
	if (element->tag == GUMBO_TAG_PRE)
		keep_line_feed(element, out);
}

static void write_end(const struct rule *rule, struct buf *out)
{
	buf_adds(out, "</");
	buf_adds(out, rule->name);
	buf_addc(out, '>');
}

/* --- the walk -------------------------------------------------------------------------------- */

static bool is_element(const GumboNode *node)
{
	return node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE;
}

/* Writes what stands at a node. Is what it holds to be walked? */
static bool enter(const GumboNode *node, int *depth, struct buf *out)
{
	const struct rule *rule;

	if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
	    node->type == GUMBO_NODE_CDATA)
		write_escaped(node->v.text.text, strlen(node->v.text.text), "&<>", out);
	if (!is_element(node))
		return false;
	rule = rule_of(&node->v.element);
	if (rule->gone)
		return false;
	if (is_written(&node->v.element, rule)) {
		write_start(&node->v.element, rule, out);
		if (!rule->empty)
			++*depth;
	}
	return !rule->empty;
}

static void leave(const GumboNode *node, int *depth, struct buf *out)
{
	const struct rule *rule = rule_of(&node->v.element);

	if (is_written(&node->v.element, rule)) {
		write_end(rule, out);
		--*depth;
	}
}

/* Trees are as deep as a sender likes, so this goes without recursion. */
enum html_result html_write(const GumboNode *root, struct buf *out)
{
	const GumboNode *node = root;
	size_t next = 0; /* of the node's children */
	int depth = 0;

	for (;;) {
		const GumboVector *children = &node->v.element.children;
		if (next < children->length) {
			const GumboNode *child = children->data[next++];
			if (enter(child, &depth, out)) {
				if (depth > HTML_DEPTH_MAX)
					return HTML_TOO_DEEP;
				node = child;
				next = 0;
			}
		} else if (node == root) {
			return HTML_CLEAN;
		} else {
			leave(node, &depth, out);
			next = node->index_within_parent + 1;
			node = node->parent;
		}
	}
}
