package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.methods.ptuning.PTuningConfig;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class PTuningContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        PTuningConfig usual =
                PTuningConfig.builder().virtualTokens(3).taskType(task(spec)).build();
        return List.of(
                prompt("a network as wide as the model", usual),
                prompt(
                        "a narrow network",
                        usual.toBuilder().virtualTokens(2).encoderHiddenSize(6).build()));
    }

    private static TestedConfig prompt(String name, PTuningConfig config) {
        return TestedConfig.of(name, config).startingElsewhere().unmergeable();
    }
}
