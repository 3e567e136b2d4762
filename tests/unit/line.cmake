nw_unit_test(line_ends LIBS line)
nw_unit_test(line_rests LIBS line)
