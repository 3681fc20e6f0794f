package io.peftj.djl.contract;

import static io.peftj.djl.contract.ModuleNames.lastNorm;
import static io.peftj.djl.contract.ModuleNames.named;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.site.Role;
import io.peftj.core.site.Targets;
import io.peftj.methods.lora.LoraBias;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.lora.LoraInit;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class LoraContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        LoraConfig plain = LoraConfig.builder().rank(2).taskType(task(spec)).build();
        return List.of(
                TestedConfig.of("queries and values, with a head where there is one", plain),
                TestedConfig.of(
                        "all linear layers with dropout",
                        plain.toBuilder()
                                .rank(3)
                                .alpha(2)
                                .dropout(0.25)
                                .targets(Targets.string("all-linear"))
                                .rankStabilised(true)
                                .build()),
                TestedConfig.of(
                                "biases, from a random start",
                                plain.toBuilder()
                                        .rank(4)
                                        .dropout(0.1)
                                        .bias(LoraBias.ALL)
                                        .init(LoraInit.RANDOM)
                                        .build())
                        .startingElsewhere()
                        .flatIn("key.bias"),
                TestedConfig.of(
                        "orthogonal matrices",
                        plain.toBuilder().rank(4).init(LoraInit.ORTHOGONAL).build()),
                TestedConfig.of(
                                "PiSSA of all linear layers with dropout",
                                plain.toBuilder()
                                        .rank(3)
                                        .alpha(3)
                                        .dropout(0.1)
                                        .targets(Targets.string("all-linear"))
                                        .init(LoraInit.PISSA)
                                        .build())
                        .startingFixed(),
                TestedConfig.of(
                                "DoRA of OLoRA",
                                plain.toBuilder()
                                        .rank(4)
                                        .dora(true)
                                        .init(LoraInit.OLORA)
                                        .build())
                        .startingFixed(),
                TestedConfig.of("DoRA", plain.toBuilder().rank(3).dora(true).build()),
                TestedConfig.of(
                                "DoRA of all linear layers with dropout, from a random start",
                                plain.toBuilder()
                                        .dropout(0.1)
                                        .targets(Targets.string("all-linear"))
                                        .dora(true)
                                        .init(LoraInit.RANDOM)
                                        .build())
                        .startingElsewhere(),
                TestedConfig.of(
                        "token embeddings, and a language model's output embedding",
                        plain.toBuilder().targets(embedding(spec), linear(spec)).build()),
                TestedConfig.of(
                        "rows of token embeddings",
                        plain.toBuilder().trainableTokens(23, 3, 4, 0).build()),
                TestedConfig.of(
                        "whole modules beside it",
                        plain.toBuilder().modulesToSave(saved(spec)).build()));
    }

    private static String embedding(BackboneSpec spec) {
        return spec.sites(Role.EMBEDDING).get(0).name();
    }

    private static String linear(BackboneSpec spec) {
        return spec.decoder() ? "lm_head" : "query";
    }

    private static List<String> saved(BackboneSpec spec) {
        if (!spec.decoder()) {
            return List.of(spec.sites(Role.POOLER).isEmpty() ? "position_embeddings" : "pooler", "word_embeddings");
        }
        return List.of(named(spec, Role.EMBEDDING)[0], "lm_head", lastNorm(spec));
    }
}
