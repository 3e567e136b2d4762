# values.awk - what the value of an option can be, for completion: words, or the name of a kind: @file, @dir, @channel.
function values_of(command, name, metavar)
{
	if (metavar ~ /\|/) {
		gsub(/\|/, " ", metavar)
		return metavar
	}
	if (metavar == "FILE" || metavar == "PATH")
		return "@file"
	if (metavar == "DIR")
		return "@dir"
	if (name == "channel" || name == "channels")
		return "@channel"
	if (metavar == "CLASS")
		return "flash bulletin urgent regular deferred"
	if (metavar == "TYPE")
		return "text audio video picture graphic composite"
	if (metavar == "VIEW")
		return "brief"
	if (name == "may")
		return "publish correct kill flash embargo audit all"
	if (name == "what")
		return "publish update correct kill hold release also held stale purge"
	if (command == "rejects" && name == "reason")
		return "not_json not_utf8 too_large too_deep duplicate_key wrong_type bad_value empty bad_channel killed not_owner " \
			"embargo_too_far advisory channel_forbidden may_not_publish may_not_correct may_not_kill may_not_flash " \
			"may_not_embargo idempotency_mismatch bad_signature poison store"
	return ""
}

# What a command takes beside its options.
function operands_of(command)
{
	if (command == "publish" || command == "correct")
		return "@file"
	if (command == "keys")
		return "add list revoke"
	return ""
}
