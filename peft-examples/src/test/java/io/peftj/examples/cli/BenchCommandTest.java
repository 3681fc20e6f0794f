package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.io.Json;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.backbone.Options;
import io.peftj.testkit.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchCommandTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {"lora", "lora-all", "dora", "ia3", "prefix", "prompt", "p-tuning", "bottleneck", "bitfit", "full"
            })
    void trainPrintsTheKeysOfTheOtherSide(String method) {
        Path model = TinyModels.llama(folder, 1);

        Invocation invocation = Invocation.of(
                "bench", "train", "--model", model, "--method", method, "--batch", 2, "--length", 6, "--steps", 3);

        JsonObject json = json(invocation);
        assertThat(json.keySet())
                .containsExactly(
                        "side",
                        "threads",
                        "workload",
                        "method",
                        "rss_loaded_mib",
                        "batch",
                        "length",
                        "checkpointing",
                        "dtype",
                        "trainable",
                        "loss",
                        "step_s",
                        "tokens_per_s",
                        "peak_tensors_mib",
                        "peak_rss_mib");
        assertThat(json.get("side").getAsString()).isEqualTo("peftj");
        assertThat(json.get("threads").getAsInt()).isEqualTo(2);
        assertThat(json.get("trainable").getAsInt()).isPositive();
        // Random tokens: about as likely as any other of the vocabulary.
        assertThat(json.get("loss").getAsDouble()).isCloseTo(Math.log(32), within(1.5));
        assertThat(invocation.err()).contains("warm-up: loss ", "step 3 of 3: loss ");
    }

    @Test
    void aProfileSaysWhatKernelsTakeAndWhatTheFrozenProductsTakeAlone() {
        Path model = TinyModels.llama(folder, 1);

        Invocation invocation = Invocation.with(
                Backbones::load,
                "bench",
                "train",
                "--model",
                model,
                "--batch",
                2,
                "--length",
                6,
                "--steps",
                2,
                "--profile");

        JsonObject json = json(invocation);
        assertThat(json.get("floor_s").getAsDouble()).isNotNegative();
        assertThat(json.get("steps").getAsInt()).isEqualTo(2);
        assertThat(invocation.err())
                .contains("attention_backward", "linear_transposed", "low_rank_delta", "F32 16 -> ")
                .containsPattern(
                        "all kernels [\\d.]+ ms of a step of [\\d.]+ ms; its frozen products alone [\\d.]+ ms");
    }

    @Test
    void embedPrintsHowManyRowsASecond() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = Files.createDirectory(folder.resolve("opinions"));
        Files.write(data.resolve("train.csv"), List.of("text,category", "a good film,good"));
        Files.write(data.resolve("test.csv"), List.of("text,category", "a good film,good", "a film,bad", "film,bad"));

        Invocation invocation =
                Invocation.of("bench", "embed", "--model", model, "--data", data, "--batch", 2, "--passes", 2);

        JsonObject json = json(invocation);
        assertThat(json.get("rows").getAsInt()).isEqualTo(3);
        assertThat(json.get("rows_per_s").getAsDouble()).isPositive();
        assertThat(json.get("dtype").getAsString()).isEqualTo("float32");
    }

    @Test
    void aProfileOfTheReferenceIsRefused() {
        Path model = TinyModels.llama(folder, 1);

        Invocation invocation = Invocation.of(
                "bench", "train", "--model", model, "--batch", 1, "--length", 4, "--steps", 1, "--profile");

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).contains("--profile needs the PyTorch engine");
    }

    @ParameterizedTest
    @ValueSource(strings = {"peft", "ours"})
    void classifyPrintsTheKeysOfTheOtherSide(String recipe) throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = Files.createDirectory(folder.resolve("opinions"));
        Files.write(data.resolve("train.csv"), List.of("text,category", "a good film,good", "a dull film,bad"));
        Files.write(data.resolve("test.csv"), List.of("text,category", "a good film,good", "a dull film,bad"));

        Invocation invocation = Invocation.of(
                "bench",
                "classify",
                "--model",
                model,
                "--data",
                data,
                "--epochs",
                20,
                "--lr",
                "0.05",
                "--recipe",
                recipe);

        JsonObject json = json(invocation);
        assertThat(json.keySet())
                .containsExactly(
                        "side",
                        "data",
                        "method",
                        "epochs",
                        "lr",
                        "seed",
                        "base_dropout",
                        "accuracy",
                        "train_s",
                        "examples_per_s",
                        "trainable",
                        "file_bytes",
                        "peak_rss_mib");
        assertThat(json.get("data").getAsString()).isEqualTo("opinions");
        assertThat(json.get("accuracy").getAsDouble()).isEqualTo(1);
        assertThat(json.get("file_bytes").getAsLong())
                .isGreaterThan(4 * json.get("trainable").getAsLong());
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "lora", "ia3", "prefix", "ours"})
    void sftPrintsTheKeysOfTheOtherSideAndWritesAnswers(String method) throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Files.writeString(
                model.resolve("tokenizer_config.json"),
                "{\"eos_token\": \"</s>\", \"chat_template\": \"{{ messages[0].content }} is\"}");
        Path data = Files.createDirectory(folder.resolve("places"));
        writePlaces(data);
        Path answers = folder.resolve("out").resolve("answers.txt");
        List<Object> arguments = new ArrayList<>(List.of(
                "bench",
                "sft",
                "--model",
                model,
                "--data",
                data,
                "--epochs",
                150,
                "--lr",
                "0.05",
                "--answers",
                answers));
        arguments.addAll(method.equals("ours") ? List.of("--recipe", "ours") : List.of("--method", method));

        Invocation invocation = Invocation.of(arguments.toArray());

        JsonObject json = json(invocation);
        assertThat(json.keySet())
                .containsExactly(
                        "side",
                        "data",
                        "method",
                        "dtype",
                        "lr",
                        "epochs",
                        "seed",
                        "shots",
                        "answer_nll",
                        "train_s",
                        "tokens_per_s",
                        "trainable",
                        "peak_rss_mib");
        assertThat(json.get("data").getAsString()).isEqualTo("places");
        List<String> written = Files.readAllLines(answers);
        assertThat(written).hasSize(2);
        if (method.equals("base")) {
            assertThat(json.get("tokens_per_s").isJsonNull()).isTrue();
            assertThat(json.get("trainable").getAsInt()).isZero();
        } else {
            assertThat(json.get("trainable").getAsInt()).isPositive();
            // The second test input has another first reference than the training row.
            assertThat(written.get(0)).isEqualTo("very red");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 9})
    void sftShowsTheBaseTrainingRowsAsEarlierTurns(int shots) throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        String bySize = "{%% if messages|length == %d %%}the{%% else %%}not{%% endif %%} {{ messages[-1].content }}";
        Path data = Files.createDirectory(folder.resolve("places"));
        writePlaces(data);

        // Two rows train, so that nine cannot be shown: two are.
        int turns = 2 * Math.min(shots, 2) + 1;
        double told = answerNll(model, data, bySize.formatted(turns), shots);

        assertThat(told).isEqualTo(answerNll(model, data, "the {{ messages[-1].content }}", shots));
        assertThat(told).isNotEqualTo(answerNll(model, data, "not {{ messages[-1].content }}", shots));
    }

    private static double answerNll(Path model, Path data, String template, int shots) throws IOException {
        JsonObject config = new JsonObject();
        config.addProperty("eos_token", "</s>");
        config.addProperty("chat_template", template);
        Files.writeString(model.resolve("tokenizer_config.json"), config.toString());
        JsonObject json = json(
                Invocation.of("bench", "sft", "--model", model, "--data", data, "--method", "base", "--shots", shots));
        assertThat(json.get("shots").getAsInt()).isEqualTo(shots);
        return json.get("answer_nll").getAsDouble();
    }

    private static void writePlaces(Path data) throws IOException {
        List<String> rows = List.of(
                "mr,ref",
                "\"a[room], the[red]\",very red",
                "\"a[book], the[blue]\",left out",
                "\"a[book], the[blue]\",left out",
                "\"a[book], the[blue]\",left out",
                "\"a[book], the[blue]\",not blue");
        Files.write(data.resolve("devset.csv"), rows);
        Files.write(data.resolve("testset_w_refs.csv"), rows);
    }

    @Test
    void sftRefusesWhatIsNoE2eAndWhatBaseDoesNotTake() throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Path data = Files.createDirectory(folder.resolve("data"));
        Files.write(data.resolve("devset.csv"), List.of("mr,ref", "name of it,x"));
        Files.write(data.resolve("testset_w_refs.csv"), List.of("mr,ref", "a[b],x"));

        Invocation wrong = Invocation.of("bench", "sft", "--model", model, "--data", data);
        assertThat(wrong.exitCode()).isEqualTo(2);
        assertThat(wrong.err())
                .contains("devset.csv, row 1: expected facts such as name[Blue Spice], found \"name of it\"");

        Files.write(data.resolve("devset.csv"), List.of("mr,ref", "a[b],x"));
        Invocation plain = Invocation.of("bench", "sft", "--model", model, "--data", data);
        assertThat(plain.exitCode()).isEqualTo(2);
        assertThat(plain.err()).contains("the model has no chat template");

        Files.writeString(model.resolve("chat_template.jinja"), "{{ messages[0].content }}");
        Invocation ranked =
                Invocation.of("bench", "sft", "--model", model, "--data", data, "--method", "base", "--rank", 4);
        assertThat(ranked.exitCode()).isEqualTo(2);
        assertThat(ranked.err()).contains("--rank 4: the method base has no such setting; leave the option out");

        Invocation shown = Invocation.of("bench", "sft", "--model", model, "--data", data, "--shots", 3);
        assertThat(shown.exitCode()).isEqualTo(2);
        assertThat(shown.err())
                .contains(
                        "--shots 3: expected --method base, which trains nothing, found lora; name it, or leave --shots out");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "prompt", "pedro"})
    void textTellsTheLossBeforeAndAfter(String method) throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Path data = folder.resolve("book.txt");
        Files.writeString(data, "the book is red and the room is blue ".repeat(40));

        Invocation invocation = Invocation.of(
                "bench", "text", "--model", model, "--data", data, "--window", 16, "--method", method, "--lr", "1e-2");

        JsonObject json = json(invocation);
        assertThat(json.keySet())
                .containsExactly(
                        "side",
                        "data",
                        "method",
                        "dtype",
                        "window",
                        "lr",
                        "epochs",
                        "seed",
                        "nll_before",
                        "nll",
                        "train_s",
                        "tokens_per_s",
                        "trainable",
                        "file_bytes",
                        "peak_rss_mib");
        assertThat(json.get("nll").getAsDouble())
                .isPositive()
                .isLessThan(json.get("nll_before").getAsDouble());
        assertThat(json.get("file_bytes").getAsLong()).isPositive();
    }

    @Test
    void textRefusesWhatIsNoLongText() throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Path none = folder.resolve("none.txt");
        Invocation missing = Invocation.of("bench", "text", "--model", model, "--data", none);
        assertThat(missing.exitCode()).isEqualTo(2);
        assertThat(missing.err()).contains("--data " + none + ": expected a text file in UTF-8", "check the path");

        Path data = folder.resolve("book.txt");
        Files.writeString(data, "a");
        Invocation brief = Invocation.of("bench", "text", "--model", model, "--data", data);
        assertThat(brief.exitCode()).isEqualTo(2);
        assertThat(brief.err())
                .contains(
                        "--data " + data + ": expected text of which nine tenths and the last tenth have two tokens or"
                                + " more, found 0 and 1; give a longer one");
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "lora", "ia3", "pedro", "prefix", "reft", "mixed"})
    void decodePrintsTheKeysOfTheOtherSide(String method) {
        Path model = TinyModels.llama(folder, 1);

        Invocation invocation = Invocation.of(
                "bench", "decode", "--model", model, "--method", method, "--rows", 7, "--prompt", 3, "--new", 4);

        JsonObject json = json(invocation);
        assertThat(json.keySet())
                .containsExactly(
                        "side",
                        "threads",
                        "workload",
                        "method",
                        "rss_loaded_mib",
                        "tenants",
                        "prompt",
                        "new",
                        "dtype",
                        "seconds",
                        "tokens_per_s",
                        "peak_rss_mib");
        assertThat(json.get("workload").getAsString()).isEqualTo("decode");
        assertThat(json.get("tenants").getAsInt()).isEqualTo(7);
        assertThat(json.get("tokens_per_s").getAsDouble()).isPositive();
        assertThat(invocation.err()).contains("warm-up 1: ", "run 2: ");
    }

    @Test
    void decodeProfilesItsPasses() {
        Path model = TinyModels.llama(folder, 1);

        Invocation invocation = Invocation.with(
                Backbones::load,
                "bench",
                "decode",
                "--model",
                model,
                "--method",
                "lora",
                "--rows",
                2,
                "--prompt",
                3,
                "--new",
                4,
                "--profile");

        JsonObject json = json(invocation);
        assertThat(json.get("steps").getAsInt()).as("passes of two runs").isEqualTo(8);
        assertThat(invocation.err()).contains("cached_attention", "low_rank_delta", "all kernels ");
    }

    @Test
    void decodeWarmsUpAsOftenAsItIsTold() {
        Path model = TinyModels.llama(folder, 1);

        Invocation invocation = Invocation.of(
                "bench", "decode", "--model", model, "--method", "base", "--new", 2, "--prompt", 3, "--warm-ups", 3);

        assertThat(invocation.err()).containsSubsequence("warm-up 1: ", "warm-up 3: ", "run 1: ", "run 2: ");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void weightsArePackedWhereAskedFor(boolean packed) {
        Path model = TinyModels.llama(folder, 1);
        List<Options> asked = new ArrayList<>();
        List<Object> arguments = new ArrayList<>(List.of(
                "bench", "decode", "--model", model, "--method", "base", "--rows", 4, "--prompt", 3, "--new", 4));
        if (packed) {
            arguments.add("--packed-weights");
        }

        Invocation invocation = Invocation.with(
                (path, options) -> {
                    asked.add(options);
                    return Backbones.load(path, options);
                },
                arguments.toArray());

        assertThat(invocation.exitCode()).isZero();
        assertThat(asked).singleElement().returns(packed, Options::packedWeights);
    }

    @Test
    void decodeRefusesSettingsOfNoMethod() {
        Path model = TinyModels.llama(folder, 1);

        for (String method : List.of("base", "mixed")) {
            Invocation invocation = Invocation.of("bench", "decode", "--model", model, "--method", method, "--rank", 4);
            assertThat(invocation.exitCode()).isEqualTo(2);
            assertThat(invocation.err()).contains("--rank 4: the method " + method + " has no such setting");
        }
    }

    @Test
    void aMethodWithoutAHeadCannotTrainALanguageModelsHead() {
        Path model = TinyModels.llama(folder, 1);

        Invocation invocation = Invocation.of("bench", "train", "--model", model, "--method", "head");

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1);
    }

    private static JsonObject json(Invocation invocation) {
        assertThat(invocation.exitCode()).as(invocation.err()).isZero();
        assertThat(invocation.out()).hasLineCount(1);
        return Json.parse(invocation.out().strip(), "standard output");
    }
}
