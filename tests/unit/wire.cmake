nw_unit_test(wire_sha1 LIBS wire)
nw_unit_test(wire_place LIBS wire)
nw_unit_test(wire_link SOURCES redis_fixture.c LIBS wire hiredis)
nw_unit_test(wire_follow SOURCES wire_stage.c redis_fixture.c LIBS wire hiredis)
