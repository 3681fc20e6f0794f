package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.peftj.core.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {
    /** A small model of which there is nothing but the configuration. */
    private static final String LLAMA = """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 72,
             "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 96,
             "max_position_embeddings": 128, "tie_word_embeddings": false, "rms_norm_eps": 1e-06, "hidden_act": "silu"}
            """;

    @TempDir
    Path folder;

    @Test
    void aModelsSitesAreListedWithoutItsWeights() throws IOException {
        Invocation invocation = inspect();

        assertThat(invocation.exitCode()).isZero();
        assertThat(invocation.err()).isEmpty();
        assertThat(invocation.out())
                .contains("LlamaForCausalLM: 3 layers of width 32, 4 heads (2 of keys and values), vocabulary 96")
                .containsPattern("model\\.layers\\.2\\.self_attn\\.k_proj +key +16 +32 +no");
    }

    @Test
    void aMethodIsPlannedFromTheConfigurationAlone() throws IOException {
        JsonObject json = json(inspect("--method", "lora", "--rank", 4, "--json"));

        // A [4, 32] and B [32, 4] of q_proj, A [4, 32] and B [16, 4] of v_proj, in three layers.
        assertThat(json.get("trainable").getAsLong()).isEqualTo(3 * (256 + 192));
        assertThat(json.get("total").getAsLong())
                .isEqualTo(json.get("parameters").getAsLong() + 3 * (256 + 192));
        assertThat(json.getAsJsonObject("acts").keySet())
                .hasSize(6)
                .contains("model.layers.0.self_attn.q_proj", "model.layers.2.self_attn.v_proj");
        assertThat(json.getAsJsonObject("config").get("r").getAsInt()).isEqualTo(4);
    }

    @Test
    void aPlanIsShownToPeople() throws IOException {
        Invocation invocation = inspect("--method", "lora-all", "--rank", 4, "--alpha", 4);

        assertThat(invocation.out())
                .contains("trainable with LORA: ", "\"lora_alpha\": 4")
                .containsPattern("model\\.layers\\.0\\.mlp\\.down_proj +delta");
    }

    @Test
    void aPrefixActsInTheAttentionOfEveryLayer() throws IOException {
        JsonObject json = json(inspect("--method", "prefix", "--tokens", 7, "--json"));

        assertThat(json.get("trainable").getAsLong()).isEqualTo(7 * 2 * 3 * 16);
        assertThat(json.getAsJsonObject("acts").keySet())
                .contains("attention of layer 0", "attention of layer 1", "attention of layer 2");
    }

    @Test
    void aPromptActsBeforeEveryRow() throws IOException {
        JsonObject json = json(inspect("--method", "prompt", "--tokens", 7, "--json"));

        assertThat(json.get("trainable").getAsLong()).isEqualTo(7 * 32);
        assertThat(json.getAsJsonObject("acts").keySet()).containsExactly("before every row");
    }

    @Test
    void scalesNameTheSideTheyActOn() throws IOException {
        Invocation invocation = inspect("--method", "ia3");

        assertThat(invocation.out())
                .containsPattern("self_attn\\.k_proj +output scale")
                .containsPattern("mlp\\.down_proj +input scale");
    }

    @Test
    void bottlenecksActOnTheOutputsOfSublayers() throws IOException {
        JsonObject json = json(inspect("--method", "bottleneck", "--placement", "houlsby", "--rank", 3, "--json"));

        // [3, 32], [3], [32, 3] and [32] behind both halves of three layers.
        assertThat(json.get("trainable").getAsLong()).isEqualTo(6 * (3 * 32 + 3 + 32 * 3 + 32));
        assertThat(json.getAsJsonObject("acts").keySet())
                .contains("output of layer 0's attention", "output of layer 2's feed forward");
        JsonObject config = json.getAsJsonObject("config");
        assertThat(config.get("placement").getAsString()).isEqualTo("houlsby");
        assertThat(config.get("activation").getAsString()).isEqualTo("swish");
        JsonObject beside = json(inspect(
                "--method",
                "bottleneck",
                "--placement",
                "parallel",
                "--reduction",
                8,
                "--activation",
                "gelu",
                "--scale",
                2,
                "--json"));
        assertThat(beside.get("trainable").getAsLong()).isEqualTo(3 * (4 * 32 + 4 + 32 * 4 + 32));
        assertThat(beside.getAsJsonObject("config").get("scale").getAsDouble()).isEqualTo(2);
        assertThat(beside.getAsJsonObject("config").get("activation").getAsString())
                .isEqualTo("gelu");
    }

    @Test
    void badSettingsOfBottlenecksAreRefused() throws IOException {
        assertThat(inspect("--method", "bottleneck", "--placement", "lotus").err())
                .hasLineCount(1)
                .contains("--placement: expected houlsby, pfeiffer or parallel, found lotus");
        assertThat(inspect("--method", "bottleneck", "--rank", 3, "--reduction", 8)
                        .err())
                .hasLineCount(1)
                .contains("--rank 3 and --reduction 8 both say how wide a bottleneck is; give one of the two");
        assertThat(inspect("--method", "bottleneck", "--activation", "step").err())
                .hasLineCount(1)
                .contains("--activation: expected one of [")
                .contains("found step");
        assertThat(inspect("--method", "bitfit", "--rank", 3).err())
                .hasLineCount(1)
                .contains("--rank 3: the method bitfit has no such setting");
    }

    @Test
    void fullFineTuningTrainsEveryParameter() throws IOException {
        JsonObject json = json(inspect("--method", "full", "--json"));

        assertThat(json.get("trainable").getAsLong())
                .isEqualTo(json.get("parameters").getAsLong());
    }

    @Test
    void aHeadOfItsOwnIsCountedForClassification() throws IOException {
        long without =
                json(inspect("--method", "lora", "--json")).get("trainable").getAsLong();
        JsonObject with = json(inspect("--method", "lora", "--classes", 5, "--json"));

        assertThat(with.get("trainable").getAsLong()).isEqualTo(without + 5 * 32);
        assertThat(with.getAsJsonObject("acts").keySet()).contains("score.weight");
    }

    @Test
    void anAdapterIsShownOnItsModel() {
        Fixture fixture = Fixture.of("bert", "lora");

        Invocation invocation =
                Invocation.of("inspect", "--model", fixture.base(), "--adapter", fixture.folder(), "--json");

        assertThat(invocation.err()).isEmpty();
        JsonObject json = json(invocation);
        assertThat(json.get("type").getAsString()).isEqualTo("LORA");
        assertThat(json.get("trainable").getAsLong()).isEqualTo(3 * 2 * 2 * 4 * 32 + 3 * 32 + 3);
        assertThat(json.getAsJsonObject("acts").keySet())
                .contains("bert.encoder.layer.1.attention.self.query", "classifier.weight");
    }

    @Test
    void anOptionThatTheMethodDoesNotTakeIsBadInput() throws IOException {
        Invocation invocation = inspect("--method", "lora-all", "--targets", "q_proj");

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("the method lora-all has no such setting");
    }

    @Test
    void tellsWhereStatesAreEdited() throws IOException {
        JsonObject json = json(inspect("--method", "loreft", "--rank", 2, "--first", 3, "--layers", 0, "--json"));

        assertThat(json.get("trainable").getAsLong()).isPositive();
        assertThat(json.toString()).contains("output of layer 0").contains("\"first_positions\":3");
        assertThat(inspect("--method", "pedro", "--pooling", "middle").err())
                .hasLineCount(1)
                .contains("--pooling: expected last, first, mean, max or attention, found middle");
    }

    @Test
    void anUnknownMethodIsBadInputThatListsTheKnownOnes() throws IOException {
        Invocation invocation = inspect("--method", "lara");

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err())
                .hasLineCount(1)
                .contains("expected one of lora, lora-all, dora, ia3", "found lara");
    }

    @Test
    void anAdapterAndAMethodTogetherAreBadInput() throws IOException {
        Invocation invocation = inspect("--method", "lora", "--adapter", folder);

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("give --adapter or --method, not both");
    }

    private Invocation inspect(Object... more) throws IOException {
        Files.writeString(folder.resolve("config.json"), LLAMA);
        Object[] arguments = new Object[3 + more.length];
        System.arraycopy(new Object[] {"inspect", "--model", folder}, 0, arguments, 0, 3);
        System.arraycopy(more, 0, arguments, 3, more.length);
        return Invocation.of(arguments);
    }

    private static JsonObject json(Invocation invocation) {
        assertThat(invocation.exitCode()).as(invocation.err()).isZero();
        return Json.parse(invocation.out().strip(), "standard output");
    }
}
