package io.peftj.methods.ia3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.InputScale;
import io.peftj.core.adapter.Contribution.OutputScale;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Json;
import io.peftj.core.site.Targets;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class Ia3MethodTest {
    private final Ia3Method method = new Ia3Method();

    private Ia3Config read(String json) {
        return method.read(Json.parse(json, "test"));
    }

    private List<String> inputs(BackboneSpec spec, Ia3Config config) {
        return method.plan(spec, config).contributions().stream()
                .filter(InputScale.class::isInstance)
                .map(c -> ((InputScale) c).site().name())
                .toList();
    }

    private List<String> outputs(BackboneSpec spec, Ia3Config config) {
        return method.plan(spec, config).contributions().stream()
                .filter(OutputScale.class::isInstance)
                .map(c -> ((OutputScale) c).site().name())
                .toList();
    }

    @Test
    void usualTargetsAreThoseOfPeft() {
        Ia3Config config = Ia3Config.builder().build();

        Ia3Config llama = method.complete(TinyModels.llama(1), config);
        assertThat(llama.targets()).isEqualTo(Targets.names("k_proj", "v_proj", "down_proj"));
        assertThat(llama.feedForward()).isEqualTo(FeedForward.of("down_proj"));
        Ia3Config qwen = method.complete(TinyModels.decoder("Qwen2ForCausalLM", 1), config);
        assertThat(qwen.targets()).isEqualTo(Targets.names("q_proj", "v_proj", "down_proj"));
        Ia3Config bert = method.complete(TinyModels.bert(), config);
        assertThat(bert.targets()).isEqualTo(Targets.names("key", "value", "output.dense"));
        assertThat(bert.feedForward()).isEqualTo(FeedForward.of("output.dense"));
    }

    @Test
    void bothOutputsOfAnEncoderLayerHaveTheirInputScaled() {
        assertThat(inputs(TinyModels.bert(), Ia3Config.builder().build()))
                .containsExactly("bert.encoder.layer.0.attention.output.dense", "bert.encoder.layer.0.output.dense");
    }

    @Test
    void feedForwardModulesAreTargetsWhoseNamesEndInAnEntry() {
        Ia3Config config = Ia3Config.builder()
                .targets("q_proj", "up_proj", "proj")
                .feedForward("proj")
                .build();

        assertThatThrownBy(() -> inputs(TinyModels.llama(1), config))
                .hasMessageContaining("target_modules names \"proj\", which matches no module");
        Ia3Config some = Ia3Config.builder()
                .targets(Targets.string(".*(q_proj|up_proj)"))
                .feedForward("p_proj", "down_proj")
                .build();
        assertThat(inputs(TinyModels.llama(1), some)).containsExactly("model.layers.0.mlp.up_proj");
        assertThat(outputs(TinyModels.llama(1), some)).containsExactly("model.layers.0.self_attn.q_proj");
    }

    @Test
    void feedForwardModulesMayBeARegularExpressionOrNone() {
        Ia3Config regex = Ia3Config.builder()
                .targets("q_proj", "up_proj")
                .feedForward(FeedForward.matching(".*up_proj"))
                .build();
        Ia3Config none = Ia3Config.builder()
                .targets("down_proj")
                .feedForward(FeedForward.none())
                .build();

        assertThat(inputs(TinyModels.llama(1), regex)).containsExactly("model.layers.0.mlp.up_proj");
        assertThat(inputs(TinyModels.llama(1), none)).isEmpty();
        assertThat(method.read(method.write(none))).isEqualTo(none);
        assertThat(method.read(method.write(regex))).isEqualTo(regex);
    }

    @Test
    void givenTargetsHaveTheirUsualFeedForwardModules() {
        Ia3Config config = Ia3Config.builder().targets("q_proj", "down_proj").build();

        assertThat(method.complete(TinyModels.llama(1), config).feedForward()).isEqualTo(FeedForward.of("down_proj"));
    }

    @Test
    void anEntryThatMixesInputsAndOutputsIsRefused() {
        Ia3Config config = Ia3Config.builder().targets("dense").build();

        assertThatThrownBy(() -> method.complete(TinyModels.bert(), config))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage(
                        "target_modules entry \"dense\" matches feed-forward outputs and others, [ATTENTION_OUTPUT, UP,"
                                + " DOWN, POOLER]; say which inputs are scaled by feedforward_modules");
    }

    @Test
    void allLinearIsWrittenByName() {
        Ia3Config config =
                Ia3Config.builder().targets(Targets.string("all-linear")).build();

        Ia3Config llama = method.complete(TinyModels.llama(1), config);
        assertThat(llama.targets())
                .isEqualTo(Targets.names("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"));
        assertThat(llama.feedForward()).isEqualTo(FeedForward.of("down_proj"));
        assertThat(inputs(TinyModels.bert(), config)).hasSize(2);
    }

    @Test
    void feedForwardModulesOutsideTheTargetsAreRefused() {
        Ia3Config.Builder builder = Ia3Config.builder().targets("k_proj").feedForward("down_proj");

        assertThatThrownBy(builder::build)
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("feedforward_modules: expected entries of target_modules, [k_proj], found [down_proj];"
                        + " add the missing ones to target_modules");
    }

    @Test
    void expressionsThatAreNoneAreRefused() {
        assertThatThrownBy(() -> FeedForward.matching("(a"))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageStartingWith("feedforward_modules is the string \"(a\", which is no regular expression: ");
    }

    @Test
    void tokenEmbeddingsAreRefused() {
        Ia3Config config = Ia3Config.builder().targets("embed_tokens").build();

        assertThatThrownBy(() -> method.plan(TinyModels.llama(1), config))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("target_modules match the token embeddings \"model.embed_tokens\"");
    }

    @Test
    void everythingWrittenIsReadBack() {
        Ia3Config config = Ia3Config.builder()
                .targets("k_proj", "down_proj")
                .feedForward("down_proj")
                .exclude(Targets.names("x"))
                .startsAtOne(false)
                .fanInFanOut(true)
                .modulesToSave(List.of("lm_head"))
                .taskType(TaskType.CAUSAL_LM)
                .build();

        JsonObject json = method.write(config);

        assertThat(method.read(json)).isEqualTo(config);
        assertThat(method.keys()).containsAll(json.keySet());
        assertThat(config.toBuilder().build()).isEqualTo(config);
    }

    @Test
    void absentKeysMeanWhatPeftMeans() {
        assertThat(read("{}")).isEqualTo(Ia3Config.builder().build());
    }

    @Test
    void adaptersStartAsIdentities() {
        AdapterPlan plan = method.plan(TinyModels.llama(1), Ia3Config.builder().build());

        Map<String, HostTensor> values = plan.initialise(TestContext.EMPTY);

        assertThat(values).hasSize(3);
        values.values().forEach(value -> assertThat(value.values()).containsOnly(1));
    }

    @Test
    void randomVectorsAreToBeAskedFor() {
        AdapterPlan plan = method.plan(
                TinyModels.llama(1), Ia3Config.builder().startsAtOne(false).build());

        plan.initialise(TestContext.EMPTY)
                .values()
                .forEach(value -> assertThat(value.values()).doesNotContain(1).doesNotHaveDuplicates());
    }

    @Test
    void vectorsAreStoredAsMatricesAndActAsVectors() {
        AdapterPlan plan = method.plan(TinyModels.llama(1), Ia3Config.builder().build());
        String k = "base_model.model.model.layers.0.self_attn.k_proj.ia3_l";
        String down = "base_model.model.model.layers.0.mlp.down_proj.ia3_l";

        try (Session session = Session.open(ReferenceBackend.exact())) {
            Map<String, Tensor> stored = new HashMap<>();
            plan.stored().forEach(p -> stored.put(p.name(), session.tensor(HostTensor.filled(p.shape(), 2))));
            assertThat(stored.get(k).shape()).isEqualTo(Shape.of(4, 1));
            assertThat(stored.get(down).shape()).isEqualTo(Shape.of(1, 12));

            Map<String, Tensor> effective = plan.derive(stored, TestContext.EMPTY);

            assertThat(effective.get(k).shape()).isEqualTo(Shape.of(4));
            assertThat(effective.get(down).shape()).isEqualTo(Shape.of(12));
        }
        List<Contribution> contributions = plan.contributions();
        assertThat(contributions.get(0)).isInstanceOf(OutputScale.class);
        assertThat(contributions.get(2)).isInstanceOf(InputScale.class);
    }
}
