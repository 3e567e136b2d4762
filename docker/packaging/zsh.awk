# zsh.awk - completion for zsh, out of the list of options. -v what=newswire or newswired, -v commands=FILE.
BEGIN { FS = "\t" }

function quoted(text)
{
	gsub(/'/, "'\\''", text)
	return text
}

# Of a help text its first sentence or so; brackets and colons mean something here.
function described(text)
{
	sub(/ \(default.*/, "", text)
	sub(/;.*/, "", text)
	gsub(/[][\\]/, "\\\\&", text)
	gsub(/:/, "\\:", text)
	return quoted(text)
}

function action(values)
{
	if (values == "@file")
		return "_files"
	if (values == "@dir")
		return "_files -/"
	if (values == "@channel")
		return "_newswire_channels"
	return values == "" ? "" : "_sequence compadd - " values
}

(what == "newswired") == ($1 == "newswired") {
	value = $4 == "" ? "" : ":" quoted($4) ":" action(values_of($1, $3, $4))
	spec = "'[" described($6) "]" ($5 == "=" ? ":" : "") value "'"
	name = "--" $3 ($4 == "" ? "" : $5 == "=" ? "=-" : "=")
	if ($2 != "")
		spec = "'*'{-" $2 ($4 == "" ? "" : "+") "," name "}" spec
	else
		spec = "'*'" name spec
	specs[$1] = specs[$1] " \\\n\t\t\t" spec
	if (!($1 in seen)) {
		seen[$1] = ++count
		order[count] = $1
	}
}

END {
	print "#compdef " what
	print "# Made by docker/packaging/papers from the program's help.\n"
	if (what == "newswired") {
		print "_arguments -s -S" specs[what]
		exit
	}
	print "_newswire_channels()"
	print "{"
	print "\tlocal -a channels"
	print "\tchannels=(${${(f)\"$(timeout 1 ${words[1]:-newswire} channels 2>/dev/null)\"}##* })"
	print "\t_sequence compadd - $channels"
	print "}\n"
	print "# What only a server knows: nothing is offered, and nothing in the way of options."
	print "_newswire_address()"
	print "{"
	print "\treturn 1"
	print "}\n"
	print "_newswire()"
	print "{"
	print "\tlocal context state state_descr line"
	print "\tlocal -a commands"
	print "\ttypeset -A opt_args"
	print "\tcommands=("
	while ((getline text <commands) > 0) {
		split(text, parts, / +/)
		sub(/^ +[^ ]+ +/, "", text)
		gsub(/:/, "\\:", text)
		print "\t\t'" parts[2] ":" quoted(text) "'"
	}
	print "\t)"
	print "\t_arguments -C '(- *)--help[show the commands]' '(- *)--version[show the version]' '1: :->command' '*:: :->rest'"
	print "\tcase $state in"
	print "\tcommand) _describe command commands ;;"
	print "\trest)"
	print "\t\tcase $line[1] in"
	for (i = 1; i <= count; i++) {
		name = order[i]
		operands = operands_of(name)
		rest = operands == "" ? "" : " \\\n\t\t\t'*:operand:" (operands == "@file" ? "_files" : "(" operands ")") "'"
		if (operands == "" && name ~ /^(kill|show|purge|top)$/)
			rest = " \\\n\t\t\t'*:address:_newswire_address'"
		print "\t\t" name ")\n\t\t\t_arguments -s -S" specs[name] rest " ;;"
	}
	print "\t\thelp) _describe command commands ;;"
	print "\t\tesac ;;"
	print "\tesac"
	print "}\n"
	print "_newswire \"$@\""
}
