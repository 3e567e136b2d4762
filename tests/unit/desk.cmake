nw_unit_test(desk_scripts LIBS desk hiredis SOURCES desk_stage.c)
