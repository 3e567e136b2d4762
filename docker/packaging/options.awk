# options.awk - the options of a help text, one a line, parted by tabs: command, letter, name, metavar, "=" if the value may be
# left out, help in one line. -v command=NAME.
function flush()
{
	if (name != "") {
		gsub(/  +/, " ", help)
		printf "%s\t%s\t%s\t%s\t%s\t%s\n", command, letter, name, metavar, maybe, help
	}
	name = ""
}

match($0, /^ +(-[A-Za-z0-9], )?--[a-z-]+/) && RLENGTH < 40 && !/^       / {
	flush()
	rest = substr($0, RLENGTH + 1)
	head = substr($0, 1, RLENGTH)
	letter = match(head, /-[A-Za-z0-9],/) ? substr(head, RSTART + 1, 1) : ""
	name = substr(head, index(head, "--") + 2)
	metavar = maybe = ""
	if (match(rest, /^\[=[A-Z]+\]/)) {
		metavar = substr(rest, 3, RLENGTH - 3)
		maybe = "="
		rest = substr(rest, RLENGTH + 1)
	} else if (match(rest, /^ [^ ]+/)) {
		metavar = substr(rest, 2, RLENGTH - 1)
		rest = substr(rest, RLENGTH + 1)
	}
	sub(/^ +/, "", rest)
	help = rest
	next
}
name != "" && /^      / { line = $0; sub(/^ +/, "", line); help = help (help == "" ? "" : " ") line; next }
{ flush() }
END { flush() }
