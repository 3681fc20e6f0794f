package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.tensor.Activation;
import io.peftj.methods.bottleneck.BottleneckConfig;
import io.peftj.methods.bottleneck.Placement;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class BottleneckContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        return List.of(
                tested(
                        "behind attention and feed-forward network",
                        BottleneckConfig.builder(Placement.HOULSBY).reduction(4),
                        spec),
                tested(
                        "behind the feed-forward network, narrower",
                        BottleneckConfig.builder(Placement.PFEIFFER).rank(3).scale(0.5),
                        spec),
                tested("beside the feed-forward network", BottleneckConfig.builder(Placement.PARALLEL), spec),
                tested(
                        "behind both, scaled",
                        BottleneckConfig.builder(Placement.HOULSBY)
                                .rank(2)
                                .scale(2)
                                .activation(Activation.TANH),
                        spec),
                tested(
                        "beside it, narrower",
                        BottleneckConfig.builder(Placement.PARALLEL).rank(5).activation(Activation.GELU),
                        spec));
    }

    private static TestedConfig tested(String name, BottleneckConfig.Builder config, BackboneSpec spec) {
        return TestedConfig.of(name, config.taskType(task(spec)).build()).unmergeable();
    }
}
