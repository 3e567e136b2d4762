nw_unit_test(line_ends LIBS line)
