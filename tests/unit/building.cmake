nw_unit_test(options_read LIBS building)
nw_unit_test(options_manual LIBS building)
nw_unit_test(state_dir_files LIBS building)
nw_unit_test(listening_port LIBS building)
