package io.peftj.djl.contract;

import static io.peftj.djl.contract.ModuleNames.named;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.site.Role;
import io.peftj.core.site.Targets;
import io.peftj.methods.ia3.FeedForward;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.testkit.contract.TestedConfig;
import java.util.ArrayList;
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
        List<String> inputs = List.of(named(spec, Role.QUERY, Role.DOWN, Role.POOLER, Role.OUTPUT_EMBEDDING));
        List<String> all = new ArrayList<>(inputs);
        all.addAll(List.of(named(spec, Role.ATTENTION_OUTPUT, Role.GATE, Role.UP)));
        return builder.targets(Targets.names(all))
                .feedForward(new FeedForward(inputs, null))
                .build();
    }
}
