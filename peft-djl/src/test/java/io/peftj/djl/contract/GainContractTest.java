package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class GainContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        List<String> few = spec.decoder() ? List.of("v_proj") : List.of("value");
        List<String> many =
                spec.decoder() ? List.of("q_proj", "v_proj", "down_proj") : List.of("query", "output.dense");
        return List.of(
                TestedConfig.of("values", new GainConfig(few, List.of(), task(spec)))
                        .startingFixed(),
                TestedConfig.of("more layers", new GainConfig(many, List.of(), task(spec)))
                        .startingFixed());
    }
}
