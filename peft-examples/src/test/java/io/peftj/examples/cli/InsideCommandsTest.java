package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peftj.core.io.Json;
import io.peftj.testkit.TinyModels;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that show what adapters do inside a model. */
class InsideCommandsTest {
    @TempDir
    private Path folder;

    private Path model;
    private Path data;

    @BeforeEach
    void write() throws IOException {
        model = TinyModels.llama(folder.resolve("model"), 1);
        data = Files.writeString(
                folder.resolve("answers.csv"), "prompt,answer\nthe book is,red\nthe room is,very green\n");
    }

    private Path trained(String method, Object... options) {
        Path out = folder.resolve(method);
        Object[] all = {"train", "--model", model, "--data", data, "--method", method, "--epochs", 1, "--out", out};
        Object[] both = Arrays.copyOf(all, all.length + options.length);
        System.arraycopy(options, 0, both, all.length, options.length);
        Invocation invocation = Invocation.of(both);
        assertThat(invocation.exitCode()).as(invocation.err()).isZero();
        return out;
    }

    @Test
    void pedrosVectorsAreWrittenAndDrawn() throws IOException {
        Path adapter = trained("pedro", "--rank", 2, "--lr", 0.1);
        Path csv = folder.resolve("vectors.csv");
        Path png = folder.resolve("vectors.png");

        Invocation inspected = Invocation.of(
                "inspect",
                "--model",
                model,
                "--adapter",
                adapter,
                "--prompt",
                "the book is",
                "--prompt",
                "the room",
                "--vectors",
                csv,
                "--heat-map",
                png);

        assertThat(inspected.err()).isEmpty();
        assertThat(inspected.exitCode()).isZero();
        List<String> lines = Files.readAllLines(csv);
        JsonObject json =
                Json.parse(Invocation.of("inspect", "--model", model, "--json").out(), "inspect");
        int outputs = 0;
        for (JsonElement site : json.getAsJsonArray("sites")) {
            if (List.of("query", "value", "up")
                    .contains(site.getAsJsonObject().get("role").getAsString())) {
                outputs += site.getAsJsonObject().get("out").getAsInt();
            }
        }
        assertThat(lines).hasSize(1 + 2 * outputs);
        assertThat(lines.get(0)).isEqualTo("prompt,layer,site,dimension,value");
        assertThat(lines.get(1)).startsWith("0,0,model.layers.0.self_attn.q_proj,0,");
        assertThat(lines.stream().skip(1).map(line -> Float.parseFloat(line.substring(line.lastIndexOf(',') + 1))))
                .anyMatch(value -> value != 1);
        BufferedImage image = ImageIO.read(png.toFile());
        assertThat(image.getWidth()).isGreaterThan(600);
    }

    @Test
    void vectorsNeedAnAdapterThatMakesThemAndPrompts() {
        Path adapter = trained("lora");
        Path csv = folder.resolve("vectors.csv");

        assertThat(Invocation.of("inspect", "--model", model, "--vectors", csv).err())
                .contains("--vectors and --heat-map need --adapter and at least one --prompt");
        assertThat(Invocation.of("inspect", "--model", model, "--prompt", "a").err())
                .contains("--prompt is for --vectors and --heat-map; give one of the two too");
        Invocation lora =
                Invocation.of("inspect", "--model", model, "--adapter", adapter, "--prompt", "a", "--vectors", csv);
        assertThat(lora.exitCode()).isEqualTo(2);
        assertThat(lora.err())
                .contains("--vectors: expected an adapter that makes vectors of prompts, such as PEDRO, found LORA");
        assertThat(csv).doesNotExist();
    }

    @Test
    void aPrefixIsDiagnosed() throws IOException {
        Path adapter = trained("prefix", "--tokens", 3, "--lr", 0.1);
        Path csv = folder.resolve("layers.csv");
        Path png = folder.resolve("layers.png");

        Invocation diagnosed = Invocation.of(
                "diagnose", "--model", model, "--adapter", adapter, "--data", data, "--csv", csv, "--chart", png);

        assertThat(diagnosed.err()).isEmpty();
        assertThat(diagnosed.out())
                .startsWith("PREFIX_TUNING, 2 rows, ")
                .containsPattern("layer +deviation +output error +share +largest +bias +alignment +cosine +drift")
                .contains("drift behind the last layer: ");
        List<String> lines = Files.readAllLines(csv);
        assertThat(lines).hasSize(3);
        assertThat(lines.get(1).split(",", -1)).hasSize(9);
        assertThat(Double.parseDouble(lines.get(2).split(",", -1)[3])).isBetween(0.0, 1.0);
        assertThat(ImageIO.read(png.toFile()).getHeight()).isGreaterThan(600);
    }

