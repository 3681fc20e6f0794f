package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.prefix.PrefixInit;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class PrefixContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        PrefixConfig usual =
                PrefixConfig.builder().virtualTokens(3).taskType(task(spec)).build();
        return List.of(
                prefix("a random start", usual),
                prefix(
                                "a start at zero",
                                usual.toBuilder()
                                        .virtualTokens(5)
                                        .init(PrefixInit.zero())
                                        .build())
                        .startingFixed(),
                prefix(
                                "a start from words",
                                usual.toBuilder()
                                        .init(PrefixInit.fromText("sort these numbers"))
                                        .build())
                        .startingFixed(),
                prefix(
                        "a network",
                        usual.toBuilder()
                                .virtualTokens(2)
                                .projection(true)
                                .encoderHiddenSize(6)
                                .build()));
    }

    private static TestedConfig prefix(String name, PrefixConfig config) {
        return TestedConfig.of(name, config).startingElsewhere().unmergeable();
    }
}
