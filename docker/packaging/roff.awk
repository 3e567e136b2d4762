# roff.awk - words of a help text or of Markdown as roff.
function plain(text)
{
	gsub(/\\/, "\\e", text)
	return text
}

# An option, a file, code: its hyphens are to be copied.
function code(text)
{
	text = plain(text)
	gsub(/-/, "\\-", text)
	return text
}

function bold(text)
{
	return "\\fB" text "\\fR"
}

# `code`, **bold**, [text](address).
function inline(text,    out, at)
{
	while (match(text, /`[^`]+`|\*\*[^*]+\*\*|\[[^]]+\]\([^)]*\)/)) {
		at = substr(text, RSTART, RLENGTH)
		out = out plain(substr(text, 1, RSTART - 1))
		text = substr(text, RSTART + RLENGTH)
		if (at ~ /^`/)
			out = out bold(code(substr(at, 2, length(at) - 2)))
		else if (at ~ /^\*\*/)
			out = out bold(inline(substr(at, 3, length(at) - 4)))
		else
			out = out inline(substr(at, 2, index(at, "](") - 2))
	}
	return out plain(text)
}

# A line of text must not look like a request.
function emit(text)
{
	if (text ~ /^[.']/)
		text = "\\&" text
	print text
}
