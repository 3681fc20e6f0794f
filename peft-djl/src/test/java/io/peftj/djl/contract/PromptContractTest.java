package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.methods.prompt.PromptConfig;
import io.peftj.methods.prompt.PromptInit;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class PromptContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        PromptConfig usual =
                PromptConfig.builder().virtualTokens(3).taskType(task(spec)).build();
        return List.of(
                prompt("a random start", usual),
                prompt(
                        "a start from the vocabulary",
                        usual.toBuilder()
                                .virtualTokens(5)
                                .init(PromptInit.sampledVocabulary())
                                .build()),
                prompt(
                                "a start from words",
                                usual.toBuilder()
                                        .virtualTokens(4)
                                        .init(PromptInit.fromText("sort these numbers"))
                                        .build())
                        .startingFixed());
    }

    private static TestedConfig prompt(String name, PromptConfig config) {
        return TestedConfig.of(name, config).startingElsewhere().unmergeable();
    }
}
