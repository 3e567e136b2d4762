# bash.awk - completion for bash, out of the list of options. -v what=newswire or newswired, -v commands=FILE.
BEGIN { FS = "\t" }
(what == "newswired") == ($1 == "newswired") {
	names[$1] = names[$1] " --" $3
	pattern = "--" $3 ($2 == "" ? "" : "|-" $2)
	if ($4 != "" && $5 == "") {
		values = values_of($1, $3, $4)
		cases[$1] = cases[$1] "\t\t" pattern ") kind='" values "' ;;\n"
	}
	if (!($1 in seen)) {
		seen[$1] = ++count
		order[count] = $1
	}
}

function functions()
{
	print "# Completes one word out of a kind: words, or @file, @dir, @channel. What is before a comma stays."
	print "_" what "_kind()"
	print "{"
	print "\tlocal kind=$1 done= last=$cur"
	print "\tcase $kind in"
	print "\t@file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;"
	print "\t@dir) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return ;;"
	if (what == "newswire")
		print "\t@channel) kind=$(timeout 1 \"${COMP_WORDS[0]}\" channels 2>/dev/null | awk '{ print $2 }') ;;"
	print "\tesac"
	print "\tcase $cur in *,*) done=${cur%,*}, last=${cur##*,} ;; esac"
	print "\tmapfile -t COMPREPLY < <(compgen -P \"$done\" -W \"$kind\" -- \"$last\")"
	print "\t# Where a colon parts words, only what follows the last one is wanted."
	print "\tif [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then"
	print "\t\tCOMPREPLY=(\"${COMPREPLY[@]#\"${cur%\"${cur##*:}\"}\"}\")"
	print "\tfi"
	print "}\n"
	print "# The word before the cursor as it was typed: bash parts it at = and :, and we join it again."
	print "_" what "_words()"
	print "{"
	print "\tlocal i before=${COMP_LINE:0:COMP_POINT}"
	print "\tcur=${before##*[[:space:]]} prev="
	print "\tif [[ $cur == --*=* ]]; then"
	print "\t\tprev=${cur%%=*} cur=${cur#*=}"
	print "\telse"
	print "\t\tbefore=${before%\"$cur\"}"
	print "\t\tread -ra words <<<\"$before\""
	print "\t\t((${#words[@]} == 0)) || prev=${words[-1]}"
	print "\tfi"
	print "}\n"
}

END {
	print "# bash completion for " what ". Made by docker/packaging/papers from the program's help.\n"
	functions()
	print "_" what "()"
	print "{"
	print "\tlocal cur prev kind=- operands= options= command=" what
	print "\tlocal -a words"
	print "\tCOMPREPLY=()"
	print "\t_" what "_words"
	if (what == "newswire") {
		while ((getline line <commands) > 0) {
			split(line, parts, / +/)
			all = all (all == "" ? "" : " ") parts[2]
		}
		print "\tif ((COMP_CWORD == 1)); then"
		print "\t\t_newswire_kind '" all " --help --version'"
		print "\t\treturn"
		print "\tfi"
		print "\tcommand=${COMP_WORDS[1]}"
	}
	print "\tcase $command in"
	for (i = 1; i <= count; i++) {
		name = order[i]
		printf "\t%s)\n\t\toptions='%s' operands='%s'\n", name, substr(names[name], 2), operands_of(name)
		printf "\t\tcase $prev in\n%s\t\tesac ;;\n", cases[name]
	}
	if (what == "newswire")
		print "\thelp) operands='" all "' ;;"
	print "\tesac"
	print "\tif [[ $kind != - ]]; then"
	print "\t\t_" what "_kind \"$kind\""
	print "\telif [[ $cur == -* ]]; then"
	print "\t\t_" what "_kind \"$options\""
	print "\telse"
	print "\t\t_" what "_kind \"$operands\""
	print "\tfi"
	print "}"
	print "complete -F _" what " " what
}
