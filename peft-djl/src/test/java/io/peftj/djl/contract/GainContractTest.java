package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.site.Role;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class GainContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        List<Role> few = List.of(Role.VALUE);
        List<Role> many = List.of(Role.QUERY, Role.VALUE, Role.DOWN);
        return List.of(
                TestedConfig.of("values", new GainConfig(few, List.of(), task(spec)))
                        .startingFixed(),
                TestedConfig.of("more outputs", new GainConfig(many, List.of(), task(spec)))
                        .startingFixed());
    }
}