    /** Through the model's chat template, and cut like other rows. */
    @Test
    void conversationsAreRowsToo() throws IOException {
        Path adapter = trained("prefix", "--tokens", 3);
        Files.writeString(
                model.resolve("tokenizer_config.json"),
                "{\"eos_token\": \"</s>\", \"chat_template\": \"{% for m in messages %}{{ m.content }} {% endfor %}\"}");
        Path chats = Files.writeString(
                folder.resolve("chats.jsonl"),
                "{\"messages\": [{\"role\": \"user\", \"content\": \"the book is\"},"
                        + " {\"role\": \"assistant\", \"content\": \"red\"}]}\n");

        Invocation diagnosed =
                Invocation.of("diagnose", "--model", model, "--adapter", adapter, "--data", chats, "--rows", 1);

        Invocation cut =
                Invocation.of("diagnose", "--model", model, "--adapter", adapter, "--data", chats, "--max-length", 2);

        assertThat(diagnosed.err()).isEmpty();
        assertThat(diagnosed.out()).startsWith("PREFIX_TUNING, 1 rows, 4 tokens");
        assertThat(cut.out()).startsWith("PREFIX_TUNING, 1 rows, 2 tokens");
    }

    @Test
    void adaptersThatPutNothingBeforeRowsAreNotDiagnosed() {
        Invocation refused = Invocation.of("diagnose", "--model", model, "--adapter", trained("lora"), "--data", data);

        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err())
                .contains("expected an adapter that puts a prefix or a prompt before rows, found LORA");
    }

    @Test
    void rationalActivationsAreChosen() {
        Invocation planned = Invocation.of(
                "inspect",
                "--model",
                model,
                "--method",
                "pedro",
                "--rank",
                2,
                "--rational-start",
                "silu",
                "--rational-degrees",
                "6,5",
                "--json");
        Invocation usual = Invocation.of("inspect", "--model", model, "--method", "pedro", "--rank", 2, "--json");

        JsonObject json = Json.parse(planned.out(), "inspect");
        assertThat(json.getAsJsonObject("config")
                        .getAsJsonArray("rational_degrees")
                        .toString())
                .isEqualTo("[6,5]");
        // Two more coefficients in each of two layers.
        assertThat(json.get("trainable").getAsLong())
                .isEqualTo(Json.parse(usual.out(), "inspect").get("trainable").getAsLong() + 4);
    }

    @Test
    void badRationalActivationsAreRefused() {
        assertThat(pedro("--rational-start", "tanh"))
                .contains("--rational-start: expected gelu, relu, silu or mish, found tanh");
        assertThat(pedro("--rational-degrees", "6"))
                .contains("--rational-degrees: expected two numbers such as 6,5, found [6]");
        assertThat(pedro("--rational-degrees", "4,3"))
                .contains("rational_degrees: expected one of [[5, 4], [6, 5]], found [4, 3]");
        assertThat(pedro("--activation", "gelu", "--rational-start", "mish"))
                .contains(
                        "--rational-start and --rational-degrees are of the rational activation, found --activation gelu;"
                                + " leave them out");
    }

    private String pedro(Object... options) {
        Object[] all = {"inspect", "--model", model, "--method", "pedro"};
        Object[] both = Arrays.copyOf(all, all.length + options.length);
        System.arraycopy(options, 0, both, all.length, options.length);
        return Invocation.of(both).err();
    }

    @Test
    void activationsLearnFromValidationRows() {
        trained("pedro", "--rank", 2, "--validation", data, "--bilevel", "1e-6");

        Invocation refused = Invocation.of(
                "train",
                "--model",
                model,
                "--data",
                data,
                "--validation",
                data,
                "--method",
                "lora",
                "--bilevel",
                "1e-6",
                "--out",
                folder.resolve("other"));
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err())
                .contains("the upper level has parameters whose names end in \".activation.numerator\"");
    }
}
