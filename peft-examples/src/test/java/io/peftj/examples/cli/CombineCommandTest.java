package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Safetensors;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.train.BackboneContext;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters added up and worked into the weights. */
class CombineCommandTest {
    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void writeModel() {
        model = TinyModels.llama(folder.resolve("model"), 1);
    }

    private Path adapter(String name, AdapterConfig settings) {
        try (ReferenceBackend backend = ReferenceBackend.exact();
                Backbone base = Backbones.load(model, backend, DType.F32)) {
            AdapterConfig config = AdapterMethods.complete(base.spec(), settings.withTaskType(TaskType.CAUSAL_LM));
            AdapterPlan plan = AdapterMethods.plan(base.spec(), config);
            Map<String, HostTensor> values = new TreeMap<>(plan.initialise(new BackboneContext(base, base.spec(), 1)));
            values.replaceAll((key, start) ->
                    CounterRandom.of(CounterRandom.key(name.hashCode(), key)).normal(start.shape(), 0.2));
            new Adapter(AdapterMethods.of(config).type(), config, values, TaskData.NONE, null, new JsonObject())
                    .save(folder.resolve(name));
        }
        return folder.resolve(name);
    }

    private float[] logits(Path of, Object... more) {
        Path inputs = folder.resolve("inputs.safetensors");
        SafetensorsWriter.write(
                inputs,
                List.of(
                        StoredTensor.i64("input_ids", Shape.of(1, 4), 5, 6, 7, 8),
                        StoredTensor.i64("attention_mask", Shape.of(1, 4), 1, 1, 1, 1)),
                Map.of());
        Path out = folder.resolve("logits.safetensors");
        Object[] arguments = new Object[7 + more.length];
        System.arraycopy(new Object[] {"logits", "--model", of, "--inputs", inputs, "--out", out}, 0, arguments, 0, 7);
        System.arraycopy(more, 0, arguments, 7, more.length);
        Invocation invocation = Invocation.of(arguments);
        assertThat(invocation.exitCode()).as(invocation.err()).isZero();
        try (Safetensors file = Safetensors.open(out)) {
            return file.find("logits").toFloats();
        }
    }

    @Test
    void whatIsTakenAwayAgainLeavesTheRest() {
        LoraConfig lora = LoraConfig.builder().rank(2).build();
        Path one = adapter("one", lora);
        Path two = adapter("two", lora.toBuilder().rank(3).build());
        Path both = folder.resolve("both");
        Path first = folder.resolve("first");

        Invocation summed = Invocation.of(
                "combine", "--model", model, "--adapter", one + "=1", "--adapter", two + "=0.5", "--out", both);
        Invocation taken = Invocation.of(
                "combine",
                "--model",
                model,
                "--adapter",
                both + "=0.5",
                "--adapter",
                both + "=0.5",
                "--adapter",
                two + "=-0.5",
                "--rank",
                2,
                "--out",
                first);

        assertThat(summed.exitCode()).as(summed.err()).isZero();
        assertThat(taken.exitCode()).as(taken.err()).isZero();
        assertThat(taken.out()).contains("\"adapters\":3,");
        assertThat(summed.out()).contains("\"type\":\"LORA\",\"adapters\":2,\"parameters\":");
        assertThat(logits(model, "--adapter", first)).containsExactly(logits(model, "--adapter", one), within(1e-4f));
        assertThat(logits(model, "--adapter", both)).isNotEqualTo(logits(model, "--adapter", one));
    }

    @Test
    void anAdapterWithoutAWeightIsBadInput() {
        Invocation refused =
                Invocation.of("combine", "--model", model, "--adapter", "one", "--out", folder.resolve("out"));

        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err())
                .isEqualToIgnoringNewLines(
                        "peft: --adapter one: expected DIR=WEIGHT, such as one=0.5; give the weight");
    }

    @Test
    void aMergedModelGivesWhatItsAdapterGives() {
        Path adapter = adapter("vectors", Ia3Config.builder().build());
        Path merged = folder.resolve("merged");

        Invocation invocation = Invocation.of("merge", "--model", model, "--adapter", adapter, "--out", merged);

        assertThat(invocation.exitCode()).as(invocation.err()).isZero();
        assertThat(invocation.out().strip())
                .isEqualTo("{\"type\":\"IA3\",\"architecture\":\"LlamaForCausalLM\",\"untied\":false}");
        assertThat(logits(merged)).containsExactly(logits(model, "--adapter", adapter), within(1e-4f));
    }

    @Test
    void whatWeightsCannotHoldIsNeitherAddedUpNorMerged() {
        Path prefix = adapter("prefix", PrefixConfig.builder().virtualTokens(2).build());
        Path out = folder.resolve("out");

        Invocation combined = Invocation.of("combine", "--model", model, "--adapter", prefix + "=1", "--out", out);
        Invocation merged = Invocation.of("merge", "--model", model, "--adapter", prefix, "--out", out);

        assertThat(combined.exitCode()).isEqualTo(2);
        assertThat(combined.err())
                .isEqualToIgnoringNewLines("peft: adapters of type PREFIX_TUNING cannot be added up: no adapter of this"
                        + " type makes the sum of what they do; keep them apart, one to a row, or train one on the data"
                        + " of both");
        assertThat(merged.exitCode()).isEqualTo(2);
        assertThat(Files.exists(out)).isFalse();
    }
}
