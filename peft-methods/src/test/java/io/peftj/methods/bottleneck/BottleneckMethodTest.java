package io.peftj.methods.bottleneck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution.Reads;
import io.peftj.core.adapter.Contribution.SublayerDelta;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Json;
import io.peftj.core.site.Sublayer;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class BottleneckMethodTest {
    private final BottleneckMethod method = new BottleneckMethod();

    @ParameterizedTest
    @CsvSource({"HOULSBY, SILU, 1, 16", "PFEIFFER, RELU, 1, 16", "PARALLEL, RELU, 4, 2"})
    void placementsComeWithTheirPapersSettings(Placement placement, Activation f, double scale, int reduction) {
        BottleneckConfig config = BottleneckConfig.builder(placement).build();

        assertThat(config.activation()).isEqualTo(f);
        assertThat(config.scale()).isEqualTo(scale);
        assertThat(config.width()).isEqualTo(new Width.Reduced(reduction));
    }

    @Test
    void houlsbysStandBehindBothHalvesOfALayer() {
        AdapterPlan plan = method.plan(
                TinyModels.llama(2),
                BottleneckConfig.builder(Placement.HOULSBY).reduction(4).build());

        assertThat(plan.stored())
                .hasSize(16)
                .startsWith(
                        new ParameterSpec("layers.0.attn.down.weight", Shape.of(2, 8)),
                        new ParameterSpec("layers.0.attn.down.bias", Shape.of(2)),
                        new ParameterSpec("layers.0.attn.up.weight", Shape.of(8, 2)),
                        new ParameterSpec("layers.0.attn.up.bias", Shape.of(8)),
                        new ParameterSpec("layers.0.mlp.down.weight", Shape.of(2, 8)))
                .endsWith(new ParameterSpec("layers.1.mlp.up.bias", Shape.of(8)));
        assertThat(plan.contributions())
                .hasSize(4)
                .startsWith(new SublayerDelta(
                        0,
                        Sublayer.ATTENTION,
                        Reads.OUTPUT,
                        new BottleneckFormula(Activation.SILU),
                        List.of(
                                "layers.0.attn.down.weight",
                                "layers.0.attn.down.bias",
                                "layers.0.attn.up.weight",
                                "layers.0.attn.up.bias")));
    }

    @Test
    void theOthersStandAtTheFeedForwardNetwork() {
        for (Placement placement : List.of(Placement.PFEIFFER, Placement.PARALLEL)) {
            AdapterPlan plan = method.plan(
                    TinyModels.llama(2), BottleneckConfig.builder(placement).build());

            assertThat(plan.contributions()).hasSize(2).allSatisfy(contribution -> {
                SublayerDelta delta = (SublayerDelta) contribution;
                assertThat(delta.sublayer()).isEqualTo(Sublayer.FEED_FORWARD);
                assertThat(delta.reads()).isEqualTo(placement == Placement.PARALLEL ? Reads.INPUT : Reads.OUTPUT);
            });
        }
    }

    @Test
    void aBottleneckIsNeverNarrowerThanOne() {
        AdapterPlan plan = method.plan(
                TinyModels.llama(1),
                BottleneckConfig.builder(Placement.PFEIFFER).build());

        assertThat(plan.stored().get(0).shape()).isEqualTo(Shape.of(1, 8));
    }

    @Test
    void theyStartAsAnIdentity() {
        AdapterPlan plan = method.plan(
                TinyModels.bert(),
                BottleneckConfig.builder(Placement.PFEIFFER)
                        .rank(100)
                        .taskType(TaskType.SEQ_CLS)
                        .build());

        Map<String, HostTensor> values = plan.initialise(TestContext.EMPTY);

        float bound = (float) (1 / Math.sqrt(8));
        double largest = 0;
        for (float value : values.get("layers.0.mlp.down.weight").values()) {
            assertThat(value).isBetween(-bound, bound);
            largest = Math.max(largest, Math.abs(value));
        }
        assertThat(largest).isGreaterThan(0.95 * bound);
        for (String zero : List.of("down.bias", "up.weight", "up.bias")) {
            assertThat(values.get("layers.0.mlp." + zero).values()).containsOnly(0);
        }
        assertThat(values.keySet()).contains("base_model.model.classifier.weight", "base_model.model.classifier.bias");
    }

    @ParameterizedTest
    @EnumSource
    void settingsSurviveFiles(Activation activation) {
        for (Placement placement : Placement.values()) {
            BottleneckConfig config = BottleneckConfig.builder(placement)
                    .rank(3)
                    .activation(activation)
                    .scale(0.5)
                    .modulesToSave(List.of("lm_head"))
                    .taskType(TaskType.CAUSAL_LM)
                    .build();
            BottleneckConfig reduced = config.toBuilder().reduction(8).build();

            assertThat(method.read(method.write(config))).isEqualTo(config);
            assertThat(method.read(method.write(reduced))).isEqualTo(reduced);
            assertThat(method.keys())
                    .containsExactlyInAnyOrderElementsOf(method.write(config).keySet());
        }
    }

    @Test
    void filesNameThePlacementAndMayLeaveTheRestToIt() {
        JsonObject json = Json.parse("{\"placement\": \"parallel\"}", "test");

        assertThat(method.read(json))
                .isEqualTo(BottleneckConfig.builder(Placement.PARALLEL).build());
        assertThat(method.read(Json.parse("{\"placement\": \"pfeiffer\", \"activation\": \"silu\"}", "test"))
                        .activation())
                .isEqualTo(Activation.SILU);
    }

    @Test
    void badFilesAreRefused() {
        refused("{}", "placement");
        refused("{\"placement\": \"lotus\"}", "one of [houlsby, pfeiffer, parallel]", "lotus");
        refused("{\"placement\": \"houlsby\", \"activation\": \"step\"}", "activation", "swish", "step");
        refused(
                "{\"placement\": \"houlsby\", \"r\": 4, \"reduction\": 16}",
                "r",
                "reduction alone",
                "set the other to null");
        refused("{\"placement\": \"houlsby\", \"r\": 0}", "r: expected a width of at least 1, found 0");
        refused(
                "{\"placement\": \"houlsby\", \"reduction\": 0}",
                "reduction: expected a divisor of at least 1, found 0");
        refused(
                "{\"placement\": \"houlsby\", \"scale\": 0}",
                "scale: expected a finite number other than 0, found 0.0");
    }

    private void refused(String json, String... parts) {
        assertThatThrownBy(() -> method.read(Json.parse(json, "test")))
                .isInstanceOf(PeftException.class)
                .hasMessageContainingAll(parts);
    }

    @Test
    void aScaleHasToBeANumber() {
        BottleneckConfig.Builder config =
                BottleneckConfig.builder(Placement.HOULSBY).scale(Double.NaN);

        assertThatThrownBy(config::build)
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage(
                        "scale: expected a finite number other than 0, found NaN; 1 in series and 4 in parallel are usual");
    }
}
