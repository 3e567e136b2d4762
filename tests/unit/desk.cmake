nw_unit_test(desk_scripts LIBS desk hiredis SOURCES desk_accept.c desk_stage.c redis_fixture.c)
nw_unit_test(desk_withdrawn LIBS desk hiredis SOURCES desk_accept.c desk_stage.c redis_fixture.c)
nw_unit_test(desk_takes LIBS desk hiredis SOURCES desk_stage.c redis_fixture.c)
nw_unit_test(desk_rules LIBS desk hiredis SOURCES desk_accept.c desk_stage.c redis_fixture.c)
