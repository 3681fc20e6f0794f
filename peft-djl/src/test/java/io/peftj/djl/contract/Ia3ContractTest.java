package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class Ia3ContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        Ia3Config usual = Ia3Config.builder().taskType(task(spec)).build();
        return List.of(
                TestedConfig.of("usual targets", usual).startingFixed(),
                TestedConfig.of("inputs and outputs, from a random start", inputsAndOutputs(spec, usual))
                        .startingElsewhere());
    }

    private static Ia3Config inputsAndOutputs(BackboneSpec spec, Ia3Config usual) {
        Ia3Config.Builder builder = usual.toBuilder().startsAtOne(false);
        return spec.decoder()
                ? builder.targets("q_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head")
                        .feedForward("q_proj", "down_proj", "lm_head")
                        .build()
                : builder.targets("query", "value", "intermediate.dense", "pooler.dense")
                        .feedForward("query", "pooler.dense")
                        .build();
    }
}
