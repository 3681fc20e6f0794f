package io.peftj.methods.bitfit;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution.Substitute;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class BitFitMethodTest {
    private final BitFitMethod method = new BitFitMethod();

    @Test
    void layersWithoutABiasGetOneOfZeros() {
        AdapterPlan plan = method.plan(TinyModels.llama(1), BitFitConfig.ofTask());

        String layer = "base_model.model.model.layers.0.";
        assertThat(plan.stored())
                .containsExactlyInAnyOrder(
                        new ParameterSpec(layer + "self_attn.q_proj.bias", Shape.of(8)),
                        new ParameterSpec(layer + "self_attn.k_proj.bias", Shape.of(4)),
                        new ParameterSpec(layer + "self_attn.v_proj.bias", Shape.of(4)),
                        new ParameterSpec(layer + "self_attn.o_proj.bias", Shape.of(8)),
                        new ParameterSpec(layer + "mlp.gate_proj.bias", Shape.of(12)),
                        new ParameterSpec(layer + "mlp.up_proj.bias", Shape.of(12)),
                        new ParameterSpec(layer + "mlp.down_proj.bias", Shape.of(8)));
        assertThat(plan.contributions())
                .hasSize(7)
                .contains(new Substitute("model.layers.0.mlp.down_proj.bias", layer + "mlp.down_proj.bias"));
        assertThat(plan.initialise(TestContext.EMPTY).values())
                .hasSize(7)
                .allSatisfy(bias -> assertThat(bias.values()).containsOnly(0));
    }

    @Test
    void biasesOfLayersAndNormsStartFromTheBases() {
        AdapterPlan plan = method.plan(TinyModels.bert(), new BitFitConfig(List.of(), TaskType.SEQ_CLS));
        Map<String, HostTensor> base = plan.stored().stream()
                .map(parameter ->
                        new ParameterSpec(parameter.name().substring("base_model.model.".length()), parameter.shape()))
                .collect(Collectors.toMap(ParameterSpec::name, p -> HostTensor.filled(p.shape(), 3)));

        Map<String, HostTensor> values = plan.initialise(new TestContext(base));

        assertThat(plan.stored().stream().map(ParameterSpec::name))
                .doesNotHaveDuplicates()
                .contains(
                        "base_model.model.bert.embeddings.LayerNorm.bias",
                        "base_model.model.bert.encoder.layer.0.attention.self.key.bias",
                        "base_model.model.bert.encoder.layer.0.output.LayerNorm.bias",
                        "base_model.model.bert.pooler.dense.bias",
                        "base_model.model.classifier.weight",
                        "base_model.model.classifier.bias")
                .filteredOn(name -> !name.endsWith(".bias"))
                .containsExactly("base_model.model.classifier.weight");
        assertThat(values.values()).allSatisfy(bias -> assertThat(bias.values()).containsOnly(3));
    }

    @Test
    void settingsSurviveFiles() {
        BitFitConfig config = new BitFitConfig(List.of("lm_head"), TaskType.CAUSAL_LM);

        assertThat(method.read(method.write(config))).isEqualTo(config);
        assertThat(method.keys())
                .containsExactlyInAnyOrderElementsOf(method.write(config).keySet());
        assertThat(method.plan(TinyModels.llama(1), config).stored())
                .contains(new ParameterSpec("base_model.model.lm_head.weight", Shape.of(16, 8)));
    }

    @Test
    void theTaskCanBeFilledInLater() {
        assertThat(BitFitConfig.ofTask().withTaskType(TaskType.SEQ_CLS))
                .isEqualTo(new BitFitConfig(List.of(), TaskType.SEQ_CLS));
    }
}
