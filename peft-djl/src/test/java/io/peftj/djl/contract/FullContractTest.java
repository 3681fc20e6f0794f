package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.methods.full.FullConfig;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class FullContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        return List.of(
                tested("with the head of a task", new FullConfig(task(spec))),
                tested("without a task", new FullConfig(null)));
    }

    private static TestedConfig tested(String name, FullConfig config) {
        return TestedConfig.of(name, config).startingFixed().flatIn("key.bias");
    }
}
