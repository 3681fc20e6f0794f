package io.peftj.methods.ptuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution.VirtualTokens;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Json;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PTuningMethodTest {
    private static final String STORED = "prompt_embeddings";
    private static final String NETWORK = "prompt_encoder.";

    private final PTuningMethod method = new PTuningMethod();

    private PTuningConfig read(String json) {
        return method.read(Json.parse(json, "test"));
    }

    @Test
    void theNetworkIsTrainedAndFoldedAway() {
        AdapterPlan plan = method.plan(
                TinyModels.llama(1),
                PTuningConfig.builder().virtualTokens(3).encoderHiddenSize(5).build());

        assertThat(plan.raw())
                .containsExactly(
                        new ParameterSpec(NETWORK + "embedding.weight", Shape.of(3, 8)),
                        new ParameterSpec(NETWORK + "mlp_head.0.weight", Shape.of(5, 8)),
                        new ParameterSpec(NETWORK + "mlp_head.0.bias", Shape.of(5)),
                        new ParameterSpec(NETWORK + "mlp_head.2.weight", Shape.of(5, 5)),
                        new ParameterSpec(NETWORK + "mlp_head.2.bias", Shape.of(5)),
                        new ParameterSpec(NETWORK + "mlp_head.4.weight", Shape.of(8, 5)),
                        new ParameterSpec(NETWORK + "mlp_head.4.bias", Shape.of(8)));
        assertThat(plan.stored()).containsExactly(new ParameterSpec(STORED, Shape.of(3, 8)));
        assertThat(plan.contributions()).containsExactly(new VirtualTokens(3, STORED));
        assertThat(plan.positionShift()).isEqualTo(3);

        Map<String, HostTensor> raw = plan.initialise(TestContext.EMPTY);
        try (Session session = Session.open(ReferenceBackend.exact())) {
            Map<String, Tensor> tensors = new HashMap<>();
            raw.forEach((name, value) -> tensors.put(name, session.tensor(value)));

            Map<String, Tensor> folded = plan.fold(tensors);

            assertThat(folded).containsOnlyKeys(STORED);
            double[] hidden = relu(linear(doubles(raw.get(NETWORK + "embedding.weight")), raw, 0));
            double[] expected = linear(relu(linear(hidden, raw, 2)), raw, 4);
            assertThat(folded.get(STORED).toDoubles()).containsExactly(expected, within(1e-9));
            assertThat(plan.fold(folded)).isSameAs(folded);
            assertThat(plan.derive(tensors, TestContext.EMPTY).get(STORED).toDoubles())
                    .containsExactly(expected, within(1e-9));
        }
    }

    /** Three rows through a layer by loops. */
    private static double[] linear(double[] x, Map<String, HostTensor> raw, int number) {
        HostTensor weight = raw.get(NETWORK + "mlp_head." + number + ".weight");
        float[] bias = raw.get(NETWORK + "mlp_head." + number + ".bias").values();
        int out = weight.shape().dim(0);
        int in = weight.shape().dim(1);
        double[] y = new double[3 * out];
        for (int t = 0; t < 3; t++) {
            for (int o = 0; o < out; o++) {
                y[t * out + o] = bias[o];
                for (int i = 0; i < in; i++) {
                    y[t * out + o] += x[t * in + i] * weight.values()[o * in + i];
                }
            }
        }
        return y;
    }

    private static double[] doubles(HostTensor tensor) {
        return IntStream.range(0, tensor.values().length)
                .mapToDouble(i -> tensor.values()[i])
                .toArray();
    }

    private static double[] relu(double[] x) {
        return Arrays.stream(x).map(value -> Math.max(value, 0)).toArray();
    }

    @Test
    void anLstmsPromptIsReadButNotTrained() {
        PTuningConfig config = read("""
                {"num_virtual_tokens": 3, "encoder_reparameterization_type": "LSTM", "encoder_hidden_size": 6,
                 "encoder_num_layers": 1, "encoder_dropout": 0.25, "task_type": "CAUSAL_LM"}""");

        AdapterPlan plan = method.plan(TinyModels.llama(1), config);

        assertThat(plan.stored()).containsExactly(new ParameterSpec(STORED, Shape.of(3, 8)));
        assertThat(plan.raw()).isEqualTo(plan.stored());
        assertThat(method.read(method.write(config))).isEqualTo(config);
        assertThatThrownBy(() -> plan.initialise(TestContext.EMPTY))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("encoder_reparameterization_type: expected MLP to train a new prompt, found LSTM, which is"
                        + " read from files but not trained; use MLP, or go on from a trained prompt");
    }

    @Test
    void everythingWrittenIsReadBack() {
        PTuningConfig config = method.complete(
                TinyModels.bert(),
                PTuningConfig.builder()
                        .virtualTokens(3)
                        .modulesToSave(List.of("classifier"))
                        .taskType(TaskType.SEQ_CLS)
                        .build());

        JsonObject json = method.write(config);

        assertThat(method.read(json)).isEqualTo(config);
        assertThat(method.keys()).containsExactlyInAnyOrderElementsOf(json.keySet());
        assertThat(config.encoderHiddenSize()).isEqualTo(8);
        assertThat(config.toBuilder().build()).isEqualTo(config);
    }

    @Test
    void badConfigurationsAreRefused() {
        assertThatThrownBy(() -> PTuningConfig.builder().virtualTokens(0).build())
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("num_virtual_tokens: expected at least 1, found 0; 8 to 100 are usual");
        assertThatThrownBy(() -> PTuningConfig.builder().encoderHiddenSize(0).build())
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("encoder_hidden_size: expected at least 1, found 0; leave it out for the model's width");
        assertThatThrownBy(() -> read("{\"num_virtual_tokens\": 3, \"encoder_reparameterization_type\": \"GRU\"}"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(
                        "expected \"MLP\" or \"LSTM\" under \"encoder_reparameterization_type\", found \"GRU\"");
    }
}
