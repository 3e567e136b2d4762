# man.awk - one man page: out of a help text (-v help), and of parts of the manual on standard input, each after a line of
# "\001HEADING". The first part goes to DESCRIPTION, further ones are sections of their own; indented lines become EXAMPLES.
function title(text)
{
	sub(/^#+ /, "", text)
	sub(/:.*/, "", text)
	return toupper(text)
}

# --- the help text ----------------------------------------------------------------------------------

function option_head(line,    at, head, rest)
{
	match(line, /^ +(-[A-Za-z0-9], )?--[a-z-]+/)
	head = substr(line, 1, RLENGTH)
	rest = substr(line, RLENGTH + 1)
	sub(/^ +/, "", head)
	at = match(rest, /  +/) ? RSTART : length(rest) + 1
	option_rest = substr(rest, at)
	sub(/^ +/, "", option_rest)
	rest = substr(rest, 1, at - 1)
	gsub(/, /, "\\fR, \\fB", head)
	gsub(/-/, "\\-", head)
	return bold(head) (rest == "" ? "" : (rest ~ /^\[/ ? "" : " ") "\\fI" code(substr(rest, rest ~ /^ / ? 2 : 1)) "\\fR")
}

function is_option(line)
{
	return line ~ /^ +(-[A-Za-z0-9], )?--[a-z-]+/ && line !~ /^       /
}

function read_help(    line, state)
{
	while ((getline line <help) > 0) {
		if (line ~ /^[Uu]sage: /) {
			usage = substr(line, 8)
			state = "about"
		} else if (line == "Options:" || line == "Commands:" || line == "Exit status:") {
			state = line
		} else if (is_option(line) && state != "Commands:") {
			if (state == "about" || state == "group")
				state = "Options:"
			options[++option_count] = ".TP\n" option_head(line)
			if (option_rest != "")
				options[option_count] = options[option_count] "\n" plain(option_rest)
		} else if (state == "Options:" && line ~ /^      /) {
			sub(/^ +/, "", line)
			options[option_count] = options[option_count] "\n" (line ~ /^[.']/ ? "\\&" : "") plain(line)
		} else if (line ~ /^The default /) {
			break
		} else if (section == 8 && line ~ /^[A-Z]/) {
			options[++option_count] = ".SS " line
			state = "group"
		} else if (state == "about" && line != "") {
			about = about (about == "" ? "" : "\n") plain(line)
		}
	}
	close(help)
}

# The lines of a part of the program's help.
function program_help(head, prefix,    line, on, out)
{
	while ((getline line <exits) > 0) {
		if (line == head)
			on = 1
		else if (on && line !~ /^  /)
			break
		else if (on && match(line, /^ +[^ ]+ +/)) {
			split(line, words, / +/)
			out = out ".TP\n" bold(code(prefix words[2])) "\n" plain(substr(line, RLENGTH + 1)) "\n"
		}
	}
	close(exits)
	return out
}

function summary_of(command,    line, out)
{
	while ((getline line <exits) > 0)
		if (line ~ "^  " command " ") {
			out = line
			sub(/^ +[^ ]+ +/, "", out)
		}
	close(exits)
	return out
}

# --- the manual -------------------------------------------------------------------------------------

/^\001/ { part++; heads[part] = substr($0, 2); next }
/^    / { if (examples != "") examples = examples "\n"; examples = examples code(substr($0, 5)); next }
/^\| *(---|:--)/ || /^\| *\| *\|$/ { next }
/^\| / {
	if (!in_table) { # the heading of the table
		in_table = 1
		if ($0 !~ /^\| `/)
			next
	}
	line = $0
	gsub(/\\\|/, "\002", line)
	count = split(line, cells, / *\| */)
	body = ""
	for (i = 3; i < count; i++)
		if (cells[i] != "")
			body = body (body == "" ? "" : "; ") cells[i]
	gsub(/\002/, "|", body)
	add(".TP\n" inline(cells[2]) "\n" (body == "" ? "\\&" : inline(body)))
	next
}
/^\|/ { next }
/^- / { in_table = 0; add(".IP \\(bu 2\n" inline(substr($0, 3))); fresh = 0; next }
/^[0-9]\. / { in_table = 0; add(".IP " $1 " 4\n" inline(substr($0, 4))); fresh = 0; next }
/^$/ { in_table = 0; fresh = 1; next }
/^  / { sub(/^ +/, ""); add(inline($0)); next }
{
	in_table = 0
	if (fresh && texts[part] != "")
		add(".PP")
	fresh = 0
	text = inline($0)
	add((text ~ /^[.']/ ? "\\&" : "") text)
}

function add(text)
{
	texts[part] = texts[part] (texts[part] == "" ? "" : "\n") text
}

# --- the page ---------------------------------------------------------------------------------------

function see_also(    all, count, i, out)
{
	if (program != "newswire" && section == 1)
		out = ".BR newswire (1),\n"
	if (program == "newswire") {
		count = split(commands, all, " ")
		for (i = 1; i <= count; i++)
			out = out ".BR newswire\\-" all[i] " (1),\n"
	}
	if (section == 8)
		return ".BR newswire (1),\n.BR redis\\-server (1)"
	return out ".BR newswired (8)"
}

END {
	read_help()
	command = program
	sub(/^newswire-/, "", command)
	if (program == "newswire")
		summary = "publish breaking news, follow them, and see how it goes"
	else if (section == 8)
		summary = "push breaking news from Redis to browsers"
	else
		summary = summary_of(command)

	print ".\\\" Made by docker/packaging/papers from the program's help and docs/: change those."
	printf ".TH %s %s %s \"newswire %s\" newswire\n", toupper(program), section, date, version
	print ".SH NAME"
	print code(program) " \\- " plain(summary)
	print ".SH SYNOPSIS"
	if (section == 8)
		print bold("newswired") " [\\fIoption value\\fR]..."
	else if (match(usage, /^newswire [a-z]+/))
		print bold(code(substr(usage, 1, RLENGTH))) " " plain(substr(usage, RLENGTH + 2))
	else
		print bold("newswire") " " plain(substr(usage, 10))
	print ".SH DESCRIPTION"
	if (section == 8)
		about = "newswired takes news in over HTTP, WebSocket and Redis, and pushes them to every reader over WebSocket and\nServer\\-Sent Events."
	if (about != "") {
		emit(about)
		if (texts[1] != "" && texts[1] !~ /^\.(TP|IP)/)
			print ".PP"
	}
	if (texts[1] != "")
		print texts[1]
	if (program == "newswire")
		printf ".SH COMMANDS\n%s", program_help("Commands:", "")
	if (option_count)
		print ".SH OPTIONS"
	for (i = 1; i <= option_count; i++)
		print options[i]
	for (i = 2; i <= part; i++)
		printf ".SH %s\n%s\n", title(heads[i]), texts[i]
	if (section == 1) {
		printf ".SH EXIT STATUS\n%s", program_help("Exit status:", "")
		print ".SH ENVIRONMENT"
		print ".TP\n\\fBNEWSWIRE_STATE_DIR\\fR\nwhere the newswired of this machine keeps its state, if \\fB\\-\\-state\\-dir\\fR does not say"
		print ".TP\n\\fBNEWSWIRE_KEY\\fR\nthe key, if \\fB\\-\\-key\\fR names no file with one"
		print ".TP\n\\fBNO_COLOR\\fR\nif it is set, nothing is coloured"
	}
	if (examples != "")
		printf ".SH EXAMPLES\n.nf\n%s\n.fi\n", examples
	printf ".SH SEE ALSO\n%s\n", see_also()
}
