package io.peftj.methods.full;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution.Substitute;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class FullMethodTest {
    private final FullMethod method = new FullMethod();

    @Test
    void everyParameterIsTrainedFromItsOwnValues() {
        BackboneSpec spec = TinyModels.llama(2);
        AdapterPlan plan = method.plan(spec, FullConfig.ofTask());
        Map<String, HostTensor> base = spec.parameters().entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, entry -> HostTensor.filled(entry.getValue(), 3)));

        Map<String, HostTensor> values = plan.initialise(new TestContext(base));

        assertThat(plan.stored().stream().map(ParameterSpec::name).toList())
                .isEqualTo(spec.parameters().keySet().stream()
                        .map(name -> "base_model.model." + name)
                        .toList());
        assertThat(plan.trainableCount()).isEqualTo(spec.parameterCount());
        base.forEach((name, value) ->
                assertThat(values.get("base_model.model." + name)).isSameAs(value));
    }

    @Test
    void aTiedEmbeddingIsOneParameterAtBothEnds() {
        AdapterPlan plan = method.plan(TinyModels.tiedLlama(1), FullConfig.ofTask());

        String stored = "base_model.model.model.embed_tokens.weight";
        assertThat(plan.stored())
                .contains(new ParameterSpec(stored, Shape.of(16, 8)))
                .doesNotContain(new ParameterSpec("base_model.model.lm_head.weight", Shape.of(16, 8)));
        assertThat(plan.contributions())
                .contains(
                        new Substitute("model.embed_tokens.weight", stored), new Substitute("lm_head.weight", stored));
    }

    @Test
    void aNewHeadIsTrainedToo() {
        BackboneSpec spec =
                TinyModels.tiedLlama(1).withHead(TinyModels.tiedLlama(1).headFor(3));
        AdapterPlan plan = method.plan(spec, new FullConfig(TaskType.SEQ_CLS));

        assertThat(plan.stored()).contains(new ParameterSpec("base_model.model.score.weight", Shape.of(3, 8)));
    }

    @Test
    void settingsSurviveFiles() {
        FullConfig config = FullConfig.ofTask().withTaskType(TaskType.CAUSAL_LM);

        assertThat(method.read(method.write(config))).isEqualTo(config);
        assertThat(method.keys())
                .containsExactlyInAnyOrderElementsOf(method.write(config).keySet());
    }
}
