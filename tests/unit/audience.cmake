nw_unit_test(audience LIBS audience)
nw_unit_test(audience_sweep LIBS audience)
nw_unit_test(audience_census LIBS audience)
nw_unit_test(audience_memory FAILING_MALLOC LIBS audience)
