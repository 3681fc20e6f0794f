package io.peftj.djl.contract;

import static io.peftj.djl.contract.ModuleNames.lastNorm;
import static io.peftj.djl.contract.ModuleNames.named;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.site.Role;
import io.peftj.methods.head.HeadConfig;
import io.peftj.testkit.contract.TestedConfig;
import java.util.ArrayList;
import java.util.List;

class HeadContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        List<String> head = spec.decoder() ? List.of("lm_head") : List.of();
        List<String> more = new ArrayList<>(List.of(named(spec, Role.DOWN)));
        more.addAll(spec.decoder() ? List.of("lm_head", lastNorm(spec)) : List.of("embeddings", "LayerNorm"));
        if (spec.family().equals("gpt2")) {
            more.add("wpe");
        } else if (spec.architecture().startsWith("Qwen3")) {
            more.addAll(List.of("q_norm", "k_norm"));
        } else if (!spec.sites(Role.POOLER).isEmpty()) {
            more.add("pooler");
        }
        return List.of(
                TestedConfig.of("the head", new HeadConfig(head, task(spec))).startingFixed(),
                TestedConfig.of("more modules", new HeadConfig(more, task(spec)))
                        .startingFixed());
    }
}
