package io.peftj.djl.contract;

import static io.peftj.djl.contract.ModuleNames.lastNorm;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.methods.bitfit.BitFitConfig;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class BitFitContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        List<String> saved = spec.decoder() ? List.of("lm_head", lastNorm(spec)) : List.of("word_embeddings");
        return List.of(
                tested("biases", new BitFitConfig(List.of(), task(spec))),
                tested("biases, and modules whole", new BitFitConfig(saved, task(spec))));
    }

    private static TestedConfig tested(String name, BitFitConfig config) {
        return TestedConfig.of(name, config).startingFixed().flatIn("key.bias");
    }
}
