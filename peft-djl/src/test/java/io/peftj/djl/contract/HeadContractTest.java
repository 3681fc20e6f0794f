package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.methods.head.HeadConfig;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class HeadContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        List<String> head = spec.decoder() ? List.of("lm_head") : List.of();
        List<String> more = spec.decoder() ? List.of("lm_head", "norm", "down_proj") : List.of("pooler", "LayerNorm");
        return List.of(
                TestedConfig.of("the head", new HeadConfig(head, task(spec))).startingFixed(),
                TestedConfig.of("more modules", new HeadConfig(more, task(spec)))
                        .startingFixed());
    }
}
